"""Special points of reductions beyond sums and maxima, of running sums, of order."""

from __future__ import annotations

import wengert as wg

from .cases import INF, NAN, Case

LOG_2 = 0.6931471805599453

CASES = [
    Case("min at a tie", wg.min, [1.0, 3, 1], 1, [0.5, 0, 0.5]),
    Case("gradient of max with NaN", wg.max, [1.0, NAN], NAN, [NAN, NAN]),
    Case("gradient of min with NaN", wg.min, [1.0, NAN], NAN, [NAN, NAN]),
    Case("maximum with NaN", lambda x: wg.maximum(x, 2), [1.0, NAN], [2, NAN], [0, 0]),
    Case("minimum with NaN", lambda x: wg.minimum(x, 0), [1.0, NAN], [0, NAN], [0, 0]),
    Case("min with NaN", lambda x: wg.isnan(wg.min(x)), [1.0, NAN, 2], True),
    Case("argmin at a tie", wg.argmin, [3.0, 1, 1], 1, why="the first counts"),
    Case("argmin with NaN", wg.argmin, [1.0, NAN, 2], 1, why="as NumPy"),
    Case("argmin of the lowest integer", wg.argmin, [0, -(2**63), 5], 1),
    Case("argmin of truth values", wg.argmin, [True, False], 1),
    # --- Products with zeros ----------------------------------------------------------
    Case("prod with a zero", wg.prod, [2.0, 0, 3], 0, [0, 6, 0]),
    Case("prod with two zeros", wg.prod, [2.0, 0, 0], 0, [0, 0, 0]),
    Case("prod of nothing", wg.prod, [], 1, []),
    Case(
        "prod over axes, a zero",
        lambda x: wg.prod(x, axis=0),
        [[0.0, 2], [3, 4]],
        [0, 8],
        [[3, 4], [0, 2]],
    ),
    Case("cumprod with a zero", wg.cumprod, [2.0, 0, 3], [2, 0, 0], [1, 8, 0]),
    # --- Lengths at 0 -----------------------------------------------------------------
    Case("norm at 0", wg.norm, [0.0, 0], 0, [0, 0]),
    Case("norm", wg.norm, [3.0, -4], 5, [0.6, -0.8]),
    Case("norm 1", lambda x: wg.norm(x, 1), [3.0, 0, -4], 7, [1, 0, -1]),
    Case("norm 3 at 0", lambda x: wg.norm(x, 3), [0.0, 0], 0, [0, 0]),
    Case("norm 3 beside 0", lambda x: wg.norm(x, 3), [0.0, -2], 2, [0, -1]),
    Case("norm 0.5 beside 0", lambda x: wg.norm(x, 0.5), [0.0, 2], 2, [0, 1]),
    Case("norm -1 with 0", lambda x: wg.norm(x, -1), [0.0, 2], 0, [0, 0]),
    Case("norm 0", lambda x: wg.norm(x, 0), [0.0, 2, -1], 2),
    Case("norm inf", lambda x: wg.norm(x, INF), [1.0, -3], 3, [0, -1]),
    Case("norm -inf", lambda x: wg.norm(x, -INF), [1.0, -3], 1, [1, 0]),
    Case("norm inf at a tie", lambda x: wg.norm(x, INF), [3.0, -3], 3, [0.5, -0.5]),
    Case("norm 1 of nothing", lambda x: wg.norm(x, 1), [], 0, []),
    Case("norm 3 of nothing", lambda x: wg.norm(x, 3), [], 0, []),
    Case("norm inf of nothing", lambda x: wg.norm(x, INF), [], 0, []),
    Case("norm -1 of nothing", lambda x: wg.norm(x, -1), [], INF, []),
    Case(
        "norm -inf at a tie",
        lambda x: wg.norm(x, -INF),
        [2.0, -2, 3],
        2,
        [0.5, -0.5, 0],
    ),
    Case("std at 0", wg.std, [2.0, 2], 0, [0, 0]),
    Case("std", wg.std, [1.0, 3], 1, [-0.5, 0.5]),
    Case("var", wg.var, [1.0, 3], 1, [-1, 1]),
    Case("var of one, ddof 1", lambda x: wg.var(x, ddof=1) > 0, [1.0], False),
    Case("var far from 0", wg.var, [1e6 - 1, 1e6 + 1], 1, [-1, 1]),
    Case("median at a tie", wg.median, [2.0, 2, 2, 1], 2, [0.5, 0.5, 0, 0]),
    Case("median with NaN", wg.median, [2.0, NAN, 1], NAN, [0, 1, 0]),
    # --- Running sums -----------------------------------------------------------------
    Case(
        "logcumsumexp, huge",
        wg.logcumsumexp,
        [1000.0, 1000],
        [1000, 1000 + LOG_2],
        [1.5, 0.5],
        # The difference of two results near 1000 has lost digits.
        rtol=1e-12,
        rtol_single=1e-4,
    ),
    Case(
        "logcumsumexp, far apart",
        wg.logcumsumexp,
        [0.0, 1000, 0],
        [0, 1000, 1000],
        [1, 2, 0],
    ),
    Case(
        "logcumsumexp after -inf",
        lambda x: wg.logcumsumexp(x)[1:],
        [-INF, 0.0, 0],
        [0, LOG_2],
        [0, 1.5, 0.5],
    ),
    Case(
        "logcumsumexp of -inf",
        wg.logcumsumexp,
        [-INF, -INF, 0.0, 0],
        [-INF, -INF, 0, LOG_2],
        [0, 0, 1.5, 0.5],
        why="as logsumexp: what has no weight gets nothing",
    ),
    Case(
        "logcumsumexp from inf on",
        wg.logcumsumexp,
        [0.0, INF, INF],
        [0, INF, INF],
        [1, 2, 1],
    ),
    Case("cumsum of truth values", wg.cumsum, [True, True], [1, 2]),
    # --- Order ------------------------------------------------------------------------
    Case("sort with NaN", lambda x: wg.isnan(wg.sort(x)), [NAN, 1.0], [False, True]),
    Case("argsort is stable", wg.argsort, [2.0, 1, 2, 1], [1, 3, 0, 2]),
    Case("argsort of signed zeros", wg.argsort, [0.0, -0.0], [0, 1], why="equal"),
    Case("topk", lambda x: wg.topk(x, 2)[0], [1.0, 3, 2], [3, 2], [0, 1, 1]),
    Case("topk at a tie", lambda x: wg.topk(x, 1)[1], [3.0, 3], [0]),
    Case("median of two", wg.median, [1.0, 2], 1.5, [0.5, 0.5]),
    Case("median of three", wg.median, [5.0, 1, 2], 2, [0, 0, 1]),
    Case("median with NaN", lambda x: wg.isnan(wg.median(x)), [1.0, NAN, 2], True),
    Case("median of nothing", lambda x: wg.isnan(wg.median(x)), [], True),
    Case("unique", wg.unique, [3.0, 1, 3, NAN, NAN], [1, 3, NAN]),
    Case("bincount", wg.bincount, [1, 3, 1], [0, 2, 0, 1]),
    Case("any of nothing", wg.any, [], False),
    Case("all of nothing", wg.all, [], True),
    Case("any of NaN", wg.any, [NAN, 0.0], True, why="NaN differs from 0"),
]
