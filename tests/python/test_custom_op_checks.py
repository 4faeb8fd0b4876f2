"""What is checked of ops that users define, and by `check`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, CustomOp, DTypeError, GradError, ShapeError

from tests.python.custom_ops import FORMS, cube_on, scaled
from tests.python.faults import raises
from tests.python.places import line_of

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
