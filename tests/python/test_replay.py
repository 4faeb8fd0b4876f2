"""A record evaluated again on other values."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import (
    ComputationRecord,
    DTypeError,
    GradError,
    HandleError,
    NonFiniteError,
    Rng,
    ShapeError,
    Tensor,
)
from wengert.layers import LinearLayer, relu, softmax_cross_entropy

from tests.python.faults import name_of, nothing_lost, raises
from tests.python.places import line_of
from tests.python.test_record import without_places


def program(rec: ComputationRecord, x: Any, w: Any) -> tuple[Tensor, ...]:
    a, b = rec.tensor_from_value(x), rec.parameter("w", w)
    hidden = relu(a @ b).named("hidden")
    total = (hidden[::-1, 0] * 2.5 + [1.0, 2.0]).sum()
    return a, b, hidden, total


def test_a_replay_is_the_program_on_other_values(
    rec: ComputationRecord, rng: Any
) -> None:
    first = [rng.normal(size=s) for s in ((2, 3), (3, 4))]
    second = [rng.normal(size=s) for s in ((2, 3), (3, 4))]
    old = program(rec, *first)
    again = rec.replay({old[0]: second[0], old[1]: second[1]})
    new = program(ComputationRecord(), *second)
    for before, after in zip(old, new, strict=True):
        np.testing.assert_array_equal(again[before].data(), after.data())
    assert without_places(str(again.record)) == without_places(str(new[0].record))
    # The old record is as it was.
    np.testing.assert_array_equal(old[0].data(), first[0])
    assert again[old[2]].name == "hidden"
    assert again[old[3]].record is again.record
    assert re.fullmatch(r"<replay of record \d+: record \d+>", repr(again))


def test_a_replay_has_gradients(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.0, 2.0])
    loss = (x * x * x).sum()
    again = rec.replay({x: [3.0, 4.0]})
    assert again[loss].grad().wrt(again[x]).data().tolist() == [27, 48]
    # What a recorded sweep made is evaluated again, too.
    slope = loss.grad(record=True).wrt(x)
    again = rec.replay({x: [3.0, 4.0]})
    assert again[slope].data().tolist() == [27, 48]
    assert again[slope].sum().grad().wrt(again[x]).data().tolist() == [18, 24]


def test_without_values_a_replay_is_a_copy(rec: ComputationRecord) -> None:
    *_, total = program(rec, np.ones((2, 3)), np.ones((3, 4)))
    again = rec.replay()
    assert without_places(str(again.record)) == without_places(str(rec))
    rec.clear()
    assert again.record.table().endswith("".join(str(again.record).splitlines()[-1:]))
    with pytest.raises(HandleError, match="before the record was cleared"):
        again[total]


def test_up_to_a_node(rec: ComputationRecord) -> None:
    _, w, hidden, total = program(rec, np.ones((2, 3)), np.ones((3, 4)))
    again = rec.replay({w: np.zeros((3, 4))}, upto=hidden)
    assert len(again.record) == hidden.index + 1
    assert again[hidden].data().max() == 0
    with pytest.raises(KeyError, match=f"#{total.index} sum was not replayed"):
        again[total]
    later = rec.ones(1)
    with pytest.raises(KeyError, match="was not replayed"):
        again[later]


def test_random_draws_replay_as_recorded() -> None:
    rec = ComputationRecord(rng=Rng(3))
    layer = LinearLayer(rec, 4, 3, {}, bias=True)
    x = rec.tensor_from_value(np.ones((2, 4), "f4"))
    noise = rec.constant(rec.rng.normal((2, 3)))
    loss = softmax_cross_entropy(layer(x) + noise, [0, 2])
    again = rec.replay({x: np.ones((2, 4), "f4")})
    assert again[loss].item() == loss.item()
    assert again[layer.weight].data().tolist() == layer.weight.data().tolist()
    assert again[layer.weight].name == "linear0.weight"


def test_large_values_are_shared_and_lines_kept(rec: ComputationRecord) -> None:
    x, place = rec.tensor_from_value(np.ones(10_000)), line_of()
    again = rec.replay()
    assert again.record.bytes() < 20_000
    assert place in str(again.record)
    with pytest.raises(ShapeError, match=rf"recorded at {re.escape(place)}"):
        again[x] + np.ones(3)


def test_fault_50_a_value_of_another_shape_or_type(rec: ComputationRecord) -> None:
    x, place = rec.tensor_from_value(np.ones((32, 784), "f4")), line_of()
    labels = rec.constant([1, 2])
    y = (x * 2).named("twice")
    x.mean()
    for value, kind, builtin, text in (
        (np.ones((16, 784), "f4"), ShapeError, ValueError, "for (32, 784), not (16, "),
        (np.float32(1), ShapeError, ValueError, "#0 tensor was recorded for (32, 784)"),
        (np.ones((32, 784)), DTypeError, TypeError, "for f32, not f64"),
    ):
        with nothing_lost(rec), raises(kind, builtin, text, f"at {place}"):
            rec.replay({x: value})
    with raises(DTypeError, TypeError, "recorded for i64, not f64"):
        rec.replay({labels: [0.5, 1.5]})
    with pytest.raises(ValueError, match="twice is computed: only leaves and const"):
        rec.replay({y: np.ones((32, 784), "f4")})


def test_fault_50_an_index_out_of_range(rec: ComputationRecord) -> None:
    x, rows = rec.ones((3, 2)), rec.constant([0, 2])
    picked = x[rows]
    assert rec.replay({rows: [1, 1]})[picked].shape == (2, 2)
    with pytest.raises(wg.OutOfRangeError, match="index 3 at"):
        rec.replay({rows: [1, 3]})


def test_fault_50_a_gradient_that_was_not_recorded(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.0, 2.0])
    slope = (x * x).sum().grad().wrt(x)
    # By itself it is left out, for its value would be stale.
    again = rec.replay({x: [5.0, 6.0]})
    assert len(again.record) == len(rec) - 1
    with pytest.raises(KeyError, match="gradient was not replayed"):
        again[slope]
    stepped = x - slope * 0.1
    with raises(
        GradError,
        RuntimeError,
        f"multiply uses #{slope.index} gradient, a gradient that was taken without",
        "hint: take that gradient with grad(record=True)",
    ):
        rec.replay({x: [5.0, 6.0]})
    again = rec.replay({x: [5.0, 6.0], slope: [10.0, 12.0]})
    np.testing.assert_allclose(again[stepped].data(), [4.0, 4.8])


def test_numbers_and_lists_take_the_tensors_type(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value(np.ones(2, "f4"))
    s = rec.tensor_from_value(np.float32(1))
    y = x * s
    again = rec.replay({x: [1, 2], s: 0.5})
    assert again[y].dtype == np.float32
    assert again[y].data().tolist() == [0.5, 1]
    # A tensor gives its value.
    assert rec.replay({x: again[y]})[y].data().tolist() == [0.5, 1]


def test_what_is_no_tensor_of_the_record(rec: ComputationRecord) -> None:
    x, other = rec.ones(1), ComputationRecord()
    theirs = other.ones(1)
    text = f"belongs to {name_of(other)}, not to {name_of(rec)}"
    with pytest.raises(HandleError, match=text):
        rec.replay({theirs: [1.0]})
    with pytest.raises(HandleError, match=text):
        rec.replay(upto=theirs)
    with pytest.raises(HandleError, match=text):
        rec.replay()[theirs]
    with pytest.raises(TypeError, match="given by tensor, not by str"):
        rec.replay({"x": [1.0]})  # type: ignore[dict-item]
    with pytest.raises(DTypeError, match="dtype <U4 is not supported"):
        rec.replay({x: "text"})


def test_a_handle_of_a_later_node_finds_nothing(rec: ComputationRecord) -> None:
    """A node that took the number of one that was replayed is not the same."""
    mark = rec.mark()
    rec.ones(1)
    again = rec.replay()
    rec.rewind(mark)
    later = rec.ones(1)
    assert later.index == 0
    with pytest.raises(KeyError, match="was not replayed"):
        again[later]


def test_a_checking_record_is_checked_again() -> None:
    rec = ComputationRecord(check_finite=True)
    x = rec.tensor_from_value([1.0, 2.0])
    wg.log(x)
    with pytest.raises(NonFiniteError, match="log would hold -inf"):
        rec.replay({x: [0.0, 1.0]})
    assert rec.replay({x: [1.0, 3.0]}).record.check_finite


def test_a_long_record(rec: ComputationRecord) -> None:
    x = y = rec.tensor_from_value(1.0)
    for _ in range(100_000):
        y = y * 1.0
    assert rec.replay({x: 2.0})[y].item() == 2
