"""The seed's layers, in Python."""

from __future__ import annotations

import math
from collections.abc import MutableMapping
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import (
    ComputationRecord,
    DTypeError,
    OutOfRangeError,
    ParameterStore,
    Rng,
    ShapeError,
    _core,
)
from wengert.layers import (
    LinearLayer,
    Sequential,
    relu,
    softmax_cross_entropy,
    sum,
)

STORES: dict[str, Any] = {"dict": dict, "ParameterStore": ParameterStore}
# The first seed with which the three outputs of the seed's example stay positive.
SEED = 16


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> MutableMapping[str, Any]:
    made: MutableMapping[str, Any] = STORES[request.param]()
    return made


def test_the_seeds_example(store: MutableMapping[str, Any]) -> None:
    """Each step lowers the loss by 3 * 0.01 * (1 + 4 + 9) = 0.42."""
    rng = Rng(SEED)
    losses = []
    for _ in range(5):
        rec = ComputationRecord(rng=rng)
        linear = LinearLayer(rec, 3, 3, store)
        data = np.array([1.0, 2.0, 3.0], np.float32).reshape(1, 3)
        x = rec.tensor_from_value(data)
        linear_layer_output = linear.forward(x)
        relu_output = relu(linear_layer_output)
        loss = sum(relu_output)
        assert loss.shape == (1,)
        losses.append(loss.item())
        grad = loss.grad()
        relu_grad = grad.wrt(linear_layer_output)
        assert relu_grad.data().tolist() == [[1, 1, 1]]
        linear.optimize(grad, store)
    assert np.diff(losses) == pytest.approx([-0.42] * 4, abs=1e-6)
    assert list(store) == ["linear0.weight"]
    assert store["linear0.weight"].shape == (3, 3)
    assert store["linear0.weight"].dtype == np.float32


def test_z_is_unchanged_when_x_changes() -> None:
    """The seed's design problem: `x` moves on, `z` keeps what it was computed from."""
    store = ParameterStore({"x": [2.0], "y": [3.0]})
    rec = ComputationRecord()
    values = []
    z = rec.zeros(1)
    for _ in range(2):
        x, y = rec.parameter("x", store["x"]), rec.parameter("y", store["y"])
        z = x * y
        gradient = z.grad().wrt(x)
        store["x"] = store["x"] - 0.1 * gradient.data()
        values.append((gradient.item(), store["x"].item(), z.item()))
    wanted = [(3.0, 1.7, 6.0), (3.0, 1.4, 5.1)]
    np.testing.assert_allclose(values, wanted, rtol=1e-12)
    assert z.item() == pytest.approx(5.1)


# --- One layer ------------------------------------------------------------------------


def test_forward(rec: ComputationRecord, store: Any, rng: Any) -> None:
    weight = rng.normal(size=(3, 2)).astype("f4")
    bias = rng.normal(size=2).astype("f4")
    store["out.weight"], store["out.bias"] = weight, bias
    layer = LinearLayer(rec, 3, 2, store, name="out", bias=True)
    for shape in ((3,), (4, 3), (2, 5, 3), (0, 3)):
        x = rng.normal(size=shape).astype("f4")
        y = layer.forward(rec.tensor_from_value(x))
        assert y.dtype == np.float32
        np.testing.assert_allclose(y.data(), x @ weight + bias, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(layer(rec.tensor_from_value(x)).data(), y.data())
    assert layer.bias is not None
    plain = LinearLayer(rec, 3, 2, store, name="out")
    assert plain.bias is None
    assert list(plain.parameters) == ["out.weight"]
    assert list(layer.parameters) == ["out.weight", "out.bias"]


@pytest.mark.parametrize("activation", [None, "relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [(), (1,), (300,), (3, 50)])
def test_a_layer_is_its_three_ops_bit_for_bit(
    rng: Any, rows: tuple[int, ...], dtype: str, activation: str | None
) -> None:
    x, weight, bias = (
        rng.normal(size=shape).astype(dtype) for shape in ((*rows, 20), (20, 7), (7,))
    )
    seed = rng.normal(size=(*rows, 7)).astype(dtype)
    results = []
    for fused in (True, False):
        rec = ComputationRecord()
        leaves = [rec.tensor_from_value(value) for value in (x, weight, bias)]
        if fused:
            y = wg.linear(leaves[0], leaves[1], leaves[2], activation)
            assert len(rec) == 4
        else:
            y = leaves[0] @ leaves[1] + leaves[2]
            y = y if activation is None else getattr(wg, activation)(y)
        gradients = [g.data() for g in y.grad(seed=seed).wrt(leaves)]
        results.append([y.data(), *gradients])
    for ours, wanted in zip(*results, strict=True):
        if len(rows) < 2:
            np.testing.assert_array_equal(ours, wanted)
        else:
            # One by one, a product for each batch is made and their sum taken.
            rtol = 1e-4 if dtype == "float32" else 1e-12
            np.testing.assert_allclose(ours, wanted, rtol=rtol, atol=rtol)
    np.testing.assert_array_equal(results[0][0], results[1][0])
    assert results[0][0].dtype == dtype


@pytest.mark.parametrize("activation", [None, "relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_layer_of_special_numbers_is_its_three_ops(
    dtype: Any, activation: str | None
) -> None:
    info = np.finfo(dtype)
    tiny, large = info.smallest_subnormal, info.max
    special = [0.0, -0.0, 1.0, np.inf, np.nan, tiny, large, 88.5, 104.0, 710.0, 1e-8]
    column = np.array([[x] for x in special] + [[-x] for x in special], dtype)
    row, bias = np.array([[1, -1, 0.5]], dtype), np.array([0, 0.25, tiny], dtype)
    results = []
    for fused in (True, False):
        rec = ComputationRecord()
        x, w, b = (rec.tensor_from_value(value) for value in (column, row, bias))
        if fused:
            y = wg.linear(x, w, b, activation)
        else:
            y = x @ w + b
            y = y if activation is None else getattr(wg, activation)(y)
        gradients = [g.data() for g in y.sum().grad().wrt([x, w, b])]
        results.append([y.data(), *gradients])
    for ours, wanted in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, wanted)
        known = ~np.isnan(ours)
        np.testing.assert_array_equal(
            np.signbit(ours[known]), np.signbit(wanted[known])
        )


def test_a_layer_of_other_shapes_or_types_is_its_ops(rec: ComputationRecord) -> None:
    x = rec.ones((2, 3))
    square, batch = rec.ones((3, 3)), rec.ones((4, 3, 2))
    assert wg.linear(x, square, rec.ones((2, 3)), "tanh").shape == (2, 3)
    assert wg.linear(x, batch, rec.ones(2)).shape == (4, 2, 2)
    assert wg.linear(x, square, activation="relu").data()[0, 0] == 3
    integers = wg.linear([[1, 2]], [[1], [1]], [3])
    assert integers.tolist() == [[6]]
    assert integers.dtype == np.int64
    before = len(rec)
    with pytest.raises(ShapeError, match="linear: inner sizes differ"):
        wg.linear(x, rec.ones((2, 2)), rec.ones(2))
    with pytest.raises(ShapeError, match="linear: shapes do not broadcast"):
        wg.linear(x, square, rec.ones(2))
    with pytest.raises(ValueError, match="linear: the activation is 'step', not None"):
        wg.linear(x, square, None, "step")
    assert len(rec) == before + 3


def test_activations_of_layers(rec: ComputationRecord, rng: Any) -> None:
    store: dict[str, Any] = {}
    x = rec.constant(rng.normal(size=(4, 3)).astype("f4"))
    ends = LinearLayer(rec, 3, 2, store, name="l", bias=True, activation="tanh")
    plain = LinearLayer(rec, 3, 2, store, name="l", bias=True)
    plain.weight, plain.bias = ends.weight, ends.bias
    before = len(rec)
    model = Sequential(plain, wg.tanh, wg.sigmoid)
    y = model(x)
    # The product with the tanh, then the sigmoid.
    assert len(rec) == before + 2
    wanted = wg.sigmoid(wg.tanh(plain(x)))
    np.testing.assert_array_equal(y.data(), wanted.data())
    np.testing.assert_array_equal(wg.sigmoid(ends(x)).data(), wanted.data())
    assert Sequential(ends, wg.relu)(x).data().min() == 0
    with pytest.raises(
        ValueError, match="the activation is 'gelu', not None or 'relu'"
    ):
        LinearLayer(rec, 3, 2, store, activation="gelu")


def test_new_weights_are_glorots(rec: ComputationRecord) -> None:
    layer = LinearLayer(rec, 300, 100, {}, bias=True)
    weight = layer.weight.data()
    bound = math.sqrt(6 / 400)
    assert weight.dtype == np.float32
    assert abs(weight).max() <= bound
    assert abs(weight).max() > 0.99 * bound
    assert abs(weight.mean()) < 0.01 * bound
    assert layer.bias is not None
    assert not layer.bias.data().any()


def test_weights_come_from_the_records_stream() -> None:
    def weights(rec: ComputationRecord) -> list[Any]:
        return [LinearLayer(rec, 3, 4, {}).weight.data().tolist() for _ in range(2)]

    rng, same = Rng(5), ComputationRecord(rng=Rng(5))
    a, b = weights(ComputationRecord(rng=rng)), weights(ComputationRecord(rng=rng))
    assert a != b
    assert [*a, *b] == [*weights(same), *weights(same)]
    bound = math.sqrt(6 / 7)
    first = Rng(5).uniform((3, 4), -bound, bound)
    assert a[0] == first.tolist()


def test_a_layer_draws_nothing_that_the_store_has() -> None:
    store = {"a.weight": np.ones((2, 2), "f4")}
    rng = Rng(1)
    LinearLayer(ComputationRecord(rng=rng), 2, 2, store, name="a", bias=True)
    assert rng.uniform(1).tolist() == Rng(1).uniform(1).tolist()


def test_names_count_by_order_of_creation(rec: ComputationRecord) -> None:
    def names() -> list[str]:
        return [
            LinearLayer(rec, 2, 2, {}, name=name).name for name in (None, "x", None)
        ]

    assert names() == ["linear0", "x", "linear1"]
    assert names() == ["linear2", "x", "linear3"]
    rec.clear()
    assert names() == ["linear0", "x", "linear1"]
    assert LinearLayer(ComputationRecord(), 2, 2, {}).name == "linear0"
    assert repr(LinearLayer(rec, 2, 2, {}, name="w").weight).startswith(
        "<tensor w.weight"
    )


def test_a_parameter_that_does_not_fit(rec: ComputationRecord, store: Any) -> None:
    store["linear0.weight"] = np.ones((3, 2), "f4")
    with pytest.raises(ShapeError) as caught:
        LinearLayer(rec, 2, 3, store)
    text = str(caught.value)
    assert "the array has shape (3, 2), linear0.weight has (2, 3)" in text
    assert store["linear0.weight"].shape == (3, 2)


def test_a_layer_that_fails_changes_nothing(store: Any) -> None:
    rec = ComputationRecord(rng=Rng(1))
    store["linear0.bias"] = np.ones(4, "f4")
    with pytest.raises(ShapeError):
        LinearLayer(rec, 2, 3, store, bias=True)
    assert len(rec) == 0
    del store["linear0.bias"]
    assert LinearLayer(rec, 2, 3, store, bias=True).name == "linear0"
    weights = LinearLayer(ComputationRecord(rng=Rng(1)), 2, 3, {}).weight
    np.testing.assert_array_equal(rec.rng.uniform(1), _after(weights.size))


def _after(draws: int) -> Any:
    """Give the next number of a stream that was drawn from."""
    rng = Rng(1)
    rng.uniform(draws)
    return rng.uniform(1)


@pytest.mark.parametrize(
    ("inputs", "outputs", "kind"),
    [
        (-1, 3, ShapeError),
        (3, -3, ShapeError),
        (-5, 3, ShapeError),
        (2.0, 3, DTypeError),
        (3, True, DTypeError),
        ("3", 3, TypeError),
        (None, 3, TypeError),
        (2**40, 2**40, ShapeError),
    ],
)
def test_sizes_that_are_none(inputs: Any, outputs: Any, kind: Any) -> None:
    with pytest.raises(kind):
        LinearLayer(ComputationRecord(), inputs, outputs, {})


def test_layers_of_no_width(rec: ComputationRecord) -> None:
    assert LinearLayer(rec, 0, 3, {})(rec.ones((2, 0), "float32")).shape == (2, 3)
    assert LinearLayer(rec, 0, 0, {}, bias=True)(rec.ones((2, 0))).shape == (2, 0)


# --- Steps ----------------------------------------------------------------------------


def test_optimize(rec: ComputationRecord, store: Any) -> None:
    store["l.weight"] = np.full((2, 1), 0.5, "f4")
    layer = LinearLayer(rec, 2, 1, store, name="l", bias=True, rate=0.1)
    x = rec.tensor_from_value(np.array([[1.0, 2.0], [3.0, 4.0]], "f4"))
    grad = sum(layer(x)).grad()
    layer.optimize(grad, store)
    np.testing.assert_allclose(store["l.weight"], [[0.5 - 0.4], [0.5 - 0.6]], rtol=1e-6)
    np.testing.assert_allclose(store["l.bias"], [-0.2], rtol=1e-6)
    assert store["l.weight"].dtype == np.float32
    assert not store["l.weight"].flags.writeable
    # The record keeps what it read.
    np.testing.assert_array_equal(layer.weight.data(), np.full((2, 1), 0.5, "f4"))


def test_two_layers_use_one_gradient(rec: ComputationRecord, store: Any) -> None:
    first = LinearLayer(rec, 3, 4, store)
    second = LinearLayer(rec, 4, 2, store, rate=0.5)
    unused = LinearLayer(rec, 2, 2, store)
    grad = sum(second(relu(first(rec.ones((5, 3), "float32"))))).grad()
    for layer in (first, second, unused):
        layer.optimize(grad, store)
    assert list(store) == ["linear0.weight", "linear1.weight", "linear2.weight"]
    for layer in (first, second):
        name = f"{layer.name}.weight"
        wanted = layer.weight.data() - layer.rate * grad.wrt(layer.weight).data()
        np.testing.assert_allclose(store[name], wanted, rtol=1e-6)
    np.testing.assert_array_equal(store["linear2.weight"], unused.weight.data())


def test_double_precision_stays(rec: ComputationRecord) -> None:
    store = ParameterStore({"l.weight": np.ones((2, 1))})
    layer = LinearLayer(rec, 2, 1, store, name="l")
    sum(layer(rec.ones((1, 2)))).grad()
    layer.optimize(sum(layer(rec.ones((1, 2)))).grad(), store)
    assert store["l.weight"].dtype == np.float64
    np.testing.assert_allclose(store["l.weight"], [[0.99], [0.99]], rtol=1e-15)


def test_parameters_are_shared_with_the_store(rec: ComputationRecord) -> None:
    store = ParameterStore({"l.weight": np.ones((300, 20), "f4")})
    layer = LinearLayer(rec, 300, 20, store, name="l")
    assert np.shares_memory(layer.weight.data(), store["l.weight"])


# --- Composition ----------------------------------------------------------------------


def test_sequential(rec: ComputationRecord, store: Any) -> None:
    inner = Sequential(LinearLayer(rec, 3, 4, store), relu)
    last = LinearLayer(rec, 4, 2, store, bias=True)
    model = Sequential(inner, last, lambda x: x * 2)
    x = rec.ones((5, 3), "float32")
    y = model(x)
    assert y.shape == (5, 2)
    np.testing.assert_array_equal(y.data(), (last(inner.forward(x)) * 2).data())
    model.optimize(sum(y).grad(), store)
    assert list(store) == ["linear0.weight", "linear1.weight", "linear1.bias"]
    assert Sequential()(x) is x


def test_losses(rec: ComputationRecord) -> None:
    logits = rec.tensor_from_value([[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]])
    loss = softmax_cross_entropy(logits, [2, 0])
    assert loss.shape == (1,)
    rows = np.log(np.exp(logits.data()).sum(1)) - [3, 1]
    assert loss.item() == pytest.approx(rows.mean())
    weights = np.exp(logits.data())
    weights /= weights.sum(1, keepdims=True)
    weights[0, 2] -= 1
    weights[1, 0] -= 1
    np.testing.assert_allclose(loss.grad().wrt(logits).data(), weights / 2, rtol=1e-12)
    with pytest.raises(OutOfRangeError, match="index 3"):
        softmax_cross_entropy(logits, [0, 3])
    assert softmax_cross_entropy(logits[0], 1).shape == (1,)
    assert sum(logits).shape == (1,)
    assert sum(rec.tensor_from_value(2.0)).shape == (1,)
    assert wg.sum(logits).shape == ()


def test_a_classifier_learns(store: Any) -> None:
    """Three clouds of points, two layers, a hundred steps."""
    draw = np.random.default_rng(0)
    labels = np.arange(90) % 3
    points = (
        draw.normal(size=(90, 2)) * 0.3 + np.array([[0, 2], [2, 0], [-2, -2]])[labels]
    )
    rng, losses = Rng(1), []
    rec = ComputationRecord(rng=rng)
    guesses = labels
    for _ in range(100):
        with rec:
            model = Sequential(
                LinearLayer(rec, 2, 16, store, bias=True, rate=0.5),
                relu,
                LinearLayer(rec, 16, 3, store, bias=True, rate=0.5),
            )
            logits = model(rec.constant(points.astype("f4")))
            loss = softmax_cross_entropy(logits, labels)
            losses.append(loss.item())
            model.optimize(loss.grad(), store)
            guesses = logits.argmax(-1).data()
    assert losses[-1] < 0.05 < losses[0]
    assert (guesses == labels).mean() > 0.98


@pytest.mark.parametrize("size", [3, 1000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("asked", [False, True])
def test_a_step_is_that_of_the_arrays(size: int, dtype: str, asked: bool) -> None:
    """Of a leaf, of another node, and of what the loss does not depend on."""
    rng = np.random.default_rng(5)
    x, g = rng.standard_normal((2, size)).astype(dtype)
    rec = ComputationRecord()
    leaf, apart = rec.tensor_from_value(x), rec.tensor_from_value(x)
    inner = leaf + 0
    grad = (inner * g).sum().grad()
    tensors, rates = [leaf, inner, apart], [0.3, 0.7, 0.3]
    if asked:
        grad.wrt(tensors)
    count = len(rec)
    found = _core.descend(grad, tensors, rates)
    assert len(rec) == count
    for y, gradient, rate in zip(found, (g, g, 0 * g), rates, strict=True):
        assert y.dtype == dtype
        assert y.tobytes() == (x - np.asarray(rate, dtype) * gradient).tobytes()


def test_a_step_refuses_what_has_no_gradient_or_is_gone() -> None:
    rec, other = ComputationRecord(), ComputationRecord()
    x = rec.ones(3, "float32")
    y = x * 2
    grad = y.sum().grad()
    others: list[Any] = [other.ones(3, "float32"), 1.0]
    for wrong in others:
        with pytest.raises((wg.HandleError, TypeError), match=r"^optimize: "):
            _core.descend(grad, [x, wrong], [0.1, 0.1])
    with pytest.raises(wg.DTypeError, match=r"cast with \.astype"):
        _core.descend(grad, [rec.constant([1, 2])], [0.1])
    consumed = y.sum().grad(wrt=[x, y], consume=True)
    with pytest.raises(wg.HandleError, match=r"^optimize: .* was freed by grad"):
        _core.descend(consumed, [x, y], [0.1, 0.1])
    rec.clear()
    with pytest.raises(wg.HandleError, match="before the record was cleared"):
        _core.descend(grad, [x], [0.1])
