"""The rows of reductions over axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import wengert as wg

from tests.python.ops.operands import (
    AXES,
    SUMS,
    Draw,
    Shape,
    distinct,
    logsumexp,
    reals,
    whole,
    whole_floats,
)
from tests.python.ops.table.row import Row, moving


def rows() -> list[Row]:
    return [*_reductions(), *_argmax()]


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
        moving("sum", lambda x: x.sum(axis=1, keepdims=True), AXES[1:], "method"),
    ]


def _argmax() -> list[Row]:
    def row(axis: Any, keepdims: bool) -> Row:
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

    return [row(None, False), row(0, False), row(-1, True), row(None, True)]
