"""Results lie in memory as their operands do, where these all lie alike."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, NonFiniteError, ShapeError, Tensor

SIZES = {2: (70, 30), 3: (20, 15, 10), 4: (6, 7, 8, 9)}
CASES = [(SIZES[n], axes) for n in SIZES for axes in permutations(range(n))][1:]
# Functions of two operands of one shape; what is computed on the way keeps their order.
FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "unary": lambda a, b: wg.exp(a),
    "binary": lambda a, b: a * b,
    "number": lambda a, b: 2 / (a * a + 1.5),
    "chain": lambda a, b: wg.tanh(wg.exp(a) * b - a) / (b * b + 1),
    "twice": lambda a, b: wg.maximum(a * a, b) + wg.sin(a) * a - b,
}


def in_order(x: Any, axes: tuple[int, ...]) -> bool:
    """Whether memory nests the axes as that permutation of a C array does."""
    return bool(x.transpose(np.argsort(axes)).flags.c_contiguous)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(("shape", "axes"), CASES)
def test_values_and_gradients_are_those_of_c_order(
    rec: ComputationRecord,
    rng: np.random.Generator,
    name: str,
    shape: tuple[int, ...],
    axes: tuple[int, ...],
) -> None:
    f = FUNCTIONS[name]
    x, z, weight = rng.uniform(0.5, 1.5, (3, *shape))
    a, b = rec.tensor_from_value(x), rec.tensor_from_value(z)
    turned, plain = f(a.transpose(axes), b.transpose(axes)), f(a, b)
    assert in_order(turned.data(), axes)
    np.testing.assert_array_equal(turned.data(), plain.data().transpose(axes))
    # A weight in C order meets one of the two across.
    weights = weight.transpose(axes).copy(), weight
    found, wanted = (
        wg.sum(y * w).grad(record=True)
        for y, w in zip((turned, plain), weights, strict=True)
    )
    for of in (a, b):
        np.testing.assert_allclose(
            found.wrt(of).data(), wanted.wrt(of).data(), rtol=1e-13, atol=1e-13
        )
    second, wanted_second = (
        wg.sum(wg.sin(grad.wrt(a))).grad() for grad in (found, wanted)
    )
    np.testing.assert_allclose(
        second.wrt(a).data(), wanted_second.wrt(a).data(), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_one_node_of_every_type(rec: ComputationRecord, dtype: str) -> None:
    x = (np.arange(9000).reshape(60, 150) % 7).astype(dtype)
    t = rec.tensor_from_value(x).T
    # Booleans are compared as integers, which takes casts.
    functions: list[Callable[[Any], Any]] = (
        [lambda x: x & x, lambda x: x ^ x]
        if dtype == "bool"
        else [lambda x: x == x, lambda x: x < x, lambda x: x * 3]
    )
    for f in functions:
        before = len(rec)
        y = f(t)
        assert len(rec) == before + 1
        assert in_order(y.data(), (1, 0))
        np.testing.assert_array_equal(y.data(), f(x).T)


def test_casts_keep_the_order(rec: ComputationRecord, rng: np.random.Generator) -> None:
    x, z = rng.normal(size=(90, 80)).astype("f4"), rng.normal(size=(90, 80))
    a, b = rec.tensor_from_value(x), rec.tensor_from_value(z)
    y = a.T + b.T
    assert in_order(y.data(), (1, 0))
    np.testing.assert_array_equal(y.data(), (x + z).T)


def test_a_tensor_of_one_element_has_any_order(
    rec: ComputationRecord, rng: np.random.Generator
) -> None:
    x = rng.normal(size=(90, 80))
    a, scale = rec.tensor_from_value(x), rec.tensor_from_value(1.5)
    for y in (a.T * scale, scale - a.T, a.T / scale.reshape(1, 1)):
        assert in_order(y.data(), (1, 0))
    grad = wg.sum((scale - a.T) * (scale * a.T)).grad()
    np.testing.assert_allclose(grad.wrt(scale).item(), np.sum(x * (3 - x)))
    np.testing.assert_allclose(grad.wrt(a).data(), 1.5 * (1.5 - 2 * x))


def test_other_operands_give_c_order(rec: ComputationRecord) -> None:
    cube = rec.tensor_from_value(np.ones((20, 20, 20)))
    square = rec.tensor_from_value(np.ones((90, 90)))
    row = rec.tensor_from_value(np.ones(90))
    small = rec.tensor_from_value(np.ones((8, 8)))
    for y in (
        cube.transpose(1, 0, 2) * cube.transpose(2, 1, 0),
        cube.transpose(1, 0, 2) + cube,
        square.T + square,
        square.T + row,
        row - square.T,
        wg.exp(square.T[::2]),
        wg.exp(square.T[::-1]),
        wg.exp(wg.broadcast_to(row, (90, 90)).T),
        wg.exp(small.T),
        small.T * small.T,
    ):
        assert y.data().flags.c_contiguous


def test_gradients_of_what_was_permuted(
    rec: ComputationRecord, rng: np.random.Generator
) -> None:
    """The transpose between is a node like any other."""
    x = rng.normal(size=(90, 80))
    a = rec.tensor_from_value(x)
    t = a.T
    y = wg.exp(t)
    grad = (wg.sum(y * y) + wg.sum(wg.square(a))).grad(wrt=[t, y])
    np.testing.assert_allclose(grad.wrt(y).data(), 2 * np.exp(x.T))
    np.testing.assert_allclose(grad.wrt(t).data(), 2 * np.exp(2 * x.T))


def test_a_borrowed_fortran_array_keeps_its_order(rec: ComputationRecord) -> None:
    x = np.asfortranarray(np.arange(7200.0).reshape(90, 80))
    a = rec.tensor_from_value(x, borrow=True)
    y = wg.sqrt(a)
    assert y.data().flags.f_contiguous
    np.testing.assert_array_equal(y.data(), np.sqrt(x))
    grad = wg.sum(y).grad().wrt(a).data()
    np.testing.assert_array_equal(grad[0, 1:], 0.5 / np.sqrt(x[0, 1:]))


def test_a_replay_keeps_values_and_order(
    rec: ComputationRecord, rng: np.random.Generator
) -> None:
    a = rec.tensor_from_value(rng.normal(size=(90, 80)))
    y = wg.exp(a.T) * 2
    new = rng.normal(size=(90, 80))
    again = rec.replay({a: new})[y]
    assert in_order(again.data(), (1, 0))
    np.testing.assert_allclose(again.data(), (np.exp(new) * 2).T, rtol=1e-15)


def test_the_element_that_is_not_finite_is_the_users() -> None:
    rec = ComputationRecord(check_finite=True)
    x = np.ones((90, 80))
    x[2, 5] = 0.0
    t = rec.tensor_from_value(x).T
    with pytest.raises(NonFiniteError, match=r"#2 log would hold -inf at \(5, 2\)"):
        wg.log(t)


def test_bytes_are_those_of_the_results(rec: ComputationRecord) -> None:
    a = rec.tensor_from_value(np.ones((90, 80)))
    held = rec.bytes()
    mark = rec.mark()
    with rec.profile() as profile:
        wg.exp(a.T)
    bytes_of = {x.name: x.bytes for x in profile.ops}
    assert bytes_of["exp"] == 90 * 80 * 8
    assert bytes_of["transpose"] == 0
    assert rec.bytes() - held >= 90 * 80 * 8
    rec.rewind(mark)
    assert rec.bytes() == held


def test_times_are_noted_once(rec: ComputationRecord) -> None:
    """None of them stands for small nodes, which are timed now and then."""
    t = rec.tensor_from_value(np.ones((90, 80))).T
    with rec.profile() as profile:
        for _ in range(3000):
            wg.exp(t)
    assert 0 < sum(x.forward for x in profile.ops) < profile.wall


def test_a_failed_op_holds_nothing(rec: ComputationRecord) -> None:
    a = rec.tensor_from_value(np.ones((90, 80), "f4")).T
    b = rec.tensor_from_value(np.ones((3, 7)))
    before = rec.bytes()
    with pytest.raises(ShapeError):
        # The cast of the first operand went before.
        a + b
    assert rec.bytes() == before


def test_a_sweep_that_consumes_frees_them(
    rec: ComputationRecord, rng: np.random.Generator
) -> None:
    x = rng.normal(size=(90, 80))
    a = rec.tensor_from_value(x)
    leaf = rec.bytes()
    y: Tensor = a.T
    for _ in range(10):
        y = wg.tanh(y * 2)
    loss = wg.sum(y)
    wanted = loss.grad().wrt(a).data()
    held = rec.bytes() - leaf
    assert held > 20 * x.nbytes
    found = loss.grad(consume=True).wrt(a).data()
    assert rec.bytes() - leaf < held - 19 * x.nbytes
    np.testing.assert_array_equal(found, wanted)
