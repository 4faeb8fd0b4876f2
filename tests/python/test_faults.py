"""The promises of what bad handles, shapes and numbers get, by their numbers."""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import (
    ComputationRecord,
    DTypeError,
    HandleError,
    ShapeError,
    Tensor,
    layers,
)
from wengert.layers import LinearLayer

from tests.python.faults import (
    gradients,
    in_thread,
    len_of,
    name_of,
    nothing_lost,
    raises,
)
from tests.python.places import line_of

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
    "assigned": lambda a, b: a.__setitem__(..., b),
    "assigned key": lambda a, b: a.__setitem__(b, 1.0),
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


def test_fault_09_a_loss_of_a_column_and_a_vector(rec: ComputationRecord) -> None:
    column, place = rec.ones((4, 1)), line_of()
    vector, other = rec.zeros(4), line_of()
    for pair, shapes in (
        ((column, vector), "#0 tensor (4, 1) and #1 tensor (4,)"),
        ((vector, column), "#1 tensor (4,) and #0 tensor (4, 1)"),
        ((column, np.zeros(4)), "#0 tensor (4, 1) and #2 constant (4,)"),
        ((vector, 1.0), "#1 tensor (4,) and ()"),
    ):
        with (
            nothing_lost(rec),
            raises(
                ShapeError,
                ValueError,
                f"mean_squared_error: the shapes of {shapes}",
                " differ\n",
                "hint: reshape one of them, or allow broadcast",
            ),
        ):
            wg.mean_squared_error(*pair)
    with raises(ShapeError, ValueError, f"#0 tensor recorded at {place}, #1 tensor at"):
        wg.mean_squared_error(column, vector)
    with raises(ShapeError, ValueError, f"at {other}"):
        wg.mean_squared_error(column, vector)
    allowed = wg.mean_squared_error(column, vector, broadcast=True)
    assert allowed.item() == 1
    assert wg.mean_squared_error(column, column[::-1]).item() == 0
    logits = rec.ones((4, 3))
    for f in (wg.softmax_cross_entropy, layers.softmax_cross_entropy):
        with (
            nothing_lost(rec),
            raises(
                ShapeError, ValueError, "the labels have shape (4, 1)", "needs (4,)"
            ),
        ):
            f(logits, np.zeros((4, 1), int))


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


WITH_COUNTS: dict[str, Callable[[Any], Any]] = {
    "one_hot": lambda n: wg.one_hot([0], n),
    "topk": lambda n: wg.topk([1.0, 2.0], n),
    "bincount": lambda n: wg.bincount([0], minlength=n),
    "permutation": lambda n: wg.Rng(1).permutation(n),
    "conv1d": lambda n: wg.conv1d(np.ones((1, 1, 2)), np.ones((1, 1, 1)), groups=n),
}


@pytest.mark.parametrize("function", WITH_COUNTS)
def test_fault_10_counts_that_are_none(function: str) -> None:
    use = WITH_COUNTS[function]
    with raises(ShapeError, ValueError, f"{function}: dimension -3 is negative"):
        use(-3)
    with raises(ShapeError, ValueError, f"{function}: the size of", "overflows"):
        use(2**70)
    for count in (1.0, True, "1"):
        with raises(DTypeError, TypeError, function, "must be an integer, not"):
            use(count)
    use(np.int64(1))


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


# A few elements and a large number.
WITHOUT_BOUND: dict[str, Callable[[Any, int], Any]] = {
    "repeat": wg.repeat,
    "repeat each": lambda x, n: wg.repeat(x, [n, 1, n]),
    "one_hot": lambda x, n: wg.one_hot(x.astype(int), n),
    "tile": wg.tile,
    "bincount": lambda x, n: wg.bincount(x.astype(int), minlength=n),
    "bincount of": lambda x, n: wg.bincount((x.astype(int) - 1) * 0 + n),
    "pad": wg.pad,
    "pad edge": lambda x, n: wg.pad(x, n, mode="edge"),
    "pad reflect": lambda x, n: wg.pad(x, n, mode="reflect"),
    "pad wrap": lambda x, n: wg.pad(x, n, mode="wrap"),
    "tril": lambda x, n: wg.tril(wg.broadcast_to(x[0], (n, 1))),
    "conv1d": lambda x, n: wg.conv1d(x[None, None], x[None, None], padding=n),
    "avg_pool1d": lambda x, n: wg.avg_pool1d(
        x[None, None], n, padding=n // 2, count_include_pad=False
    ),
}


@pytest.mark.parametrize("name", WITHOUT_BOUND)
def test_fault_12_a_number_is_no_reason_to_end(
    name: str, rec: ComputationRecord
) -> None:
    """Whatever is derived from a number is reserved as carefully as a result."""
    use, x = WITHOUT_BOUND[name], rec.tensor_from_value([1.0, 2.0, 3.0])
    with pytest.raises(MemoryError, match=name.split()[0]):
        use(x, 10**13)
    with pytest.raises((ShapeError, MemoryError), match=r"overflows|no memory|window"):
        use(x, 2**62)
    with nothing_lost(rec):
        pass


def test_fault_11_the_largest_numbers(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.0, 2.0, 3.0])
    image, filters, empty = rec.ones((1, 1, 3)), rec.ones((0, 4, 1)), rec.zeros(0)
    assert np.isnan(wg.round(x, -(2**31)).data()).all()
    with nothing_lost(rec):
        with raises(ShapeError, ValueError, "bincount", "overflows"):
            wg.bincount([2**63 - 1])
        for axes in (65, 2**62):
            with raises(ShapeError, ValueError, "tensordot", "out of range"):
                wg.tensordot(x, x, axes)
        with raises(ShapeError, ValueError, "conv1d", "takes 4 in each"):
            wg.conv1d(image, filters, groups=2**62)
        with pytest.raises(MemoryError, match="split"):
            wg.split(empty, 10**15)


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
        lambda: wg.Rng(1).permutation(10**13),
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
