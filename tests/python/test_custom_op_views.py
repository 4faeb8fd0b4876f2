"""Ops that users define in views of a record, in replay, and in memory."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
import wengert as wg
from wengert import ComputationRecord, CustomOp, ShapeError

from tests.python.custom_ops import FORMS, cube_on
from tests.python.faults import raises

# --- Views of a record ----------------------------------------------------------------


def test_views_show_the_name(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.0, 2.0])
    y = cube_on("arrays")(x)
    grad = y.sum().grad()
    assert "cube" in rec.table(grad)
    assert rec.table(grad).splitlines()[2].split()[-2:-1] != ["[1,"]
    assert "[3, 12]" in rec.table(grad)
    assert "cube" in rec.to_dot()
    assert "cube" in rec.to_svg()
    assert '"cube"' in rec.to_html(grad)
    assert "cube" in rec._repr_html_()
    assert repr(y.named("hidden")) == "<tensor hidden f64 (2,): [1, 8]>"


def test_differences_of_records() -> None:
    records = []
    for op in (cube_on(), wg.custom_op(lambda x: x**3, name="power"), cube_on()):
        rec = ComputationRecord()
        op(rec.tensor_from_value([1.0, 2.0]))
        records.append(rec)
    found = records[0].diff(records[1])
    assert found is not None
    assert found.kind == "op"
    assert "cube" in str(found)
    assert "power" in str(found)
    assert records[0].diff(records[2]) is None


@FORMS
@pytest.mark.parametrize("record", [False, True])
def test_replay_calls_the_op_again(cube: CustomOp, record: bool) -> None:
    rec = ComputationRecord()
    x = rec.tensor_from_value([1.0, 2.0])
    y = cube(x * 1).named("y")
    loss = (y * y).sum()
    slope = loss.grad(record=record).wrt(x) if record else y
    again = rec.replay({x: [2.0, 3.0]})
    assert again[y].data().tolist() == [8, 27]
    assert again[y].name == "y"
    assert again[loss].item() == 64 + 27**2
    if record:
        assert again[slope].data().tolist() == [6 * 2.0**5, 6 * 3.0**5]
    new = again.record
    assert str(new).splitlines()[4].split()[1:3] == ["cube", "y"]
    found = again[loss].grad().wrt(again[x])
    assert found.data().tolist() == [6 * 2.0**5, 6 * 3.0**5]


def test_replay_expects_the_same_type(rec: ComputationRecord) -> None:
    values = wg.custom_op(lambda x: x[x > 0], name="values")
    x = rec.tensor_from_value([1.0, 2.0])
    values(x)
    text = "replay: #1 values was recorded for (2,), not (1,)"
    with raises(ShapeError, ValueError, text):
        rec.replay({x: [1.0, -1.0]})


def test_values_and_cotangents_are_checked_for_being_finite() -> None:
    rec = ComputationRecord(check_finite=True)
    divide = wg.custom_op(lambda x: 1 / x, name="divide")
    divide.vjp(lambda ct, y, x: ct / (x - 1))
    x, zero = rec.tensor_from_value([2.0, 1.0]), rec.constant([1.0, 0.0])
    text = "divide: #2 divide would hold inf at (1,)"
    with raises(wg.NonFiniteError, FloatingPointError, text):
        divide(zero)
    y = divide(x)
    text = "the cotangent that #2 divide passes to #0 tensor would hold inf at (1,)"
    with raises(wg.NonFiniteError, FloatingPointError, text):
        y.sum().grad()


def test_a_profile_counts_them(rec: ComputationRecord) -> None:
    cube = cube_on("arrays")
    x = rec.tensor_from_value([1.0, 2.0])
    with rec.profile() as profile:
        cube(x).sum().grad()
        cube(cube(x))
    counts = {row.name: (row.count, row.bytes) for row in profile.ops}
    assert counts["cube"] == (3, 48)


# --- Memory ---------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["clear", "rewind", "drop"])
def test_functions_are_released_with_their_nodes(end: str) -> None:
    class Option:
        pass

    def make(rec: ComputationRecord) -> list[weakref.ref[Any]]:
        option, op = Option(), wg.custom_op(lambda x, option: x, name="same")
        op.vjp(lambda ct, y, x, option: ct)
        op(rec.ones(2), option=option).sum().grad(record=True)
        return [weakref.ref(option), weakref.ref(op)]

    rec = ComputationRecord()
    mark = rec.mark()
    held = make(rec)
    gc.collect()
    assert all(ref() is not None for ref in held)
    if end == "clear":
        rec.clear()
    elif end == "rewind":
        rec.rewind(mark)
    else:
        del rec, mark
        # The next record that is cleared releases what a dropped one held.
        ComputationRecord().clear()
    gc.collect()
    assert [ref() for ref in held] == [None, None]
