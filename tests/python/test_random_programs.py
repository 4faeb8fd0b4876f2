"""Random compositions of the table's ops: values, first and second derivatives.

A program is drawn step by step on NumPy's values alone: operands must lie in the op's
domain, away from its kinks, and what comes out must be smooth along one direction of
the leaves, by differences of two widths. What the record then gives is compared with
NumPy's values, and its derivatives along that direction with the differences.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, Tensor

from tests.python import generated
from tests.python.ops import operands
from tests.python.ops.operands import Array, Shape
from tests.python.ops.table import ROWS, Row
from tests.python.ops.table.elementwise_others import above_one, inside
from tests.python.ops.table.statistics import apart, signs

# In each of eight blocks.
PROGRAMS = 125
STEPS = (3, 30)
# Along the direction, in units of the wider step.
POINTS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
STEP = 2.0**-9
# The value that is looked at.
HERE = POINTS.index(0.0)
SHAPES = ((), (3,), (2, 3), (3, 3), (3, 2), (2, 1))
LARGEST = 36
# Values and derivatives of a step beyond these make the differences rough.
BOUNDS = (8.0, 30.0, 300.0)


def no_ties(x: Array) -> bool:
    return x.size < 2 or float(np.min(np.diff(np.sort(x, axis=None)))) > 0.02


# Where an operand may lie, by what the table draws it from.
DOMAINS: dict[operands.Draw, Callable[[Array], bool]] = {
    operands.reals: lambda x: True,
    operands.positive: lambda x: bool(np.all(x > 0.2)),
    operands.above_minus_one: lambda x: bool(np.all(x > -0.8)),
    operands.off_zero: lambda x: bool(np.all(np.abs(x) > 0.1)),
    inside: lambda x: bool(np.all(np.abs(x) < 0.8)),
    above_one: lambda x: bool(np.all(x > 1.1)),
    operands.distinct: no_ties,
    apart: lambda x: no_ties(np.abs(x)),
    signs: lambda x: True,
    # Two operands that are not equal, or one and a number: seen by the differences.
    operands.even: lambda x: True,
    operands.odd: lambda x: True,
}
# Ops of several operands beside the elementwise ones that take any shapes which fit.
JOINING = {"matmul", "concatenate"}


@cache
def rows() -> dict[str, list[Row]]:
    """Give by op the rows that a step may take."""
    found: dict[str, list[Row]] = {}
    for row in ROWS:
        draws = [draw for draw in row.draws if draw is not operands.mask]
        fits = row.tier == "elementwise" or len(draws) == 1 or row.op in JOINING
        known = draws and all(draw in DOMAINS for draw in draws)
        # A cast to float32 and back rounds what the differences look at.
        moves = row.gradient and row.tier != "source" and row.op != "cast"
        if moves and fits and known:
            found.setdefault(row.op, []).append(row)
    return found


@dataclass
class Program:
    """Leaves, their direction, and steps; values at all points of the way."""

    # One array for each point, stacked.
    values: list[Array]
    directions: list[Array]
    # The op, and its operands: the numbers of values, or constants.
    steps: list[tuple[Row, list[int | Array]]] = field(default_factory=list)

    @property
    def sinks(self) -> list[int]:
        """The values that no step uses."""
        used = {x for _, xs in self.steps for x in xs if isinstance(x, int)}
        return [k for k in range(len(self.values)) if k not in used]


def drawn(rng: np.random.Generator) -> Program:
    """Draw a program."""
    shapes = [SHAPES[k] for k in rng.integers(len(SHAPES), size=rng.integers(1, 4))]
    directions = [np.asarray(rng.uniform(-1, 1, shape)) for shape in shapes]
    values = [
        np.stack([start + t * STEP * d for t in POINTS])
        for start, d in ((rng.uniform(-2, 2, d.shape), d) for d in directions)
    ]
    program = Program(values, directions)
    length = int(rng.integers(STEPS[0], STEPS[1] + 1))
    while len(program.steps) < length:
        extend(program, rng)
    return program


def extend(program: Program, rng: np.random.Generator) -> None:
    """Append a step, unless what was drawn does not fit."""
    op = sorted(rows())[rng.integers(len(rows()))]
    row = rows()[op][rng.integers(len(rows()[op]))]
    count = len(program.values)
    xs: list[int | Array] = []
    for draw in row.draws:
        # Half of the operands are new, so that chains grow long.
        first = max(0, count - 3) if rng.random() < 0.5 else 0
        k = int(rng.integers(first, count))
        if draw is operands.mask:
            xs.append(operands.mask(rng, program.values[k].shape[1:]))
            continue
        if not DOMAINS[draw](program.values[k][HERE]):
            return
        xs.append(k)
    here = [program.values[x][HERE] if isinstance(x, int) else x for x in xs]
    if not is_taken(row, [x.shape for x in here]):
        return
    results = []
    for point in range(len(POINTS)):
        given = [program.values[x][point] if isinstance(x, int) else x for x in xs]
        try:
            results.append(np.asarray(row.reference(*given)))
        except (ValueError, IndexError):
            # The shapes do not fit the op's parameters.
            return
    value = np.stack(results)
    if 0 < value[0].size <= LARGEST and value.dtype == np.float64 and smooth(value):
        program.values.append(value)
        program.steps.append((row, xs))


def is_taken(row: Row, shapes: Sequence[Shape]) -> bool:
    """Say whether a row's parameters may fit the shapes of its operands."""
    # NumPy forgives an axis of an array that has none, and statistics of one element.
    axes = {tuple(map(len, known)) for known in row.shapes}
    several = row.shapes in (operands.UNARY, operands.BINARY) or not any(
        1 in shape for shape in shapes
    )
    return tuple(map(len, shapes)) in axes and several


def slopes(value: Array, width: float) -> tuple[Array, Array]:
    """Give first and second derivatives along the way by 5-point differences."""
    a, b, c, d, e = (value[POINTS.index(t * width)] for t in (-2, -1, 0, 1, 2))
    step = STEP * width
    first = (a - 8 * b + 8 * d - e) / (12 * step)
    second = (-a + 16 * b - 30 * c + 16 * d - e) / (12 * step**2)
    return first, second


def smooth(value: Array) -> bool:
    """Say whether derivatives are small, and the same with both widths."""
    first, second = slopes(value, 1)
    half_first, half_second = slopes(value, 0.5)
    sizes = (np.max(np.abs(x)) for x in (value, first, second))
    # Not a number is beyond each bound, too.
    bounded = all(size < bound for size, bound in zip(sizes, BOUNDS, strict=True))
    return bounded and bool(
        np.max(np.abs(first - half_first)) < 1e-8
        and np.max(np.abs(second - half_second)) < 1e-6
    )


def recorded(program: Program) -> tuple[list[Tensor], list[Tensor]]:
    """Run the program on a record; give its leaves and all values."""
    rec = ComputationRecord()
    leaves = [
        rec.tensor_from_value(value[HERE])
        for value in program.values[: len(program.directions)]
    ]
    values = list(leaves)
    for row, xs in program.steps:
        given = [values[x] if isinstance(x, int) else rec.constant(x) for x in xs]
        values.append(row.call(*given))
    return leaves, values


def along(
    loss: Tensor, leaves: Sequence[Tensor], directions: Sequence[Array]
) -> Tensor:
    """Give the derivative of a loss along the direction, recorded."""
    grad = loss.grad(record=True)
    pairs = zip(leaves, directions, strict=True)
    return total([(grad.wrt(leaf) * d).sum() for leaf, d in pairs])


def total(terms: Sequence[Tensor]) -> Tensor:
    first, *rest = terms
    return sum(rest, start=first)


def check(program: Program, rng: np.random.Generator, why: str) -> tuple[float, float]:
    """Compare the record with NumPy; give the first and second derivative."""
    leaves, values = recorded(program)
    for value, tensor in zip(program.values, values, strict=True):
        np.testing.assert_allclose(
            tensor.data(), value[HERE], rtol=1e-10, atol=1e-10, err_msg=why
        )
    terms, wanted, size = [], np.zeros(len(POINTS)), 1.0
    for sink in program.sinks:
        value = program.values[sink]
        weight = np.asarray(rng.uniform(-1, 1, value.shape[1:]))
        terms.append((values[sink] * weight).sum())
        wanted += np.sum((value * weight).reshape(len(POINTS), -1), axis=1)
        size += float(np.sum(np.abs(value[HERE] * weight)))
    first = along(total(terms), leaves, program.directions)
    second = along(first, leaves, program.directions)
    slope, bend = slopes(wanted, 1)
    assert first.item() == pytest.approx(slope, rel=1e-8, abs=1e-8 * size), (
        f"first derivative: {why}"
    )
    assert second.item() == pytest.approx(bend, rel=1e-6, abs=1e-6 * size), (
        f"second derivative: {why}"
    )
    return float(slope), float(bend)


def case(block: int, k: int) -> tuple[Program, np.random.Generator, str]:
    seed = generated.seed_of("programs", block, k)
    rng = np.random.default_rng(seed)
    program = drawn(rng)
    return program, rng, f"seed {seed}: {[row.name for row, _ in program.steps]}"


@pytest.mark.parametrize("block", range(8))
def test_random_programs(block: int) -> None:
    ops: set[str] = set()
    lengths: set[int] = set()
    moving = bent = 0
    for k in range(PROGRAMS):
        program, rng, why = case(block, k)
        generated.count("programs")
        slope, bend = check(program, rng, why)
        moving += abs(slope) > 0.01
        bent += abs(bend) > 0.01
        ops.update(row.op for row, _ in program.steps)
        lengths.add(len(program.steps))
    # What was drawn is worth a comparison.
    assert len(ops) > 0.9 * len(rows())
    assert min(lengths) < STEPS[0] + 3
    assert max(lengths) > STEPS[1] - 3
    assert min(moving, bent) > 0.8 * PROGRAMS


def off_by_a_slope(y: Tensor) -> Tensor:
    return y + 1e-4 * (y - wg.stop_gradient(y))


def off_by_a_bend(y: Tensor) -> Tensor:
    return y + 1e-2 * (y - wg.stop_gradient(y)) ** 2


@pytest.mark.parametrize(
    ("wrong", "where"), [(off_by_a_slope, "first"), (off_by_a_bend, "second")]
)
def test_a_wrong_rule_is_seen(wrong: Callable[[Tensor], Tensor], where: str) -> None:
    """The checker is checked: each step in turn has a right value and a wrong rule."""
    faults, steps = [], 0
    for k in range(10):
        program, _, _ = case(0, k)
        for at, (row, xs) in enumerate(program.steps):
            slope, _ = slopes(program.values[len(program.directions) + at], 1)
            if np.max(np.abs(slope)) < 0.1:
                continue
            steps += 1
            broken = replace(row, call=lambda *xs, row=row: wrong(row.call(*xs)))
            changed = replace(program, steps=list(program.steps))
            changed.steps[at] = broken, xs
            try:
                check(changed, np.random.default_rng(k), "")
            except AssertionError as error:
                faults.append(str(error))
    assert steps > 50
    assert sum(fault.startswith(where) for fault in faults) > 0.8 * steps
