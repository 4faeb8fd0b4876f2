"""Rows of the elementwise ops beyond the common ones, and of ops on bits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import wengert as wg

from tests.python.ops.operands import (
    BINARY,
    UNARY,
    Array,
    Draw,
    Shape,
    even,
    mask,
    odd,
    off_zero,
    positive,
    reals,
    whole,
)
from tests.python.ops.table.row import Row

# --- Draws ----------------------------------------------------------------------------


def inside(rng: np.random.Generator, shape: Shape) -> Array:
    """Draw away from the ends of [-1, 1], where some functions have poles."""
    return np.asarray(rng.integers(-48, 49, shape) / 64)


def above_one(rng: np.random.Generator, shape: Shape) -> Array:
    return np.asarray(positive(rng, shape) + 1)


def divisors(rng: np.random.Generator, shape: Shape) -> Array:
    """Draw whole numbers but 0: what `odd` draws is no multiple of one."""
    return np.asarray(rng.choice([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0], shape))


def whole_divisors(rng: np.random.Generator, shape: Shape) -> Array:
    return divisors(rng, shape).astype(np.int64)


def distances(rng: np.random.Generator, shape: Shape) -> Array:
    """Draw distances of shifts, some beyond the width of an integer."""
    return np.asarray(rng.choice([0, 1, 2, 5, 63, 64, 70, -1], shape))


def with_specials(rng: np.random.Generator, shape: Shape) -> Array:
    return np.asarray(rng.choice([0.0, -1.5, 2.0, np.nan, np.inf, -np.inf], shape))


# --- What NumPy has no single function for --------------------------------------------


def _real(x: Array) -> np.dtype[Any]:
    return x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)


def _each(function: Callable[[float], float]) -> Callable[[Array], Array]:
    """Apply a function of Python's to each element, in double precision."""

    def apply(x: Array) -> Array:
        flat = [function(float(value)) for value in np.ravel(x)]
        return np.asarray(np.reshape(flat, np.shape(x)), dtype=_real(x))

    return apply


erf, erfc = _each(math.erf), _each(math.erfc)


def _in_double(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    def apply(x: Array) -> Array:
        return np.asarray(function(x.astype(np.float64)), dtype=_real(x))

    return apply


def _gated(gate: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Multiply by a gate that closes: far below 0 the product is 0."""

    def product(x: Array) -> Array:
        open_ = gate(x)
        return np.where(open_ == 0, 0, x * open_)

    return _in_double(product)


def _logistic(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


gelu = _gated(lambda x: 0.5 * erfc(-x / math.sqrt(2)))
gelu_tanh = _gated(lambda x: _logistic(math.sqrt(8 / math.pi) * (x + 0.044715 * x**3)))
silu = _gated(_logistic)
mish = _gated(lambda x: np.tanh(np.logaddexp(0, x)))
selu = _in_double(
    lambda x: (
        1.0507009873554805
        * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))
    )
)


def elu(a: Array, b: Any) -> Array:
    return np.where(a > 0, a, b * np.expm1(np.minimum(a, 0)))


def _kept(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Round floats; NumPy before 2.1 makes floats of integers."""
    return lambda x: function(x) if x.dtype.kind == "f" else x


# --- The rows -------------------------------------------------------------------------


def _unary() -> list[Row]:
    def row(
        op: str,
        reference: Any,
        draw: Draw = reals,
        integers: Draw | None = whole,
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
            ulps=ulps,
        )

    return [
        row("exp2", np.exp2),
        row("log2", np.log2, positive, None),
        row("log10", np.log10, positive, None),
        row("tan", np.tan, inside),
        row("arcsin", np.arcsin, inside, None),
        row("arccos", np.arccos, inside, None),
        row("arctan", np.arctan),
        row("sinh", np.sinh),
        row("cosh", np.cosh),
        row("arcsinh", np.arcsinh),
        row("arccosh", np.arccosh, above_one, None),
        row("arctanh", np.arctanh, inside, None),
        row("erf", erf),
        row("erfc", erfc),
        row("gelu", gelu, ulps=32),
        row("gelu_tanh", gelu_tanh, ulps=32),
        row("silu", silu),
        row("mish", mish),
        row("sign", np.sign, off_zero),
        row("floor", _kept(np.floor), odd),
        row("ceil", _kept(np.ceil), odd),
        row("rint", _kept(np.rint), odd),
        row("trunc", _kept(np.trunc), odd),
    ]


def _binary() -> list[Row]:
    def row(
        op: str,
        reference: Any,
        draws: tuple[Draw, Draw],
        integers: tuple[Draw, Draw] | None = (whole, whole),
        ulps: float = 16,
    ) -> Row:
        return Row(
            op,
            "elementwise",
            getattr(wg, op),
            reference,
            draws,
            BINARY,
            integers=integers,
            ulps=ulps,
        )

    return [
        row("elu", elu, (off_zero, positive), None),
        row("clip_min", np.maximum, (even, odd)),
        row("clip_max", np.minimum, (even, odd)),
        row("fmax", np.fmax, (even, odd)),
        row("fmin", np.fmin, (even, odd)),
        row("remainder", np.remainder, (odd, divisors), (whole, whole_divisors)),
        row("fmod", np.fmod, (odd, divisors), (whole, whole_divisors)),
        row("copysign", np.copysign, (off_zero, off_zero)),
        row("hypot", np.hypot, (off_zero, off_zero)),
        row("arctan2", np.arctan2, (off_zero, off_zero)),
        # Away from where the sum of the exponentials is 1 and its logarithm cancels.
        row("logaddexp", np.logaddexp, (positive, positive)),
    ]


def _bits() -> list[Row]:
    def row(op: str, draws: tuple[Draw, ...] = (whole, whole)) -> Row:
        return Row(
            op,
            "bits",
            getattr(wg, op),
            getattr(np, op),
            draws,
            BINARY if len(draws) == 2 else UNARY,
            integers=draws,
            booleans="shift" not in op,
            gradient=False,
        )

    def logical(op: str, records: str) -> Row:
        return Row(
            records,
            "bits",
            getattr(wg, op),
            getattr(np, op),
            (whole_halves, whole_halves)[: 1 if op == "logical_not" else 2],
            UNARY if op == "logical_not" else BINARY,
            op,
            integers=(whole, whole)[: 1 if op == "logical_not" else 2],
            booleans=True,
            gradient=False,
        )

    def operator(op: str, note: str, call: Any, draw: Draw) -> Row:
        return Row(
            op,
            "bits",
            call,
            call,
            (draw,),
            UNARY,
            note,
            integers=(draw,),
            gradient=False,
            plain=False,
        )

    return [
        row("bitwise_not", (whole,)),
        row("bitwise_and"),
        row("bitwise_or"),
        row("bitwise_xor"),
        row("left_shift", (whole, distances)),
        row("right_shift", (whole, distances)),
        logical("logical_not", "bitwise_not"),
        logical("logical_and", "bitwise_and"),
        logical("logical_or", "bitwise_or"),
        logical("logical_xor", "bitwise_xor"),
        operator("bitwise_and", "by &", lambda x: x & 3, whole),
        operator("bitwise_or", "by |", lambda x: 3 | x, whole),
        operator("bitwise_xor", "by ^", lambda x: x ^ True, mask),
        operator("bitwise_not", "by ~", lambda x: ~x, mask),
        operator("left_shift", "by <<", lambda x: x << 2, whole),
        operator("right_shift", "by >>", lambda x: x >> 1, whole),
    ]


def whole_halves(rng: np.random.Generator, shape: Shape) -> Array:
    return np.asarray(whole(rng, shape) / 2)


def _compositions() -> list[Row]:
    def row(
        op: str, note: str, call: Any, reference: Any, draw: Draw, **options: Any
    ) -> Row:
        return Row(op, "elementwise", call, reference, (draw,), UNARY, note, **options)

    def test(op: str, name: str) -> Row:
        return Row(
            op,
            "compare",
            getattr(wg, name),
            getattr(np, name),
            (with_specials,),
            UNARY,
            name,
            integers=(whole,),
            booleans=True,
            gradient=False,
        )

    def clip(low: float | None, high: float | None) -> Row:
        op = "clip_max" if low is None else "clip_min"
        return row(
            op,
            f"clip {low}, {high}",
            lambda x: wg.clip(x, low, high),
            lambda x: np.clip(x, low, high),
            odd,
        )

    def rounded(decimals: int, draw: Draw) -> Row:
        return row(
            "rint",
            f"round {decimals}",
            lambda x: wg.round(x, decimals),
            lambda x: np.round(x, decimals),
            draw,
        )

    return [
        row("divide", "reciprocal", wg.reciprocal, lambda x: 1 / x, off_zero),
        row("elu", "selu", wg.selu, selu, off_zero, integers=None),
        row("clip_min", "hardtanh", wg.hardtanh, lambda x: np.clip(x, -1.0, 1.0), odd),
        clip(-0.5, 0.75),
        clip(0.0, None),
        clip(None, 0.25),
        row(
            "clip_max",
            "method",
            lambda x: x.clip(-1, 1),
            lambda x: x.clip(-1, 1),
            odd,
            plain=False,
            integers=(whole,),
        ),
        rounded(0, odd),
        rounded(1, sixteenths_of_a_tenth),
        row(
            "rint",
            "method",
            lambda x: x.round(),
            lambda x: x.round(),
            odd,
            plain=False,
            integers=(whole,),
        ),
        row("remainder", "by %", lambda x: x % 3, lambda x: x % 3, odd, plain=False),
        row(
            "remainder",
            "of 7.25",
            lambda x: 7.25 % x,
            lambda x: 7.25 % x,
            divisors,
            plain=False,
        ),
        row("remainder", "mod", lambda x: wg.mod(x, 1), lambda x: np.mod(x, 1), odd),
        test("not_equal", "isnan"),
        test("equal", "isinf"),
        test("less", "isfinite"),
    ]


def sixteenths_of_a_tenth(rng: np.random.Generator, shape: Shape) -> Array:
    """Draw away from where the first decimal steps."""
    tenths = rng.integers(-20, 20, shape) / 10
    return np.asarray(tenths + rng.choice([-1 / 64, 1 / 64], shape))


ROWS = [*_unary(), *_binary(), *_bits(), *_compositions()]
