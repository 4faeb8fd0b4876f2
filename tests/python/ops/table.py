"""A row for each op: how to call it, and what NumPy says of it.

The laws (`laws.py`) hold for every row. To cover a new op, add a row here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import wengert as wg
from wengert import ComputationRecord, Tensor

from .operands import (
    AXES,
    BINARY,
    CUBES,
    SUMS,
    UNARY,
    Array,
    Draw,
    Shape,
    above_minus_one,
    distinct,
    even,
    label,
    leaky_relu,
    log_softmax,
    logsumexp,
    mask,
    multiply_no_nan,
    natural,
    odd,
    off_zero,
    positive,
    reals,
    relu,
    sigmoid,
    softmax,
    softmax_cross_entropy,
    softplus,
    whole,
)


def tensor_leaf(rec: ComputationRecord, x: Array) -> Tensor:
    return rec.tensor_from_value(x)


@dataclass(frozen=True)
class Row:
    """An op with one choice of its parameters."""

    op: str
    # What `wengert._core.op_table` says of the op.
    tier: str
    call: Callable[..., Any]
    reference: Callable[..., Any]
    draws: tuple[Draw, ...]
    # The shapes of the operands, for each case.
    shapes: tuple[tuple[Shape, ...], ...]
    # The parameters, for the name of the row.
    note: str = ""
    # Draws for int64 operands; None if integers are refused or meaningless.
    integers: tuple[Draw, ...] | None = None
    # Whether it takes booleans in place of numbers.
    booleans: bool = False
    # Whether a gradient passes.
    gradient: bool = True
    # Whether `call` also takes arrays, and then gives what NumPy would.
    plain: bool = True
    leaf: Callable[[ComputationRecord, Array], Tensor] = tensor_leaf
    # Roundings of the result, in units of the last place.
    ulps: float = 16

    @property
    def name(self) -> str:
        return f"{self.op} {self.note}".strip()

    def draw(
        self, rng: np.random.Generator, shapes: Sequence[Shape]
    ) -> tuple[Array, ...]:
        return tuple(
            draw(rng, shape) for draw, shape in zip(self.draws, shapes, strict=True)
        )


# --- The rows -------------------------------------------------------------------------


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


def whole_floats(rng: np.random.Generator, shape: Shape) -> Array:
    return np.asarray(whole(rng, shape) / 2)


def _view(
    op: str,
    call: Callable[[Any], Any],
    shapes: tuple[tuple[Shape, ...], ...],
    note: str,
    reference: Callable[[Any], Any] | None = None,
    plain: bool = False,
) -> Row:
    """Make a row that moves elements; without a reference NumPy reads the call."""
    return Row(
        op,
        "linear",
        call,
        reference or call,
        (reals,),
        shapes,
        note,
        integers=(whole,),
        booleans=True,
        plain=plain,
    )


def _shapes() -> list[Row]:
    def of(wengert_call: Any, numpy_call: Any, *args: Any, **options: Any) -> Any:
        """Bind the same arguments to both."""
        return {
            "call": lambda x: wengert_call(x, *args, **options),
            "reference": lambda x: numpy_call(x, *args, **options),
            "plain": True,
        }

    ones = (((1, 3, 1),), ((1, 1, 1),), ((1, 0, 1),))
    return [
        _view("reshape", lambda x: x.reshape(-1), UNARY, "(-1)"),
        _view("reshape", lambda x: x.reshape(4, 6), (((2, 3, 4),),), "4, 6"),
        _view("reshape", lambda x: x.reshape((3, -1)), (((2, 3, 4),),), "(3, -1)"),
        _view("reshape", lambda x: x.T.reshape(-1), CUBES, "of a transpose"),
        _view("reshape", lambda x: x[::-1].reshape(-1), CUBES, "of a reversal"),
        _view("reshape", **of(wg.reshape, np.reshape, (-1, 1)), shapes=UNARY, note="f"),
        _view("transpose", lambda x: x.T, UNARY, ".T"),
        _view("transpose", lambda x: x.transpose(2, 0, 1), CUBES, "2, 0, 1"),
        _view("transpose", lambda x: x.transpose((1, 0, 2)), CUBES, "(1, 0, 2)"),
        _view(
            "transpose",
            **of(wg.transpose, np.transpose, (-1, 0, 1)),
            shapes=CUBES,
            note="(-1, 0, 1)",
        ),
        _view("transpose", lambda x: x.swapaxes(0, -1), CUBES, "swapaxes 0, -1"),
        _view(
            "transpose",
            **of(wg.swapaxes, np.swapaxes, 1, 2),
            shapes=CUBES,
            note="swapaxes 1, 2",
        ),
        _view(
            "reshape", **of(wg.expand_dims, np.expand_dims, 0), shapes=UNARY, note="e0"
        ),
        _view(
            "reshape",
            **of(wg.expand_dims, np.expand_dims, (1, -1)),
            shapes=AXES,
            note="expand_dims (1, -1)",
        ),
        _view("reshape", **of(wg.squeeze, np.squeeze), shapes=ones, note="squeeze"),
        _view("reshape", **of(wg.squeeze, np.squeeze, (0, -1)), shapes=ones, note="sq"),
        _view("reshape", lambda x: x.squeeze(0), ones, "squeeze 0"),
        _view(
            "broadcast_to",
            **of(wg.broadcast_to, np.broadcast_to, (2, 4, 3)),
            shapes=(((3,),), ((4, 1),), ((2, 1, 3),), ((),), ((2, 4, 3),)),
            note="(2, 4, 3)",
        ),
        _view(
            "broadcast_to",
            **of(wg.broadcast_to, np.broadcast_to, (2, 0)),
            shapes=(((1,),), ((2, 1),), ((0,),)),
            note="(2, 0)",
        ),
    ]


def _index() -> list[Row]:
    rows = np.array([2, 0, 2, 1, -1])
    columns = np.array([[0], [1]])

    def embed(c: Any) -> Any:
        """Reach the transpose of a slice: the recorded gradient of one."""
        if not isinstance(c, Tensor):
            out = np.zeros((5, *c.shape), c.dtype)
            out[1:4:2] = c
            return out
        x = c.record.tensor_from_value(np.zeros((5, *c.shape), c.dtype))
        loss = (x[1:4:2] * c).sum()
        return loss.grad(record=True).wrt(x)

    def scatter_add(c: Any) -> Any:
        if not isinstance(c, Tensor):
            out = np.zeros((4, *c.shape), c.dtype)
            np.add.at(out, (rows[:4],), np.broadcast_to(c, (4, *c.shape)))
            return out
        x = c.record.tensor_from_value(np.zeros((4, *c.shape), c.dtype))
        loss = (x[rows[:4]] * c).sum()
        return loss.grad(record=True).wrt(x)

    def reached(op: str, call: Any) -> Row:
        return Row(op, "linear", call, call, (reals,), UNARY, plain=False)

    return [
        _view("slice", lambda x: x[1], (CUBES[0], CUBES[2], CUBES[3]), "[1]"),
        _view("slice", lambda x: x[..., ::-1], CUBES, "[..., ::-1]"),
        _view("slice", lambda x: x[:, 1:, None], CUBES, "[:, 1:, None]"),
        _view("slice", lambda x: x[-1:0:-2, ..., 0], CUBES, "[-1:0:-2, ..., 0]"),
        _view("slice", lambda x: x[5:2], CUBES, "[5:2]"),
        _view("slice", lambda x: x[::2][::-1][:, ::2], CUBES, "of slices"),
        _view("gather", lambda x: x[rows], (((3,),), ((3, 2),), ((9, 8, 7),)), "rows"),
        _view("gather", lambda x: x[:, rows], (((2, 3),), ((2, 3, 4),)), "[:, rows]"),
        _view("gather", lambda x: x[columns, rows], (((3, 3),), ((4, 3, 2),)), "2"),
        _view("gather", lambda x: x[rows, :, columns], (((3, 4, 2),),), "apart"),
        _view("gather", lambda x: x[1, ..., rows], (((2, 2, 3),),), "with an int"),
        _view("gather", lambda x: x[np.array([], int)], (((3,),), ((3, 2),)), "empty"),
        reached("embed", embed),
        reached("scatter_add", scatter_add),
    ]


def _several() -> list[Row]:
    def row(note: str, shapes: Any, call: Any, reference: Any) -> Row:
        draws = (reals,) * len(shapes[0])
        return Row(
            "concatenate",
            "linear",
            call,
            reference,
            draws,
            shapes,
            note,
            integers=(whole,) * len(draws),
            booleans=True,
        )

    behind = (((2, 3), (2, 3)), ((1, 3), (4, 3)), ((0, 2), (3, 2)), ((0,), (0,)))
    beside = (((2, 3), (2, 3)), ((2, 1), (2, 4)), ((3, 0), (3, 2)), ((20, 9), (20, 30)))
    alike = (((3,), (3,), (3,)), ((2, 3),) * 3, ((),) * 3, ((0, 2),) * 3)
    return [
        row(
            "axis 0",
            behind,
            lambda *x: wg.concatenate(x),
            lambda *x: np.concatenate(x),
        ),
        row(
            "axis -1",
            beside,
            lambda *x: wg.concatenate(list(x), axis=-1),
            lambda *x: np.concatenate(x, axis=-1),
        ),
        row("stack", alike, lambda *x: wg.stack(x), lambda *x: np.stack(x)),
        row(
            "stack -1",
            alike,
            lambda *x: wg.stack(x, axis=-1),
            lambda *x: np.stack(x, axis=-1),
        ),
    ]


def _reductions() -> list[Row]:
    choices: tuple[tuple[Any, bool], ...] = (
        (None, False),
        (0, False),
        (-1, True),
        ((0, 1), False),
        ((-1, 0), True),
        ((), False),
        (None, True),
    )

    def rows(
        op: str,
        tier: str,
        reference: Any,
        draw: Draw,
        shapes: tuple[tuple[Shape, ...], ...],
        booleans: bool,
    ) -> list[Row]:
        function = getattr(wg, op)

        def row(axis: Any, keepdims: bool) -> Row:
            several = isinstance(axis, tuple) and len(axis) > 1
            fits = [s for s in shapes if not several or len(s[0]) > 1]
            options = {"axis": axis, "keepdims": keepdims}
            scalar = ((),) if axis in (None, ()) else None
            return Row(
                op,
                tier,
                lambda x: function(x, **options),
                lambda x: reference(x, **options),
                (draw,),
                (*fits, scalar) if scalar else tuple(fits),
                f"axis {axis}" + (" kept" if keepdims else ""),
                integers=(whole,),
                booleans=booleans,
                ulps=64,
            )

        return [row(*choice) for choice in choices]

    return [
        *rows("sum", "linear", np.sum, reals, SUMS, True),
        *rows("mean", "linear", np.mean, reals, AXES, True),
        *rows("max", "rules", np.max, distinct, AXES, True),
        *rows("logsumexp", "rules", logsumexp, reals, SUMS, False),
        *(
            _view(
                op,
                lambda x, op=op: getattr(x, op)(axis=1, keepdims=True),  # type: ignore[misc]
                AXES[1:],
                "method",
            )
            for op in ("sum",)
        ),
    ]


def _softmax() -> list[Row]:
    def row(op: str, reference: Any, axis: int) -> Row:
        function = getattr(wg, op)
        return Row(
            op,
            "rules",
            lambda x: function(x, axis=axis),
            lambda x: reference(x, axis),
            (reals,),
            (*(s for s in SUMS if len(s[0]) > axis),),
            f"axis {axis}",
            integers=(whole,),
            ulps=64,
        )

    return [
        *(row("softmax", softmax, axis) for axis in (-1, 0, 1)),
        *(row("log_softmax", log_softmax, axis) for axis in (-1, 0, 1)),
        Row(
            "softmax_cross_entropy",
            "rules",
            wg.softmax_cross_entropy,
            softmax_cross_entropy,
            (reals, label),
            (
                ((4,), ()),
                ((3, 5), (3,)),
                ((2, 3, 4), (2, 3)),
                ((0, 4), (0,)),
                ((64, 10), (64,)),
            ),
            integers=(whole, label),
            ulps=64,
        ),
    ]


def _rest() -> list[Row]:
    products = (
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((3,), (3, 2)),
        ((2, 3), (3, 4)),
        ((3, 3), (3, 3)),
        ((5, 2, 3), (3, 4)),
        ((2, 3), (5, 3, 4)),
        ((5, 2, 3), (5, 3, 4)),
        ((2, 1, 2, 3), (5, 3, 4)),
        ((3,), (4, 3, 2)),
        ((4, 2, 3), (3,)),
        ((0, 3), (3, 2)),
        ((2, 0), (0, 3)),
        ((0,), (0,)),
        ((0, 2, 3), (3, 4)),
        ((1, 1), (1, 1)),
        ((17, 33), (33, 9)),
        ((33,), (33, 17)),
        ((64, 50), (50, 40)),
    )
    chosen = (
        *((a, a, b) for a, b in BINARY if a == b),
        ((2, 3), (3,), ()),
        ((2, 1), (3,), (2, 3)),
        ((), (2, 3), (3,)),
    )

    def where(c: Any, a: Any, b: Any) -> Any:
        return np.where(np.asarray(c, bool), a, b)

    def through(middle: str) -> Row:
        return Row(
            "cast",
            "linear",
            lambda x: x.astype(middle).astype("float64"),
            lambda x: x.astype(middle).astype("float64"),
            (reals,),
            UNARY,
            f"by {middle}",
            plain=False,
        )

    def cast(to: str) -> Row:
        """Make a row without differences: in float32 they would be noise."""
        return Row(
            "cast",
            "linear",
            lambda x: wg.astype(x, to),
            lambda x: x.astype(to),
            (reals,),
            UNARY,
            f"to {to}",
            integers=(whole,),
            booleans=True,
            gradient=False,
        )

    def argmax(axis: Any, keepdims: bool) -> Row:
        return Row(
            "argmax",
            "constant",
            lambda x: wg.argmax(x, axis=axis, keepdims=keepdims),
            lambda x: np.argmax(x, axis=axis, keepdims=keepdims),
            # Few values, so that the first of several counts.
            (whole_floats,),
            (*AXES, ((),)) if axis is None else AXES,
            f"axis {axis}" + (" kept" if keepdims else ""),
            integers=(whole,),
            booleans=True,
            gradient=False,
        )

    return [
        Row(
            "matmul",
            "linear",
            wg.matmul,
            np.matmul,
            (reals, reals),
            products,
            integers=(whole, whole),
            booleans=True,
            ulps=64,
        ),
        Row(
            "where",
            "rules",
            wg.where,
            where,
            (mask, reals, reals),
            chosen,
            integers=(mask, whole, whole),
            booleans=True,
        ),
        Row(
            "where",
            "rules",
            lambda x: wg.where(x > 0, x, 0),
            lambda x: np.where(x > 0, x, x.dtype.type(0)),
            (off_zero,),
            UNARY,
            "of a number",
            plain=False,
        ),
        through("float32"),
        through("float64"),
        cast("int64"),
        cast("bool"),
        argmax(None, False),
        argmax(0, False),
        argmax(-1, True),
        argmax(None, True),
        Row(
            "stop_gradient",
            "constant",
            wg.stop_gradient,
            lambda x: x,
            (reals,),
            UNARY,
            integers=(whole,),
            booleans=True,
            gradient=False,
        ),
    ]


ROWS: list[Row] = [
    *_sources(),
    *_elementwise(),
    *_compare(),
    *_shapes(),
    *_index(),
    *_several(),
    *_reductions(),
    *_softmax(),
    *_rest(),
]
