"""`grad(consume=True)`: values are freed as the sweep goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, GradError, HandleError, Tensor


def test_memory_falls_and_gradients_stay() -> None:
    found = []
    for consume in (False, True):
        rec = ComputationRecord()
        start = rec.bytes()
        y = x = rec.tensor_from_value(np.linspace(0.0, 1.0, 10_000))
        links = []
        for _ in range(10):
            links += [y * x, y * x + 0.5]
            y = wg.tanh(links[-1])
        loss = y.sum()
        held = rec.bytes() - start
        assert held > 30 * 80_000
        grad = loss.grad(consume=consume)
        left = rec.bytes() - start
        assert left < 80_000 if consume else left == held
        found.append(grad.wrt(x).data())
        assert np.isfinite(loss.item())
    kept, consumed = found
    np.testing.assert_array_equal(consumed, kept)


@pytest.mark.parametrize("consume", [False, True])
def test_cotangents_lie_where_values_lay(consume: bool) -> None:
    """Memory that the sweep has freed is what it goes on with."""
    leaves, size = 20, 1 << 20
    rec = ComputationRecord()
    weights = [rec.tensor_from_value(np.ones(size // 8)) for _ in range(leaves)]
    y = weights[0]
    for weight in weights:
        y = wg.tanh(y * weight)
    loss = y.sum()
    wg.release_pool()
    before = rec.bytes() + wg.pool_bytes()
    grad = loss.grad(consume=consume)
    # The gradient holds a cotangent of each leaf.
    more = rec.bytes() + wg.pool_bytes() + leaves * size - before
    if consume:
        assert more < 4 * size
    else:
        assert more > (leaves - 1) * size
    assert grad.connected(weights[0])


def test_arrays_that_python_holds_stay() -> None:
    rec = ComputationRecord()
    x = rec.tensor_from_value(np.linspace(0.0, 1.0, 2000))
    y = wg.exp(x)
    views = [y.data(), y.reshape(40, 50).T.data(), y[::2].data()]
    copies = [view.copy() for view in views]
    grad = (y * y).sum().grad(consume=True)
    slope = grad.wrt(x).data()
    kept = slope.copy()
    # New values of the same size do not take their memory.
    for _ in range(20):
        x * 7.0
    for view, copy in zip([*views, slope], [*copies, kept], strict=True):
        np.testing.assert_array_equal(view, copy)


USES: dict[str, Callable[[Tensor], Any]] = {
    "data": lambda y: y.data(),
    "add": lambda y: y + 1,
    "exp": wg.exp,
    "sum": wg.sum,
    "transpose": lambda y: y.T,
    "index": lambda y: y[0],
    "unique": wg.unique,
    "leaf": lambda y: y.record.tensor_from_value(y),
}


@pytest.mark.parametrize("shape", [(2,), (40, 50)])
@pytest.mark.parametrize("use", USES)
def test_a_consumed_value_is_refused(use: str, shape: tuple[int, ...]) -> None:
    rec = ComputationRecord()
    x = rec.ones(shape)
    y = (x * 2).named("y")
    loss = y.sum()
    loss.grad(consume=True)
    before = len(rec)
    text = r"the value of y was freed by grad\(consume=True\)\n  y recorded at "
    with pytest.raises(HandleError, match=text):
        USES[use](y)
    assert len(rec) == before
    assert repr(y) == f"<tensor y f64 {shape}: consumed>".replace(",)", ",)")
    assert "  consumed  " in str(rec)
    with pytest.raises(GradError, match=r"earlier grad\(consume=True\) freed"):
        loss.grad()
    assert loss.item() == 2 * np.prod(shape)


def test_views_show_what_is_left() -> None:
    rec = ComputationRecord()
    x = rec.tensor_from_value(np.arange(10.0))
    loss = wg.sum(wg.tanh(x * 2.0))
    loss.grad(consume=True)
    assert str(rec).count("consumed") == 2
    assert rec.to_html().count("consumed") > 2
    # Of values that are gone nothing can be said.
    assert rec.diff(rec.replay().record) is None
    again = rec.replay({x: np.ones(10)})
    assert "value differs" in str(rec.diff(again.record))


def test_a_loop_over_a_mark() -> None:
    rec = ComputationRecord()
    w = rec.ones((30, 30))
    mark = rec.mark()
    slopes = []
    for _ in range(3):
        loss = wg.sum(wg.tanh(w @ w))
        slopes.append(loss.grad(consume=True).wrt(w).data())
        rec.rewind(mark)
    assert all(np.array_equal(slopes[0], x) for x in slopes)
    np.testing.assert_array_equal(
        wg.sum(wg.tanh(w @ w)).grad().wrt(w).data(), slopes[0]
    )


def test_another_gradient_of_a_consumed_record() -> None:
    rec = ComputationRecord()
    x = rec.ones(3)
    y = x * 2
    grad = y.sum().grad(consume=True)
    with pytest.raises(GradError, match="consume"):
        grad.wrt(y)
    with pytest.raises(GradError, match="consume=True frees the values"):
        x.sum().grad(consume=True, record=True)
    assert grad.wrt(x).data().tolist() == [2.0, 2.0, 2.0]
