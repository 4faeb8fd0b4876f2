"""Indexing against NumPy: values, shapes and gradients of generated keys."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from wengert import ComputationRecord, DTypeError, OutOfRangeError, ShapeError, Tensor

from tests.python import generated
from tests.python.keys import SHAPES, key_of, numpys

KEYS = 600


def check(x: np.ndarray[Any, Any], key: Any, why: str) -> None:
    wanted = x[key]
    rec = ComputationRecord()
    t = rec.tensor_from_value(x)
    y = t[key]
    assert y.shape == np.shape(wanted), why
    assert y.dtype == x.dtype, why
    np.testing.assert_array_equal(y.data(), wanted, err_msg=why)
    gradient = np.zeros(x.shape)
    np.add.at(gradient, key, 2 * wanted)
    grad = (y * y).sum().grad(record=True)
    found = grad.wrt(t)
    np.testing.assert_allclose(found.data(), gradient, rtol=1e-12, err_msg=why)
    # The second derivative counts how often each element was chosen.
    times = np.zeros(x.shape)
    np.add.at(times, key, 2.0)
    second = found.sum().grad().wrt(t).data()
    np.testing.assert_allclose(second, times, rtol=1e-12, err_msg=why)


@pytest.mark.parametrize("block", range(20))
def test_generated_keys(block: int) -> None:
    for k in range(KEYS // 20):
        seed = generated.seed_of("index", block, k)
        rng = np.random.default_rng(seed)
        shape = SHAPES[int(rng.integers(len(SHAPES)))]
        x = rng.normal(size=shape)
        key = key_of(rng, shape)
        why = f"seed {seed}: x{list(shape)}[{key}]"
        if numpys(x, key) is None:
            with pytest.raises(ShapeError, match="do not broadcast"):
                ComputationRecord().constant(x)[key]
            continue
        generated.count("keys")
        check(x, key, why)


ROWS, COLUMN = np.array([2, 0, 2]), np.array([[1], [0]])


@pytest.mark.parametrize(
    "key",
    [
        # Arrays apart: their axes lead the result.
        np.s_[ROWS, :, ROWS],
        np.s_[ROWS, None, ROWS],
        np.s_[ROWS, ..., ROWS],
        np.s_[:, ROWS, :, ROWS],
        np.s_[None, ROWS, 1:, ROWS],
        np.s_[0, :, ROWS],
        np.s_[ROWS, :, 0],
        np.s_[ROWS, :, :, 0],
        # Together: they stay where they are.
        np.s_[:, ROWS, ROWS],
        np.s_[..., ROWS, ROWS],
        np.s_[:, ROWS, COLUMN],
        np.s_[:, ROWS, 0],
        np.s_[:, 1, ROWS],
        np.s_[:, COLUMN, 0, ROWS],
        np.s_[None, :, ROWS],
        np.s_[1:, ROWS, COLUMN, ::-1],
        # One array of any rank.
        np.s_[COLUMN],
        np.s_[:, :, COLUMN],
        np.s_[np.array(1)],
        np.s_[..., np.array(1)],
        np.s_[[0, 1]],
        np.s_[[[0, 1], [2, 2]]],
        np.s_[:, [-1]],
        # Other sequences of positions.
        np.s_[(0, 1),],
        np.s_[range(2)],
        np.s_[:, (0, -1), range(2)],
        # Masks without axes: a new axis of size 1, or of none.
        np.s_[True],
        np.s_[False],
        np.s_[np.array(True)],
        np.s_[np.True_, ROWS],
        np.s_[..., True],
        np.s_[0, True],
        np.s_[True, :, 0],
        np.s_[:, True, ROWS],
        np.s_[:, ROWS, np.array(True)],
        np.s_[ROWS, :, True],
        np.s_[True, None, True, ROWS],
        np.s_[True, True],
        np.s_[True, False],
        np.s_[1:, False, ..., 0],
        np.s_[[True, False, True], True],
        # None at all.
        np.s_[()],
        np.s_[...],
        np.s_[None],
        np.s_[None, ..., None],
        np.s_[0],
        np.s_[-1, -1, -1, -1],
        np.s_[0, ..., 0],
        np.s_[..., 0, :],
        # Slices of nothing, and beyond the ends.
        np.s_[5:1],
        np.s_[-100:100],
        np.s_[100:],
        np.s_[::-1, ::2, 1::3, 3:0:-2],
        np.s_[2**62 :: -(2**62)],
        np.s_[:: 2**70],
        np.s_[:: -(2**70)],
        np.s_[: 2**70],
        # Empty arrays.
        np.s_[np.zeros(0, int)],
        np.s_[:, np.zeros((0, 2), int)],
        np.s_[[]],
        np.s_[[], []],
    ],
    ids=str,
)
def test_chosen_keys(key: Any, rng: np.random.Generator) -> None:
    generated.count("keys")
    check(rng.normal(size=(3, 4, 3, 5)), key, str(key))


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
@pytest.mark.parametrize(
    "key", [np.s_[1], np.s_[::-2], np.s_[[2, 0, 2]], np.s_[..., ROWS]]
)
def test_other_types(key: Any, dtype: str, rec: ComputationRecord) -> None:
    x = np.arange(12).reshape(4, 3).astype(dtype)
    y = rec.tensor_from_value(x)[key]
    assert y.dtype == dtype
    np.testing.assert_array_equal(y.data(), x[key])


def test_a_tensor_indexes(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.0, 2, 3])
    i = rec.tensor_from_value([2, 0, 2])
    np.testing.assert_array_equal(x[i].data(), [3, 1, 3])
    loss = (x[i] * [1.0, 10, 100]).sum()
    np.testing.assert_array_equal(loss.grad().wrt(x).data(), [10, 0, 101])
    assert x[rec.constant(1)].item() == 2
    assert x[(x > 0).any()].shape == (1, 3)
    assert x[..., (x < 0).any()].shape == (3, 0)
    table = rec.tensor_from_value(np.arange(6.0).reshape(3, 2))
    np.testing.assert_array_equal(table[i, 1].data(), [5, 1, 5])


def test_repeated_positions_add_up_in_order(rec: ComputationRecord) -> None:
    """Row 25 of FAULTS.md in small: the sum is the same whenever it is taken."""
    rng = generated.rng_of("repeated")
    x = rec.tensor_from_value(np.zeros((5, 3), np.float32))
    i = rng.integers(0, 5, 10_000)
    weights = rng.normal(size=(10_000, 3)).astype(np.float32)
    loss = (x[i] * weights).sum()
    first = loss.grad().wrt(x).data()
    wanted = np.zeros((5, 3), np.float32)
    np.add.at(wanted, i, weights)
    np.testing.assert_allclose(first, wanted, rtol=0, atol=1e-3)
    assert first.tobytes() == loss.grad().wrt(x).data().tobytes()


def test_a_large_gather(rec: ComputationRecord) -> None:
    """Beyond what runs attached to the interpreter."""
    rng = generated.rng_of("large gather")
    x = rng.normal(size=(1000, 64))
    i = rng.integers(-1000, 1000, 5000)
    t = rec.tensor_from_value(x)
    y = t[i]
    np.testing.assert_array_equal(y.data(), x[i])
    wanted = np.zeros(x.shape)
    np.add.at(wanted, i, 1.0)
    np.testing.assert_array_equal(y.sum().grad().wrt(t).data(), wanted)


def test_iteration_and_len(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert len(x) == 3
    rows = list(x)
    assert all(isinstance(row, Tensor) for row in rows)
    assert [row.data().tolist() for row in rows] == [[1, 2], [3, 4], [5, 6]]
    a, b = rows[0]
    np.testing.assert_array_equal(
        (a * b).grad().wrt(x).data(), [[2, 1], [0, 0], [0, 0]]
    )
    assert list(rec.zeros((0, 2))) == []
    for f in (len, iter, list):
        with pytest.raises(TypeError, match="without axes"):
            f(rec.tensor_from_value(1.0))


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (np.s_[3], "index 3 at axis 0 is out of range for size 3"),
        (np.s_[-4], "index -4 at axis 0 is out of range for size 3"),
        (np.s_[0, 4], "index 4 at axis 1 is out of range for size 4"),
        (np.s_[..., 4], "index 4 at axis 1 is out of range for size 4"),
        (np.s_[[0, 7]], "index 7"),
        (np.s_[[0, -4]], "index -4"),
        (np.s_[0, [4]], "index 4"),
        (np.s_[0, 0, 0], "2 axes, 3 are indexed"),
        (np.s_[..., ...], "more than one `...`"),
        (np.s_[2**70], "out of range for size 3"),
        (np.s_[0.0], "is no index"),
        (np.s_["a"], "is no index"),
        (np.s_[[0.5]], "positions must be integers"),
        (np.s_[np.array([0.0])], "positions must be integers"),
        (np.s_[[True, False]], "a mask of shape (2,) does not fit"),
        (np.s_[:, [True, False, True]], "does not fit #0 tensor (3, 4) from axis 1 on"),
        (np.s_[True, 0, 0, 0], "2 axes, 3 are indexed"),
    ],
    ids=str,
)
def test_what_is_no_index(key: Any, text: str, rec: ComputationRecord) -> None:
    x = rec.tensor_from_value(np.arange(12.0).reshape(3, 4))
    before = len(rec)
    with pytest.raises(OutOfRangeError) as caught:
        x[key]
    assert isinstance(caught.value, IndexError)
    assert text in str(caught.value)
    assert len(rec) == before
    assert x[1, 1].item() == 5


def test_a_slice_without_a_step_is_an_error(rec: ComputationRecord) -> None:
    with pytest.raises(ShapeError, match="slice step of 0"):
        rec.ones(3)[::0]
    with pytest.raises(TypeError):
        rec.ones(3)["a":]


def test_positions_that_do_not_broadcast(rec: ComputationRecord) -> None:
    x = rec.ones((3, 4))
    before = len(rec)
    with pytest.raises(ShapeError, match="do not broadcast"):
        x[[0, 1], [0, 1, 2]]
    assert len(rec) == before


def test_a_tensor_of_floats_is_no_index(rec: ComputationRecord) -> None:
    x = rec.ones((3, 4))
    with pytest.raises(DTypeError, match="indices must be i64"):
        x[rec.constant([0.0])]
