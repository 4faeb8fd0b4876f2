"""Special points: zeros, ties, infinities, and what is promised there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import wengert as wg

INF, NAN = float("inf"), float("nan")


@dataclass(frozen=True)
class Case:
    name: str
    f: Callable[[Any], Any]
    x: Any
    value: Any
    # The gradient of the sum of the value; None if the value holds no floats.
    gradient: Any = None
    # The gradient under `ieee=True`, where it differs.
    ieee: Any = None
    rtol: float = 1e-15
    rtol_single: float = 1e-6
    why: str = ""


def kept(y: Any) -> Any:
    """Keep the second element alone: the first gets a cotangent of zero."""
    return wg.where([False, True], y, 0)


CASES = [
    # --- Kinks -----------------------------------------------------------------
    Case("relu at 0", wg.relu, [-1.0, 0, -0.0, 2], [0, 0, 0, 2], [0, 0, 0, 1]),
    Case("abs at 0", abs, [-2.0, 0, -0.0, 2], [2, 0, 0, 2], [-1, 0, 0, 1]),
    Case(
        "leaky_relu at 0",
        lambda x: wg.leaky_relu(x, 0.25),
        [-2.0, 0, 2],
        [-0.5, 0, 2],
        [0.25, 0.25, 1],
    ),
    Case(
        "maximum at ties",
        lambda x: wg.maximum(x, 1),
        [0.0, 1, 2],
        [1, 1, 2],
        [0, 0.5, 1],
    ),
    Case(
        "minimum at ties",
        lambda x: wg.minimum(x, 1),
        [0.0, 1, 2],
        [0, 1, 1],
        [1, 0.5, 0],
    ),
    Case("maximum of itself", lambda x: wg.maximum(x, x), [3.0], [3], [1]),
    Case("max at a tie", wg.max, [3.0, 1, 3], 3, [0.5, 0, 0.5]),
    Case("max all tied", wg.max, [[2.0, 2], [2, 2]], 2, [[0.25, 0.25], [0.25, 0.25]]),
    Case(
        "max tied along an axis",
        lambda x: wg.max(x, axis=1),
        [[1.0, 1, 0], [0, 1, 2], [3, 3, 3]],
        [1, 2, 3],
        [[0.5, 0.5, 0], [0, 0, 1], [1 / 3, 1 / 3, 1 / 3]],
    ),
    Case("argmax at a tie", wg.argmax, [1.0, 3, 3], 1, why="the first counts"),
    # --- Poles under a cotangent of zero: 0 * inf is 0, except by IEEE 754 ---------
    Case("sqrt at 0", wg.sqrt, [0.0, 4], [0, 2], [INF, 0.25]),
    Case(
        "sqrt at 0, unused",
        lambda x: kept(wg.sqrt(x)),
        [0.0, 4],
        [0, 2],
        [0, 0.25],
        [NAN, 0.25],
    ),
    Case("log at 0", wg.log, [0.0, 2], [-INF, 0.6931471805599453], [INF, 0.5]),
    Case(
        "log at 0, unused",
        lambda x: wg.where([False, True], wg.log(x), 0.0),
        [0.0, 2],
        [0, 0.6931471805599453],
        [0, 0.5],
        [NAN, 0.5],
    ),
    Case(
        "log of what is positive",
        lambda x: wg.where(x > 0, wg.log(x), 0),
        [-1.0, 0, 2],
        [0, 0, 0.6931471805599453],
        [0, 0, 0.5],
        [0, NAN, 0.5],
    ),
    Case(
        "root of what is positive",
        lambda x: wg.where(x > 0, wg.sqrt(x), 0),
        [-1.0, 0, 4],
        [0, 0, 2],
        [0, 0, 0.25],
        [NAN, NAN, 0.25],
    ),
    Case(
        "quotient where it is defined",
        lambda x: wg.where(x != 0, 1 / x, 0),
        [0.0, 2],
        [0, 0.5],
        [0, -0.25],
        [NAN, -0.25],
    ),
    Case(
        "the side not chosen overflows",
        lambda x: wg.where(x < 10, wg.exp(x * x), x),
        [0.0, 100],
        [1, 100],
        [0, 1],
        [0, NAN],
        why="the cotangent of exp is zero where its value is infinite",
    ),
    Case("log1p at -1", wg.log1p, [-1.0, 0], [-INF, 0], [INF, 1]),
    Case(
        "log1p at -1, unused",
        lambda x: wg.where([False, True], wg.log1p(x), 0.0),
        [-1.0, 0],
        [0, 0],
        [0, 1],
        [NAN, 1],
    ),
    # --- Powers ----------------------------------------------------------------------
    Case("x ** 0", lambda x: x**0, [0.0, 3], [1, 1], [0, 0]),
    Case("x ** 0.0", lambda x: x**0.0, [0.0, -3], [1, 1], [0, 0]),
    Case("x ** 1", lambda x: x**1, [0.0, -3], [0, -3], [1, 1]),
    Case("x ** 2", lambda x: x**2, [0.0, -3], [0, 9], [0, -6]),
    Case("x ** 3", lambda x: x**3, [0.0, -3], [0, -27], [0, 27]),
    Case("x ** -1", lambda x: x**-1, [2.0, -4], [0.5, -0.25], [-0.25, -0.0625]),
    Case("x ** 0.5 at 0", lambda x: x**0.5, [0.0, 4], [0, 2], [INF, 0.25]),
    Case(
        "x ** 0.5 at 0, unused",
        lambda x: kept(x**0.5),
        [0.0, 4],
        [0, 2],
        [0, 0.25],
        [NAN, 0.25],
    ),
    Case("x ** x at 0", lambda x: x**x, [0.0, 1], [1, 1], [0, 1]),
    Case("0 ** x", lambda x: 0**x, [0.0, 2], [1, 0], [0, 0]),
    Case("1 ** x", lambda x: 1**x, [0.0, -2], [1, 1], [0, 0]),
    Case("(-2) ** x", lambda x: (-2) ** x, [2.0, 0.5], [4, NAN], [NAN, NAN]),
    # --- Exponentials: never an overflow on the way -----------------------------------
    *(
        Case(
            f"logsumexp of {x}",
            wg.logsumexp,
            [x, x],
            x + 0.6931471805599453,
            [0.5, 0.5],
        )
        for x in (1000.0, -1000.0)
    ),
    Case(
        "logsumexp, huge",
        wg.logsumexp,
        [2.0**20, 2.0**20 - 1],
        2.0**20 + 0.3132616875182228,
        [0.7310585786300049, 0.2689414213699951],
        why="the gradient has all digits, of which the value has lost some",
    ),
    Case("logsumexp with -inf", wg.logsumexp, [-INF, 0.0], 0, [0, 1]),
    Case(
        "logsumexp of -inf",
        wg.logsumexp,
        [-INF, -INF],
        -INF,
        [0, 0],
        why="what has no weight gets no cotangent",
    ),
    Case(
        "logsumexp of rows with infinities",
        lambda x: wg.logsumexp(x, axis=(0, 2)),
        [[[-INF, -INF], [INF, 1]], [[-INF, -INF], [INF, -INF]]],
        [-INF, INF],
        [[[0, 0], [0.5, 0]], [[0, 0], [0.5, 0]]],
    ),
    Case(
        "logsumexp of -inf, unused",
        lambda x: kept(wg.exp(wg.logsumexp(x, axis=1))),
        [[-INF, -INF], [-INF, 0.0]],
        [0, 1],
        [[0, 0], [0, 1]],
    ),
    Case("logsumexp with inf", wg.logsumexp, [INF, 0.0], INF, [1, 0]),
    Case(
        "logsumexp with infs",
        wg.logsumexp,
        [INF, 0.0, INF, -INF],
        INF,
        [0.5, 0, 0.5, 0],
        why="the infinities share the cotangent",
    ),
    Case("logsumexp with NaN", wg.logsumexp, [NAN, INF], NAN, [NAN, NAN]),
    Case("logsumexp of nothing", wg.logsumexp, [], -INF, []),
    Case("logsumexp over no axis", lambda x: wg.logsumexp(x, axis=()), [3.0], [3], [1]),
    Case("softmax, huge", wg.softmax, [1000.0, 0, -1000], [1, 0, 0], [0, 0, 0]),
    Case("softmax with -inf", wg.softmax, [0.0, -INF], [1, 0], [0, 0]),
    Case("softmax of -inf", wg.softmax, [-INF, -INF], [0, 0], [0, 0]),
    Case("softmax with inf", wg.softmax, [INF, 1, INF], [0.5, 0, 0.5], [0, 0, 0]),
    Case(
        "softmax down columns with infinities",
        lambda x: wg.softmax(x, axis=0),
        [[INF, -INF, 0, NAN], [INF, -INF, 0, 1], [0, -INF, INF, 1], [0, -INF, -INF, 1]],
        [[0.5, 0, 0, NAN], [0.5, 0, 0, NAN], [0, 0, 1, NAN], [0, 0, 0, NAN]],
        [[0, 0, 0, NAN], [0, 0, 0, NAN], [0, 0, 0, NAN], [0, 0, 0, NAN]],
    ),
    Case("log_softmax of -inf", wg.log_softmax, [-INF, -INF], [-INF, -INF], [1, 1]),
    Case(
        "log_softmax with inf",
        wg.log_softmax,
        [[INF, 1], [INF, INF]],
        [[0, -INF], [-0.6931471805599453, -0.6931471805599453]],
        [[-1, 1], [0, 0]],
    ),
    Case(
        "log_softmax, huge",
        lambda x: wg.log_softmax(x)[1],
        [1000.0, 0],
        -1000,
        [-1, 1],
    ),
    Case(
        "cross entropy, huge",
        lambda x: wg.softmax_cross_entropy(x, [1, 0]),
        [[1000.0, -1000], [1000, -1000]],
        [2000, 0],
        [[1, -1], [0, 0]],
    ),
    Case(
        "cross entropy with infinities",
        lambda x: wg.softmax_cross_entropy(x, [0, 1, 0, 1]),
        [[INF, 1], [INF, 1], [INF, INF], [-INF, -INF]],
        [0, INF, 0.6931471805599453, INF],
        [[0, 0], [1, -1], [-0.5, 0.5], [0, -1]],
    ),
    Case(
        "cross entropy with -inf",
        lambda x: wg.softmax_cross_entropy(x, [0]),
        [[0.0, -INF]],
        [0],
        [[0, 0]],
    ),
    Case(
        "sigmoid at the ends",
        wg.sigmoid,
        [1000.0, -1000, INF, -INF],
        [1, 0, 1, 0],
        [0, 0, 0, 0],
    ),
    Case("tanh at the ends", wg.tanh, [1000.0, -INF], [1, -1], [0, 0]),
    Case(
        "softplus at the ends",
        wg.softplus,
        [1000.0, -1000, INF, -INF],
        [1000, 0, INF, 0],
        [1, 0, 1, 0],
    ),
    Case("exp at the ends", wg.exp, [1000.0, -1000], [INF, 0], [INF, 0]),
    # --- NaN, as NumPy ----------------------------------------------------------------
    Case("relu of NaN", wg.relu, [NAN], [NAN], [0]),
    Case("sigmoid of NaN", wg.sigmoid, [NAN], [NAN], [NAN]),
    Case("softplus of NaN", wg.softplus, [NAN], [NAN], [NAN]),
    Case("log of a negative", wg.log, [-1.0], [NAN], [-1]),
    Case("sqrt of a negative", wg.sqrt, [-1.0], [NAN], [NAN]),
    Case("max with NaN", lambda x: wg.max(x) > 0, [1.0, NAN, 2], False),
    Case("argmax with NaN", wg.argmax, [1.0, NAN, 2], 1, why="NumPy's NaN is largest"),
    Case("NaN equals nothing", lambda x: x == x, [NAN, 1.0], [False, True]),
    Case(
        "multiply_no_nan",
        lambda x: wg.multiply_no_nan(x, INF),
        [0.0, 2],
        [0, INF],
        [INF, INF],
    ),
    Case("0 / 0", lambda x: x / 0, [0.0, 1, -1], [NAN, INF, -INF], [INF, INF, INF]),
    # --- Nothing ---------------------------------------------------------------
    Case("sum of nothing", wg.sum, [], 0, []),
    Case("mean of nothing", wg.mean, [], NAN, []),
    # --- Integers --------------------------------------------------------------
    Case("integers wrap", lambda x: x * 4, [2**62, 3], [0, 12], why="as in NumPy"),
    Case("abs of the lowest", abs, [-(2**63)], [-(2**63)], why="as in NumPy"),
    Case("integer power", lambda x: x**3, [-2, 0, 5], [-8, 0, 125]),
    Case("integer quotient", lambda x: x / 2, [1, 3], [0.5, 1.5]),
    Case("0 ** 0 of integers", lambda x: x**0, [0], [1]),
]
