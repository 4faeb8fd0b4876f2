"""Gradients: what they are taken of, in which structure, and to which order."""

from __future__ import annotations

import math
from collections import OrderedDict, namedtuple
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, DTypeError, GradError, ShapeError, Tensor


def test_a_shared_node_is_visited_once(rec: ComputationRecord) -> None:
    """A walk over operands would count a diamond twice, and take 2**60 steps here."""
    x = y = rec.tensor_from_value(1.0)
    for _ in range(60):
        y = y * 0.5 + y * 0.5
    assert y.item() == 1
    assert y.grad().wrt(x).item() == 1
    z = rec.tensor_from_value(3.0)
    square = z * z
    assert (square * square).grad().wrt(z).item() == 4 * 27


def test_the_readmes_first_example(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.0, 2.0, 3.0])
    assert (x * x).sum().grad().wrt(x).data().tolist() == [2, 4, 6]


# --- Structures -----------------------------------------------------------------------


def three(rec: ComputationRecord) -> tuple[list[Tensor], Tensor]:
    xs = [rec.tensor_from_value([float(k + 1)]) for k in range(3)]
    loss = (xs[0] * xs[1] + xs[2] ** 3).sum()
    return xs, loss


def values(tree: Any) -> Any:
    if isinstance(tree, Tensor):
        return tree.item()
    if isinstance(tree, dict):
        return {key: values(x) for key, x in tree.items()}
    assert type(tree) in (list, tuple)
    return type(tree)(values(x) for x in tree)


@pytest.mark.parametrize("early", [False, True])
def test_the_structure_of_wrt_is_that_of_the_result(
    early: bool, rec: ComputationRecord
) -> None:
    (a, b, c), loss = three(rec)
    trees: list[tuple[Any, Any]] = [
        (a, 2),
        ([a, b], [2, 1]),
        ((a, b, c), (2, 1, 27)),
        ({"a": a, "c": c}, {"a": 2, "c": 27}),
        ([a, (b, {"c": [c]})], [2, (1, {"c": [27]})]),
        ({1: a, None: (b,)}, {1: 2, None: (1,)}),
        ([a, a, b], [2, 2, 1]),
        ([], []),
        ((), ()),
        ({}, {}),
        ([[], ({},)], [[], ({},)]),
    ]
    for tree, wanted in trees:
        grad = loss.grad(wrt=tree) if early else loss.grad()
        assert values(grad.wrt(tree)) == wanted


def test_kinds_of_lists_tuples_and_dicts(rec: ComputationRecord) -> None:
    (a, b, c), loss = three(rec)
    grad = loss.grad()
    pair = namedtuple("pair", "x y")  # noqa: PYI024
    assert values(grad.wrt(pair(a, b))) == (2, 1)
    found = grad.wrt(OrderedDict([("z", c), ("y", a)]))
    assert list(found) == ["z", "y"]
    others: list[Any] = [{a, b}, "ab", 1, a.data(), iter([a]), [a, 1.0], {"a": None}]
    for bad in others:
        with pytest.raises(DTypeError, match="with respect to tensors, not"):
            grad.wrt(bad)
        with pytest.raises(DTypeError, match="with respect to tensors, not"):
            loss.grad(wrt=bad)


def test_asking_twice_gives_the_same_tensor(rec: ComputationRecord) -> None:
    (a, b, _), loss = three(rec)
    for grad in (loss.grad(), loss.grad(record=True), loss.grad(wrt=[a, b])):
        first = grad.wrt(a)
        before = len(rec)
        again, other = grad.wrt([a, b])
        assert again.index == first.index
        assert other.index != first.index
        assert grad.wrt(a).index == first.index
        assert len(rec) - before <= 1
        # One position in the record, even from separate handles to the same operand.
        assert grad.wrt({"b": b})["b"].index == other.index


def test_results_are_tensors_of_the_record(rec: ComputationRecord) -> None:
    (a, *_), loss = three(rec)
    g = loss.grad().wrt(a)
    assert g.record is rec
    assert g.shape == a.shape
    assert g.dtype == a.dtype
    assert (g * 10).data().tolist() == [20]


# --- What is swept --------------------------------------------------------------------


def test_nodes_between_take_a_sweep_of_their_own(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.0, 2.0])
    y = wg.exp(x)
    z = y * y
    loss = z.sum()
    grad = loss.grad()
    np.testing.assert_array_equal(grad.wrt(y).data(), 2 * y.data())
    np.testing.assert_array_equal(grad.wrt(z).data(), [1, 1])
    assert grad.wrt(loss).item() == 1
    wanted = 2 * np.exp([1.0, 2.0]) ** 2
    np.testing.assert_allclose(grad.wrt(x).data(), wanted, rtol=1e-15)
    a, b = grad.wrt([y, x])
    again = loss.grad(wrt=[x, y])
    assert again.wrt(y).data().tobytes() == a.data().tobytes()
    assert again.wrt(x).data().tobytes() == b.data().tobytes()


def test_exactly_what_was_asked_for(rec: ComputationRecord) -> None:
    (a, b, c), loss = three(rec)
    grad = loss.grad(wrt=(a, b))
    assert values(grad.wrt([b, a])) == [1, 2]
    with pytest.raises(GradError, match="was not among the tensors that grad"):
        grad.wrt(c)
    assert grad.connected(c)
    with pytest.raises(GradError, match="add it to wrt"):
        grad.wrt([a, loss])
    nothing = loss.grad(wrt=[])
    with pytest.raises(GradError):
        nothing.wrt(a)


def test_constants_have_gradients_on_request(rec: ComputationRecord) -> None:
    c = rec.constant([1.0, 2.0])
    x = rec.tensor_from_value([3.0, 4.0])
    loss = (c * x).sum()
    grad = loss.grad()
    assert grad.wrt(c).data().tolist() == [3, 4]
    assert loss.grad(wrt=c).wrt(c).data().tolist() == [3, 4]
    # A loss of constants alone.
    only = (c * c).sum()
    assert only.grad().wrt(c).data().tolist() == [2, 4]
    assert only.grad(record=True).wrt(c).data().tolist() == [2, 4]
    assert not only.grad().connected(x)


def test_a_leaf_as_the_loss(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value(5.0)
    assert x.grad().wrt(x).item() == 1
    assert x.grad(record=True).wrt(x).item() == 1
    assert x.grad(seed=3.0).wrt(x).item() == 3
    assert x.grad().connected(x)


def test_stop_gradient(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([2.0])
    y = wg.stop_gradient(x * x) * x
    assert y.grad().wrt(x).item() == 4
    assert not wg.stop_gradient(x).grad(seed=[1.0]).connected(x)
    np.testing.assert_array_equal(wg.stop_gradient(np.ones(2)), [1, 1])


def test_integers_carry_no_gradient(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.5, 2.5])
    y = x.astype(int).astype("float64") * x
    assert y.sum().grad().wrt(x).data().tolist() == [1, 2]
    assert not (x > 2).astype("float64").sum().grad().connected(x)


# --- Seeds ----------------------------------------------------------------------------


def test_seeds(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.0, 2.0])
    y = x * x
    for seed in ([1.0, 10.0], (1, 10), np.array([1.0, 10.0], "f4"), np.array([1, 10])):
        assert y.grad(seed=seed).wrt(x).data().tolist() == [2, 40]
    assert y.grad(seed=rec.constant([1.0, 10.0])).wrt(x).data().tolist() == [2, 40]
    other = ComputationRecord().tensor_from_value([1.0, 10.0])
    assert y.grad(seed=other).wrt(x).data().tolist() == [2, 40]
    with pytest.raises(GradError, match=r"not record its seed\nhint: .* data\(\)"):
        y.grad(seed=rec.ones(2), record=True)
    recorded = y.grad(seed=[1.0, 10.0], record=True).wrt(x)
    assert recorded.sum().grad().wrt(x).data().tolist() == [2, 20]
    with pytest.raises(ShapeError, match=r"seed has shape \(1,\).*needs its own"):
        y.grad(seed=[1.0])
    with pytest.raises(ShapeError, match=r"seed has shape \(\)"):
        y.grad(seed=1.0)
    with pytest.raises(TypeError):
        y.grad([1.0, 1.0])  # type: ignore[call-arg]


def test_the_seed_takes_the_losss_type(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value(np.ones(2, "f4"))
    g = (x * 2).grad(seed=np.array([0.1, 0.2])).wrt(x)
    assert g.dtype == np.float32
    np.testing.assert_array_equal(g.data(), np.array([0.2, 0.4], "f4"))


# --- Orders ---------------------------------------------------------------------------


def test_derivatives_to_the_fifth_order(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value(0.7)
    y = wg.sin(x) * wg.exp(x)
    # The n-th derivative of sin(x) exp(x) is 2**(n/2) exp(x) sin(x + n pi/4).
    for n in range(6):
        wanted = 2 ** (n / 2) * math.exp(0.7) * math.sin(0.7 + n * math.pi / 4)
        assert y.item() == pytest.approx(wanted, rel=1e-12)
        y = y.grad(record=True).wrt(x)


@pytest.mark.parametrize(
    ("f", "derivatives"),
    [
        (lambda x: x**4, [4 * 1.3**3, 12 * 1.3**2, 24 * 1.3, 24, 0]),
        (lambda x: 1 / x, [-(1.3**-2), 2 * 1.3**-3, -6 * 1.3**-4, 24 * 1.3**-5]),
        (wg.log, [1 / 1.3, -(1.3**-2), 2 * 1.3**-3, -6 * 1.3**-4]),
        (wg.exp, [math.exp(1.3)] * 4),
        (lambda x: x * x * x, [3 * 1.3**2, 6 * 1.3, 6, 0]),
        (wg.sqrt, [0.5 * 1.3**-0.5, -0.25 * 1.3**-1.5, 0.375 * 1.3**-2.5]),
        (wg.cos, [-math.sin(1.3), -math.cos(1.3), math.sin(1.3), math.cos(1.3)]),
        (wg.relu, [1, 0, 0]),
        (abs, [1, 0, 0]),
        (lambda x: 2**x, [2**1.3 * math.log(2) ** n for n in (1, 2, 3, 4)]),
    ],
)
@pytest.mark.parametrize("shape", [(), (2,)])
def test_higher_derivatives(
    shape: tuple[int, ...], f: Any, derivatives: list[float], rec: ComputationRecord
) -> None:
    x = rec.tensor_from_value(np.full(shape, 1.3))
    y = f(x)
    for wanted in derivatives:
        y = y.grad(record=True, seed=np.ones(shape)).wrt(x)
        np.testing.assert_allclose(y.data(), np.full(shape, wanted), rtol=1e-12)


def test_third_order_of_a_small_network(rec: ComputationRecord, rng: Any) -> None:
    """Against differences of the second order."""
    weights = rng.normal(size=(3, 2))

    def second(x: np.ndarray[Any, Any]) -> tuple[Tensor, Tensor]:
        t = ComputationRecord().tensor_from_value(x)
        hidden = wg.tanh(t @ weights)
        loss = (wg.softmax(hidden) * hidden).sum()
        first = loss.grad(record=True).wrt(t)
        return t, (first * first).sum().grad(record=True).wrt(t)

    x = rng.normal(size=(2, 3))
    t, y = second(x)
    third = (y * y).sum().grad().wrt(t).data()
    h = 1e-4
    for at in np.ndindex(2, 3):
        step = np.zeros((2, 3))
        step[at] = h

        def energy(x: np.ndarray[Any, Any]) -> float:
            return float(np.sum(second(x)[1].data() ** 2))

        wanted = (energy(x + step) - energy(x - step)) / (2 * h)
        assert third[at] == pytest.approx(wanted, rel=1e-5, abs=1e-7)


def test_hessian_of_a_quadratic(rec: ComputationRecord, rng: Any) -> None:
    matrix = rng.normal(size=(4, 4))
    x = rec.tensor_from_value(rng.normal(size=4))
    gradient = (x @ matrix @ x).grad(record=True).wrt(x)
    rows = [gradient[k].grad().wrt(x).data() for k in range(4)]
    np.testing.assert_allclose(rows, matrix + matrix.T, rtol=1e-12)


def test_gradients_of_gradients_mix_operands(rec: ComputationRecord) -> None:
    x, y = rec.tensor_from_value(2.0), rec.tensor_from_value(3.0)
    gx, gy = (x**2 * y**3).grad(record=True).wrt((x, y))
    assert gx.grad().wrt(y).item() == pytest.approx(6 * 2 * 9)
    assert gy.grad().wrt(x).item() == pytest.approx(6 * 2 * 9)
    assert gx.grad().wrt(x).item() == pytest.approx(2 * 27)
    # A recorded gradient of what it depends on no more is zero, and says so.
    grad = (x * 2).grad(record=True).wrt(x).grad(wrt=x)
    assert grad.wrt(x).item() == 0
    assert not grad.connected(x)


def test_a_recorded_gradient_as_part_of_a_loss(rec: ComputationRecord) -> None:
    """A penalty on the gradient, as in training with one."""
    x = rec.tensor_from_value([1.0, 2.0])
    w = rec.tensor_from_value([[1.0, -1.0], [0.5, 2.0]])
    y = wg.square(x @ w).sum()
    slope = y.grad(record=True).wrt(x)
    loss = y + 0.1 * wg.square(slope).sum()
    found = loss.grad().wrt(w).data()
    assert found.shape == (2, 2)

    def numeric(w: np.ndarray[Any, Any]) -> float:
        x = np.array([1.0, 2.0])
        y = np.sum((x @ w) ** 2)
        return float(y + 0.1 * np.sum((2 * (x @ w) @ w.T) ** 2))

    h = 1e-6
    for at in np.ndindex(2, 2):
        step = np.zeros((2, 2))
        step[at] = h
        wanted = (numeric(w.data() + step) - numeric(w.data() - step)) / (2 * h)
        assert found[at] == pytest.approx(wanted, rel=1e-6)


# --- The same bits --------------------------------------------------------------------


def test_what_else_is_asked_for_changes_no_bit(
    rec: ComputationRecord, rng: Any
) -> None:
    x = rec.tensor_from_value(rng.normal(size=(50, 30)).astype("f4"))
    w = rec.tensor_from_value(rng.normal(size=(30,)).astype("f4"))
    y = wg.tanh(x * w) + x
    z = y * y + wg.exp(-y) * w
    loss = z.sum() + wg.max(z)
    whole = loss.grad()
    for asked in ([x], [w], [y, w], [x, w, y, z], [z]):
        part = loss.grad(wrt=asked)
        for t in asked:
            assert part.wrt(t).data().tobytes() == whole.wrt(t).data().tobytes()


def test_a_record_reused_gives_the_same_bits(rng: Any) -> None:
    x = rng.normal(size=(200, 30)).astype("f4")
    results = set()
    rec = ComputationRecord()
    for k in range(5):
        if k == 3:
            rec = ComputationRecord()
        t = rec.tensor_from_value(x)
        loss = wg.logsumexp(wg.softmax(t @ t.T) @ t)
        results.add(loss.grad().wrt(t).data().tobytes())
        rec.clear()
    assert len(results) == 1
