"""Tensors that no gradient reaches: where their paths end."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, DTypeError, GradError, Tensor

from tests.python.faults import nothing_lost, raises
from tests.python.places import line_of

# How a loss comes of a tensor, and what is said of the end of the path.
BREAKS: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "stop_gradient": (
        lambda w: (wg.stop_gradient(w * 2) * w.record.ones(2)).sum(),
        "the path ends at #2 stop_gradient",
    ),
    "integers": (
        lambda w: (w * 2).astype("int64").astype("float64").sum(),
        "the path ends at #2 cast of i64",
    ),
    "comparison": (
        lambda w: wg.where(w > 0, w.record.ones(2), 0).sum(),
        "the path ends at #1 greater of bool",
    ),
    "argmax": (
        lambda w: w.record.ones(2)[w.argmax()],
        "the path ends at #2 argmax of i64",
    ),
    "several": (
        lambda w: (wg.stop_gradient(w) * (w > 0) + wg.stop_gradient(w * w)).sum(),
        "the paths end at #1 stop_gradient, #2 greater of bool, #6 stop_gradient",
    ),
    "many": (
        lambda w: wg.concatenate([wg.stop_gradient(w) for _ in range(5)]).sum(),
        "the paths end at #1 stop_gradient, #2 stop_gradient, #3 stop_gradient and "
        "2 more",
    ),
    "unused": (
        lambda w: (w.record.ones(2) * 2).sum(),
        "no path leads there\n  w recorded at ",
    ),
    "used elsewhere": (
        lambda w: (wg.stop_gradient(w * 2), w.record.ones(2).sum())[1],
        "no path leads there\n  w recorded at ",
    ),
    "read": (
        lambda w: w.record.tensor_from_value((w * 2).data()).sum(),
        "\nhint: what .data() or .item() gave is a new leaf",
    ),
}


@pytest.mark.parametrize("kind", BREAKS)
def test_fault_04_strict_names_the_break(kind: str, rec: ComputationRecord) -> None:
    loss_of, text = BREAKS[kind]
    w, place = rec.parameter("w", [0.5, -2.0]), line_of()
    loss = loss_of(w)
    grad = loss.grad()
    assert grad.wrt(w).data().tolist() == [0, 0], "zeros, unless strict"
    head = f"wrt: no gradient flows from #{loss.index} {repr(loss).split()[2]} to w: "
    with (
        nothing_lost(rec),
        raises(GradError, RuntimeError, head, text, f"\n  w recorded at {place}"),
    ):
        grad.wrt(w, strict=True)


def test_fault_04_the_break_has_a_line(rec: ComputationRecord) -> None:
    w = rec.parameter("w", [0.5, -2.0])
    still, place = wg.stop_gradient(w), line_of()
    with pytest.raises(GradError) as caught:
        still.sum().grad().wrt({"w": [w]}, strict=True)
    assert f", #1 stop_gradient at {place}" in str(caught.value)
    still.named("frozen")
    with pytest.raises(GradError, match="the path ends at frozen\n"):
        still.sum().grad().wrt(w, strict=True)


def test_fault_04_only_what_the_loss_needs_is_a_break(rec: ComputationRecord) -> None:
    """A path that ends where nothing leads on to the loss is not the reason."""
    w = rec.parameter("w", [0.5, -2.0])
    wg.stop_gradient(w) * 2
    used = wg.stop_gradient(w * 3)
    loss = used.sum()
    wg.stop_gradient(w) * 2
    with pytest.raises(GradError, match=rf"the path ends at #{used.index} stop_grad"):
        loss.grad().wrt(w, strict=True)


@pytest.mark.parametrize("options", [{}, {"record": True}, {"ieee": True}])
def test_strict_gives_what_is_connected(
    options: dict[str, Any], rec: ComputationRecord
) -> None:
    x = rec.tensor_from_value([1.0, 2.0])
    y = x * wg.stop_gradient(x)
    loss = (y * 0.0).sum()
    grad = loss.grad(**options)
    # A zero that arithmetic gives is no break.
    for t, wanted in ((x, [0.0, 0.0]), (y, [0.0, 0.0]), (loss, 1.0)):
        assert grad.wrt(t, strict=True).data().tolist() == wanted


def test_strict_in_a_structure_of_tensors(rec: ComputationRecord) -> None:
    x, unused = rec.ones(2), rec.parameter("unused", [1.0])
    grad = x.sum().grad()
    found = grad.wrt({"x": [x, x]}, strict=True)
    assert found["x"][1].data().tolist() == [1, 1]
    with pytest.raises(GradError, match="to unused: no path"):
        grad.wrt([x, unused], strict=True)
    with pytest.raises(GradError, match=r"to #\d+ multiply: no path"):
        grad.wrt(x * 2, strict=True)
    with pytest.raises(DTypeError, match="has no gradient"):
        grad.wrt(rec.constant([1]), strict=True)


def test_a_break_far_away(rec: ComputationRecord) -> None:
    w = rec.parameter("w", 1.0)
    y = w
    for _ in range(10_000):
        y = y * 1.0
    y = wg.stop_gradient(y)
    for _ in range(10_000):
        y = y * 1.0
    with pytest.raises(GradError, match=re.escape("ends at #10001 stop_gradient")):
        y.grad().wrt(w, strict=True)
    assert np.isfinite(y.item())
