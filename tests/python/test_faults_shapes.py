"""The promises of what shapes that do not fit get, by their numbers."""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import (
    ComputationRecord,
    DTypeError,
    ShapeError,
    layers,
)
from wengert.layers import LinearLayer

from tests.python.faults import (
    nothing_lost,
    raises,
)
from tests.python.places import line_of


def test_fault_07_inner_sizes_that_differ(rec: ComputationRecord) -> None:
    x, place = rec.ones((2, 3)), line_of()
    w, other = rec.parameter("hidden.weight", np.ones((4, 5))), line_of()
    with (
        nothing_lost(rec),
        raises(
            ShapeError,
            ValueError,
            "matmul: inner sizes differ: #0 tensor (2, 3) @ hidden.weight (4, 5)",
            "axis 1 has 3, axis 0 has 4",
            f"#0 tensor recorded at {place}, hidden.weight at {other}",
        ),
    ):
        x @ w
    for a, b in (((3,), (4,)), ((2, 3), (4,)), ((3,), (4, 5)), ((2, 2, 3), (4, 5))):
        with raises(ShapeError, ValueError, "inner sizes differ"):
            rec.ones(a) @ np.ones(b)
    with raises(ShapeError, ValueError, "matmul: shapes do not broadcast"):
        rec.ones((2, 2, 3)) @ rec.ones((3, 3, 4))


def test_fault_07_through_a_layer(rec: ComputationRecord) -> None:
    x, place = rec.ones((2, 3), "float32"), line_of()
    layer, other = LinearLayer(rec, 4, 5, {}), line_of()
    with raises(
        ShapeError,
        ValueError,
        "#0 tensor (2, 3) @ linear0.weight (4, 5)",
        f"#0 tensor recorded at {place}, linear0.weight at {other}",
    ):
        layer.forward(x)


def test_fault_08_shapes_that_do_not_broadcast(rec: ComputationRecord) -> None:
    a, place = rec.ones((128, 10)), line_of()
    b, other = wg.relu(rec.ones(4)), line_of()
    operators: list[tuple[str, Callable[[], Any]]] = [
        ("add", lambda: a + b),
        ("multiply", lambda: wg.multiply(a, b)),
        ("power", lambda: a**b),
        ("maximum", lambda: wg.maximum(a, b)),
        ("less", lambda: a < b),
    ]
    for name, use in operators:
        with (
            nothing_lost(rec),
            raises(
                ShapeError,
                ValueError,
                f"{name}: shapes do not broadcast: #0 tensor (128, 10), #2 relu (4,)\n",
                # The sizes that meet stand below one another.
                "\n   128 10   #0 tensor\n        4   #2 relu\n",
                f"  #0 tensor recorded at {place}, #2 relu at {other}",
            ),
        ):
            use()
    with nothing_lost(rec), raises(ShapeError, ValueError, "(128, 10)", "(7,)"):
        a + np.ones(7)
    with nothing_lost(rec), raises(ShapeError, ValueError, "(128, 10)", "(128,)"):
        wg.where(np.ones(128, bool), a, 0)
    with (
        nothing_lost(rec),
        raises(ShapeError, ValueError, "does not broadcast to (3,)"),
    ):
        wg.broadcast_to(b, 3)


def test_fault_09_a_loss_of_a_column_and_a_vector(rec: ComputationRecord) -> None:
    column, place = rec.ones((4, 1)), line_of()
    vector, other = rec.zeros(4), line_of()
    for pair, shapes in (
        ((column, vector), "#0 tensor (4, 1) and #1 tensor (4,)"),
        ((vector, column), "#1 tensor (4,) and #0 tensor (4, 1)"),
        ((column, np.zeros(4)), "#0 tensor (4, 1) and #2 constant (4,)"),
        ((vector, 1.0), "#1 tensor (4,) and ()"),
    ):
        with (
            nothing_lost(rec),
            raises(
                ShapeError,
                ValueError,
                f"mean_squared_error: the shapes of {shapes}",
                " differ\n",
                "hint: reshape one of them, or allow broadcast",
            ),
        ):
            wg.mean_squared_error(*pair)
    with raises(ShapeError, ValueError, f"#0 tensor recorded at {place}, #1 tensor at"):
        wg.mean_squared_error(column, vector)
    with raises(ShapeError, ValueError, f"at {other}"):
        wg.mean_squared_error(column, vector)
    allowed = wg.mean_squared_error(column, vector, broadcast=True)
    assert allowed.item() == 1
    assert wg.mean_squared_error(column, column[::-1]).item() == 0
    logits = rec.ones((4, 3))
    for f in (wg.softmax_cross_entropy, layers.softmax_cross_entropy):
        with (
            nothing_lost(rec),
            raises(
                ShapeError, ValueError, "the labels have shape (4, 1)", "needs (4,)"
            ),
        ):
            f(logits, np.zeros((4, 1), int))


WITH_SHAPES: dict[str, Callable[[ComputationRecord, Any], Any]] = {
    "zeros": lambda rec, shape: rec.zeros(shape),
    "ones": lambda rec, shape: rec.ones(shape),
    "broadcast_to": lambda rec, shape: wg.broadcast_to(rec.ones(1), shape),
    "uniform": lambda rec, shape: wg.Rng(1).uniform(shape),
    "normal": lambda rec, shape: wg.Rng(1).normal(shape),
}


@pytest.mark.parametrize("function", WITH_SHAPES)
def test_fault_10_dimensions_that_are_none(function: str) -> None:
    use, rec = WITH_SHAPES[function], ComputationRecord()
    negative: list[Any] = [-1, (2, -3), [-(2**40)]]
    for shape in negative:
        with raises(ShapeError, ValueError, f"{function}: dimension -", "is negative"):
            use(rec, shape)
    bad: list[Any] = [2.0, (2, 3.5), True, (False, 2), "a", ("2",), None, (None,)]
    bad += [np.float64(2), np.array([1.5]), np.bool_(True), {2.0: 1}]
    for shape in bad:
        with raises(DTypeError, TypeError, function, "must be an integer, not"):
            use(rec, shape)
    # What stands for an integer is one.
    good: list[Any] = [np.int64(2), (np.int8(2),), np.array([2])]
    for shape in [*good, rec.tensor_from_value(2)]:
        assert tuple(use(rec, shape).shape) == (2,)


WITH_COUNTS: dict[str, Callable[[Any], Any]] = {
    "one_hot": lambda n: wg.one_hot([0], n),
    "topk": lambda n: wg.topk([1.0, 2.0], n),
    "bincount": lambda n: wg.bincount([0], minlength=n),
    "permutation": lambda n: wg.Rng(1).permutation(n),
    "conv1d": lambda n: wg.conv1d(np.ones((1, 1, 2)), np.ones((1, 1, 1)), groups=n),
}


@pytest.mark.parametrize("function", WITH_COUNTS)
def test_fault_10_counts_that_are_none(function: str) -> None:
    use = WITH_COUNTS[function]
    with raises(ShapeError, ValueError, f"{function}: dimension -3 is negative"):
        use(-3)
    with raises(ShapeError, ValueError, f"{function}: the size of", "overflows"):
        use(2**70)
    for count in (1.0, True, "1"):
        with raises(DTypeError, TypeError, function, "must be an integer, not"):
            use(count)
    use(np.int64(1))


def test_fault_10_reshape_and_axes(rec: ComputationRecord) -> None:
    x: Any = rec.ones((2, 3))
    row, narrow = x[0], x[:, :2]
    with nothing_lost(rec):
        for misfit in ((-2, 3), (-1, -1), (-1, 4), (5,), (0, -1)):
            with raises(ShapeError, ValueError, "reshape: "):
                x.reshape(misfit)
        for none in ((2.0, 3), (True, 6), "6", None):
            with raises(DTypeError, TypeError, "must be an integer"):
                x.reshape(none)
        for outside in (2, -3, (0, 5)):
            with raises(ShapeError, ValueError, "is out of range for 2 axes"):
                x.sum(outside)
        axes: list[Any] = [0.0, True, "0", (0, 1.0)]
        for axis in axes:
            with raises(DTypeError, TypeError, "an axis must be an integer"):
                wg.max(x, axis=axis)
        with raises(ShapeError, ValueError, "axis 0 is given twice"):
            x.sum((0, 0))
        with raises(ShapeError, ValueError, "axis -2 is given twice"):
            x.sum((0, -2))
        with raises(ShapeError, ValueError, "1 axes given for a tensor of 2"):
            x.transpose(0)
        with raises(ShapeError, ValueError, "has size 3, not 1"):
            x.squeeze(1)
        with raises(ShapeError, ValueError, "is out of range"):
            wg.softmax(x, axis=2)
        with raises(ShapeError, ValueError, "is out of range"):
            wg.stack([x, x], axis=4)
        with raises(ShapeError, ValueError, "shapes differ"):
            wg.stack([x, row])
        with raises(ShapeError, ValueError, "shapes differ"):
            wg.concatenate([x, narrow])
        with raises(ShapeError, ValueError, "needs at least one tensor"):
            wg.concatenate([])


@pytest.mark.parametrize(
    "shape",
    [(2**32, 2**32), (2**62,), (0, 2**62, 4), (2**63,), (0, 2**63), (2**100,)],
    ids=str,
)
@pytest.mark.parametrize("function", WITH_SHAPES)
def test_fault_11_sizes_that_overflow(function: str, shape: Any) -> None:
    rec = ComputationRecord()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with raises(ShapeError, ValueError, "overflows"):
        WITH_SHAPES[function](rec, shape)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 100_000
    with nothing_lost(rec):
        pass


def test_fault_11_products_and_broadcasts_that_overflow(rec: ComputationRecord) -> None:
    column = wg.broadcast_to(rec.ones((1, 1)), (2**31, 1))
    row = wg.broadcast_to(rec.ones(1), 2**31)
    matrix = wg.broadcast_to(rec.ones((1, 1)), (1, 2**31))
    chosen = rec.ones(1) > 0
    uses: list[Callable[[], Any]] = [
        lambda: column + row,
        lambda: column @ matrix,
        lambda: wg.where(chosen, column, row),
    ]
    for use in uses:
        with nothing_lost(rec), raises(ShapeError, ValueError, "overflows"):
            use()


def test_fault_11_the_largest_numbers(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.0, 2.0, 3.0])
    image, filters, empty = rec.ones((1, 1, 3)), rec.ones((0, 4, 1)), rec.zeros(0)
    assert np.isnan(wg.round(x, -(2**31)).data()).all()
    with nothing_lost(rec):
        with raises(ShapeError, ValueError, "bincount", "overflows"):
            wg.bincount([2**63 - 1])
        for axes in (65, 2**62):
            with raises(ShapeError, ValueError, "tensordot", "out of range"):
                wg.tensordot(x, x, axes)
        with raises(ShapeError, ValueError, "conv1d", "takes 4 in each"):
            wg.conv1d(image, filters, groups=2**62)
        with pytest.raises(MemoryError, match="split"):
            wg.split(empty, 10**15)
