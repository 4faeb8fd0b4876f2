"""Each row of FAULTS.md: what bad input gets, and that nothing is lost."""

from __future__ import annotations

import gc
import re
import resource
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    Tensor,
    WengertError,
)
from wengert.layers import LinearLayer

from tests.python.places import line_of


@contextmanager
def nothing_lost(*records: ComputationRecord) -> Iterator[None]:
    """Expect that the records are as they were, and can be used."""
    before = [len(rec) for rec in records]
    yield
    assert [len(rec) for rec in records] == before
    for rec in records:
        mark = rec.mark()
        x = rec.tensor_from_value([1.0, 2.0])
        assert (x * x).sum().grad().wrt(x).data().tolist() == [2, 4]
        rec.rewind(mark)


@contextmanager
def raises(
    kind: type[WengertError], builtin: type[Exception], *texts: str
) -> Iterator[None]:
    """Expect an exception of both classes whose message holds all the texts."""
    with pytest.raises(kind) as caught:
        yield
    assert isinstance(caught.value, builtin)
    assert isinstance(caught.value, WengertError)
    message = str(caught.value)
    for text in texts:
        assert text in message, message
    lines = message.splitlines()
    assert lines[0] == lines[0].rstrip(". ")
    assert "please" not in message.replace("please report it", "")


def name_of(rec: ComputationRecord) -> str:
    found = re.match(r"<(record \d+):", repr(rec))
    assert found
    return found.group(1)


def in_thread(work: Callable[[], None], timeout: float = 60) -> None:
    """Run work elsewhere; fail if it hangs or raises."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout)
    assert not thread.is_alive(), "the work hangs"
    if errors:
        raise errors[0]


def gradients(rec: ComputationRecord) -> tuple[Tensor, wg.Grad]:
    x = rec.tensor_from_value([1.0, 2.0])
    return x, (x * x).sum().grad()


# --- Handles --------------------------------------------------------------------------

USES: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "operator": lambda a, b: a + b,
    "reversed operator": lambda a, b: b**a,
    "comparison": lambda a, b: a < b,
    "function": lambda a, b: wg.maximum(a, b),
    "product": lambda a, b: a @ b,
    "where": lambda a, b: wg.where(a > 0, a, b),
    "concatenate": lambda a, b: wg.concatenate([a, b]),
    "stack": lambda a, b: wg.stack((a, a, b)),
    "index": lambda a, b: a[b],
    "key": lambda a, b: a[..., b],
    "labels": lambda a, b: wg.softmax_cross_entropy(a, b),
    "wrt argument": lambda a, b: a.sum().grad(wrt=b),
}


@pytest.mark.parametrize("use", USES)
def test_fault_01_a_handle_used_with_another_record(use: str) -> None:
    ours, theirs = ComputationRecord(), ComputationRecord()
    a = ours.tensor_from_value([1.0, 2.0])
    b, place = theirs.tensor_from_value([3, 4]), line_of()
    if use in ("operator", "wrt argument"):
        b, place = theirs.tensor_from_value([3.0, 4.0]), line_of()
    f = USES[use]
    if use == "wrt argument":
        loss = a.sum()
        f = lambda a, b: loss.grad(wrt=b)  # noqa: E731
    if use == "where":
        chosen = a > 0
        f = lambda a, b: wg.where(chosen, a, b)  # noqa: E731
    with (
        nothing_lost(ours, theirs),
        raises(
            HandleError,
            RuntimeError,
            f"#{b.index} tensor belongs to {name_of(theirs)}, not to {name_of(ours)}",
            f"#{b.index} tensor recorded at {place}",
            "hint: ",
        ),
    ):
        # The reversed operator has the other record's tensor first.
        f(a, b) if use != "reversed operator" else a**b


@pytest.mark.parametrize(
    "end", ["cleared", "rewound", "closed"], ids=["clear", "rewind", "with"]
)
def test_fault_02_a_handle_after_its_node_is_gone(end: str) -> None:
    rec = ComputationRecord()
    mark = rec.mark()
    x = rec.tensor_from_value([1.0, 2.0])
    y, place = wg.relu(x), line_of()
    if end == "cleared":
        rec.clear()
    elif end == "rewound":
        rec.rewind(mark)
    else:
        with rec:
            pass
    why = "rewound" if end == "rewound" else "cleared"
    # The same numbers again: a handle must not come to life with another's node.
    z = rec.tensor_from_value([5.0, 6.0])
    wg.sigmoid(z)
    uses: list[Callable[[], Any]] = [
        y.data,
        y.item,
        y.grad,
        y.sum,
        lambda: y.shape,
        lambda: y.dtype,
        lambda: y.ndim,
        lambda: y.size,
        lambda: y.T,
        lambda: len(y),
        lambda: list(y),
        lambda: bool(y),
        lambda: int(y),
        lambda: y + 1,
        lambda: 1 + y,
        lambda: z + y,
        lambda: y + z,
        lambda: np.ones(2) * y,
        lambda: -y,
        lambda: y[0],
        lambda: z[y],
        lambda: wg.exp(y),
        lambda: wg.stack([z, y]),
        lambda: y.reshape(1, 2),
        lambda: y.astype("float32"),
        lambda: z.sum().grad(seed=y),
        lambda: z.grad(seed=y),
        lambda: z.grad(seed=[1.0, 1.0], wrt=y),
        lambda: rec.tensor_from_value(y),
        lambda: ComputationRecord().tensor_from_value(y),
    ]
    for k, use in enumerate(uses):
        mark_here = rec.mark()
        with raises(
            HandleError,
            RuntimeError,
            f"#1 relu was made before the record was {why}",
            f"#1 relu recorded at {place}",
        ):
            use()
        assert len(rec) - len_of(mark_here) <= 1, f"use {k} left nodes"
        rec.rewind(mark_here)
    assert repr(y) == f"<dead tensor #1 relu of {name_of(rec)}>"
    assert y.record is rec
    assert z.data().tolist() == [5, 6]


def len_of(mark: wg.Mark) -> int:
    found = re.search(r"after (\d+) node", repr(mark))
    assert found
    return int(found.group(1))


def test_fault_02_gradients_and_marks_of_a_cleared_record() -> None:
    rec = ComputationRecord()
    mark = rec.mark()
    x, grad = gradients(rec)
    later = rec.mark()
    rec.clear()
    with raises(HandleError, RuntimeError, "#0 tensor was made before the record was"):
        grad.wrt(x)
    with raises(HandleError, RuntimeError, "#0 tensor was made before the record was"):
        grad.connected(x)
    z = rec.tensor_from_value([1.0, 2.0])
    # An old gradient knows nothing of a new tensor that has the number of an old one.
    for use in (
        lambda: grad.wrt(z),
        lambda: grad.wrt(z * 2),
        lambda: grad.connected(z),
    ):
        with raises(HandleError, RuntimeError, "the loss #2", "cleared"):
            use()
    with raises(HandleError, RuntimeError, "the mark was made before the record was"):
        rec.rewind(later)
    # An empty record is what this mark stands for, whenever.
    rec.rewind(mark)
    assert len(rec) == 0
    with raises(HandleError, RuntimeError, "the mark belongs to record"):
        ComputationRecord().rewind(mark)


@pytest.mark.parametrize(
    "use",
    [
        lambda grad, x: grad.wrt(x),
        lambda grad, x: grad.wrt([x]),
        lambda grad, x: grad.wrt({"a": (x,)}),
        lambda grad, x: grad.connected(x),
    ],
    ids=["wrt", "list", "nested", "connected"],
)
def test_fault_03_a_gradient_looked_up_by_a_foreign_handle(use: Any) -> None:
    ours, theirs = ComputationRecord(), ComputationRecord()
    _, grad = gradients(ours)
    foreign, place = theirs.tensor_from_value([1.0, 2.0]), line_of()
    with (
        nothing_lost(ours, theirs),
        raises(
            HandleError,
            RuntimeError,
            f"#0 tensor belongs to {name_of(theirs)}, not to {name_of(ours)}",
            place,
            "hint: a gradient covers only the record it was taken from",
        ),
    ):
        use(grad, foreign)


def test_fault_04_a_tensor_that_the_loss_does_not_reach(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.0, 2.0])
    unused = rec.tensor_from_value([[3.0, 4.0]])
    still = wg.stop_gradient(x)
    fixed = rec.constant([5.0])
    loss = (x * 2 + still).sum()
    later = rec.tensor_from_value(np.float32(1))
    grad = loss.grad()
    for t in (unused, still * 2, fixed, later, x > 1):
        if t.dtype.kind != "f":
            assert not grad.connected(t)
            continue
        assert not grad.connected(t)
        found = grad.wrt(t)
        assert found.shape == t.shape
        assert found.dtype == t.dtype
        assert not found.data().any()
    assert grad.connected(x)
    assert grad.connected(loss)
    assert grad.wrt(loss).item() == 1
    # Zeros in a recorded gradient are constants, and can be differentiated.
    recorded = loss.grad(record=True)
    again = (recorded.wrt(unused) * x.sum()).sum().grad()
    np.testing.assert_array_equal(again.wrt(x).data(), [0, 0])


def test_fault_05_the_gradient_of_several_elements(rec: ComputationRecord) -> None:
    y, place = wg.exp(rec.tensor_from_value([[1.0, 2.0, 3.0]])), line_of()
    with (
        nothing_lost(rec),
        raises(
            ShapeError,
            ValueError,
            "grad: #1 exp (1, 3) is not a scalar",
            f"#1 exp recorded at {place}",
            "hint: take .sum() first, or give grad(seed=...)",
        ),
    ):
        y.grad()
    with nothing_lost(rec), raises(ShapeError, ValueError, "(3,)", "#1 exp (1, 3)"):
        y.grad(seed=[1.0, 2.0, 3.0])
    y.grad(seed=[[1.0, 2.0, 3.0]])
    # One element is a scalar, whatever the axes.
    y[:, :1].grad()


def test_fault_06_the_same_gradient_twice(rec: ComputationRecord, rng: Any) -> None:
    x = rec.tensor_from_value(rng.normal(size=(20, 30)).astype("f4"))
    w = rec.tensor_from_value(rng.normal(size=(30, 10)).astype("f4"))
    hidden = wg.tanh(x @ w)
    loss = wg.logsumexp(hidden * hidden)
    first, second = loss.grad(), loss.grad()
    for t in (x, w, hidden):
        a, b = first.wrt(t), second.wrt(t)
        assert a.data().tobytes() == b.data().tobytes()
        assert first.wrt(t).index == a.index
    # After more has been recorded, and from a sweep for this one alone.
    (x * 2).sum().grad()
    assert loss.grad(wrt=w).wrt(w).data().tobytes() == first.wrt(w).data().tobytes()
    record = loss.grad(record=True).wrt(w).data()
    np.testing.assert_allclose(record, first.wrt(w).data(), rtol=1e-5, atol=1e-7)


# --- Shapes ---------------------------------------------------------------------------


def test_fault_07_inner_sizes_that_differ(rec: ComputationRecord) -> None:
    x, place = rec.ones((2, 3)), line_of()
    w, other = rec.parameter("hidden.weight", np.ones((4, 5))), line_of()
    with (
        nothing_lost(rec),
        raises(
            ShapeError,
            ValueError,
            "matmul: inner sizes differ: #0 tensor (2, 3) @ hidden.weight (4, 5)",
            "axis 1 has 3, axis 0 has 4",
            f"#0 tensor recorded at {place}, hidden.weight at {other}",
        ),
    ):
        x @ w
    for a, b in (((3,), (4,)), ((2, 3), (4,)), ((3,), (4, 5)), ((2, 2, 3), (4, 5))):
        with raises(ShapeError, ValueError, "inner sizes differ"):
            rec.ones(a) @ np.ones(b)
    with raises(ShapeError, ValueError, "matmul: shapes do not broadcast"):
        rec.ones((2, 2, 3)) @ rec.ones((3, 3, 4))


def test_fault_07_through_a_layer(rec: ComputationRecord) -> None:
    x, place = rec.ones((2, 3), "float32"), line_of()
    layer, other = LinearLayer(rec, 4, 5, {}), line_of()
    with raises(
        ShapeError,
        ValueError,
        "#0 tensor (2, 3) @ linear0.weight (4, 5)",
        f"#0 tensor recorded at {place}, linear0.weight at {other}",
    ):
        layer.forward(x)


def test_fault_08_shapes_that_do_not_broadcast(rec: ComputationRecord) -> None:
    a, place = rec.ones((128, 10)), line_of()
    b, other = wg.relu(rec.ones(4)), line_of()
    operators: list[tuple[str, Callable[[], Any]]] = [
        ("add", lambda: a + b),
        ("multiply", lambda: wg.multiply(a, b)),
        ("power", lambda: a**b),
        ("maximum", lambda: wg.maximum(a, b)),
        ("less", lambda: a < b),
    ]
    for name, use in operators:
        with (
            nothing_lost(rec),
            raises(
                ShapeError,
                ValueError,
                f"{name}: shapes do not broadcast: #0 tensor (128, 10), #2 relu (4,)\n",
                # The sizes that meet stand below one another.
                "\n   128 10   #0 tensor\n        4   #2 relu\n",
                f"  #0 tensor recorded at {place}, #2 relu at {other}",
            ),
        ):
            use()
    with nothing_lost(rec), raises(ShapeError, ValueError, "(128, 10)", "(7,)"):
        a + np.ones(7)
    with nothing_lost(rec), raises(ShapeError, ValueError, "(128, 10)", "(128,)"):
        wg.where(np.ones(128, bool), a, 0)
    with (
        nothing_lost(rec),
        raises(ShapeError, ValueError, "does not broadcast to (3,)"),
    ):
        wg.broadcast_to(b, 3)


WITH_SHAPES: dict[str, Callable[[ComputationRecord, Any], Any]] = {
    "zeros": lambda rec, shape: rec.zeros(shape),
    "ones": lambda rec, shape: rec.ones(shape),
    "broadcast_to": lambda rec, shape: wg.broadcast_to(rec.ones(1), shape),
    "uniform": lambda rec, shape: wg.Rng(1).uniform(shape),
    "normal": lambda rec, shape: wg.Rng(1).normal(shape),
}


@pytest.mark.parametrize("function", WITH_SHAPES)
def test_fault_10_dimensions_that_are_none(function: str) -> None:
    use, rec = WITH_SHAPES[function], ComputationRecord()
    negative: list[Any] = [-1, (2, -3), [-(2**40)]]
    for shape in negative:
        with raises(ShapeError, ValueError, f"{function}: dimension -", "is negative"):
            use(rec, shape)
    bad: list[Any] = [2.0, (2, 3.5), True, (False, 2), "a", ("2",), None, (None,)]
    bad += [np.float64(2), np.array([1.5]), np.bool_(True), {2.0: 1}]
    for shape in bad:
        with raises(DTypeError, TypeError, function, "must be an integer, not"):
            use(rec, shape)
    # What stands for an integer is one.
    good: list[Any] = [np.int64(2), (np.int8(2),), np.array([2])]
    for shape in [*good, rec.tensor_from_value(2)]:
        assert tuple(use(rec, shape).shape) == (2,)


def test_fault_10_reshape_and_axes(rec: ComputationRecord) -> None:
    x: Any = rec.ones((2, 3))
    row, narrow = x[0], x[:, :2]
    with nothing_lost(rec):
        for misfit in ((-2, 3), (-1, -1), (-1, 4), (5,), (0, -1)):
            with raises(ShapeError, ValueError, "reshape: "):
                x.reshape(misfit)
        for none in ((2.0, 3), (True, 6), "6", None):
            with raises(DTypeError, TypeError, "must be an integer"):
                x.reshape(none)
        for outside in (2, -3, (0, 5)):
            with raises(ShapeError, ValueError, "is out of range for 2 axes"):
                x.sum(outside)
        axes: list[Any] = [0.0, True, "0", (0, 1.0)]
        for axis in axes:
            with raises(DTypeError, TypeError, "an axis must be an integer"):
                wg.max(x, axis=axis)
        with raises(ShapeError, ValueError, "axis 0 is given twice"):
            x.sum((0, 0))
        with raises(ShapeError, ValueError, "axis -2 is given twice"):
            x.sum((0, -2))
        with raises(ShapeError, ValueError, "1 axes given for a tensor of 2"):
            x.transpose(0)
        with raises(ShapeError, ValueError, "has size 3, not 1"):
            x.squeeze(1)
        with raises(ShapeError, ValueError, "is out of range"):
            wg.softmax(x, axis=2)
        with raises(ShapeError, ValueError, "is out of range"):
            wg.stack([x, x], axis=4)
        with raises(ShapeError, ValueError, "shapes differ"):
            wg.stack([x, row])
        with raises(ShapeError, ValueError, "shapes differ"):
            wg.concatenate([x, narrow])
        with raises(ShapeError, ValueError, "needs at least one tensor"):
            wg.concatenate([])


@pytest.mark.parametrize(
    "shape",
    [(2**32, 2**32), (2**62,), (0, 2**62, 4), (2**63,), (0, 2**63), (2**100,)],
    ids=str,
)
@pytest.mark.parametrize("function", WITH_SHAPES)
def test_fault_11_sizes_that_overflow(function: str, shape: Any) -> None:
    rec = ComputationRecord()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with raises(ShapeError, ValueError, "overflows"):
        WITH_SHAPES[function](rec, shape)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 100_000
    with nothing_lost(rec):
        pass


def test_fault_11_products_and_broadcasts_that_overflow(rec: ComputationRecord) -> None:
    column = wg.broadcast_to(rec.ones((1, 1)), (2**31, 1))
    row = wg.broadcast_to(rec.ones(1), 2**31)
    matrix = wg.broadcast_to(rec.ones((1, 1)), (1, 2**31))
    chosen = rec.ones(1) > 0
    uses: list[Callable[[], Any]] = [
        lambda: column + row,
        lambda: column @ matrix,
        lambda: wg.where(chosen, column, row),
    ]
    for use in uses:
        with nothing_lost(rec), raises(ShapeError, ValueError, "overflows"):
            use()


def test_fault_12_more_memory_than_there_is(rec: ComputationRecord) -> None:
    x = rec.ones(1)
    many = wg.broadcast_to(x, 10**13)
    uses: list[Callable[[], Any]] = [
        lambda: rec.zeros(10**13),
        lambda: rec.ones((10**7, 10**6)),
        lambda: many * 2,
        lambda: wg.exp(many),
        lambda: many[::-1].reshape(10**7, 10**6) + 1,
        lambda: wg.concatenate([many, many]),
        lambda: wg.where(many > 0, x, 0),
        lambda: wg.Rng(1).uniform(10**13),
    ]
    for k, use in enumerate(uses):
        mark = rec.mark()
        with nothing_lost(rec):
            with pytest.raises(MemoryError, match=r"no memory for [\d.]+ GiB of shape"):
                use()
            assert len(rec) - len_of(mark) <= 2, f"use {k}"
            rec.rewind(mark)


def test_fault_12_says_how_much(rec: ComputationRecord) -> None:
    with pytest.raises(MemoryError) as caught:
        rec.zeros((10**7, 10**6))
    text = str(caught.value)
    assert "no memory for 74505.8 GiB of shape (10000000, 1000000)" in text


def test_fault_12_in_a_sweep(rec: ComputationRecord) -> None:
    """The cotangent of a broadcast is never materialised unless something needs it."""
    x = rec.tensor_from_value(3.0)
    loss = wg.broadcast_to(x, 10**13)[:2].sum()
    try:
        found = loss.grad().wrt(x).item()
    except MemoryError as error:
        assert "GiB" in str(error)  # noqa: PT017
    else:
        assert found == 2
    assert (x * x).grad().wrt(x).item() == 6


def test_fault_15_a_long_chain_on_a_small_stack() -> None:
    nodes = 1_000_000
    old = threading.stack_size(256 * 1024)
    try:

        def work() -> None:
            rec = ComputationRecord()
            x = y = rec.tensor_from_value(1.0)
            for _ in range(nodes):
                y = y + 1e-6
            assert abs(y.item() - 2) < 1e-6
            grad = (y * x).grad()
            assert abs(grad.wrt(x).item() - 3) < 1e-6
            assert len(rec) > nodes
            rec.clear()
            # Again, and let the record die with its nodes.
            y = rec.tensor_from_value(1.0)
            for _ in range(1000):
                y = -y
            y.grad(record=True)

        in_thread(work, timeout=300)
    finally:
        threading.stack_size(old)


def test_fault_15_deep_structures_do_not_overflow(rec: ComputationRecord) -> None:
    """A structure of tensors nested too deep raises, as Python's own code does."""
    x, grad = gradients(rec)
    tree: Any = x
    for _ in range(100_000):
        tree = [tree]
    with pytest.raises(RecursionError):
        grad.wrt(tree)
    with nothing_lost(rec):
        pass


# --- Numbers --------------------------------------------------------------------------


def test_fault_20_singular_points(rec: ComputationRecord) -> None:
    """More of them are in ops/cases.py."""
    x = rec.tensor_from_value([0.0, 1.0])
    unused = np.array([False, True])
    for f in (wg.sqrt, wg.log, lambda t: t**0.5, lambda t: 1 / t, lambda t: t**-1.0):
        y = wg.where(unused, f(x), 0.0).sum()
        found = y.grad().wrt(x).data()
        assert found[0] == 0
        assert np.isfinite(found).all()
        assert np.isnan(y.grad(ieee=True).wrt(x).data()[0])
        recorded = y.grad(record=True).wrt(x)
        np.testing.assert_array_equal(recorded.data(), found)
        assert np.isfinite(recorded.sum().grad().wrt(x).data()).all()


def test_fault_22_gradients_of_integers(rec: ComputationRecord) -> None:
    n, place = rec.tensor_from_value([1, 2]), line_of()
    mask = n > 1
    x = rec.tensor_from_value([1.0, 2.0])
    loss = (x * n).sum()
    grad = loss.grad()
    for t, dtype in ((n, "i64"), (mask, "bool")):
        for use in (
            lambda t=t: t.sum().grad(),
            lambda t=t: t.grad(seed=[1.0, 1.0]),
            lambda t=t: grad.wrt(t),
            lambda t=t: grad.wrt([x, t]),
            lambda t=t: loss.grad(wrt=[x, t]),
        ):
            mark = rec.mark()
            with raises(
                DTypeError,
                TypeError,
                "which has no gradient",
                "hint: cast with .astype",
            ):
                use()
            rec.rewind(mark)
        with raises(DTypeError, TypeError, f"holds {dtype}"):
            grad.wrt(t)
        assert not grad.connected(t)
    with (
        nothing_lost(rec),
        raises(DTypeError, TypeError, f"#0 tensor recorded at {place}"),
    ):
        grad.wrt(n)
    assert grad.wrt(x).data().tolist() == [1, 2]


def test_fault_23_promotion_is_never_narrower(rec: ComputationRecord) -> None:
    """The whole table is in ops/test_cases.py."""
    single, double = rec.ones(2, "float32"), rec.ones(2, "float64")
    assert (single + double).dtype == np.float64
    assert (double + single).dtype == np.float64
    assert (single + np.ones(2)).dtype == np.float64
    assert (single + 1.0).dtype == np.float32
    assert (single + rec.ones(2, "int64")).dtype == np.float64
    assert rec.tensor_from_value(np.float64(0.1)).item() == 0.1
    assert rec.tensor_from_value([0.1]).item() == 0.1
    assert rec.tensor_from_value([0.1], dtype="float32").dtype == np.float32
    assert single.astype("float64").dtype == np.float64
    for dtype in ("float16", "int32", "complex128", "U1", object):
        with raises(DTypeError, TypeError, "is not supported"):
            rec.zeros(2, dtype)


# --- Indices --------------------------------------------------------------------------


def test_fault_24_indices_out_of_range(rec: ComputationRecord) -> None:
    table = rec.tensor_from_value(np.arange(12.0).reshape(4, 3))
    logits = rec.ones((2, 3))
    ids = np.array([[0, 3], [1, 4]])
    uses: list[tuple[Callable[[], Any], tuple[str, ...]]] = [
        (lambda: table[4], ("index: index 4 at axis 0 is out of range for size 4",)),
        (lambda: table[:, -4], ("index -4 at axis 1 is out of range for size 3",)),
        (lambda: table[ids], ("gather: index 4 at (1, 1)", "size 4")),
        (lambda: table[[0, -5]], ("index -5 at (1,)", "size 4")),
        (lambda: table[[0, 1], [2, 3]], ("index 3 at (1,)", "size 3")),
        (lambda: table[rec.constant([7])], ("index 7 at (0,)", "size 4")),
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
