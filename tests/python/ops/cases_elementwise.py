"""Special points of the elementwise ops beyond the common ones."""

from __future__ import annotations

import math

import numpy as np
import wengert as wg

from .cases import INF, NAN, Case, kept

HALF = 0.5

CASES = [
    # --- Kinks and steps --------------------------------------------------------------
    Case("sign at 0", wg.sign, [-2.0, 0, -0.0, 2], [-1, 0, 0, 1], [0, 0, 0, 0]),
    Case("sign of NaN", wg.sign, [NAN], [NAN], [0]),
    Case("floor", wg.floor, [-1.5, -1, 0, 1.5], [-2, -1, 0, 1], [0, 0, 0, 0]),
    Case("ceil", wg.ceil, [-1.5, -1, 0, 1.5], [-1, -1, 0, 2], [0, 0, 0, 0]),
    Case("trunc", wg.trunc, [-1.5, 1.5], [-1, 1], [0, 0]),
    Case("rint to even", wg.rint, [-1.5, 0.5, 1.5, 2.5], [-2, 0, 2, 2], [0, 0, 0, 0]),
    Case("round", lambda x: wg.round(x, 1), [0.25, 1.35], [0.2, 1.4], [0, 0]),
    Case("round of tens", lambda x: wg.round(x, -1), [15.0, 24], [20, 20], [0, 0]),
    Case("round of integers", lambda x: wg.round(x, -1), [15, 24], [20, 20]),
    Case(
        "clip at its bounds",
        lambda x: wg.clip(x, 0, 1),
        [-1.0, 0, 0.5, 1, 2],
        [0, 0, 0.5, 1, 1],
        [0, 1, 1, 1, 0],
        why="inclusive",
    ),
    Case(
        "clip between exchanged bounds",
        lambda x: wg.clip(x, 1, 0),
        [-1.0, 0.5, 2],
        [0, 0, 0],
        [0, 0, 0],
    ),
    Case(
        "clip, the bound's share",
        lambda x: wg.clip(x * 0 + 0.5, x, None),
        [0.0, 0.5, 1],
        [0.5, 0.5, 1],
        [0, 0, 1],
    ),
    Case("clip of NaN", lambda x: wg.clip(x, 0, 1) > 5, [NAN], [False]),
    Case("hardtanh", wg.hardtanh, [-2.0, -1, 1, 2], [-1, -1, 1, 1], [0, 1, 1, 0]),
    Case(
        "fmax at a tie", lambda x: wg.fmax(x, 1), [0.0, 1, 2], [1, 1, 2], [0, HALF, 1]
    ),
    Case(
        "fmin at a tie", lambda x: wg.fmin(x, 1), [0.0, 1, 2], [0, 1, 1], [1, HALF, 0]
    ),
    Case("fmax of NaN", lambda x: wg.fmax(x, 1), [NAN, 2], [1, 2], [0, 1]),
    Case("fmax with NaN", lambda x: wg.fmax(x, NAN), [-1.0, 2], [-1, 2], [1, 1]),
    Case("fmin of NaN", lambda x: wg.fmin(1, x), [NAN, -2], [1, -2], [0, 1]),
    Case("elu at 0", lambda x: wg.elu(x, 2), [0.0, 1], [0, 1], [2, 1]),
    Case(
        "copysign at 0",
        lambda x: wg.copysign(x, -1),
        [0.0, -2, 3],
        [-0.0, -2, -3],
        [0, 1, -1],
    ),
    # --- Remainders -------------------------------------------------------------------
    Case("remainder", lambda x: x % 3, [-7.0, 7, 3], [2, 1, 0], [1, 1, 1]),
    Case("remainder of -3", lambda x: x % -3, [-7.0, 7], [-1, -2], [1, 1]),
    Case(
        "remainder, its divisor",
        lambda x: wg.remainder(7, x),
        [2.0, -2],
        [1, -1],
        [-3, 4],
    ),
    Case("fmod", lambda x: wg.fmod(x, 3), [-7.0, 7], [-1, 1], [1, 1]),
    Case(
        "fmod, its divisor",
        lambda x: wg.fmod(7, x),
        [2.0, -2],
        [1, 1],
        [-3, 3],
    ),
    Case("remainder by 0", lambda x: x % 0, [1.0], [NAN], [1]),
    Case("integer remainder by 0", lambda x: x % 0, [5, -5], [0, 0], why="as NumPy"),
    # --- The plane --------------------------------------------------------------------
    Case("hypot at 0", lambda x: wg.hypot(x, 0), [0.0, -3], [0, 3], [0, -1]),
    Case(
        "hypot does not overflow",
        lambda x: wg.hypot(x, 1e30) / 1e30,
        [1e30],
        [math.sqrt(2)],
        [math.sqrt(HALF) / 1e30],
        rtol_single=1e-6,
    ),
    Case(
        "arctan2 at 0", lambda x: wg.arctan2(x, 0), [0.0, 2], [0, math.pi / 2], [0, 0]
    ),
    Case(
        "arctan2 behind",
        lambda x: wg.arctan2(x, -1),
        [0.0, -0.0],
        [math.pi, -math.pi],
        [-1, -1],
    ),
    Case(
        "logaddexp at the ends",
        lambda x: wg.logaddexp(x, 0),
        [1000.0, -1000, -INF],
        [1000, 0, 0],
        [1, 0, 0],
    ),
    Case("logaddexp of -inf", lambda x: wg.logaddexp(x, -INF), [-INF], [-INF], [NAN]),
    # --- Poles and ends ---------------------------------------------------------------
    Case("log2 at 0", wg.log2, [0.0, 8], [-INF, 3], [INF, 0.18033688011112042]),
    Case("log10 at 0", wg.log10, [0.0, 100], [-INF, 2], [INF, 0.004342944819032518]),
    Case(
        "log2 at 0, unused",
        lambda x: kept(wg.log2(x)),
        [0.0, 1],
        [0, 0],
        [0, 1.4426950408889634],
        [NAN, 1.4426950408889634],
    ),
    Case("arcsin at 1", wg.arcsin, [1.0, 0], [math.pi / 2, 0], [INF, 1]),
    Case(
        "arcsin at 1, unused",
        lambda x: kept(wg.arcsin(x)),
        [1.0, 0],
        [0, 0],
        [0, 1],
        [NAN, 1],
    ),
    Case("arccos at -1", wg.arccos, [-1.0, 0], [math.pi, math.pi / 2], [-INF, -1]),
    Case("arccosh at 1", wg.arccosh, [1.0], [0], [INF]),
    Case("arccosh below 1", wg.arccosh, [0.5, -1.5, -8192.0], [NAN, NAN, NAN]),
    Case("arctanh at 1", wg.arctanh, [1.0, 0], [INF, 0], [INF, 1]),
    Case(
        "arctan at the ends",
        wg.arctan,
        [INF, -INF],
        [math.pi / 2, -math.pi / 2],
        [0, 0],
    ),
    Case(
        "arcsinh of what overflows squared",
        wg.arcsinh,
        [1e30],
        [69.77069997038132],
        [1e-30],
    ),
    Case(
        "erf at the ends",
        wg.erf,
        [INF, -INF, 0],
        [1, -1, 0],
        [0, 0, 1.1283791670955126],
    ),
    Case("erfc at the ends", wg.erfc, [INF, -INF], [0, 2], [0, 0]),
    Case("reciprocal at 0", wg.reciprocal, [0.0, 2], [INF, HALF], [-INF, -0.25]),
    *(
        Case(
            f"{name} at the ends",
            getattr(wg, name),
            [-INF, INF, 0.0],
            [0, INF, 0],
            [0, 1, slope],
        )
        for name, slope in (
            ("gelu", HALF),
            ("gelu_tanh", HALF),
            ("silu", HALF),
            ("mish", 0.6),
        )
    ),
    Case("gelu of NaN", wg.gelu, [NAN], [NAN], [NAN]),
    # --- Tests and replacements -------------------------------------------------------
    Case("isnan", wg.isnan, [NAN, INF, 0], [True, False, False]),
    Case("isinf", wg.isinf, [NAN, INF, -INF, 0], [False, True, True, False]),
    Case("isfinite", wg.isfinite, [NAN, INF, -INF, 0], [False, False, False, True]),
    Case("isfinite of integers", wg.isfinite, [1, -(2**63)], [True, True]),
    Case(
        "nan_to_num",
        lambda x: wg.nan_to_num(x, nan=3, posinf=4, neginf=5),
        [NAN, INF, -INF, 2],
        [3, 4, 5, 2],
        [0, 0, 0, 1],
    ),
    Case(
        "nan_to_num by default",
        lambda x: wg.nan_to_num(x) == np.finfo(x.dtype).max,
        [NAN, INF, 1],
        [False, True, False],
    ),
    # --- Bits -------------------------------------------------------------------------
    Case("shift beyond the width", lambda x: x << 64, [1, -1], [0, 0], why="as NumPy"),
    Case("shift down beyond it", lambda x: x >> 64, [1, -1], [0, -1], why="as NumPy"),
    Case("not of truth values", lambda x: ~x, [True, False], [False, True]),
]
