"""Normalisation, embedding, dropout, attention: edges, refusals, what is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, DTypeError, OutOfRangeError, Rng, ShapeError

X = np.arange(6.0).reshape(2, 3)


# --- Refusals -------------------------------------------------------------------------

REFUSALS: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    (
        lambda x: wg.layer_norm(x, np.ones(2)),
        ShapeError,
        r"layer_norm: the scale #1 constant \(2,\) does not fit #0 tensor \(2, 3\): "
        r"it needs shape \(3,\)",
    ),
    (
        lambda x: wg.layer_norm(x, None, np.ones(4), axis=(0, 1)),
        ShapeError,
        r"layer_norm: the bias .* it needs shape \(2, 3\)",
    ),
    (lambda x: wg.layer_norm(x, axis=2), ShapeError, "layer_norm: axis 2 is out of"),
    (lambda x: wg.rms_norm(x, np.ones(2)), ShapeError, "rms_norm: the scale"),
    (lambda x: wg.rms_norm(x, axis=(0, 0)), ShapeError, "rms_norm: axis 0 is given"),
    (lambda x: wg.batch_norm(x, np.ones(2)), ShapeError, "batch_norm: the mean"),
    (
        lambda x: wg.batch_norm(x, None, np.ones(2)),
        ShapeError,
        "batch_norm: the variance",
    ),
    (lambda x: wg.batch_norm(x, axis=2), ShapeError, "batch_norm: axis 2 is out of"),
    (lambda x: wg.embedding(x, [0.5]), DTypeError, "embedding: indices must be i64"),
    (lambda x: wg.embedding(x[0, 0], [0]), ShapeError, "embedding: axis 0 is out of"),
    (lambda x: wg.dropout(x, 1.5), ValueError, "the rate must be between 0 and 1"),
    (lambda x: wg.dropout(x, float("nan")), ValueError, "dropout: the rate .* not NaN"),
    (
        lambda x: wg.scaled_dot_product_attention(x, np.ones((4, 2)), x),
        ShapeError,
        r"scaled_dot_product_attention: query, key and value do not fit: "
        r"#0 tensor \(2, 3\), #1 constant \(4, 2\), #0 tensor \(2, 3\)",
    ),
    (
        lambda x: wg.scaled_dot_product_attention(x, x, np.ones((3, 3))),
        ShapeError,
        "do not fit",
    ),
    (
        lambda x: wg.scaled_dot_product_attention(x[0], x, x),
        ShapeError,
        "do not fit",
    ),
    (
        lambda x: wg.scaled_dot_product_attention(x, x, x, np.ones((3, 2))),
        ShapeError,
        r"scaled_dot_product_attention: .* \(3, 2\) does not broadcast to \(2, 2\)",
    ),
]


@pytest.mark.parametrize(("call", "kind", "text"), REFUSALS, ids=lambda x: str(x)[:50])
def test_a_refusal_says_why_and_records_nothing(
    call: Callable[[Any], Any], kind: type[Exception], text: str
) -> None:
    rec = ComputationRecord()
    x = rec.tensor_from_value(X)
    with pytest.raises(kind, match=text):
        call(x)
    # At most the slice and the reshape that a call here begins with.
    assert len(rec) <= 3
    assert (x + 1).shape == X.shape


@pytest.mark.parametrize("id_", [-1, 3, -4])
def test_fault_24_an_embedding_id_out_of_range(
    id_: int, rec: ComputationRecord
) -> None:
    table = rec.tensor_from_value(np.ones((3, 2)))
    ids = rec.constant([[0, 1], [2, id_]])
    with pytest.raises(
        OutOfRangeError, match=rf"embedding: index {id_} at \(1, 1\) .* size 3"
    ):
        wg.embedding(table, ids)
    assert len(rec) == 2


# --- Normalisation --------------------------------------------------------------------


def test_batch_norm_gives_the_statistics_that_it_used(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value(np.arange(24.0).reshape(2, 3, 4))
    y, mean, var = wg.batch_norm(x)
    np.testing.assert_allclose(mean.data(), x.data().mean(axis=(0, 2)))
    np.testing.assert_allclose(var.data(), x.data().var(axis=(0, 2)))
    again, same_mean, same_var = wg.batch_norm(x, mean, var)
    np.testing.assert_array_equal(again.data(), y.data())
    assert (same_mean.index, same_var.index) == (mean.index, var.index)
    # A gradient flows through what was computed, not through what is given as numbers.
    moved = y.sum().grad().wrt(x).data()
    np.testing.assert_allclose(moved, 0, atol=1e-12)
    fixed, _, _ = wg.batch_norm(x, mean.data(), var.data())
    assert np.abs(fixed.sum().grad().wrt(x).data()).min() > 0.1


def test_statistics_of_float32_are_added_up_in_float64() -> None:
    x = np.float32(1 << 20) + np.arange(4, dtype=np.float32)
    y = wg.layer_norm(x, eps=0.0)
    wanted = (np.arange(4) - 1.5) / np.sqrt(1.25)
    np.testing.assert_allclose(y, wanted.astype(np.float32), rtol=1e-6)


def test_equal_elements_have_a_finite_gradient_unless_eps_is_0() -> None:
    rec = ComputationRecord()
    x = rec.tensor_from_value(np.full(4, 3.0))
    y = wg.layer_norm(x)
    assert y.data().tolist() == [0.0] * 4
    assert np.isfinite((y * [1.0, 2.0, 3.0, 4.0]).sum().grad().wrt(x).data()).all()
    with np.errstate(invalid="ignore"):
        assert np.isnan(wg.layer_norm(x, eps=0.0).data()).all()


# --- Embedding ------------------------------------------------------------------------


def test_cotangents_of_a_row_that_occurs_often_add_up(rec: ComputationRecord) -> None:
    table = rec.tensor_from_value(np.zeros((3, 2)))
    y = wg.embedding(table, [2, 0, 2])
    ct = np.array([[1.0, 2.0], [3.0, 4.0], [10.0, 20.0]])
    found = y.grad(seed=ct).wrt(table).data()
    assert found.tolist() == [[3.0, 4.0], [0.0, 0.0], [11.0, 22.0]]


# --- Dropout --------------------------------------------------------------------------


def test_dropout_draws_from_the_records_stream() -> None:
    def run(rate: float) -> Any:
        x = ComputationRecord(rng=Rng(5)).tensor_from_value(np.ones(1000))
        return [wg.dropout(x, rate).data() for _ in range(2)]

    first, second = run(0.25)
    assert set(np.unique(first)) == {0.0, 1 / 0.75}
    assert abs(np.mean(first == 0) - 0.25) < 0.05
    assert (first != second).any()
    for again, before in zip(run(0.25), (first, second), strict=True):
        np.testing.assert_array_equal(again, before)


@pytest.mark.parametrize("rate", [0, 1])
def test_a_rate_of_0_or_1_draws_nothing(rate: int) -> None:
    rng = Rng(5)
    rec = ComputationRecord(rng=rng)
    x = rec.tensor_from_value([1.0, np.inf])
    y = wg.dropout(x, rate)
    assert y.data().tolist() == ([1.0, np.inf] if rate == 0 else [0.0, 0.0])
    assert y.grad(seed=[1.0, 1.0]).wrt(x).data().tolist() == [1.0 - rate] * 2
    assert rng.uniform(1).tolist() == Rng(5).uniform(1).tolist()


def test_what_is_dropped_has_no_gradient_and_a_replay_drops_the_same() -> None:
    rec = ComputationRecord(rng=Rng(1))
    x = rec.tensor_from_value(np.linspace(1, 2, 50))
    y = wg.dropout(x, 0.5)
    slope = y.sum().grad().wrt(x).data()
    np.testing.assert_array_equal(slope, np.where(y.data() == 0, 0.0, 2.0))
    square = (y * y).sum().grad(record=True).wrt(x)
    np.testing.assert_array_equal(square.sum().grad().wrt(x).data(), slope**2 * 2)
    again = rec.replay({x: x.data() * 3}, upto=y)
    np.testing.assert_array_equal(again[y].data(), x.data() * 3 * slope)


def test_dropout_of_an_array_needs_a_stream() -> None:
    with pytest.raises(DTypeError, match="dropout: an array belongs to no record"):
        wg.dropout([1.0], 0.5)
    assert wg.dropout(np.arange(3), 0.0, rng=Rng(1)).dtype == np.float64
    assert wg.dropout(np.ones(3, "f4"), 0.5, rng=Rng(1)).dtype == np.float32


# --- Attention ------------------------------------------------------------------------


def test_a_query_that_may_attend_to_nothing_gives_0_without_a_gradient() -> None:
    rec = ComputationRecord(check_finite=True)
    q, k, v = (rec.tensor_from_value(np.ones((2, 2)) * n) for n in (1, 2, 3))
    seen = [[False, False], [True, False]]
    y = wg.scaled_dot_product_attention(q, k, v, seen)
    assert y.data().tolist() == [[0.0, 0.0], [3.0, 3.0]]
    grad = y.sum().grad(record=True)
    assert grad.wrt(v).data().tolist() == [[1.0, 1.0], [0.0, 0.0]]
    assert grad.wrt(q).data()[0].tolist() == [0.0, 0.0]
    second = (grad.wrt(q) * grad.wrt(q)).sum().grad()
    assert np.isfinite(second.wrt(k).data()).all()


def test_a_causal_query_reads_no_later_key(rec: ComputationRecord) -> None:
    rng = np.random.default_rng(0)
    q, k, v = (rec.tensor_from_value(rng.normal(size=(4, 3))) for _ in range(3))
    y = wg.scaled_dot_product_attention(q, k, v, causal=True)
    np.testing.assert_allclose(y.data()[0], v.data()[0])
    grad = y[1].sum().grad()
    for later in (k, v):
        found = grad.wrt(later).data()
        assert found[:2].any()
        assert not found[2:].any()


def test_added_scores_of_minus_infinity_hide_a_key() -> None:
    q, k, v = np.ones((1, 2)), np.ones((2, 2)), np.array([[1.0], [5.0]])
    assert wg.scaled_dot_product_attention(q, k, v, [[0.0, -np.inf]]).tolist() == [[1]]


def test_a_call_is_recorded_at_its_line(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value(X)
    wg.layer_norm(x)
    wg.scaled_dot_product_attention(x, x, x, causal=True)
    wg.dropout(x, 0.5)
    for line in str(rec).splitlines()[2:]:
        assert "test_network.py:" in line
