"""The rows of choices and casts."""

from __future__ import annotations

from typing import Any

import numpy as np
import wengert as wg

from tests.python.ops.operands import BINARY, UNARY, mask, off_zero, reals, whole
from tests.python.ops.table.row import Row


def rows() -> list[Row]:
    return [*_choices(), *_casts()]


def _choices() -> list[Row]:
    shapes = (
        *((a, a, b) for a, b in BINARY if a == b),
        ((2, 3), (3,), ()),
        ((2, 1), (3,), (2, 3)),
        ((), (2, 3), (3,)),
    )

    def where(c: Any, a: Any, b: Any) -> Any:
        return np.where(np.asarray(c, bool), a, b)

    return [
        Row(
            "where",
            "rules",
            wg.where,
            where,
            (mask, reals, reals),
            shapes,
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
    ]


def _casts() -> list[Row]:
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

    return [through("float32"), through("float64"), cast("int64"), cast("bool")]
