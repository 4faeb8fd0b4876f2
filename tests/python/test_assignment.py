"""Assignment against NumPy: values and gradients of generated keys; what names see."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import (
    ComputationRecord,
    DTypeError,
    HandleError,
    OutOfRangeError,
    ShapeError,
    Tensor,
)

from tests.python import generated
from tests.python.keys import SHAPES, key_of, numpys
from tests.python.places import line_of

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]


def values_for(rng: np.random.Generator, selected: Shape) -> Array:
    """Draw values that broadcast to what is selected."""
    sizes = [1 if rng.random() < 0.3 else size for size in selected]
    sizes = (
        sizes[int(rng.integers(0, len(sizes) + 1)) :] if rng.random() < 0.5 else sizes
    )
    if len(sizes) == len(selected) and rng.random() < 0.2:
        sizes = [1, *sizes]
    return rng.normal(size=sizes)


def pulled_back(ct: Array, key: Any, shape: Shape) -> tuple[Array, Array]:
    """Give the cotangents of a tensor and of values, from that of the result.

    Each element of the result is the tensor's, or the value's that NumPy wrote last.
    """
    count = np.zeros(ct.shape)[key].shape
    owners = np.full(ct.shape, -1)
    owners[key] = np.arange(np.prod(count, dtype=int)).reshape(count)
    parts = np.zeros(np.prod(count, dtype=int))
    parts[owners[owners >= 0]] = ct[owners >= 0]
    parts = parts.reshape(count)
    extra = max(0, parts.ndim - len(shape))
    inner = shape[max(0, len(shape) - parts.ndim) :]
    repeated = [k for k, n in enumerate(inner, extra) if n == 1]
    values = parts.sum((*range(extra), *repeated), keepdims=True)
    return np.where(owners < 0, ct, 0), values.reshape(shape)


def put(x: Array, key: Any, values: Array) -> Array:
    """Give an array with values put where a key selects.

    NumPy drops their leading axes of size 1, but not for single elements and masks.
    """
    out, ndim = x.copy(), np.ndim(x[key])
    out[key] = values.reshape(values.shape[max(0, values.ndim - ndim) :])
    return out


def check(
    x: Array, key: Any, values: Array, rng: np.random.Generator, why: str
) -> None:
    wanted = put(x, key, values)
    rec = ComputationRecord()
    y, v = rec.tensor_from_value(x), rec.tensor_from_value(values)
    leaf = +y
    y[key] = v
    np.testing.assert_array_equal(y.data(), wanted, err_msg=why, strict=True)
    np.testing.assert_array_equal(leaf.data(), x, err_msg=why)

    weights = rng.normal(size=x.shape)
    grad = (y * y * y * weights).sum().grad(record=True)
    found = [grad.wrt(leaf), grad.wrt(v)]
    ct = 3 * weights * wanted**2
    for g, expected in zip(found, pulled_back(ct, key, values.shape), strict=True):
        np.testing.assert_allclose(
            g.data(), expected, rtol=1e-12, atol=1e-12, err_msg=why
        )

    # The product of the second derivative with a direction.
    direction = np.asarray(rng.normal(size=x.shape))
    step = np.asarray(rng.normal(size=values.shape))
    total = (found[0] * direction).sum() + (found[1] * step).sum()
    ct = 6 * weights * wanted * put(direction, key, step)
    second = total.grad()
    for t, expected in zip((leaf, v), pulled_back(ct, key, values.shape), strict=True):
        np.testing.assert_allclose(
            second.wrt(t).data(), expected, rtol=1e-11, atol=1e-11, err_msg=why
        )


@pytest.mark.parametrize("block", range(20))
def test_generated_assignments(block: int) -> None:
    for k in range(30):
        seed = generated.seed_of("assign", block, k)
        rng = np.random.default_rng(seed)
        shape = SHAPES[int(rng.integers(len(SHAPES)))]
        x, key = rng.normal(size=shape), key_of(rng, shape)
        selected = numpys(x, key)
        why = f"seed {seed}: x{list(shape)}[{key}]"
        if selected is None:
            with pytest.raises(ShapeError, match="do not broadcast"):
                ComputationRecord().constant(x)[key] = 1.0
            continue
        values = values_for(rng, selected.shape)
        generated.count("assignments")
        check(x, key, values, rng, f"{why} = {list(values.shape)}")


ROWS = np.array([2, 0, 2])
COLUMN = np.array([[1], [0]])


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        # Whole, empty, without axes.
        (np.s_[...], ()),
        (np.s_[...], (3, 4, 5)),
        (np.s_[...], (1, 1, 3, 4, 1)),
        (np.s_[()], (4, 1)),
        (np.s_[3:1], (0, 4, 5)),
        (np.s_[3:1], (1, 1, 5)),
        (np.s_[[]], ()),
        (np.s_[np.zeros((3, 4), bool)], (0, 5)),
        (np.s_[False], (5,)),
        (np.s_[0, 0, 0], ()),
        (np.s_[0, 0, 0], (1, 1)),
        (np.s_[-1, -1, -1, None], (1,)),
        # New axes and dropped ones.
        (np.s_[1, :, None, ::2], (4, 1, 3)),
        (np.s_[None, ..., None, 0], (3, 4, 1)),
        # Arrays, repeated positions among them; together and apart.
        (np.s_[ROWS], (3, 4, 5)),
        (np.s_[ROWS], (4, 5)),
        (np.s_[:, ROWS], (3, 3, 5)),
        (np.s_[:, ROWS], (1, 3, 1)),
        (np.s_[:, ROWS], (3, 1)),
        (np.s_[:, ROWS], (5,)),
        (np.s_[:, ROWS], ()),
        (np.s_[ROWS, :, ROWS], (3, 4)),
        (np.s_[ROWS, :, ROWS], (3, 1)),
        (np.s_[:, COLUMN, ROWS], (3, 2, 3)),
        (np.s_[:, COLUMN, ROWS], (3, 1, 3)),
        (np.s_[:, COLUMN, ROWS], (3,)),
        (np.s_[1:, ROWS, 1::2], (2, 3, 2)),
        (np.s_[1:, None, ROWS, ::-2], (1, 1, 3, 3)),
        (np.s_[0, ROWS, ROWS], (3,)),
        (np.s_[0, :, ROWS], (3, 4)),
        (np.s_[[[0, 0], [0, 0]]], (2, 2, 4, 5)),
        # Masks.
        (np.s_[[True, False, True]], (2, 1, 5)),
        (np.s_[:, [True, False, True, True]], (3, 5)),
        (np.s_[:, True, ROWS], (3, 3, 5)),
        (np.s_[True], (3, 4, 5)),
    ],
    ids=str,
)
def test_chosen_assignments(key: Any, shape: Shape, rng: np.random.Generator) -> None:
    generated.count("assignments")
    check(rng.normal(size=(3, 4, 5)), key, rng.normal(size=shape), rng, str(key))


def test_a_large_assignment(rng: np.random.Generator) -> None:
    """Beyond what runs attached to the interpreter, and by several threads."""
    x, i = rng.normal(size=(1000, 700)), rng.integers(-1000, 1000, 3000)
    check(x, i, rng.normal(size=(3000, 700)), rng, "rows")
    check(x, np.s_[::-3, 1:-1], rng.normal(size=(334, 698)), rng, "window")


# --- Types ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize(
    "values",
    [
        True,
        0,
        3,
        2.5,
        np.int32(4),
        np.float32(1.5),
        np.array([True, False, True]),
        np.array([2, 0, 1]),
        np.array([0.1, 0.2, 0.3]),
        [1, 2, 0],
        [1.5, 2, 0],
    ],
    ids=str,
)
@pytest.mark.parametrize("key", [np.s_[1], np.s_[:, [0, 2, 2]], np.s_[[True, False]]])
def test_values_take_the_type_of_the_tensor(dtype: str, values: Any, key: Any) -> None:
    x = np.arange(6).reshape(2, 3).astype(dtype)
    rec = ComputationRecord()
    y = rec.tensor_from_value(x)
    is_cut = np.asarray(values).dtype.kind == "f" and x.dtype.kind != "f"
    if is_cut:
        before = len(rec)
        with pytest.raises(DTypeError, match=r"assign: values of f\d\d would be cut"):
            y[key] = values
        assert (len(rec), y.index) == (before, 0)
        return
    x[key] = values
    y[key] = values
    np.testing.assert_array_equal(y.data(), x, strict=True)


def test_integers_beyond_64_bits(rec: ComputationRecord) -> None:
    x, n = rec.zeros(2), rec.zeros(2, dtype="int64")
    x[0] = 2**70
    assert x.data().tolist() == [2.0**70, 0]
    with pytest.raises(OverflowError, match="does not fit"):
        n[0] = 2**70
    assert n.data().tolist() == [0, 0]


def test_a_gradient_passes_a_cast_of_values(rec: ComputationRecord) -> None:
    y, v = rec.zeros(3, dtype="float32"), rec.tensor_from_value([2.0, 3.0])
    y[1:] = v
    found = (y * y).sum().grad().wrt(v).data()
    np.testing.assert_array_equal(found, np.array([4.0, 6.0]), strict=True)


# --- What the names of a tensor see ---------------------------------------------------


def test_every_name_of_the_object_sees_an_assignment(rec: ComputationRecord) -> None:
    y = rec.tensor_from_value([1.0, 2.0, 3.0])
    other, held = y, {y: "y"}
    y[0] = 7.0
    assert other is y
    assert other.data().tolist() == [7, 2, 3]
    assert held[y] == "y", "the key of a dictionary stays the same"


@pytest.mark.parametrize("kept", [lambda t: +t, copy.copy], ids=["plus", "copy"])
def test_an_object_of_its_own_keeps_its_value(
    kept: Callable[[Tensor], Tensor], rec: ComputationRecord
) -> None:
    y = rec.tensor_from_value([1.0, 2.0, 3.0])
    before = kept(y)
    assert before is not y
    assert before.index == y.index
    y[0] = 7.0
    assert before.data().tolist() == [1, 2, 3]
    before[1] = 9.0
    assert (before.data().tolist(), y.data().tolist()) == ([1, 9, 3], [7, 2, 3])


def test_what_was_computed_before_keeps_its_value(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.0, 2.0, 3.0])
    leaf, part, double = +x, x[:2], x * 2
    same = x.reshape(3)
    x[:] = 0.0
    assert part.data().tolist() == [1, 2], "a part is no window on the tensor"
    assert double.data().tolist() == [2, 4, 6]
    assert same.data().tolist() == [1, 2, 3]
    grad = (double * x).sum().grad()
    assert grad.wrt(leaf).data().tolist() == [0, 0, 0]
    assert grad.wrt(x).data().tolist() == [2, 4, 6]


def test_functions_give_objects_of_their_own(rec: ComputationRecord) -> None:
    """What changes nothing must not let an assignment through."""
    for f in (
        lambda t: t.astype("float64"),
        lambda t: t.reshape(3),
        lambda t: t[...],
        lambda t: wg.atleast_1d(t),
        lambda t: wg.squeeze(t),
        lambda t: wg.broadcast_to(t, 3),
        lambda t: wg.clip(t),
    ):
        y = rec.tensor_from_value([1.0, 2.0, 3.0])
        z = f(y)
        z[0] = 9.0
        assert y.data().tolist() == [1, 2, 3]


def test_augmented_assignment(rec: ComputationRecord) -> None:
    x = np.arange(6.0).reshape(2, 3)
    y = rec.tensor_from_value(x)
    leaf = +y
    y[0] += 1.0
    y[:, 1] *= [2.0, 3.0]
    y[[0, 0], [2, 2]] += 5.0
    y[y > 8] -= 1.0
    x[0] += 1.0
    x[:, 1] *= [2.0, 3.0]
    # As in NumPy, a position that repeats is written twice, and added to once.
    x[[0, 0], [2, 2]] += 5.0
    x[x > 8] -= 1.0
    np.testing.assert_array_equal(y.data(), x)
    found = y.sum().grad().wrt(leaf).data()
    np.testing.assert_array_equal(found, [[1, 2, 1], [1, 3, 1]])
    z = y
    z += 1.0
    assert z is not y, "without a key the name is bound to a new tensor"


def test_a_gradient_is_of_the_tensor_that_the_name_is(rec: ComputationRecord) -> None:
    w = rec.parameter("w", [1.0, 2.0])
    leaf = +w
    w[0] = w[1] * 3.0
    assert w.data().tolist() == [6, 2]
    grad = (w * w).sum().grad()
    assert grad.wrt(w).data().tolist() == [12, 4]
    assert grad.wrt(leaf).data().tolist() == [0, 4 + 3 * 12]
    assert (leaf.name, w.name) == ("w", None)
    c = rec.constant([1.0, 2.0])
    c[0] = leaf[1]
    assert c.sum().grad().wrt(leaf).data().tolist() == [0, 1]


def test_a_table_is_filled_by_a_loop(rec: ComputationRecord) -> None:
    """A recurrence, written as for an array."""
    a = rec.tensor_from_value(0.5)
    y = rec.zeros(6)
    y[0] = 1.0
    for k in range(1, 6):
        y[k] = y[k - 1] * a + k
    slope = np.zeros(6)
    value = np.ones(6)
    for k in range(1, 6):
        value[k] = value[k - 1] * 0.5 + k
        slope[k] = slope[k - 1] * 0.5 + value[k - 1]
    np.testing.assert_allclose(y.data(), value, rtol=1e-15)
    found = y.sum().grad().wrt(a).item()
    np.testing.assert_allclose(found, slope.sum(), rtol=1e-14)


def test_a_tensor_is_assigned_to_itself(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.0, 2.0, 3.0, 4.0])
    leaf = +x
    x[1:] = x[:-1]
    assert x.data().tolist() == [1, 1, 2, 3]
    assert (x * [1.0, 2, 3, 4]).sum().grad().wrt(leaf).data().tolist() == [3, 3, 4, 0]
    x[...] = x
    assert x.data().tolist() == [1, 1, 2, 3]


def test_the_last_of_values_that_meet_has_the_gradient(rec: ComputationRecord) -> None:
    y = rec.zeros((2, 2))
    v = rec.tensor_from_value([[1.0, np.inf], [2.0, 3.0], [4.0, 5.0]])
    y[[0, 1, 0]] = v
    assert y.data().tolist() == [[4, 5], [2, 3]]
    found = (y * y).sum().grad().wrt(v).data()
    np.testing.assert_array_equal(found, [[0, 0], [4, 6], [8, 10]])


def test_keys_with_tensors(rec: ComputationRecord) -> None:
    y = rec.zeros((3, 2))
    i, mask = rec.constant([2, 0]), rec.constant([True, False])
    y[i, mask] = rec.tensor_from_value([5.0, 6.0])
    assert y.data().tolist() == [[6, 0], [0, 0], [5, 0]]
    y[y == 0] = -1
    assert y.data().tolist() == [[6, -1], [-1, -1], [5, -1]]
    y[mask[0]] = 2
    assert y.data().tolist() == [[2, 2]] * 3


def test_a_replay_puts_to_other_positions() -> None:
    rec = ComputationRecord()
    x, v = rec.tensor_from_value([1.0, 2.0, 3.0]), rec.tensor_from_value([8.0, 9.0])
    i = rec.constant([0, 2])
    y = +x
    y[i] = v
    grad = (y * y).sum().grad(record=True).wrt(v)
    again = rec.replay({i: np.array([1, 1])})
    assert again[y].data().tolist() == [1, 9, 3]
    assert again[grad].data().tolist() == [0, 18]


# --- Refusals -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "values", "kind", "text"),
    [
        (np.s_[0], [1.0, 2.0], ShapeError, "does not broadcast to the selected (4,)"),
        (
            np.s_[:, :2],
            np.ones(3),
            ShapeError,
            "(3,) does not broadcast to the selected",
        ),
        (np.s_[[0, 1]], np.ones((2, 2, 4)), ShapeError, "to the selected (2, 4)"),
        (np.s_[[True, False, True]], np.ones((3, 4)), ShapeError, "selected (2, 4)"),
        (np.s_[0:0], np.ones((2, 4)), ShapeError, "to the selected (0, 4)"),
        (np.s_[3], 1.0, OutOfRangeError, "index 3 at axis 0"),
        (np.s_[[0, 3]], 1.0, OutOfRangeError, "index 3 at (1,)"),
        (np.s_[0, 0, 0], 1.0, OutOfRangeError, "2 axes, 3 are indexed"),
        (np.s_["a"], 1.0, OutOfRangeError, "is no index"),
        (np.s_[0], "a", DTypeError, ""),
        (np.s_[0], None, DTypeError, ""),
        (np.s_[::0], 1.0, ShapeError, "step of 0"),
    ],
    ids=str,
)
def test_what_is_refused_changes_nothing(
    key: Any, values: Any, kind: Any, text: str, rec: ComputationRecord
) -> None:
    x = np.arange(12.0).reshape(3, 4)
    y, place = rec.tensor_from_value(x), line_of()
    before = len(rec)
    with pytest.raises(kind) as caught:
        y[key] = values
    assert text in str(caught.value)
    if kind is ShapeError and "broadcast" in text:
        assert f"#0 tensor recorded at {place}" in str(caught.value)
    assert (len(rec), y.index) == (before, 0)
    y[1, 1] = 0.0
    x[1, 1] = 0.0
    np.testing.assert_array_equal(y.data(), x)


def test_an_error_names_both_tensors_and_their_lines(rec: ComputationRecord) -> None:
    y, there = rec.ones((3, 4)), line_of()
    v, here = rec.ones(4).named("v"), line_of()
    with pytest.raises(ShapeError) as caught:
        y[:, 1:] = v
    assert str(caught.value) == (
        "assign: v (4,) does not broadcast to the selected (3, 3)"
        f"\n  #0 tensor recorded at {there}, v at {here}"
    )


def test_items_are_not_deleted(rec: ComputationRecord) -> None:
    x = rec.ones(3)
    with pytest.raises(TypeError, match="item deletion"):
        del x[0]


def test_a_dead_tensor_takes_nothing(rec: ComputationRecord) -> None:
    mark = rec.mark()
    x = rec.ones(3)
    rec.rewind(mark)
    with pytest.raises(HandleError, match="made before the record was rewound"):
        x[0] = 1.0
    y = rec.ones(3)
    mark = rec.mark()
    y[0] = 2.0
    rec.rewind(mark)
    with pytest.raises(HandleError, match="assign was made before"):
        y.data()


# --- Places along an axis -------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "reach", "axis"),
    [
        ((4,), (6,), 0),
        ((3, 4), (3, 2), 1),
        ((3, 4), (1, 5), -1),
        ((3, 4), (5, 4), 0),
        ((3, 4), (5, 1), 0),
        ((1, 4), (3, 2), 1),
        ((2, 3, 4), (2, 6, 1), 1),
        ((2, 3, 4), (1, 1, 1), -3),
        ((2, 3, 4), (7,), None),
        ((3, 4), (3, 0), 1),
        ((0, 4), (0, 2), 1),
    ],
    ids=str,
)
def test_put_along_axis_is_numpys(
    shape: Shape, reach: Shape, axis: int | None, rng: np.random.Generator
) -> None:
    x = rng.normal(size=shape)
    size = int(np.prod(shape)) if axis is None else shape[axis]
    places = rng.integers(-size, size, reach)
    for values in (rng.normal(size=reach), rng.normal(size=reach[-1:]), 3.0):
        if axis == 0 and np.shape(values) == (1,):
            continue
        wanted = x.copy()
        np.put_along_axis(wanted, places, values, axis)
        rec = ComputationRecord()
        t = rec.tensor_from_value(x)
        y = wg.put_along_axis(t, places, values, axis)
        np.testing.assert_array_equal(y.data(), wanted, strict=True)
        np.testing.assert_array_equal(t.data(), x)
        plain = wg.put_along_axis(x, places, values, axis)
        np.testing.assert_array_equal(plain, wanted)


def test_scatter_is_written_out(rng: np.random.Generator) -> None:
    x, places = rng.normal(size=(3, 5)), rng.integers(-3, 3, (6, 4))
    values = rng.normal(size=(6, 4))
    wanted = x.copy()
    for i, j in np.ndindex(6, 4):
        wanted[places[i, j], j] = values[i, j]
    np.testing.assert_array_equal(wg.scatter(x, places, values, 0), wanted)
    rec = ComputationRecord()
    t = rec.tensor_from_value(x)
    found = wg.scatter(t, places, rec.constant(values), 0)
    np.testing.assert_array_equal(found.data(), wanted)
    assert wg.scatter([1, 2, 3], [0], 7).tolist() == [7, 2, 3]


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (
            lambda t: wg.scatter(t, [[0] * 5], 1.0),
            None,
            "",
        ),
        (
            lambda t: wg.scatter(t, [[0]] * 4, 1.0),
            ShapeError,
            "scatter: positions of shape (4, 1) do not lie within",
        ),
        (lambda t: wg.scatter(t, [0], 1.0), ShapeError, "scatter: positions of"),
        (lambda t: wg.scatter(t, [[4]], 1.0), OutOfRangeError, "scatter: index 4 at"),
        (lambda t: wg.scatter(t, [[0.0]], 1.0), DTypeError, "scatter: indices must"),
        (
            lambda t: wg.scatter(t, [[0, 1]], [[1.0, 2, 3]]),
            ShapeError,
            "does not broadcast to the selected (1, 2)",
        ),
        (
            lambda t: wg.put_along_axis(t, [[0]] * 4, 1.0),
            ShapeError,
            "put_along_axis: shapes do not broadcast",
        ),
        (
            lambda t: wg.put_along_axis(t, [0], 1.0),
            ShapeError,
            "put_along_axis: positions of shape (1,)",
        ),
        (
            lambda t: wg.put_along_axis(t, [[-5]], 1.0),
            OutOfRangeError,
            "put_along_axis: index -5",
        ),
        (
            lambda t: wg.put_along_axis(t.astype("int64"), [[0]], 1.5),
            DTypeError,
            "put_along_axis: values of f64 would be cut",
        ),
        (
            lambda t: wg.put_along_axis(t, [[0]], 1.0, axis=2),
            ShapeError,
            "put_along_axis: axis 2 is out of range",
        ),
    ],
    ids=range(11),
)
def test_places_that_are_refused(
    call: Callable[[Tensor], Tensor], kind: Any, text: str, rec: ComputationRecord
) -> None:
    t = rec.ones((3, 4))
    if kind is None:
        assert call(t).shape == (3, 4)
        return
    with pytest.raises(kind) as caught:
        call(t)
    assert text in str(caught.value)
