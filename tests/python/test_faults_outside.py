"""The promises of what bad indices, foreign arrays, callbacks and defects get."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import (
    ComputationRecord,
    DTypeError,
    GradError,
    HandleError,
    InternalError,
    OutOfRangeError,
    ShapeError,
)

from tests.python.faults import (
    gradients,
    in_thread,
    len_of,
    nothing_lost,
    raises,
)
from tests.python.places import line_of

# --- Indices --------------------------------------------------------------------------


def test_fault_24_indices_out_of_range(rec: ComputationRecord) -> None:
    table = rec.tensor_from_value(np.arange(12.0).reshape(4, 3))
    logits = rec.ones((2, 3))
    ids = np.array([[0, 3], [1, 4]])
    uses: list[tuple[Callable[[], Any], tuple[str, ...]]] = [
        (lambda: table[4], ("index: index 4 at axis 0 is out of range for size 4",)),
        (lambda: table[:, -4], ("index -4 at axis 1 is out of range for size 3",)),
        (lambda: table[ids], ("index: index 4 at (1, 1)", "size 4")),
        (lambda: table[[0, -5]], ("index -5 at (1,)", "size 4")),
        (lambda: table[[0, 1], [2, 3]], ("index 3 at (1,)", "size 3")),
        (lambda: table[rec.constant([7])], ("index 7 at (0,)", "size 4")),
        (lambda: wg.take(table, [4], axis=0), ("take: index 4 at (0,)", "size 4")),
        (lambda: wg.gather(table, ids, axis=0), ("gather: index 4 at (1, 1)",)),
        (
            lambda: wg.scatter_add(table, ids, rec.ones((2, 2)), axis=0),
            ("scatter_add: index 4 at (1, 1)", "size 4"),
        ),
        (
            lambda: wg.softmax_cross_entropy(logits, [0, 3]),
            ("softmax_cross_entropy: index 3 at (1,)", "size 3"),
        ),
        (
            lambda: wg.softmax_cross_entropy(logits, [-1, 0]),
            ("softmax_cross_entropy: index -1 at (0,)", "size 3"),
        ),
    ]
    for use, texts in uses:
        mark = rec.mark()
        with raises(OutOfRangeError, IndexError, *texts):
            use()
        assert len(rec) - len_of(mark) <= 1
        rec.rewind(mark)
    assert table[3, -3].item() == 9


def test_fault_24_labels_of_another_shape_or_type(rec: ComputationRecord) -> None:
    logits = rec.ones((2, 3))
    with nothing_lost(rec):
        for labels in ([0], [[0, 1]], 0):
            with raises(ShapeError, ValueError, "the labels have shape", "needs (2,)"):
                wg.softmax_cross_entropy(logits, labels)
        with raises(DTypeError, TypeError, "must be i64, not f64"):
            wg.softmax_cross_entropy(logits, [0.0, 1.0])
        with raises(DTypeError, TypeError, "must be i64, not bool"):
            wg.softmax_cross_entropy(logits, [True, False])


# --- Arrays from outside --------------------------------------------------------------


def test_fault_26_unusual_arrays_are_converted(rec: ComputationRecord) -> None:
    base = np.arange(24.0).reshape(2, 3, 4)
    unaligned = np.zeros(8 * 6 + 1, np.uint8)[1:].view(np.float64).reshape(2, 3)
    unaligned[:] = base[:, :, 0]
    packed = np.zeros(4, dtype=[("flag", "u1"), ("x", "f8")])["x"]
    arrays = [
        base[::-1, :, ::-2],
        base.T,
        np.asfortranarray(base),
        base.astype(">f8"),
        base.astype(">f4")[:, ::-1],
        base.astype(">i2").T,
        np.broadcast_to(base[0, 0], (5, 4)),
        np.lib.stride_tricks.sliding_window_view(base[0, 0], 2),
        unaligned,
        packed,
        base[:, :0],
        np.array(3.0),
        base[1, 1, 1],
        memoryview(base),  # type: ignore[arg-type]
        range(5),
        base.tolist(),
        [base[0], base[1]],
    ]
    for array in arrays:
        wanted = np.asarray(array)
        for t in (
            rec.tensor_from_value(array),
            rec.constant(array),
            rec.zeros(wanted.shape, "int64") + wanted,
        ):
            np.testing.assert_array_equal(t.data(), wanted)


@pytest.mark.parametrize(
    "value",
    [
        np.array([1.0, None], object),
        np.array(["1.0"]),
        np.array([b"1.0"]),
        np.array([1j]),
        np.array(["2020"], "M8[Y]"),
        np.array([1], "m8[s]"),
        np.array([1.0], np.longdouble),
        np.array([1], "u8"),
        np.array([(1.0,)], [("x", "f8")]),
        "1.0",
        {"a": 1.0},
        None,
    ],
    ids=lambda v: str(getattr(v, "dtype", type(v).__name__)),
)
def test_fault_26_types_that_are_refused(value: Any, rec: ComputationRecord) -> None:
    t = rec.ones(1)
    with nothing_lost(rec):
        for use in (
            lambda: rec.tensor_from_value(value),
            lambda: rec.constant(value),
            lambda: rec.parameter("p", value),
            lambda: wg.add(t, value),
        ):
            with raises(DTypeError, TypeError, "is not supported"):
                use()


def test_fault_26_masked_arrays_are_not_unmasked(rec: ComputationRecord) -> None:
    x, values = rec.ones(2), np.ma.masked_array([1.0, 2.0], [False, True])
    uses: list[Callable[[], Any]] = [
        lambda: rec.tensor_from_value(values),
        lambda: x + values,
        lambda: values * x,
        lambda: wg.exp(values),
        lambda: wg.ParameterStore({"x": values}),
    ]
    for use in uses:
        with nothing_lost(rec), raises(DTypeError, TypeError, "masked", ".filled(x)"):
            use()
    # A mask that hides nothing is none.
    assert (x + values[:1]).data().tolist() == [2, 2]


def test_fault_26_booleans_of_any_byte(rec: ComputationRecord) -> None:
    """NumPy may show any byte as a boolean; to us only 0 and 1 are."""
    x = np.array([0, 1, 2, 255], np.uint8).view(bool)
    t = rec.tensor_from_value(x)
    assert t.data().view(np.uint8).tolist() == [0, 1, 1, 1]
    assert t.sum().item() == 3


def test_fault_26_ragged_lists(rec: ComputationRecord) -> None:
    with nothing_lost(rec), pytest.raises(ValueError, match="inhomogeneous"):
        rec.tensor_from_value([[1.0], [1.0, 2.0]])


@pytest.mark.parametrize("size", [10, 1000])
def test_fault_27_arrays_outlive_what_they_show(size: int) -> None:
    """Arrays that `data` gave keep their values, whatever the record does."""
    views: list[np.ndarray[Any, Any]] = []
    kept: list[np.ndarray[Any, Any]] = []

    def unchanged() -> None:
        for view, copy in zip(views, kept, strict=True):
            np.testing.assert_array_equal(view, copy)

    def use(rec: ComputationRecord) -> None:
        for k in range(20):
            rec.tensor_from_value(np.full(size, float(k))) * 3
        unchanged()

    def live() -> weakref.ref[ComputationRecord]:
        rec = ComputationRecord()
        x = rec.tensor_from_value(np.arange(float(size)))
        mark = rec.mark()
        y = x * 2
        views.extend((x.data(), y.data(), y[::-1].data(), y.reshape(2, -1).data()))
        kept.extend(view.copy() for view in views)
        use(rec)
        rec.rewind(mark)
        use(rec)
        rec.clear()
        use(rec)
        return weakref.ref(rec)

    dead = live()
    gc.collect()
    assert dead() is None
    use(ComputationRecord())
    alive = [weakref.ref(view) for view in views]
    for view in views:
        assert not view.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            view[...] = 0
        if view.base is not None:
            with pytest.raises(ValueError, match="WRITEABLE"):
                view.flags.writeable = True
    views.clear()
    del view
    gc.collect()
    assert [ref() for ref in alive] == [None] * 4


@pytest.mark.parametrize("size", [10, 1000, 100_000])
def test_fault_28_the_source_may_change_after_import(size: int) -> None:
    rec = ComputationRecord()
    source = np.arange(float(size))
    x = rec.tensor_from_value(source)
    y = rec.constant(source) * 1
    z = x * source
    source[:] = -1
    wanted = np.arange(float(size))
    np.testing.assert_array_equal(x.data(), wanted)
    np.testing.assert_array_equal(y.data(), wanted)
    np.testing.assert_array_equal(z.data(), wanted**2)
    np.testing.assert_array_equal(z.sum().grad().wrt(x).data(), wanted)
    # What is not writable may yet have a writable base: only our own is shared.
    base = np.arange(float(size))
    locked = base[:]
    locked.flags.writeable = False
    t = rec.tensor_from_value(locked)
    base[:] = -1
    np.testing.assert_array_equal(t.data(), wanted)


def test_fault_28_borrowing_is_asked_for_and_locks_the_source() -> None:
    rec = ComputationRecord()
    source = np.arange(1000.0)
    x = rec.tensor_from_value(source, borrow=True)
    assert np.shares_memory(x.data(), source)
    with pytest.raises(ValueError, match="read-only"):
        source[0] = 1
    for bad in ([1.0], source.astype(">f8"), source.astype("f2"), 1.0, source > 0):
        with nothing_lost(rec), pytest.raises(BufferError, match="borrow=True needs"):
            rec.tensor_from_value(bad, borrow=True)


# --- Defects --------------------------------------------------------------------------


def test_fault_30_a_panic_is_an_exception(capfd: pytest.CaptureFixture[str]) -> None:
    rec, other = ComputationRecord(), ComputationRecord()
    x = rec.tensor_from_value(np.arange(1000.0))
    view = x.data()
    grad = (x * x).sum().grad()
    with raises(
        InternalError,
        RuntimeError,
        "internal error: injected",
        "hint: this is a defect of wengert: please report it",
    ):
        rec._panic()
    # What the record holds may be half done, so it is closed.
    uses: list[Callable[[], Any]] = [
        x.data,
        x.grad,
        rec.clear,
        rec.mark,
        lambda: x + 1,
        lambda: len(rec),
        lambda: rec.ones(2),
        lambda: grad.wrt(x),
        lambda: str(rec),
    ]
    for use in uses:
        with raises(HandleError, RuntimeError, "is closed by an earlier defect"):
            use()
    assert "record" in repr(rec)
    assert "tensor" in repr(x)
    np.testing.assert_array_equal(view, np.arange(1000.0))
    with nothing_lost(other):
        pass
    # The panic's own report.
    assert "injected" in capfd.readouterr().err


class Reader:
    """An array of another library, whose conversion runs code."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        self.work()
        return np.ones(2)


class Index:
    """An integer of another library."""

    def __init__(self, value: int, work: Callable[[], Any]) -> None:
        self.value, self.work = value, work

    def __index__(self) -> int:
        self.work()
        return self.value


def test_fault_32_a_conversion_uses_the_record() -> None:
    def work() -> None:
        rec: Any = ComputationRecord()
        x = rec.tensor_from_value([1.0, 2.0])
        other: Any = Reader(lambda: (x * x).sum().grad().wrt(x))
        assert (x + other).data().tolist() == [2, 3]
        assert (other * x).data().tolist() == [1, 2]
        assert rec.tensor_from_value(other).data().tolist() == [1, 1]
        assert x.grad(seed=other).wrt(x).data().tolist() == [1, 1]
        index: Any = Index(1, lambda: x * 2)
        assert x[index].item() == 2
        assert x[:index].data().tolist() == [1]
        assert rec.zeros((index, 2)).shape == (1, 2)
        assert x.reshape(index, 2).shape == (1, 2)
        assert x.sum(Index(0, lambda: rec.mark())).item() == 3

    in_thread(work)


def test_fault_32_a_conversion_clears_the_record() -> None:
    def work() -> None:
        rec = ComputationRecord()
        attempts: list[Callable[[Any], Any]] = [
            lambda x: x + Reader(rec.clear),
            lambda x: Reader(rec.clear) @ x,
            lambda x: wg.stack([x, Reader(rec.clear)]),
            lambda x: x[Index(1, rec.clear)],
            lambda x: x.reshape(Index(2, rec.clear)),
            lambda x: x.grad(seed=Reader(rec.clear)),
            lambda x: x.sum(Index(0, rec.clear)),
        ]
        for attempt in attempts:
            x = rec.tensor_from_value([1.0, 2.0])
            with raises(HandleError, RuntimeError, "before the record was cleared"):
                attempt(x)
        x, grad = gradients(rec)
        with raises(HandleError, RuntimeError, "before the record was cleared"):
            grad.wrt({"a": x, "b": Clearing(rec)})

    in_thread(work)


class Clearing(list[Any]):
    """A structure that clears a record while it is walked."""

    def __init__(self, rec: ComputationRecord) -> None:
        self.rec = rec

    def __iter__(self) -> Iterator[Any]:
        self.rec.clear()
        return iter([])


class Growing(list[Any]):
    """A structure that is longer each time it is walked."""

    def __iter__(self) -> Iterator[Any]:
        self.append(self[0])
        return super().__iter__()


def test_fault_32_a_structure_that_changes_while_it_is_walked() -> None:
    x, grad = gradients(ComputationRecord())
    found = grad.wrt(Growing([x]))
    assert [t.data().tolist() for t in found] == [[2, 4]] * 2


def test_fault_32_an_exception_in_a_conversion_passes_through() -> None:
    rec = ComputationRecord()
    x: Any = rec.ones(2)

    def fail() -> None:
        raise KeyError("mine")

    uses: list[Callable[[], Any]] = [
        lambda: x + Reader(fail),
        lambda: wg.add(x, Reader(fail)),
        lambda: x[Index(0, fail)],
        lambda: x.reshape(Index(2, fail)),
        lambda: rec.tensor_from_value(Reader(fail)),
    ]
    for use in uses:
        with nothing_lost(rec), pytest.raises(KeyError, match="mine"):
            use()


def test_fault_32_the_collector_uses_the_record() -> None:
    """An allocation may run the collector, and that any code."""
    rec = ComputationRecord()
    calls = 0
    refused = 0
    busy = False

    def touch(phase: str, info: dict[str, Any]) -> None:
        nonlocal calls, refused, busy
        if busy:
            return
        busy = True
        calls += 1
        try:
            rec.mark()
            rec.tensor_from_value([1.0])
        except HandleError:
            refused += 1
        finally:
            busy = False

    def work() -> None:
        x = rec.tensor_from_value(np.ones(300))
        for _ in range(300):
            y = [x * 2, wg.exp(x)[1:], x.data(), x + np.ones(300), repr(x)]
            grad = wg.stack([x, x]).sum().grad(record=True)
            y.append(grad.wrt([x, x])[0].data())
            str(rec)
            with pytest.raises(ShapeError):
                x + np.ones(3)

    threshold = gc.get_threshold()
    gc.callbacks.append(touch)
    gc.set_threshold(1, 1, 1)
    try:
        in_thread(work)
    finally:
        gc.callbacks.remove(touch)
        gc.set_threshold(*threshold)
    # How often the collector runs is the interpreter's choice.
    assert calls > 100
    assert refused == 0


class Watched(np.ndarray[Any, Any]):
    """An array that uses a record when it dies."""

    work: Callable[[], Any]

    def __del__(self) -> None:
        if "work" in self.__dict__:
            self.work()


def watched(work: Callable[[], Any]) -> Watched:
    array = np.ones(1000).view(Watched)
    array.work = work
    return array


@pytest.mark.parametrize("end", ["clear", "rewind", "drop", "other record"])
def test_fault_32_a_dying_array_uses_the_record(end: str) -> None:
    ran: list[int] = []

    def work() -> None:
        rec = ComputationRecord()
        weak = weakref.ref(rec)

        def touch() -> None:
            alive = weak()
            ran.append(0 if alive is None else len(alive.ones(2) + 1))

        mark = rec.mark()
        rec.tensor_from_value(watched(touch), borrow=True) * 2
        assert ran == []
        if end == "clear":
            rec.clear()
        elif end == "rewind":
            rec.rewind(mark)
        elif end == "drop":
            del rec
        else:
            mark = rec.mark()
            other = ComputationRecord()
            other.tensor_from_value(watched(touch), borrow=True)
            del other
        gc.collect()
        ComputationRecord().clear()

    in_thread(work)
    assert ran in ([2], [0], [2, 0])


# --- Gradients ------------------------------------------------------------------------


def test_fault_51_a_gradient_that_was_not_recorded(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.0, 2.0])
    first, place = (x**3).sum().grad().wrt(x), line_of()
    loss = (first * x).sum()
    uses: list[Callable[[], Any]] = [
        loss.grad,
        lambda: loss.grad(wrt=x),
        lambda: loss.grad(record=True),
    ]
    for use in uses:
        with (
            nothing_lost(rec),
            raises(
                GradError,
                RuntimeError,
                f"the sweep reached #{first.index} gradient",
                "taken without record=True",
                f"recorded at {place}",
                "hint: take that gradient with grad(record=True), or stop_gradient it",
            ),
        ):
            use()
    still = (wg.stop_gradient(first) * x).sum()
    np.testing.assert_array_equal(still.grad().wrt(x).data(), first.data())
    recorded = (x**3).sum().grad(record=True).wrt(x)
    np.testing.assert_array_equal(recorded.sum().grad().wrt(x).data(), [6, 12])


@pytest.mark.parametrize("record", [False, True])
def test_fault_51_a_derivative_by_a_gradient(
    rec: ComputationRecord, record: bool
) -> None:
    """The sweep ends at a gradient that is asked for, if nothing may lie behind it."""
    x = rec.tensor_from_value([1.0, 2.0])
    first, place = (x**3).sum().grad().wrt(x), line_of()
    later = rec.tensor_from_value([5.0, 7.0])
    loss = (first * first * x * later).sum()
    asked = {"first": first, "later": later}
    found = loss.grad(wrt=asked, record=record).wrt(asked)
    np.testing.assert_array_equal(found["first"].data(), [2 * 3 * 5, 2 * 12 * 2 * 7])
    np.testing.assert_array_equal(found["later"].data(), [9 * 1, 144 * 2])
    assert first.grad(seed=[1.0, 2.0], wrt=first).wrt(first).data().tolist() == [1, 2]
    with (
        nothing_lost(rec),
        raises(
            GradError,
            RuntimeError,
            f"grad: #{x.index} tensor may lie behind #{first.index} gradient",
            "taken without record=True",
            f"#{first.index} gradient recorded at {place}",
            "hint: take that gradient with grad(record=True), or ask for it alone",
        ),
    ):
        loss.grad(wrt=[first, x], record=record)
    # Gradients of one sweep do not depend on each other.
    pair = (x**3 * later).sum().grad().wrt((x, later))
    both = (pair[0] * pair[1]).sum().grad(wrt=pair, record=record).wrt(pair)
    for k in (0, 1):
        np.testing.assert_array_equal(both[k].data(), pair[1 - k].data())
    # Another gradient on the way may depend on the one that is asked for.
    second = (first.data() * x).sum().grad().wrt(x)
    with raises(GradError, RuntimeError, f"the sweep reached #{second.index} gradient"):
        (second * first).sum().grad(wrt=[first], record=record)


def test_fault_52_a_tensor_where_a_number_is_wanted(rec: ComputationRecord) -> None:
    t = rec.tensor_from_value(2.0)
    plain = np.zeros(2)
    uses: list[Callable[[], Any]] = [
        lambda: float(t),
        lambda: np.asarray(t),
        lambda: np.array([t]),
        lambda: plain.__setitem__(0, t),
        lambda: plain.__setitem__(slice(None), t),
    ]
    for use in uses:
        with (
            nothing_lost(rec),
            pytest.raises(TypeError) as caught,
        ):
            use()
        text = str(caught.value)
        for name in (".item()", ".data()", "rec.zeros"):
            assert name in text, text
    assert plain.tolist() == [0, 0]
    assert sys.getrefcount(t) < 100
