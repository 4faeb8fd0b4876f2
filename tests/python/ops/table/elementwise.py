"""The rows of sources, elementwise ops and comparisons."""

from __future__ import annotations

from typing import Any

import numpy as np
import wengert as wg

from tests.python.ops.operands import (
    BINARY,
    UNARY,
    Draw,
    above_minus_one,
    even,
    leaky_relu,
    multiply_no_nan,
    natural,
    odd,
    off_zero,
    positive,
    reals,
    relu,
    sigmoid,
    softplus,
    whole,
    whole_floats,
)
from tests.python.ops.table.row import Row, tensor_leaf


def rows() -> list[Row]:
    return [*_sources(), *_elementwise(), *_compare()]


def _sources() -> list[Row]:
    def row(op: str, leaf: Any, gradient: bool = True) -> Row:
        return Row(
            op,
            "source",
            lambda x: x,
            lambda x: x,
            (reals,),
            UNARY,
            integers=(whole,),
            booleans=True,
            gradient=gradient,
            plain=False,
            leaf=leaf,
        )

    return [
        row("tensor", tensor_leaf),
        row("parameter", lambda rec, x: rec.parameter("p", x)),
        row("constant", lambda rec, x: rec.constant(x), gradient=False),
        Row(
            "gradient",
            "source",
            lambda x: (x * x * 0.5).grad(seed=np.ones(x.shape)).wrt(x),
            lambda x: x,
            (reals,),
            UNARY,
            gradient=False,
            plain=False,
        ),
    ]


def _elementwise() -> list[Row]:
    def unary(
        op: str,
        reference: Any,
        draw: Draw = reals,
        integers: Draw | None = whole,
        booleans: bool = False,
        ulps: float = 16,
    ) -> Row:
        return Row(
            op,
            "elementwise",
            getattr(wg, op),
            reference,
            (draw,),
            UNARY,
            integers=None if integers is None else (integers,),
            booleans=booleans,
            ulps=ulps,
        )

    def binary(
        op: str,
        reference: Any,
        draws: tuple[Draw, Draw] = (reals, reals),
        integers: tuple[Draw, Draw] | None = (whole, whole),
        booleans: bool = False,
        call: Any = None,
        note: str = "",
    ) -> Row:
        return Row(
            op,
            "elementwise",
            call or getattr(wg, op),
            reference,
            draws,
            BINARY,
            note,
            integers=integers,
            booleans=booleans,
        )

    def number(op: str, call: Any, draw: Draw, note: str) -> Row:
        """Make a row with a Python number as an operand; NumPy reads it alike."""
        return Row(op, "elementwise", call, call, (draw,), UNARY, note, plain=False)

    return [
        unary("negative", np.negative),
        unary("abs", np.abs, off_zero, booleans=True),
        unary("square", np.square),
        unary("sqrt", np.sqrt, positive, natural),
        unary("exp", np.exp),
        unary("expm1", np.expm1),
        unary("log", np.log, positive, natural),
        unary("log1p", np.log1p, above_minus_one, natural),
        unary("sin", np.sin),
        unary("cos", np.cos),
        unary("tanh", np.tanh),
        unary("sigmoid", sigmoid),
        unary("relu", relu, off_zero),
        unary("softplus", softplus),
        binary("add", np.add, booleans=True),
        binary("subtract", np.subtract),
        binary("multiply", np.multiply, booleans=True),
        binary("divide", np.divide, (reals, off_zero), booleans=True),
        binary("power", np.power, (positive, reals), (whole, natural)),
        binary("maximum", np.maximum, (even, odd), booleans=True),
        binary("minimum", np.minimum, (even, odd), booleans=True),
        binary("leaky_relu", leaky_relu, (off_zero, positive), None),
        binary("multiply_no_nan", multiply_no_nan, (off_zero, reals), booleans=True),
        number("add", lambda x: 2 + x, reals, "of an int"),
        number("subtract", lambda x: 1.5 - x, reals, "from a float"),
        number("multiply", lambda x: x * True, reals, "by a bool"),
        number("divide", lambda x: 3 / x, off_zero, "of an int"),
        number("square", lambda x: x**2, reals, "by **"),
        number("power", lambda x: x**3, off_zero, "3"),
        number("power", lambda x: x**-1.5, positive, "-1.5"),
        number("power", lambda x: 2**x, reals, "of 2"),
        number("negative", lambda x: -x, reals, "by -"),
        number("abs", lambda x: abs(x), off_zero, "by abs()"),
        Row(
            "leaky_relu",
            "elementwise",
            lambda x: wg.leaky_relu(x, 0.25),
            lambda x: leaky_relu(x, 0.25),
            (off_zero,),
            UNARY,
            "0.25",
        ),
    ]


def _compare() -> list[Row]:
    def row(op: str) -> Row:
        return Row(
            op,
            "compare",
            getattr(wg, op),
            getattr(np, op),
            # Few values, so that some are equal.
            (whole_floats, whole_floats),
            BINARY,
            integers=(whole, whole),
            booleans=True,
            gradient=False,
        )

    names = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
    return [row(op) for op in names]
