"""Ops that users define: nodes and derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, CustomOp, DTypeError, GradError, ShapeError

from tests.python.custom_ops import FORMS, cube_on, scaled
from tests.python.faults import raises
from tests.python.places import line_of

# --- Nodes ----------------------------------------------------------------------------


@FORMS
def test_an_op_is_one_node_with_its_name(cube: CustomOp) -> None:
    rec = ComputationRecord()
    x = rec.tensor_from_value([1.0, 2.0])
    y, here = cube(x), line_of()
    assert repr(y) == "<tensor #1 cube f64 (2,): [1, 8]>"
    assert str(rec).splitlines()[3].split()[:3] == ["1", "cube", "#0"]
    assert str(rec).splitlines()[3].endswith(here)
    assert repr(cube) == "<custom op cube>"
    assert cube.name == "cube"


def test_the_name_can_be_given() -> None:
    double = wg.custom_op(lambda x: 2 * x, name="<i>double</i>")
    x = ComputationRecord().tensor_from_value(1.0)
    assert repr(double(x)) == "<tensor #1 <i>double</i> f64 (): 2>"
    for page in (x.record._repr_html_(), x.record.to_html(), x.record.to_svg()):
        assert "<i>double" not in page
        assert "double" in page


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (200, 3)])
def test_values_of_every_type_and_size(dtype: str, shape: tuple[int, ...]) -> None:
    same = wg.custom_op(lambda x: x, name="same")
    array = np.ones(shape, dtype)
    y = same(ComputationRecord().tensor_from_value(array))
    assert y.dtype == array.dtype
    np.testing.assert_array_equal(y.data(), array)


def test_operands_are_what_other_ops_take(rec: ComputationRecord) -> None:
    seen: list[Any] = []

    @wg.custom_op
    def total(*x: Any) -> Any:
        seen.extend(x)
        return np.float32(sum(float(a.sum()) for a in x))

    x = rec.tensor_from_value(np.ones(2, np.float32))
    y = total(x, [1.0, 2.0], 3.0, True, np.array(2))
    assert y.item() == 2 + 3 + 3 + 1 + 2
    # A number takes the type that it has beside the others.
    kinds = [a.dtype.name for a in seen]
    assert kinds == ["float32", "float64", "float64", "float64", "int64"]
    assert total(x, 2.0).item() == 4
    assert seen[-1].dtype == np.float32
    assert [line.split()[1] for line in str(rec).splitlines()[2:7]] == [
        "tensor",
        *["constant"] * 4,
    ]


def test_arrays_are_read_only_and_not_copied(rec: ComputationRecord) -> None:
    seen: list[Any] = []

    @wg.custom_op
    def look(x: Any) -> Any:
        seen.append(x)
        with pytest.raises(ValueError, match="read-only"):
            x[...] = 0
        return x[::2]

    x = rec.tensor_from_value(np.arange(1000.0))
    before = rec.bytes()
    y = look(x)
    assert np.shares_memory(seen[0], x.data())
    assert np.shares_memory(y.data(), x.data())
    assert rec.bytes() - before < 1000


def test_without_a_tensor_it_is_a_function_of_arrays() -> None:
    cube = cube_on("arrays")
    assert cube([1, 2]).tolist() == [1, 8]
    assert cube(2.0) == 8.0
    assert isinstance(cube(2.0), np.float64)
    with raises(ShapeError, ValueError, "cube: needs at least one tensor"):
        cube()


def test_options_are_given_as_they_are(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value(np.arange(6.0).reshape(2, 3))
    w = rec.tensor_from_value([1.0, 2.0, 3.0])
    y = scaled(x, w, [0, 2], power=2)
    assert y.data().tolist() == [[0, 18], [3, 45]]
    gx, gw = y.sum().grad().wrt([x, w])
    assert gx.data().tolist() == [[1, 0, 9], [1, 0, 9]]
    assert gw.data().tolist() == [6, 0, 42]
    # Options are those of the call, whatever becomes of them.
    options = {"power": 3}
    z = scaled(x, w, [0], **options)
    options["power"] = 1
    assert z.sum().grad().wrt(w).data().tolist() == [9, 0, 0]


# --- Derivatives ----------------------------------------------------------------------


@FORMS
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gradient(cube: CustomOp, dtype: str, rec: ComputationRecord) -> None:
    x = rec.tensor_from_value(np.array([1.0, 2.0], dtype))
    hidden = x * 2
    grad = (cube(hidden) * hidden).sum().grad()
    assert grad.wrt(x).dtype == dtype
    assert grad.wrt(x).data().tolist() == [64, 512]
    assert grad.wrt(hidden).data().tolist() == [32, 256]
    assert (cube(hidden) * 1).sum().grad(wrt=[hidden]).wrt(hidden).data().tolist() == [
        12,
        48,
    ]


@FORMS
def test_gradients_of_an_op_itself_and_of_a_chain(cube: CustomOp) -> None:
    rec = ComputationRecord()
    x = rec.tensor_from_value(2.0)
    y = cube(cube(x))
    seed = y.grad(seed=2.0).wrt([y, x])
    assert [t.item() for t in seed] == [2.0, 2 * 9 * 2.0**8]
    assert y.grad(record=True).wrt(x).item() == 9 * 2.0**8


@FORMS
@pytest.mark.parametrize(
    "view",
    [
        lambda x: x,
        lambda x: x.T,
        lambda x: x[::-1, 1:],
        lambda x: x[0],
        lambda x: wg.broadcast_to(x[:, None], (4, 2, 3)),
        lambda x: x[:0],
    ],
)
def test_every_layout(
    cube: CustomOp, view: Callable[[Any], Any], rec: ComputationRecord
) -> None:
    x = rec.tensor_from_value(np.arange(12.0).reshape(4, 3))
    own = view(x)
    for record in (False, True):
        found = (cube(own) * own).sum().grad(record=record).wrt(x)
        plain = (own**3 * own).sum().grad().wrt(x)
        np.testing.assert_allclose(found.data(), plain.data(), rtol=1e-14)


def test_a_tensor_that_is_used_twice(rec: ComputationRecord) -> None:
    product = wg.custom_op(lambda a, b: a * b, name="product")
    product.vjp(lambda ct, y, a, b: (ct * b, ct * a))
    x = rec.tensor_from_value([2.0, 3.0])
    for record in (False, True):
        found = product(x, x).sum().grad(record=record).wrt(x)
        assert found.data().tolist() == [4, 6]


def test_no_cotangent_is_zero(rec: ComputationRecord) -> None:
    first = wg.custom_op(lambda a, b: a + b, name="first")
    first.vjp(lambda ct, y, a, b: (ct, None))
    x, y = rec.tensor_from_value(2.0), rec.tensor_from_value(3.0)
    grad = first(x, y).grad()
    assert [t.item() for t in grad.wrt([x, y])] == [1, 0]


def test_second_derivatives(rec: ComputationRecord) -> None:
    for cube in (cube_on("tensors"), cube_on("arrays", "tensors")):
        x = rec.tensor_from_value([1.0, 2.0])
        first = cube(x).sum().grad(record=True).wrt(x)
        second = first.sum().grad(record=True).wrt(x)
        third = second.sum().grad().wrt(x)
        assert [t.data().tolist() for t in (first, second, third)] == [
            [3, 12],
            [6, 12],
            [6, 6],
        ]


def test_the_derivative_of_a_rule_on_arrays(rec: ComputationRecord) -> None:
    x, here = rec.tensor_from_value([1.0, 2.0]), line_of()
    first, there = cube_on("arrays")(x).sum().grad(record=True).wrt(x), line_of()
    assert first.data().tolist() == [3, 12]
    assert repr(first).startswith("<tensor #6 cube_vjp f64 (2,)")
    with raises(
        GradError,
        RuntimeError,
        "grad: the sweep reached #6 cube_vjp: the vjp of cube works on arrays, so it "
        "has no derivative",
        f"#6 cube_vjp recorded at {there}",
        "hint: give the op a vjp that works on tensors",
    ):
        first.sum().grad()
    assert here != there


def test_an_op_without_a_rule(rec: ComputationRecord) -> None:
    cube = cube_on()
    x = rec.tensor_from_value([1.0, 2.0])
    y, here = cube(x), line_of()
    for record in (False, True):
        with raises(
            GradError,
            RuntimeError,
            "grad: there is no cube.vjp",
            f"#1 cube recorded at {here}",
            "hint: give the op one, or stop_gradient its value",
        ):
            y.sum().grad(record=record)
    assert wg.stop_gradient(y).sum().data() == 9
    assert (wg.stop_gradient(y) * x).sum().grad().wrt(x).data().tolist() == [1, 8]
    # A rule that comes later is that of earlier nodes too.
    cube.vjp(lambda ct, y, x: ct)
    assert y.sum().grad().wrt(x).data().tolist() == [1, 1]


def test_the_rule_is_not_called_without_need(rec: ComputationRecord) -> None:
    calls: list[str] = []
    cube = wg.custom_op(lambda x: x**3, name="cube")

    @cube.vjp
    def _(ct: Any, y: Any, x: Any) -> Any:
        calls.append("vjp")
        return 3 * x**2 * ct

    constant, x = rec.constant(2.0), rec.tensor_from_value(3.0)
    (cube(constant) * x).grad()
    (cube(x) * 0 + x).grad(wrt=[constant])
    unused = cube(x)
    (x * x).grad()
    assert calls == []
    assert unused.grad().wrt(x).item() == 27
    assert calls == ["vjp"]


def test_integers_have_no_gradient(rec: ComputationRecord) -> None:
    count = wg.custom_op(lambda x: (x > 1).sum(), name="count")
    x = rec.tensor_from_value([1.0, 2.0])
    y = count(x)
    assert y.dtype == np.int64
    with raises(DTypeError, TypeError, "holds i64, which has no gradient"):
        y.grad()
    assert (y * x).sum().grad().wrt(x).data().tolist() == [1, 1]


def test_consuming_sweeps_call_rules(rec: ComputationRecord) -> None:
    cube = cube_on("arrays")
    x = rec.tensor_from_value(np.full(500, 2.0))
    y = cube(x * 1)
    z = wg.exp(cube(y * 0.01)).sum()
    plain = z.grad().wrt(x).data()
    before = rec.bytes()
    found = z.grad(consume=True).wrt(x).data()
    np.testing.assert_array_equal(found, plain)
    assert rec.bytes() <= before - 3 * 4000
    with pytest.raises(wg.HandleError, match="freed by grad"):
        y.data()
