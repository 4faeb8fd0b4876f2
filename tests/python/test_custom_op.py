"""Ops that users define: nodes, rules, and what is checked of what they give."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, CustomOp, DTypeError, GradError, ShapeError

from tests.python.faults import raises
from tests.python.places import line_of


def cube_on(*forms: str) -> CustomOp:
    """Make x³ with rules that work on arrays, on tensors, on both or on neither."""

    @wg.custom_op
    def cube(x: Any) -> Any:
        return x**3

    def rule(ct: Any, y: Any, x: Any) -> Any:
        return 3 * x**2 * ct

    if "arrays" in forms:
        cube.vjp(rule)
    if "tensors" in forms:
        cube.vjp(rule, on="tensors")
    return cube


FORMS = pytest.mark.parametrize(
    "cube",
    [cube_on("arrays"), cube_on("tensors"), cube_on("arrays", "tensors")],
    ids=["arrays", "tensors", "both"],
)


@wg.custom_op
def scaled(x: Any, w: Any, k: Any, *, power: int = 1) -> Any:
    """Give x * w**power, taken at the positions k along the last axis."""
    return (x * w**power)[..., k]


@scaled.vjp
def _(ct: Any, y: Any, x: Any, w: Any, k: Any, *, power: int = 1) -> Any:
    full = np.zeros(np.broadcast_shapes(x.shape, w.shape), ct.dtype)
    np.add.at(np.moveaxis(full, -1, 0), k, np.moveaxis(ct, -1, 0))
    rows = tuple(range(x.ndim - 1))
    slope = power * w ** (power - 1)
    return full * w**power, (full * x * slope).sum(axis=rows), None


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


# --- Checks ---------------------------------------------------------------------------


@pytest.mark.parametrize("on", ["arrays", "tensors"])
@pytest.mark.parametrize("record", [False, True])
def test_what_a_rule_gives_is_checked(on: Any, record: bool) -> None:
    rec = ComputationRecord()
    pair = wg.custom_op(lambda a, b, k: a + b, name="pair")
    a, here = rec.tensor_from_value(np.ones(2, np.float32)), line_of()
    b = rec.tensor_from_value(np.ones(2, np.float32))
    y, there = pair(a, b.named("bias"), [1, 2]), line_of()
    loss = wg.sum(y)
    # A tensor or an array, of its cotangent.
    wrong: list[tuple[Any, type[Any], type[Exception], tuple[str, ...]]] = [
        (lambda ct: ct, ShapeError, ValueError, ("1 cotangents for 3 operands",)),
        (lambda ct: (ct, ct), ShapeError, ValueError, ("2 cotangents for 3 operands",)),
        (lambda ct: None, ShapeError, ValueError, ("0 cotangents for 3 operands",)),
        (
            lambda ct: (ct.sum(), ct, None),
            ShapeError,
            ValueError,
            ("cotangent of operand 0 has shape (), #0 tensor (2,) needs its own", here),
        ),
        (
            lambda ct: (ct, ct[None], None),
            ShapeError,
            ValueError,
            ("cotangent of operand 1 has shape (1, 2), bias (2,) needs its own",),
        ),
        (
            lambda ct: (ct, ct.astype("float64"), None),
            DTypeError,
            TypeError,
            ("the cotangent of operand 1 holds f64, bias needs f32",),
        ),
        (
            lambda ct: (None, None, ct),
            DTypeError,
            TypeError,
            (
                "a cotangent is given for operand 2, but #2 constant holds i64, which "
                "has none",
                "hint: give None for it",
            ),
        ),
    ]
    for rule, kind, builtin, texts in wrong:
        pair.vjp(lambda ct, y, a, b, k, rule=rule: rule(ct), on=on)
        with raises(
            kind, builtin, "pair.vjp: ", f"#3 pair recorded at {there}", *texts
        ):
            loss.grad(record=record)
    pair.vjp(lambda ct, y, a, b, k: (ct, ct, None), on=on)
    assert loss.grad(record=record).wrt(b).data().tolist() == [1, 1]


def test_a_rule_gives_what_it_works_on(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.0, 2.0])
    cube = cube_on()
    loss = cube(x).sum()
    cube.vjp(lambda ct, y, x: [1.0, 2.0], on="tensors")
    text = "cube.vjp: the cotangent of operand 0 is a list, not a tensor"
    with raises(DTypeError, TypeError, text):
        loss.grad()
    other = ComputationRecord().ones(2)
    cube.vjp(lambda ct, y, x: other, on="tensors")
    for record in (False, True):
        with raises(wg.HandleError, RuntimeError, "cube: #0 tensor belongs to record"):
            loss.grad(record=record)
    cube = cube_on()
    loss = cube(x).sum()
    cube.vjp(lambda ct, y, x: other)
    text = "cube.vjp: the cotangent of operand 0 is a tensor, not an array"
    with raises(DTypeError, TypeError, text):
        loss.grad()
    cube.vjp(lambda ct, y, x: x * 1j)
    text = "cube.vjp: the cotangent of operand 0 holds complex128, not float32"
    with raises(DTypeError, TypeError, text):
        loss.grad()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (lambda x: None, "cube: the value is a NoneType, not an array"),
        (lambda x: (x, x), "cube: the value is a tuple, not an array"),
        (lambda x: ComputationRecord().ones(2), "cube: the value is a tensor"),
        (lambda x: x * 1j, "cube: the value holds complex128, not float32, float64"),
        (lambda x: np.array(["a"]), "cube: the value holds <U1, not float32"),
        (lambda x: {}, "cube: the value holds object, not float32"),
        (lambda x: x.astype(np.int32), "cube: the value holds int32, not float32"),
    ],
)
def test_what_an_op_gives_is_checked(value: Any, text: str) -> None:
    rec = ComputationRecord()
    x = rec.tensor_from_value([1.0, 2.0])
    with raises(DTypeError, TypeError, text):
        wg.custom_op(value, name="cube")(x)
    with raises(DTypeError, TypeError, text):
        wg.custom_op(value, name="cube")([1.0, 2.0])
    assert len(rec) == 1


def test_operands_are_checked(rec: ComputationRecord) -> None:
    product = wg.custom_op(lambda a, b: a * b, name="product")
    x, y = rec.ones(2), ComputationRecord().ones(2)
    with raises(wg.HandleError, RuntimeError, "product: #0 tensor belongs to record"):
        product(x, y)
    with raises(DTypeError, TypeError, "complex128 is not supported"):
        product(x, 1j)
    with pytest.raises(ValueError, match=r"product.vjp: on is 'arrays' or 'tensors'"):
        product.vjp(on="lists")  # type: ignore[call-overload]
    rec.clear()
    with raises(wg.HandleError, RuntimeError, "product: #0 tensor was made before"):
        product(x, 1.0)
    assert len(rec) == 0


# --- `check` --------------------------------------------------------------------------


@FORMS
def test_check_finds_right_rules(cube: CustomOp) -> None:
    cube.check([1.0, -2.0, 0.5])
    cube.check(np.float32(3))
    scaled.check(np.arange(6.0).reshape(2, 3), [1.0, 2.0, 3.0], [0, 2, 2], power=3)


@pytest.mark.parametrize(
    "rule",
    [
        lambda ct, y, x: 3 * x**2 * ct * 1.001,
        lambda ct, y, x: x**2 * ct,
        lambda ct, y, x: 3 * x**2 * ct[::-1],
        lambda ct, y, x: -3 * x**2 * ct,
        lambda ct, y, x: None,
        lambda ct, y, x: ct * float("nan"),
    ],
)
@pytest.mark.parametrize("on", ["arrays", "tensors"])
def test_check_finds_wrong_rules(rule: Any, on: Any) -> None:
    """The checker is checked, also where the other rule is right."""
    for cube in (cube_on(), cube_on("arrays", "tensors")):
        cube.vjp(rule, on=on)
        name = "cube.vjp" if on == "arrays" else "cube.vjp on tensors"
        with raises(GradError, RuntimeError, f"{name}: operand 0: ", "by differences"):
            cube.check([1.0, -2.0, 0.5])


def test_check_says_which_operand_is_wrong() -> None:
    product = wg.custom_op(lambda a, b, k: a * b * k, name="product")
    product.vjp(lambda ct, y, a, b, k: (ct * b * k, ct * b * k, None))
    with raises(GradError, RuntimeError, "product.vjp: operand 1: "):
        product.check([1.0, 2.0], [3.0, 4.0], [2, 3])


def test_check_compares_tangents() -> None:
    cube = cube_on("arrays")
    cube.jvp(lambda t, y, x: 3 * x**2 * t)
    cube.check([1.0, 2.0])
    cube.jvp(lambda t, y, x: 2 * x**2 * t)
    with raises(GradError, RuntimeError, "cube.jvp: ", "by differences"):
        cube.check([1.0, 2.0])
    cube.jvp(lambda t, y, x: (3 * x**2 * t).sum())
    text = "cube.jvp: the tangent has shape (), the value has (2,)"
    with raises(ShapeError, ValueError, text):
        cube.check([1.0, 2.0])
    cube.jvp(lambda t, y, x: (3 * x**2 * t).astype(np.float32))
    text = "cube.jvp: the tangent holds f32, the value holds f64"
    with raises(DTypeError, TypeError, text):
        cube.check([1.0, 2.0])
    cube.jvp(lambda t, y, x: None)
    text = "cube.jvp: the tangent is a NoneType, not an array"
    with raises(DTypeError, TypeError, text):
        cube.check([1.0, 2.0])
    product = wg.custom_op(lambda a, k: a * k, name="product")
    product.vjp(lambda ct, y, a, k: (ct * k, None))

    @product.jvp
    def _(tangents: Any, y: Any, a: Any, k: Any) -> Any:
        assert tangents[1] is None
        return tangents[0] * k

    product.check([1.0, 2.0], [2, 3])


def test_check_checks_what_a_vjp_gives() -> None:
    product = wg.custom_op(lambda a, b: a * b, name="product")
    product.vjp(lambda ct, y, a, b: ct * b)
    text = "product.vjp: 1 cotangents for 2 operands"
    with raises(ShapeError, ValueError, text):
        product.check([1.0, 2.0], [3.0, 4.0])
    product.vjp(lambda ct, y, a, b: ((ct * b).sum(), ct * a))
    text = "product.vjp: the cotangent of operand 0 has shape (), (2,) needs its own"
    with raises(ShapeError, ValueError, text):
        product.check([1.0, 2.0], [3.0, 4.0])


def test_check_needs_a_rule() -> None:
    cube = cube_on()
    with raises(GradError, RuntimeError, "check: there is no cube.vjp", "hint: give"):
        cube.check(2.0)
    cube.jvp(lambda t, y, x: 3 * x**2 * t)
    cube.check(2.0)


def test_check_needs_floats() -> None:
    text = "check: the value of sign holds i64, which has no gradient"
    with raises(DTypeError, TypeError, text):
        wg.custom_op(lambda x: (x > 0) * 1, name="sign").check([1.0])
    for nothing in ([1, 2], True, []):
        text = "check: no operand of cube has elements of a float type"
        with raises(DTypeError, TypeError, text):
            wg.custom_op(lambda x: x**3.0, name="cube").check(nothing)


def test_check_needs_a_shape_that_stays() -> None:
    above = wg.custom_op(lambda x: x[x > 1], name="above")
    with raises(ShapeError, ValueError, "the value of above has shape (1,), close by"):
        above.check([1.0, 2.0])


@pytest.mark.parametrize("at", ["forward", "arrays", "tensors", "jvp"])
def test_what_a_function_raises_in_check_is_unchanged(at: str) -> None:
    error = KeyError("mine")

    def rule(*_: Any) -> Any:
        raise error

    cube = wg.custom_op(rule if at == "forward" else (lambda x: x**3), name="cube")
    if at == "jvp":
        cube.jvp(rule)
    elif at != "forward":
        cube.vjp(rule, on="tensors" if at == "tensors" else "arrays")
    with pytest.raises(KeyError) as caught:
        cube.check([1.0, 2.0])
    assert caught.value is error


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
