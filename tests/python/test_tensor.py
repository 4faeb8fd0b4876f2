"""Tensors and the arrays that show them: what is shared, what is copied."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, DTypeError, ParameterStore, ShapeError, Tensor

# One KiB of float64: up to here values are copied out.
SMALL, LARGE = 128, 129


def test_attributes(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value(np.ones((2, 3), np.float32))
    assert x.shape == (2, 3)
    assert x.ndim == 2
    assert x.size == 6
    assert x.dtype == np.float32
    assert isinstance(x.dtype, np.dtype)
    assert x.index == 0
    assert x.record is rec
    assert len(x) == 2
    assert x.T.shape == (3, 2)
    scalar = rec.tensor_from_value(True)
    assert scalar.shape == ()
    assert scalar.ndim == 0
    assert scalar.size == 1
    assert scalar.dtype == np.bool_
    assert rec.zeros((3, 0)).size == 0


METHODS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "sum": (lambda t: t.sum(), lambda x: x.sum()),
    "sum axis": (lambda t: t.sum(0, True), lambda x: x.sum(0, keepdims=True)),
    "mean": (lambda t: t.mean(axis=-1), lambda x: x.mean(axis=-1)),
    "max": (lambda t: t.max(axis=(0, 1)), lambda x: x.max(axis=(0, 1))),
    "argmax": (lambda t: t.argmax(1), lambda x: x.argmax(1)),
    "argmax all": (lambda t: t.argmax(), lambda x: x.argmax()),
    "reshape": (lambda t: t.reshape(6, 4), lambda x: x.reshape(6, 4)),
    "reshape tuple": (lambda t: t.reshape((4, -1)), lambda x: x.reshape((4, -1))),
    "reshape one": (lambda t: t.reshape(-1), lambda x: x.reshape(-1)),
    "transpose": (lambda t: t.transpose(), lambda x: x.transpose()),
    "transpose axes": (lambda t: t.transpose(2, 0, 1), lambda x: x.transpose(2, 0, 1)),
    "transpose list": (
        lambda t: t.transpose([1, 0, 2]),
        lambda x: x.transpose(1, 0, 2),
    ),
    "swapaxes": (lambda t: t.swapaxes(0, -1), lambda x: x.swapaxes(0, -1)),
    "squeeze": (lambda t: t[:1].squeeze(), lambda x: x[:1].squeeze()),
    "squeeze axis": (lambda t: t[:1].squeeze(0), lambda x: x[:1].squeeze(0)),
    "astype": (lambda t: t.astype("float32"), lambda x: x.astype("float32")),
    "astype int": (lambda t: t.astype(int), lambda x: x.astype(int)),
    "astype bool": (lambda t: t.astype(np.bool_), lambda x: x.astype(bool)),
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_are_numpys(name: str, rec: ComputationRecord, rng: Any) -> None:
    ours, theirs = METHODS[name]
    x = rng.normal(size=(2, 3, 4))
    y = ours(rec.tensor_from_value(x))
    assert isinstance(y, Tensor)
    wanted = np.asarray(theirs(x))
    assert y.shape == wanted.shape
    assert y.dtype == wanted.dtype
    np.testing.assert_allclose(y.data(), wanted, rtol=1e-14)


def test_reshape_to_no_axes(rec: ComputationRecord) -> None:
    assert rec.ones(1).reshape(()).shape == ()
    assert rec.ones((1, 1)).reshape([]).shape == ()
    with pytest.raises(ShapeError, match=r"has 2 elements, \(\) asks for 1"):
        rec.ones(2).reshape(())


def test_a_summary_reads_what_a_broadcast_repeats_once(rec: ComputationRecord) -> None:
    """Whoever looked at every element would never come back."""
    x = rec.tensor_from_value([1.0, 2.0, np.nan, 0.5, 4.0])
    many = f": 0.5..4, {2**40} not finite"
    assert many in repr(wg.broadcast_to(x, (2**40, 5)))
    true = wg.broadcast_to(rec.constant([True, False]), (2**40, 2))
    assert f": {2**40} of {2**41} true" in repr(true)
    assert many[2:] in str(rec)


def test_casting_truncates_and_rounds(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.9, -1.9, 0.0, 2.0**40 + 0.5])
    assert x.astype("int64").data().tolist() == [1, -1, 0, 2**40]
    assert x.astype("bool").data().tolist() == [True, True, False, True]
    assert x.astype("float32").data()[3] == np.float32(2.0**40)
    for dtype in ("int32", "uint8", "float16", "complex64", "no such"):
        with pytest.raises(TypeError):
            x.astype(dtype)
    with pytest.raises(DTypeError, match="float32, float64, int64 or bool"):
        x.astype("int32")
    default: Any = None  # As in NumPy.
    assert x.astype("bool").astype(default).dtype == np.float64


# --- What `data` gives ----------------------------------------------------------------


def test_small_values_are_copied(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value(np.arange(float(SMALL)))
    a, b = x.data(), x.data()
    assert not np.shares_memory(a, b)
    assert a.base is None
    assert not a.flags.writeable


def test_large_values_are_shared(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value(np.arange(float(LARGE)))
    a, b = x.data(), x.data()
    assert np.shares_memory(a, b)
    assert not a.flags.writeable
    assert a.flags.aligned
    assert a.ctypes.data % 64 == 0
    y = x * 2
    assert not np.shares_memory(y.data(), a)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("shape", [(), (3,), (0,), (40, 50), (2, 0, 3)])
def test_data_is_what_was_given(
    shape: tuple[int, ...], dtype: str, rec: ComputationRecord, rng: Any
) -> None:
    x = np.asarray(rng.integers(0, 2, shape)).astype(dtype)
    found = rec.tensor_from_value(x).data()
    assert type(found) is np.ndarray
    assert found.dtype == x.dtype
    assert found.shape == x.shape
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, x)


def test_views_show_the_memory_of_their_base(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value(np.arange(3000.0).reshape(30, 100))
    base = x.data()
    views: list[tuple[Tensor, Any]] = [
        (x.T, base.T),
        (x[::-1, ::3], base[::-1, ::3]),
        (x.reshape(100, 30), base.reshape(100, 30)),
        (x[5:25], base[5:25]),
        (wg.broadcast_to(x[:, None], (30, 7, 100)), base[:, None]),
        (wg.stop_gradient(x), base),
        (x.swapaxes(0, 1)[::2], base.T[::2]),
    ]
    held = rec.bytes()
    for t, wanted in views:
        found = t.data()
        np.testing.assert_array_equal(found, np.broadcast_to(wanted, found.shape))
        assert np.shares_memory(found, base)
        assert not found.flags.writeable
    assert rec.bytes() == held


def test_a_view_of_a_view_keeps_the_memory() -> None:
    rec = ComputationRecord()
    y = (rec.tensor_from_value(np.arange(1000.0)) * 1)[::-1].reshape(10, 100).T
    view = y.data()[::2]
    del rec, y
    gc.collect()
    other = ComputationRecord()
    for _ in range(10):
        other.tensor_from_value(np.zeros(1000)) * 1
    wanted = np.arange(1000.0)[::-1].reshape(10, 100).T[::2]
    np.testing.assert_array_equal(view, wanted)


def test_an_array_of_the_package_is_read_without_a_copy(rec: ComputationRecord) -> None:
    first = ComputationRecord().tensor_from_value(np.arange(1000.0)) * 1
    for made in (first.data(), wg.Rng(1).uniform(1000), (first * 2)[::2].data()):
        t = rec.tensor_from_value(made)
        assert np.shares_memory(t.data(), made)
        np.testing.assert_array_equal(t.data(), made)
        assert np.shares_memory(rec.constant(made).data(), made)
        assert np.shares_memory(rec.parameter("p", made).data(), made)
    # The tensor of another record, too.
    assert np.shares_memory(rec.tensor_from_value(first).data(), first.data())


def test_a_view_of_such_an_array_is_not_copied_either(rec: ComputationRecord) -> None:
    class Special(np.ndarray[Any, Any]):
        pass

    made = (ComputationRecord().tensor_from_value(np.arange(2400.0)) * 1).data()
    for view in (
        made[::2],
        made[::-3],
        made.reshape(40, 60).T[5:, 1::2],
        np.broadcast_to(made, (3, 2400)),
        made.view(np.float32)[1::2],
        made.view(np.int64),
        made[1:].view(Special)[1:],
        ParameterStore({"w": made})["w"][7:],
    ):
        wanted, nodes = np.array(view), len(rec)
        t = rec.tensor_from_value(view)
        found = t.data()
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)
        assert np.shares_memory(found, view)
        np.testing.assert_array_equal((t * 2).data(), wanted * 2)
        assert np.shares_memory(rec.tensor_from_value(view, borrow=True).data(), found)
        assert len(rec) == nodes + 3
    assert rec.tensor_from_value(made[:0]).shape == (0,)


def test_what_only_looks_like_such_a_view_is_copied(rec: ComputationRecord) -> None:
    made = (ComputationRecord().tensor_from_value(np.arange(2400.0)) * 1).data()
    with pytest.raises(ValueError, match="WRITEABLE"):
        made[::2].flags.writeable = True
    writable = made.copy()
    frozen = writable[::2]
    frozen.flags.writeable = False
    # Any byte but 0 is true to NumPy; the engine's booleans are 0 or 1.
    for view in (frozen, made.view(np.bool_), made.astype("f2"), made.view(">f8")):
        wanted = np.array(view)
        found = rec.tensor_from_value(view).data()
        assert not np.shares_memory(found, view)
        np.testing.assert_array_equal(found, wanted)
    writable[:] = -1
    np.testing.assert_array_equal(rec.tensor_from_value(frozen).data(), -np.ones(1200))
    mask = (ComputationRecord().tensor_from_value(np.arange(2400.0)) > 7).data()
    assert np.shares_memory(rec.tensor_from_value(mask[::2]).data(), mask)


def test_parameters_of_a_store_are_not_copied(rec: ComputationRecord) -> None:
    source = np.arange(1000.0, dtype=np.float32)
    store = ParameterStore({"w": source})
    assert not np.shares_memory(store["w"], source)
    t = rec.parameter("w", store["w"])
    assert np.shares_memory(t.data(), store["w"])
    kept = store["w"]
    store["w"] = store["w"] * 2
    assert not np.shares_memory(store["w"], kept)
    np.testing.assert_array_equal(t.data(), source)
    # What a record computed goes back without a copy.
    y = t * 3
    store["w"] = y.data()
    assert np.shares_memory(store["w"], y.data())


def test_gradients_are_shared_too(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value(np.ones(1000))
    g = (x * x).sum().grad().wrt(x)
    assert np.shares_memory(g.data(), g.data())
    other = ComputationRecord()
    assert np.shares_memory(other.tensor_from_value(g).data(), g.data())


# --- Borrowing ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layout",
    [
        lambda x: x,
        lambda x: x.T,
        lambda x: x[::2, ::-3],
        lambda x: x[:, :1],
        lambda x: x[5],
        np.asfortranarray,
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_borrowed_memory_is_shown_as_it_lies(
    dtype: str, layout: Any, rec: ComputationRecord
) -> None:
    source = layout(np.arange(60_000).reshape(200, 300).astype(dtype))
    t = rec.tensor_from_value(source, borrow=True)
    found = t.data()
    assert np.shares_memory(found, source) == (source.nbytes > 1024)
    assert found.shape == source.shape
    np.testing.assert_array_equal(found, source)
    np.testing.assert_array_equal((t * 2).data(), source * 2)
    assert not source.flags.writeable


def test_a_borrowed_array_lives_as_long_as_it_is_shown() -> None:
    class Source(np.ndarray[Any, Any]):
        pass

    rec = ComputationRecord()
    source = np.arange(1000.0).view(Source)
    weak = weakref.ref(source)
    t = rec.tensor_from_value(source, borrow=True)
    view = t[::2].data()
    del source, t
    gc.collect()
    assert weak() is not None
    rec.clear()
    gc.collect()
    assert weak() is not None
    np.testing.assert_array_equal(view, np.arange(1000.0)[::2])
    del view
    gc.collect()
    # It is let go at the next chance at which no lock is held.
    rec.clear()
    assert weak() is None


def test_borrowing_casts_to_another_type_by_copying(rec: ComputationRecord) -> None:
    source = np.arange(1000.0)
    t = rec.tensor_from_value(source, dtype="float32", borrow=True)
    assert t.dtype == np.float32
    assert not np.shares_memory(t.data(), source)


# --- Many -----------------------------------------------------------------------------


def test_values_around_the_limit_of_inline_storage(rec: ComputationRecord) -> None:
    """Words, inline memory and buffers are three ways to hold a value."""
    for dtype in ("float32", "float64", "int64", "bool"):
        for size in (1, 2, 3, 8, 9, 127, 128, 129, 255, 256, 257, 1023, 1024, 1025):
            x = (np.arange(size) % 5).astype(dtype)
            t = rec.tensor_from_value(x)
            np.testing.assert_array_equal(t.data(), x)
            np.testing.assert_array_equal((t == 3).data(), x == 3)
            np.testing.assert_array_equal(t[::-1].data(), x[::-1])
            np.testing.assert_array_equal(
                wg.concatenate([t, t]).data(), np.concatenate([x, x])
            )


def test_many_views_at_once(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value(np.arange(1000.0))
    views = [(x + k).data() for k in range(200)]
    rec.clear()
    for k, view in enumerate(views):
        assert view[0] == k
        assert view[-1] == 999 + k
