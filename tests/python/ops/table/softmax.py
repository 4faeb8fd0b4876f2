"""The rows of softmax and its cross entropy."""

from __future__ import annotations

from typing import Any

import wengert as wg

from tests.python.ops.operands import (
    SUMS,
    label,
    log_softmax,
    reals,
    softmax,
    softmax_cross_entropy,
    whole,
)
from tests.python.ops.table.row import Row


def rows() -> list[Row]:
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
