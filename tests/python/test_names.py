"""Names of tensors, and the printed record that shows them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, HandleError, Rng, ShapeError
from wengert.layers import LinearLayer, sum

from tests.python import snapshots
from tests.python.faults import name_of
from tests.python.test_record import without_places

# --- Names ----------------------------------------------------------------------------


def test_a_name_is_given_to_a_node_that_exists(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.0, -1.0])
    y = wg.relu(x)
    assert y.name is None
    assert y.named("hidden") is y
    assert len(rec) == 2
    assert y.name == "hidden"
    assert rec.parameter("w", [1.0]).name == "w"
    assert repr(y) == "<tensor hidden f64 (2,): [1, 0]>"
    assert re.search(r"\n  1  relu hidden +#0 ", str(rec))


def test_the_last_name_counts(rec: ComputationRecord) -> None:
    x, y, z = rec.ones(1), rec.ones(1), rec.ones(1)
    # In no order, and over one another.
    z.named("z")
    x.named("first").named("x")
    y.named("y")
    assert [t.name for t in (x, y, z)] == ["x", "y", "z"]


def test_messages_call_tensors_by_their_names(rec: ComputationRecord) -> None:
    a = rec.ones((2, 3)).named("left")
    b = (rec.ones((2, 3)) * 2).named("right")
    with pytest.raises(ShapeError, match=r"left \(2, 3\) @ right \(2, 3\)") as caught:
        a @ b
    assert "  left recorded at " in str(caught.value)
    with pytest.raises(ShapeError, match=r"grad: right \(2, 3\) is not a scalar"):
        b.grad()
    other = ComputationRecord()
    with pytest.raises(
        HandleError, match=f"left belongs to {name_of(rec)}, not to {name_of(other)}"
    ):
        other.ones(3) + a


def test_names_in_messages_stay_within_their_line(rec: ComputationRecord) -> None:
    x = rec.ones(2).named("a\nb" + "long" * 100)
    with pytest.raises(ShapeError) as caught:
        x + rec.ones(3).named("")
    head, *_ = str(caught.value).splitlines()
    assert r"a\nb" in head
    assert "#1 tensor" in head, "an empty name names nothing"
    assert len(head) < 120


def test_a_name_dies_with_its_node(rec: ComputationRecord) -> None:
    rec.ones(1).named("kept")
    mark = rec.mark()
    gone = rec.ones(1).named("gone")
    rec.rewind(mark)
    with pytest.raises(HandleError):
        gone.named("again")
    with pytest.raises(HandleError):
        _ = gone.name
    assert rec.ones(1).name is None
    rec.clear()
    assert rec.ones(1).name is None


# --- The table ------------------------------------------------------------------------


def trained() -> tuple[ComputationRecord, wg.Tensor]:
    rec = ComputationRecord(rng=Rng(7))
    x = rec.constant(np.array([[1.0, 2.0, 3.0]], np.float32)).named("image")
    layer = LinearLayer(rec, 3, 2, {}, name="hidden", bias=True)
    hidden = wg.relu(layer(x)).named("hidden")
    used = rec.parameter("scale", np.float32(2.0))
    rec.parameter("unused", [1.0])
    return rec, sum(hidden * used) + wg.stop_gradient(hidden)[:, 1]


def test_a_table_shows_cotangents_beside_values() -> None:
    rec, loss = trained()
    snapshots.expect("table", without_places(rec.table(loss.grad())))


def test_without_a_gradient_the_table_is_the_printed_record() -> None:
    rec, _ = trained()
    assert rec.table() == rec.table(None) == str(rec)


def test_the_cotangents_of_a_table_are_those_of_wrt(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([0.5, -2.0, 3.0])
    parts = [x, wg.sin(x), x * x, rec.constant([1.0, 2.0, 3.0])]
    y = parts[1] * parts[2] + parts[3]
    loss = y.sum()
    choices: list[dict[str, Any]] = [
        {},
        {"record": True},
        {"wrt": x},
        {"seed": 2.0},
        {"ieee": True},
    ]
    for options in choices:
        grad = loss.grad(**options)
        before = len(rec)
        rows = rec.table(grad).splitlines()[2:]
        assert len(rec) == before, "to look at a record adds nothing to it"
        again = loss.grad(**{**options, "wrt": None})
        for t in (x, parts[1], parts[2], y, loss):
            ct = again.wrt(t)
            shown = repr(ct).split(": ")[1][:-1]
            assert f"  {shown}  " in rows[t.index]


def test_a_table_of_another_records_gradient(rec: ComputationRecord) -> None:
    other = ComputationRecord()
    x = other.ones(2)
    grad = x.sum().grad()
    with pytest.raises(
        HandleError,
        match=rf"table: the gradient of #1 belongs to {name_of(other)}, not to "
        rf"{name_of(rec)}\nhint: a gradient covers only the record",
    ):
        rec.table(grad)
    other.clear()
    with pytest.raises(HandleError, match="the loss #1 was made before the record was"):
        other.table(grad)


def test_a_long_table_is_elided(rec: ComputationRecord) -> None:
    y = x = rec.tensor_from_value(2.0)
    for _ in range(99):
        y = y * 1.0
    rows = rec.table(y.grad()).splitlines()[2:]
    assert rows[20] == "  ... 60 nodes ..."
    assert all(row.split()[-2] == "1" for row in rows[:20] + rows[21:]), rows
    assert x.index == 0
