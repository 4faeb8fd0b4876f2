"""Measure the largest error of the elementary functions, in units in the last place.

Run as ``python tools/ulp_table.py`` with the package installed; needs NumPy and mpmath
(much faster with gmpy2 installed). It writes ``docs/reference/accuracy.md``.

f32 inputs cover every exponent of both signs densely, or with ``--exhaustive`` all
2^32. They are compared with NumPy's float64 functions, whose own error is below 2^-26
f32 units, and the worst input is measured again with mpmath. f64 inputs, and pairs, are
drawn at random, over the exponents and over the ranges where each function is hardest;
f64 results are compared with mpmath.

``--points`` prints instead the reference points of ``src/kernels/math/tests.rs``.
"""

from __future__ import annotations

import argparse
import math
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
from numpy.typing import NDArray

# The smallest results are near 2^-1074 and want 53 bits more; angles near 2^1024 lose
# 1024 bits to the reduction, which mpmath adds by itself.
mp.mp.prec = 200

Array = NDArray[Any]
PAGE = Path(__file__).parent.parent / "docs" / "reference" / "accuracy.md"
# The doubles nearest to a multiple of pi / 2, relative to their size: of all below
# 1e5, of all from 2^18 to 2^19, and of all.
NEAR_MULTIPLES = (
    float.fromhex("0x1.6c6cbc45dc8dep+5"),
    float.fromhex("0x1.39c6fd67805a7p+18"),
    6381956970095103.0 * 2.0**797,
)


def exact_sigmoid(x: mp.mpf) -> mp.mpf:
    """Return 1 / (1 + e^-x) without cancellation."""
    return 1 / (1 + mp.exp(-x)) if x >= 0 else mp.exp(x) / (1 + mp.exp(x))


def exact_erfc(x: mp.mpf) -> mp.mpf:
    """Return the function; far out, where mpmath overflows, what is near its limit."""
    return mp.erfc(min(max(x, mp.mpf(-100)), mp.mpf(100)))


def numpy_sigmoid(x: Array) -> Array:
    """Return the same in float64."""
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1.0) / (1.0 + e)


@dataclass(frozen=True)
class Function:
    """A function of the package, its references, and where f64 is hardest."""

    name: str
    exact: Callable[..., mp.mpf]
    double: Callable[..., Array]
    ranges: tuple[tuple[float, float], ...]
    domain: tuple[float, float] = (-np.inf, np.inf)


HALF = (0.0, np.inf)
FUNCTIONS = (
    Function("exp", mp.exp, np.exp, ((-1, 1), (-708, 709), (-746, -708))),
    Function("expm1", mp.expm1, np.expm1, ((-1, 1), (-5, 5), (-40, 709))),
    Function("log", mp.log, np.log, ((0.5, 2), (0.69, 0.72)), HALF),
    Function("log1p", mp.log1p, np.log1p, ((-0.5, 1), (-1, 0)), (-1.0, np.inf)),
    Function("sin", mp.sin, np.sin, ((-4, 4), (-4e5, 4e5))),
    Function("cos", mp.cos, np.cos, ((-4, 4), (-4e5, 4e5))),
    Function("tanh", mp.tanh, np.tanh, ((-1, 1), (-20, 20))),
    Function("sigmoid", exact_sigmoid, numpy_sigmoid, ((-2, 2), (-40, 40), (-746, 0))),
    Function("exp2", lambda x: mp.power(2, x), np.exp2, ((-1, 1), (-1075, 1024))),
    Function("log2", lambda x: mp.log(x, 2), np.log2, ((0.5, 2),), HALF),
    Function("log10", mp.log10, np.log10, ((0.5, 2),), HALF),
    Function("tan", mp.tan, np.tan, ((-4, 4), (-4e5, 4e5))),
    Function("arcsin", mp.asin, np.arcsin, ((-1, 1),), (-1.0, 1.0)),
    Function("arccos", mp.acos, np.arccos, ((-1, 1),), (-1.0, 1.0)),
    Function("arctan", mp.atan, np.arctan, ((-4, 4),)),
    Function("sinh", mp.sinh, np.sinh, ((-1, 1), (-710, 710))),
    Function("cosh", mp.cosh, np.cosh, ((-1, 1), (-710, 710))),
    Function("arcsinh", mp.asinh, np.arcsinh, ((-4, 4),)),
    Function("arccosh", mp.acosh, np.arccosh, ((1, 4),), (1.0, np.inf)),
    Function("arctanh", mp.atanh, np.arctanh, ((-1, 1),), (-1.0, 1.0)),
    Function("erf", mp.erf, np.vectorize(math.erf), ((-1, 1), (-6, 6))),
    Function("erfc", exact_erfc, np.vectorize(math.erfc), ((-1, 1), (-6, 27))),
)
# Of two operands; the domain is that of the first, the ranges are those of both.
PAIRS = (
    Function("power", mp.power, np.power, ((0.5, 2), (0, 30)), HALF),
    Function("arctan2", mp.atan2, np.arctan2, ((-4, 4),)),
    Function("hypot", mp.hypot, np.hypot, ((-4, 4),)),
)


def evaluate(name: str, *x: Array) -> Array:
    """Return the package's result."""
    import wengert  # here, since ``--points`` runs without it

    return np.asarray(getattr(wengert, name)(*x))


def unit(x: Array, dtype: type[Any]) -> Array:
    """Return the unit in the last place of ``dtype`` at |x|, as float64."""
    info = np.finfo(dtype)
    exponent = np.frexp(np.maximum(np.abs(x), float(info.tiny)))[1]
    # f64 subnormals: 2^-1074 is exact in float64.
    return np.asarray(np.ldexp(1.0, exponent - info.nmant - 1))


def special(y: Array, want: Array, dtype: type[Any]) -> Array:
    """Return where a result that should be infinite, NaN or zero is not."""
    with np.errstate(over="ignore"):
        want = want.astype(dtype)
    same = (np.isnan(want) & np.isnan(y)) | (want == y)
    signs = np.isnan(want) | (np.signbit(want) == np.signbit(y))
    wrong = (~np.isfinite(want) | ~np.isfinite(y)) & ~same | (want == 0) & ~signs
    return np.asarray(wrong)


def measure(
    function: Function, x: tuple[float, ...], y: float, dtype: type[Any]
) -> float:
    """Return the error of ``y`` in units of the exact result's last place."""
    want = function.exact(*map(mp.mpf, x))
    size = float(unit(np.array(float(want)), dtype))
    return float(abs(mp.mpf(y) - want) / mp.mpf(size))


def single_inputs(exhaustive: bool) -> Iterator[Array]:
    """Yield f32 inputs, a few million at a time."""
    if exhaustive:
        for start in range(0, 1 << 32, 1 << 22):
            pattern = np.arange(start, start + (1 << 22), dtype=np.uint64)
            yield pattern.astype(np.uint32).view(np.float32)
    else:
        significands = np.random.default_rng(1).integers(0, 1 << 23, 1 << 13)
        significands[:2] = 0, (1 << 23) - 1
        for sign in (0, 1 << 31):
            for exponent in range(0, 256, 64):
                high = sign + (np.arange(exponent, exponent + 64) << 23)
                bits = (high[:, None] + significands[None, :]).ravel()
                yield bits.astype(np.uint32).view(np.float32)


Worst = tuple[float, tuple[float, ...]]


def single_error(function: Function, inputs: Iterator[tuple[Array, ...]]) -> Worst:
    """Return the largest f32 error and where it is."""
    worst: Worst = 0.0, ()
    for x in inputs:
        y = evaluate(function.name, *x)
        with np.errstate(all="ignore"):
            want = function.double(*(a.astype(np.float64) for a in x))
            error = np.abs(y.astype(np.float64) - want) / unit(want, np.float32)
        error[~np.isfinite(error)] = 0.0
        # Overflow: the exact result rounds to infinity.
        error[np.abs(want) >= np.finfo(np.float32).max] = 0.0
        error[special(y, want, np.float32)] = np.inf
        at = int(np.argmax(error))
        if error[at] > worst[0]:
            worst = float(error[at]), tuple(float(a[at]) for a in x)
    if not 0.0 < worst[0] < np.inf:
        return worst
    y = evaluate(function.name, *(np.array([a], dtype=np.float32) for a in worst[1]))
    return measure(function, worst[1], float(y[0]), np.float32), worst[1]


def within(function: Function, x: Array) -> Array:
    """Return the inputs that have a result."""
    low, high = function.domain
    return x[~((x < low) | (x > high))]


def double_inputs(function: Function, count: int) -> Array:
    """Return random f64 inputs, over all exponents and where the function is hard."""
    rng = np.random.default_rng(1)
    parts: list[Array] = [rng.uniform(*ends, count) for ends in function.ranges]
    parts.append(np.exp2(rng.uniform(-60, 10, count)))
    parts.append(rng.integers(0, 0x7FF << 52, count, dtype=np.uint64).view(np.float64))
    parts += [-parts[-1], -parts[-2]]
    if function.name in ("sin", "cos", "tan"):
        # The doubles nearest to multiples of pi / 2.
        parts.append(np.round(np.exp2(rng.uniform(0, 40, count))) * (np.pi / 2))
        parts.append(np.array(NEAR_MULTIPLES))
    parts.append(np.array([0.0, -0.0, 5e-324, 1.0, -1.0, np.inf, -np.inf, np.nan]))
    return within(function, np.concatenate(parts))


def pair_inputs(function: Function, count: int) -> tuple[Array, Array]:
    """Return random pairs, of every exponent and where the function is hard."""
    rng = np.random.default_rng(1)
    first: list[Array] = []
    second: list[Array] = []
    for size in (0.0, 1.0, 10.0, 100.0):
        ends = function.ranges[0]
        first.append(
            rng.uniform(*ends, count) * np.exp2(rng.uniform(-size, size, count))
        )
        second.append(rng.uniform(*function.ranges[-1], count))
        signs = rng.choice([1.0, -1.0 if function.domain[0] < 0 else 1.0], count)
        first.append(signs * np.exp2(rng.uniform(-size, size, count)))
        second.append(rng.normal(size=count) * np.exp2(rng.uniform(-size, size, count)))
    return np.concatenate(first), np.concatenate(second)


def double_error(function: Function, x: tuple[Array, ...]) -> Worst:
    """Return the largest f64 error and where it is."""
    y = evaluate(function.name, *x)
    with np.errstate(all="ignore"):
        bad = special(y, function.double(*x), np.float64)
    if bad.any():
        return float("inf"), tuple(float(a[bad][0]) for a in x)
    fine = np.isfinite(y) & np.logical_and.reduce([np.isfinite(a) for a in x])
    worst: Worst = 0.0, ()
    for *arguments, result in zip(*(a[fine].tolist() for a in (*x, y)), strict=True):
        error = measure(function, tuple(arguments), result, np.float64)
        if error > worst[0]:
            worst = error, tuple(arguments)
    return worst


def points() -> None:
    """Print the reference points of the unit tests."""
    hard = {
        "exp": (0.3465735, -0.3465736, 0.40409, 151.483, 709.782712893384, -708.3964185,
                -745.1332191019411, -745.14, 1e-17, 1.0),
        "expm1": (0.3535792, 0.3465736, -0.3465735, 37.1369, -37.4, 709.782712893384,
                  1e-300, -5e-17, 1.5e-8, -0.6931471805599453),
        "log": (1.40493, 0.699016, 0.7071067811865475, 0.7071067811865477,
                1.0000000000000002, 0.9999999999999999, 5e-324, 2.2250738585072011e-308,
                1.7976931348623157e308, 10.0),
        "log1p": (-0.298563, 0.410192, 0.41421356237309503, 0.4142135623730952, 1e-300,
                  2.0**-53, -(2.0**-53), 1.6148e308, -0.9999999999999999, 3e15),
        "sin": (0.7853981633974483, 3.141592653589793, 1.2345e-9, 10.0, 22.0, 4e5, 1e22,
                1.7976931348623157e308, *NEAR_MULTIPLES),
        "cos": (0.7853981633974483, 1.5707963267948966, 1.2345e-9, 10.0, 11.0, 4e5,
                1e22, 1.7976931348623157e308, *NEAR_MULTIPLES),
        "tanh": (0.552548, 0.899584, 0.549306144334055, 1e-300, 1e-8, 18.5, 18.9, 19.06,
                 19.07, 5.0),
        "sigmoid": (0.348005, 0.358381, -0.358381, -36.7, 36.7, -707.448, -745.13,
                    -1e-17, -1.0, 1.0),
    }  # fmt: skip

    def bits(x: float) -> str:
        text = f"{struct.unpack('<Q', struct.pack('<d', x))[0]:016x}"
        return "0x" + "_".join(text[i : i + 4] for i in range(0, 16, 4))

    for function in (f for f in FUNCTIONS if f.name in hard):
        print(f"    // {function.name}")
        for x in hard[function.name]:
            print(f"    ({bits(x)}, {bits(float(function.exact(mp.mpf(x))))}),")
    print("    // pow")
    for a, b in ((3.0, 2.0), (10.0, 22.0), (10.0, -5.0), (1.2652341278816, 700.0),
                 (2.5, -773.2775909922593), (1.0 + 2.0**-30, 373280124253.76245),
                 (0.5213472497202091, 0.5), (5e-324, 0.3), (1e308, 1.0009),
                 (0.9999999999999999, 1e18), (1.1666950943e181, -1.7),
                 (0.7071067811865476, 2047.3)):  # fmt: skip
        want = float(mp.power(mp.mpf(a), mp.mpf(b)))
        print(f"    ({bits(a)}, {bits(b)}, {bits(want)}),")


HEADER = """\
# Accuracy

The largest error found of each elementwise function, in units in the last place of the
exact result, and an argument that has it, where multiplications and additions fuse: on
AArch64, and on x86-64 with AVX2 and FMA. Elsewhere the functions down to `sigmoid`
differ, and none of these has an error as large as 1.9.

Written by `tools/ulp_table.py`: f32 over {f32}, f64 over random
arguments of every exponent and many where the function is hard, against mpmath.

| function | f32 | at | f64 | at |
|---|---|---|---|---|
"""


def row(function: Function, single: Worst, double: Worst) -> str:
    """Return a line of the table."""
    single_at = ", ".join(f"{x:.9g}" for x in single[1])
    double_at = ", ".join(f"{x:.17g}" for x in double[1])
    cells = f"{single[0]:.2f} | {single_at} | {double[0]:.2f} | {double_at}"
    return f"| `{function.name}` | {cells} |\n"


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--exhaustive", action="store_true", help="all f32 inputs")
    parser.add_argument("--count", type=int, default=20_000, help="f64 inputs a range")
    parser.add_argument("--points", action="store_true", help="print test points")
    options = parser.parse_args()
    if options.points:
        points()
        return
    every = (
        "all arguments" if options.exhaustive else "8,192 arguments of each exponent"
    )
    rows = []
    for function in FUNCTIONS:
        inputs = ((x,) for x in single_inputs(options.exhaustive))
        single = single_error(function, inputs)
        double = double_error(function, (double_inputs(function, options.count),))
        rows.append(row(function, single, double))
        print(rows[-1], end="", flush=True)
    for function in PAIRS:
        pair = pair_inputs(function, options.count)
        a, b = (x.astype(np.float32) for x in pair)
        single = single_error(function, iter([(a, b)]))
        rows.append(row(function, single, double_error(function, pair)))
        print(rows[-1], end="", flush=True)
    PAGE.write_text(HEADER.format(f32=every) + "".join(rows))


if __name__ == "__main__":
    main()
