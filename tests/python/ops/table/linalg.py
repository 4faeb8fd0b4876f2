"""The rows of the matrix product."""

from __future__ import annotations

import numpy as np
import wengert as wg

from tests.python.ops.operands import reals, whole
from tests.python.ops.table.row import Row


def rows() -> list[Row]:
    shapes = (
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
    row = Row(
        "matmul",
        "linear",
        wg.matmul,
        np.matmul,
        (reals, reals),
        shapes,
        integers=(whole, whole),
        booleans=True,
        ulps=64,
    )
    return [row]
