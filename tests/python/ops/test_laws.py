"""The laws, for every row of the table; and the checkers of the laws, checked."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, GradError, _core

from tests.python.ops import laws, operands
from tests.python.ops.table import ROWS, Row

SMOOTH = [row for row in ROWS if row.gradient]
# A gradient that was not recorded refuses a sweep: see test_gradient_op_is_blocked.
CONSTANT = [row for row in ROWS if not row.gradient and row.op != "gradient"]
# The layouts of a leaf are those of `tensor_from_value`.
PLACED = [row for row in ROWS if row.tier != "source"]
ELEMENTWISE = [
    row for row in ROWS if row.tier in ("unary", "binary", "compare", "bits")
]


def each(rows: list[Row]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])


def unmet(rows: list[Row]) -> set[str]:
    """Give the ops of the engine that have no row, and the rows of no op."""
    return {str(entry["name"]) for entry in _core.op_table()} ^ {row.op for row in rows}


def test_every_op_has_a_row() -> None:
    assert unmet(ROWS) == set()


def test_rows_have_different_names() -> None:
    repeated = {n: k for n, k in Counter(r.name for r in ROWS).items() if k > 1}
    assert repeated == {}


@each(ROWS)
def test_a_row_is_of_the_tier_that_the_engine_says(row: Row) -> None:
    entry = next(entry for entry in _core.op_table() if entry["name"] == row.op)
    assert entry["tier"] == row.tier
    if not entry["differentiable"]:
        assert not row.gradient


@each(ROWS)
def test_a_row_records_its_op(row: Row) -> None:
    """A row must not pass by reaching another op."""
    rec = ComputationRecord()
    row.call(*laws.leaves(row, rec, row.draw(np.random.default_rng(0), row.shapes[0])))
    ops = [line.split()[1] for line in str(rec).splitlines()[2:]]
    assert row.op in ops


@each(ROWS)
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "bool"])
def test_value_is_numpys(row: Row, dtype: str) -> None:
    laws.value(row, dtype)


@each(SMOOTH)
def test_vjp_equals_differences(row: Row) -> None:
    laws.vjp(row)


@each(SMOOTH)
def test_gradients_in_single_precision(row: Row) -> None:
    laws.single_precision(row)


@each(SMOOTH)
def test_second_order_equals_differences_of_the_first(row: Row) -> None:
    laws.second_order(row)


@each(SMOOTH)
def test_uses_of_one_tensor_accumulate(row: Row) -> None:
    laws.accumulation(row)


@each(CONSTANT)
def test_no_gradient_passes(row: Row) -> None:
    laws.no_gradient(row)


@each(PLACED)
def test_layout_changes_nothing(row: Row) -> None:
    laws.layouts(row)


@each(ELEMENTWISE)
def test_layout_changes_nothing_in_large_values(row: Row) -> None:
    laws.large_layouts(row)


def test_gradient_op_is_blocked() -> None:
    rec = ComputationRecord()
    x = rec.tensor_from_value(3.0)
    first = (x * x).grad().wrt(x)
    with pytest.raises(GradError, match="without record=True"):
        (first * x).grad()


# --- The checkers, checked ------------------------------------------------------------


def row_of(name: str) -> Row:
    return next(row for row in ROWS if row.name == name)


# A factor does not change a gradient of zeros, or of no elements.
ZERO = {"broadcast_to (2, 0)", "slice [5:2]", "gather empty"}
ZERO |= {"sign", "floor", "ceil", "rint", "trunc"}
ZERO |= {"rint round 0", "rint round 1", "rint method", "mean var axis ()"}
ZERO |= {"gather [no mask]"}
SIN, PRODUCT, QUOTIENT = row_of("sin"), row_of("multiply"), row_of("divide")


def scaled(x: Any) -> Any:
    """Give sin(x) with a gradient of 1.01 cos(x)."""
    y = wg.sin(x)
    return wg.stop_gradient(y) + (y - wg.stop_gradient(y)) * 1.01


def swapped(a: Any, b: Any) -> Any:
    """Give a / b with the partials of the operands exchanged."""
    still_a, still_b = wg.stop_gradient(a), wg.stop_gradient(b)
    slope_a, slope_b = 1 / still_b, -still_a / (still_b * still_b)
    return still_a / still_b + (a - still_a) * slope_b + (b - still_b) * slope_a


def bent(x: Any) -> Any:
    """Give sin(x) with the right gradient and a second one that is 0.01 too large."""
    return wg.sin(x) + 0.005 * wg.square(x - wg.stop_gradient(x))


def forgetful(a: Any, b: Any) -> Any:
    """Give a * b, and forget one use if both are the same."""
    return wg.multiply(a, wg.stop_gradient(b) if a is b else b)


def only_leaves(x: Any) -> Any:
    """Give sin(x), a little wrong unless x is a leaf."""
    y = wg.sin(x)
    return y if " tensor " in repr(x) else y * 1.001


def only_leaves_back(x: Any) -> Any:
    """Give sin(x), with a gradient a little wrong unless x is a leaf."""
    return wg.sin(x) if " tensor " in repr(x) else scaled(x)


def wide(x: Any) -> Any:
    return wg.astype(wg.sin(x), "float64")


def off(x: Any) -> Any:
    return wg.sin(x) * (1 + 1e-12)


def off_in_single(x: Any) -> Any:
    return wg.sin(x) * (1 + 1e-5 * (x.dtype == "float32"))


FAKES: list[tuple[Any, Row, Any]] = [
    (lambda row: laws.value(row, "float64"), SIN, off),
    (lambda row: laws.value(row, "float32"), SIN, off_in_single),
    (lambda row: laws.value(row, "float32"), SIN, wide),
    (lambda row: laws.value(row, "int64"), PRODUCT, lambda a, b: a * b + 0.0),
    (lambda row: laws.value(row, "bool"), PRODUCT, wg.maximum),
    (lambda row: laws.value(row, "float64"), QUOTIENT, lambda a, b: b / a),
    (laws.vjp, SIN, scaled),
    (laws.vjp, QUOTIENT, swapped),
    (laws.single_precision, SIN, lambda x: scaled(x) if x.dtype == "f4" else wg.sin(x)),
    (laws.second_order, SIN, bent),
    (laws.accumulation, PRODUCT, forgetful),
    (laws.no_gradient, row_of("stop_gradient"), lambda x: x * 1.0),
    (laws.layouts, SIN, only_leaves),
    (laws.layouts, SIN, only_leaves_back),
]


@pytest.mark.parametrize(("law", "row", "wrong"), FAKES, ids=range(len(FAKES)))
def test_a_wrong_op_breaks_its_law(law: Any, row: Row, wrong: Any) -> None:
    law(row)
    with pytest.raises(AssertionError):
        law(replace(row, call=wrong, plain=False))


@pytest.mark.parametrize(
    ("row", "factor"),
    [(r, factor) for r in SMOOTH if r.name not in ZERO for factor in (1.01, 0.99)],
    ids=lambda x: x.name if isinstance(x, Row) else str(x),
)
def test_one_percent_off_is_caught_in_every_op(
    monkeypatch: pytest.MonkeyPatch, row: Row, factor: float
) -> None:
    true = laws.gradients

    def wrong(*args: Any, **options: Any) -> dict[int, operands.Array]:
        return {k: g * factor for k, g in true(*args, **options).items()}

    monkeypatch.setattr(laws, "gradients", wrong)
    with pytest.raises(AssertionError):
        laws.vjp(row)


def test_subtler_faults_escape_no_other_law() -> None:
    """The fakes above break one law each, so that law is what catches them."""
    laws.vjp(replace(SIN, call=bent))
    laws.vjp(replace(PRODUCT, call=forgetful))
    laws.vjp(replace(SIN, call=only_leaves_back))
    laws.value(replace(SIN, call=scaled, plain=False), "float64")


def test_an_op_without_a_row_is_named() -> None:
    assert unmet([row for row in ROWS if row.op != "softplus"]) == {"softplus"}
    assert unmet([*ROWS, replace(SIN, op="nothing")]) == {"nothing"}
