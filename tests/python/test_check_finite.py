"""Records that check each value and each cotangent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, NonFiniteError, Tensor

from tests.python.faults import nothing_lost, raises
from tests.python.places import line_of

SIZES = {"scalar": (), "small": (2, 3), "large": (40, 50)}
# A call, the operand's elements, what is said of the op and of the element.
MAKERS: dict[str, tuple[Callable[[Any], Any], float, str]] = {
    "unary": (wg.log, 0.0, "log: #1 log would {} -inf{}"),
    "binary": (lambda x: x / x, 0.0, "divide: #1 divide would {} NaN{}"),
    "number": (lambda x: 1 / x, -0.0, "divide: #1 divide would {} -inf{}"),
    "function": (lambda x: wg.exp(x), 1000.0, "exp: #1 exp would {} inf{}"),
    "method": (lambda x: x**-1.5, 0.0, "power: #1 power would {} inf{}"),
    "second": (lambda x: wg.exp(x * 2), 1000.0, "exp: #2 exp would {} inf{}"),
}


def tensor(rec: ComputationRecord, size: str, bad: float, dtype: str) -> Tensor:
    x = np.ones(SIZES[size], dtype)
    x.reshape(-1)[x.size // 2] = bad
    return rec.tensor_from_value(x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", MAKERS)
def test_fault_21_the_first_node_that_is_not_finite(
    kind: str, size: str, dtype: str
) -> None:
    f, bad, text = MAKERS[kind]
    rec = ComputationRecord(check_finite=True)
    x = tensor(rec, size, bad, dtype)
    place = {"scalar": "", "small": " at (1, 0)", "large": " at (20, 0)"}[size]
    text = text.format("be" if size == "scalar" else "hold", place)
    before = len(rec)
    with raises(NonFiniteError, FloatingPointError, text):
        f(x)
    assert len(rec) in (before, before + 1)
    with nothing_lost(rec):
        pass


def test_fault_21_the_message_names_op_line_and_operands() -> None:
    rec = ComputationRecord(check_finite=True)
    x, made = rec.tensor_from_value([4.0, 0.0]).named("x"), line_of()
    with pytest.raises(NonFiniteError) as caught:
        wg.log(x)
    failed = line_of(-1)
    assert str(caught.value) == (
        "log: #1 log would hold -inf at (1,)\n"
        f"  #1 log recorded at {failed}, x at {made}"
    )


@pytest.mark.parametrize("source", ["tensor_from_value", "constant", "parameter"])
@pytest.mark.parametrize("size", [3, 3000])
def test_fault_21_values_from_outside(source: str, size: int) -> None:
    rec = ComputationRecord(check_finite=True)
    x = np.ones(size)
    x[2] = np.nan
    name = ("p",) if source == "parameter" else ()
    label = "p" if name else "#0 " + source.removesuffix("_from_value")
    with (
        nothing_lost(rec),
        raises(NonFiniteError, FloatingPointError, f"{label} would hold NaN at (2,)"),
    ):
        getattr(rec, source)(*name, x)
    getattr(rec, source)(*name, np.arange(size))
    getattr(rec, source)(*name, np.ones(size, bool))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fault_21_cotangents(size: str, dtype: str) -> None:
    rec = ComputationRecord(check_finite=True)
    x = tensor(rec, size, 0.0, dtype).named("x")
    loss = wg.sqrt(x * 3).sum()
    place = {
        "scalar": "be inf",
        "small": "hold inf at (1, 0)",
        "large": "hold inf at (20, 0)",
    }[size]
    text = f"grad: the cotangent that #2 sqrt passes to #1 multiply would {place}"
    with (
        nothing_lost(rec),
        raises(NonFiniteError, FloatingPointError, text, "#2 sqrt recorded at "),
    ):
        loss.grad()
    # Recorded, the sweep's own nodes are checked.
    with (
        nothing_lost(rec),
        raises(NonFiniteError, FloatingPointError, "divide: #", "inf"),
    ):
        loss.grad(record=True)
    assert (x * 2).sum().grad().wrt(x).data().max() == 2


def test_only_a_record_that_was_asked_checks(rec: ComputationRecord) -> None:
    assert not rec.check_finite
    assert ComputationRecord(check_finite=True).check_finite
    x = rec.tensor_from_value([0.0])
    assert wg.log(x).item() == -np.inf
    assert wg.log(x).sum().grad().wrt(x).item() == np.inf


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_a_check_changes_no_value(dtype: str) -> None:
    def values(check: bool) -> list[Any]:
        rec = ComputationRecord(check_finite=check)
        x = rec.tensor_from_value(np.arange(1, 7).reshape(2, 3).astype(dtype))
        y = rec.tensor_from_value(np.array([2.0, 0.5, 4.0]))
        parts = [
            x + x,
            x * 2,
            2.5 / y,
            wg.tanh(y),
            (x * y)[:, ::2].T,
            wg.where(x > 2, y, 0.0),
            wg.logsumexp(x * y),
        ]
        grad = wg.concatenate([wg.reshape(p, -1) * 1.0 for p in parts]).sum().grad()
        return [str(rec).split(":", 1)[1], grad.wrt(y).data().tolist()]

    assert values(True) == values(False)
