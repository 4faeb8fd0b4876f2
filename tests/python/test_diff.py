"""Where two records differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, _nodes
from wengert.inspection import Difference

from tests.python.faults import name_of
from tests.python.places import line_of


def pair(f: Any) -> tuple[ComputationRecord, ComputationRecord]:
    """Record a program twice; it is told which time it is."""
    first, second = ComputationRecord(), ComputationRecord()
    f(first, False)
    f(second, True)
    return first, second


def found(f: Any, **options: float) -> Difference:
    first, second = pair(f)
    difference = first.diff(second, **options)
    assert difference is not None
    return difference


def test_equal_records_do_not_differ() -> None:
    def program(rec: ComputationRecord, _: bool) -> None:
        x = rec.tensor_from_value([1.0, np.nan, np.inf])
        y = rec.constant([1, 2**60]) * 2
        wg.where(rec.constant(True), x * 2.5, 0)[::-1] + y.sum()
        rec.parameter("w", np.ones((3, 0)))

    first, second = pair(program)
    assert first.diff(second) is None
    assert first.diff(first) is None
    assert ComputationRecord().diff(ComputationRecord()) is None


def test_the_first_node_that_differs_and_both_lines() -> None:
    first, second = ComputationRecord(), ComputationRecord()
    x = first.tensor_from_value([1.0, 2.0])
    wg.tanh(x).named("hidden"), (here := line_of())
    y = second.tensor_from_value([1.0, 2.0])
    wg.sigmoid(y), (there := line_of())
    difference = first.diff(second)
    assert difference is not None
    assert (difference.kind, difference.index, difference.other_index) == ("op", 1, 1)
    assert (
        str(difference)
        == repr(difference)
        == (
            "op differs: tanh and sigmoid\n"
            f"  #1 tanh hidden of {name_of(first)}, recorded at {here}\n"
            f"  #1 sigmoid of {name_of(second)}, recorded at {there}"
        )
    )


KINDS: dict[str, tuple[Any, str]] = {
    "op": (lambda x, other: wg.exp(x) if other else wg.log(x), "log and exp"),
    "parameters": (
        lambda x, other: x.sum(axis=int(other)),
        "axes=[0] and axes=[1]",
    ),
    "operands": (lambda x, other: x * (2.5 if other else 2.0), "#0, 2.0 and #0, 2.5"),
    "type": (
        lambda x, other: x.reshape(4, 1) if other else x.reshape(1, 4),
        "f64 (1, 4) and f64 (4, 1)",
    ),
    "value": (
        lambda x, other: x.record.constant([[1, 2], [3, 3 + other]]),
        "3 and 4 at (1, 1), 1 of 4 elements",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_differences(kind: str) -> None:
    make, what = KINDS[kind]

    def program(rec: ComputationRecord, other: bool) -> None:
        x = rec.ones((2, 2))
        make(x, other)
        # What comes after is different, too.
        x * (5 if other else 6)

    difference = found(program)
    assert difference.kind == kind
    assert difference.index == difference.other_index == 1
    assert str(difference).startswith(f"{kind} differs: {what}\n  #1 ")


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_every_bit_of_a_value_counts(dtype: str) -> None:
    base = np.arange(6).reshape(2, 3).astype(dtype)
    other = base.copy()
    if base.dtype.kind == "f":
        other[1, 2] = np.nextafter(other[1, 2], 9, dtype=dtype)
    elif dtype == "int64":
        base[1, 2] = 2**60
        other[1, 2] = 2**60 + 1
    else:
        other[1, 2] = False

    difference = found(lambda rec, k: rec.constant(other if k else base))
    assert difference.kind == "value"
    assert " at (1, 2), 1 of 6 elements" in str(difference)


def test_tolerances() -> None:
    def program(rec: ComputationRecord, other: bool) -> None:
        rec.constant([1.0, 2.0 + other * 1e-6])
        rec.constant(np.nan)
        rec.constant(100.0 + other)

    assert found(program).index == 0
    assert found(program, rtol=1e-5).index == 2
    assert "100.0 and 101.0\n" in str(found(program, atol=1e-5))
    first, second = pair(program)
    assert first.diff(second, rtol=0.1) is None


def test_one_record_is_longer() -> None:
    def program(rec: ComputationRecord, other: bool) -> None:
        x = rec.ones(2)
        if other:
            (x * 2).named("more")

    first, second = pair(program)
    longer = first.diff(second)
    assert longer is not None
    assert (longer.kind, longer.index, longer.other_index) == ("length", None, 1)
    text = f"length differs: {name_of(first)} ends before\n  #1 multiply more of "
    assert str(longer).startswith(text + name_of(second))
    shorter = second.diff(first)
    assert shorter is not None
    assert (shorter.index, shorter.other_index) == (1, None)
    assert f"{name_of(first)} ends before\n  #1 multiply" in str(shorter)


def test_gradients_that_were_not_recorded_are_passed_over() -> None:
    """So a replay, which leaves them out, is compared with what it replays."""
    rec = ComputationRecord()
    x = rec.tensor_from_value([1.0, 2.0])
    y = (x * x).sum()
    y.grad().wrt(x)
    z = wg.exp(y * 2) + x
    assert rec.diff(rec.replay().record) is None
    assert rec.replay().record.diff(rec) is None
    changed = rec.replay({x: [1.0, 3.0]}).record
    assert rec.diff(changed, atol=1.5).index == 1  # type: ignore[union-attr]
    # The operands are compared by the nodes that they stand for.
    other = ComputationRecord()
    a = other.tensor_from_value([1.0, 2.0])
    b = (a * a).sum()
    wg.exp(b * 2) + b
    difference = rec.diff(other)
    assert difference is not None
    assert difference.kind == "operands"
    assert (difference.index, difference.other_index) == (z.index, z.index - 1)
    assert "#5, #0 and #4, #2\n" in str(difference)


def test_names_and_lines_do_not_count() -> None:
    first, second = ComputationRecord(), ComputationRecord()
    first.parameter("a", [1.0]).named("b")
    second.parameter("c", [1.0])
    assert first.diff(second) is None


def test_what_is_no_record_or_no_node(rec: ComputationRecord) -> None:
    with pytest.raises(TypeError):
        rec.diff(rec.ones(1))  # type: ignore[arg-type]
    assert [node.op for node in _nodes.nodes(rec)] == ["tensor"]
    with pytest.raises(IndexError, match="no such node"):
        rec._value(1)


def test_a_difference_far_down() -> None:
    def program(rec: ComputationRecord, other: bool) -> None:
        y = rec.tensor_from_value(1.0)
        for k in range(20_000):
            y = y * (1.0 if k < 19_999 or not other else 2.0)

    assert found(program).index == 20_000
