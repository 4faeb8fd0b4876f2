"""A row for each op: how to call it, and what NumPy says of it.

The laws (`laws.py`) hold for every row. To cover a new op, add a row to the file named
like the op's own in `src/ops`.
"""

from __future__ import annotations

from tests.python.ops.table import (
    affine,
    arrange,
    convert,
    elementwise,
    elementwise_others,
    index,
    linalg,
    linear,
    network,
    patches,
    reduce,
    softmax,
    statistics,
    view,
)
from tests.python.ops.table.row import Row

__all__ = ["ROWS", "Row"]

SUBJECTS = (
    elementwise,
    convert,
    view,
    index,
    reduce,
    linalg,
    linear,
    softmax,
    affine,
    network,
    patches,
)

ROWS: list[Row] = [row for subject in SUBJECTS for row in subject.rows()]
ROWS += [*elementwise_others.ROWS, *statistics.ROWS, *arrange.ROWS]
