"""The promises of what bad handles and numbers get, by their numbers."""

from __future__ import annotations

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
)

from tests.python.faults import (
    gradients,
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
