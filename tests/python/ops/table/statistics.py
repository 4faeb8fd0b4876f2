"""Rows of the reductions beyond sums and maxima, of running sums, and of order."""

from __future__ import annotations

from typing import Any

import numpy as np
import wengert as wg
from wengert import Tensor

from tests.python.ops.operands import (
    AXES,
    SUMS,
    Array,
    Draw,
    Shape,
    distinct,
    off_zero,
    reals,
    whole,
    whole_floats,
)
from tests.python.ops.table.row import Row

CHOICES: tuple[tuple[Any, bool], ...] = (
    (None, False),
    (0, False),
    (-1, True),
    ((0, 1), False),
    ((-1, 0), True),
    ((), False),
)


def _fitting(shapes: Any, axis: Any) -> Any:
    several = isinstance(axis, tuple) and len(axis) > 1
    fits = tuple(s for s in shapes if not several or len(s[0]) > 1)
    return (*fits, ((),)) if axis in (None, ()) else fits


def _reduction(
    op: str,
    tier: str,
    call: Any,
    reference: Any,
    draw: Draw,
    shapes: Any,
    axis: Any,
    keepdims: bool,
    note: str = "",
    **fields: Any,
) -> Row:
    options = {"axis": axis, "keepdims": keepdims}
    return Row(
        op,
        tier,
        lambda x: call(x, **options),
        lambda x: reference(x, **options),
        (draw,),
        _fitting(shapes, axis),
        f"{note} axis {axis}".strip() + (" kept" if keepdims else ""),
        ulps=64,
        **fields,
    )


def signs(rng: np.random.Generator, shape: Shape) -> Array:
    """Draw factors near 1 in magnitude, so that long products stay in range."""
    return np.asarray(rng.choice([-1.25, -1.0, -0.75, 0.75, 1.0, 1.25], shape))


def with_zeros(rng: np.random.Generator, shape: Shape) -> Array:
    return np.asarray(rng.choice([-1.25, 0.0, 0.75, 1.0, 1.25], shape))


def apart(rng: np.random.Generator, shape: Shape) -> Array:
    """Draw numbers above 0 without ties."""
    return np.asarray(distinct(rng, shape) + np.prod(shape) / 32 + 1 / 32)


SHORT = (((5,),), ((2, 3),), ((2, 3, 4),), ((1, 1),), ((7, 4),))
SHORT_SUMS = (*SHORT, ((3, 0),), ((0, 2),), ((2, 0, 3),))


def norm(order: float) -> Any:
    def reference(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
        x = np.abs(x if x.dtype.kind == "f" else x.astype(np.float64))
        if order == np.inf:
            return np.asarray(np.max(x, axis=axis, keepdims=keepdims))
        if order == -np.inf:
            return np.asarray(np.min(x, axis=axis, keepdims=keepdims))
        if order == 0:
            count = np.sum(x != 0, axis=axis, keepdims=keepdims)
            return np.asarray(count, dtype=x.dtype)
        powers = np.sum(x**order, axis=axis, keepdims=keepdims)
        return np.asarray(powers ** (1 / order), dtype=x.dtype)

    return reference


def _reductions() -> list[Row]:
    def norms(order: float, op: str, tier: str, **fields: Any) -> list[Row]:
        return [
            _reduction(
                op,
                tier,
                lambda x, **options: wg.norm(x, order, **options),
                norm(order),
                apart if np.isinf(order) else off_zero,
                AXES,
                axis,
                keepdims,
                f"norm {order}",
                integers=(whole,),
                **fields,
            )
            for axis, keepdims in ((None, False), (-1, True), ((0, 1), False))
        ]

    rows: list[Row] = []
    for axis, keepdims in CHOICES:
        at = (axis, keepdims)
        ints: dict[str, Any] = {"integers": (whole,), "booleans": True}
        rows += [
            _reduction("min", "rules", wg.min, np.min, distinct, AXES, *at, **ints),
            _reduction(
                "prod", "rules", wg.prod, np.prod, signs, SHORT_SUMS, *at, **ints
            ),
            _reduction(
                "prod", "rules", wg.prod, np.prod, with_zeros, SHORT, *at, "zeros"
            ),
            _reduction(
                "mean", "linear", wg.var, np.var, reals, AXES, *at, "var", **ints
            ),
            _reduction(
                "take_along_axis",
                "linear",
                wg.median,
                np.median,
                distinct,
                SHORT,
                *at,
                "median",
                integers=(whole,),
            ),
            _reduction(
                "greater",
                "compare",
                wg.any,
                np.any,
                whole_floats,
                SUMS,
                *at,
                "any",
                gradient=False,
                **ints,
            ),
            _reduction(
                "equal",
                "compare",
                wg.all,
                np.all,
                whole_floats,
                SUMS,
                *at,
                "all",
                gradient=False,
                **ints,
            ),
            _reduction(
                "sum",
                "linear",
                wg.count_nonzero,
                np.count_nonzero,
                whole_floats,
                SUMS,
                *at,
                "count",
                gradient=False,
                **ints,
            ),
        ]
        if axis != ():  # The root of a variance of zero has a kink.
            rows.append(
                _reduction(
                    "norm",
                    "rules",
                    wg.std,
                    np.std,
                    distinct,
                    AXES[:-2],
                    *at,
                    "std",
                    **ints,
                )
            )
    rows += norms(2, "norm", "rules")
    rows += norms(1, "abs", "elementwise")
    rows += norms(np.inf, "max", "rules")
    rows += norms(-np.inf, "min", "rules")
    rows += norms(3, "power", "elementwise")
    rows += norms(0.5, "power", "elementwise")
    rows += norms(0, "sum", "linear", gradient=False)
    rows += [
        Row(
            "mean",
            "linear",
            lambda x: wg.var(x, axis=0, ddof=1),
            lambda x: np.var(x, axis=0, ddof=1),
            (reals,),
            AXES[:-2],
            "var ddof",
            ulps=64,
        ),
        Row(
            "norm",
            "rules",
            lambda x: x.std(axis=0, ddof=1, keepdims=True),
            lambda x: x.std(axis=0, ddof=1, keepdims=True),
            (distinct,),
            AXES[:-2],
            "method",
            plain=False,
            ulps=64,
        ),
    ]
    for axis, keepdims in ((None, False), (0, False), (-1, True), (None, True)):
        rows.append(
            Row(
                "argmax",
                "constant",
                lambda x, axis=axis, keepdims=keepdims: wg.argmin(
                    x, axis=axis, keepdims=keepdims
                ),
                lambda x, axis=axis, keepdims=keepdims: np.argmin(
                    x, axis=axis, keepdims=keepdims
                ),
                (whole_floats,),
                (*AXES, ((),)) if axis is None else AXES,
                f"argmin axis {axis}" + (" kept" if keepdims else ""),
                integers=(whole,),
                booleans=True,
                gradient=False,
            )
        )
    return rows


def logcumsumexp(x: Array, axis: Any = None) -> Array:
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    if axis is None:
        x, axis = x.ravel(), 0
    return np.asarray(np.logaddexp.accumulate(x, axis=axis))


def recurrence(rate: Any, x: Any) -> Any:
    """Reach the derivative of a running product: `x` is its cotangent."""
    if not isinstance(rate, Tensor):
        x = np.broadcast_to(x, rate.shape)
        out = np.zeros_like(x)
        before = np.cumprod(rate, axis=0) / rate
        running = np.zeros_like(x[0]) if len(x) else x
        for k in reversed(range(len(x))):
            running = x[k] + (rate[k + 1] * running if k + 1 < len(x) else 0)
            out[k] = running
        return before * out
    loss = (wg.cumprod(rate, axis=0) * x).sum()
    return loss.grad(record=True).wrt(rate)


def _running() -> list[Row]:
    def row(op: str, tier: str, reference: Any, draw: Draw, axis: Any) -> Row:
        shapes = (*SHORT_SUMS, ((33,),)) if op == "cumprod" else (*SUMS, ((33,),))
        return Row(
            op,
            tier,
            lambda x: getattr(wg, op)(x, axis=axis),
            lambda x: reference(x, axis=axis),
            (draw,),
            (*shapes, ((),)) if axis is None else shapes,
            f"axis {axis}",
            integers=(whole,),
            booleans=op != "logcumsumexp",
            ulps=256,
        )

    return [
        *(row("cumsum", "linear", np.cumsum, reals, axis) for axis in (None, 0, -1)),
        *(row("cumprod", "rules", np.cumprod, signs, axis) for axis in (None, 0, -1)),
        *(
            row("logcumsumexp", "rules", logcumsumexp, reals, axis)
            for axis in (None, 0, -1)
        ),
        Row(
            "cumprod",
            "rules",
            lambda x: x.cumprod(0),
            lambda x: x.cumprod(0),
            (with_zeros,),
            SHORT,
            "zeros",
            plain=False,
            ulps=64,
        ),
        Row(
            "recurrence",
            "rules",
            recurrence,
            recurrence,
            (signs, reals),
            (((5,), ()), ((4, 3), (3,)), ((1, 2), (2,))),
            plain=False,
            ulps=256,
        ),
    ]


def _order() -> list[Row]:
    def order(axis: Any) -> Row:
        return Row(
            "argsort",
            "constant",
            lambda x: wg.argsort(x, axis=axis),
            lambda x: np.argsort(x, axis=axis, kind="stable"),
            (whole_floats,),
            SUMS,
            f"axis {axis}",
            integers=(whole,),
            booleans=True,
            gradient=False,
        )

    def ordered(axis: Any) -> Row:
        return Row(
            "take_along_axis",
            "linear",
            lambda x: wg.sort(x, axis=axis),
            lambda x: np.sort(x, axis=axis),
            (distinct,),
            SUMS,
            f"sort axis {axis}",
            integers=(whole,),
            booleans=True,
        )

    def largest(x: Any) -> Any:
        if isinstance(x, Tensor):
            return wg.topk(x, 2, axis=0)[0]
        return np.flip(np.sort(x, axis=0), 0)[:2]

    def add_along(x: Any) -> Any:
        """Reach the transpose of a sort."""
        if not isinstance(x, Tensor):
            return x[::-1]
        y = x.record.tensor_from_value(np.arange(len(x), 0, -1).astype(x.dtype))
        return (wg.sort(y, axis=0) * x).sum().grad(record=True).wrt(y)

    counted = np.array([1, 0, 3, 1, 1])
    return [
        *(order(axis) for axis in (None, 0, -1)),
        *(ordered(axis) for axis in (None, 0, -1)),
        Row(
            "take_along_axis",
            "linear",
            largest,
            largest,
            (distinct,),
            (((5,),), ((2, 3),), ((4, 3, 2),)),
            "topk",
            integers=(whole,),
            plain=False,
        ),
        Row(
            "add_along_axis",
            "linear",
            add_along,
            add_along,
            (reals,),
            (((5,),), ((33,),), ((1,),)),
            plain=False,
        ),
        Row(
            "scatter_add",
            "linear",
            lambda x: wg.bincount(counted, x, 6),
            lambda x: np.bincount(counted, x, 6).astype(x.dtype),
            (reals,),
            (((5,),),),
            "bincount",
            plain=False,
        ),
    ]


ROWS = [*_reductions(), *_running(), *_order()]
