"""All rows of the table of ops."""

from __future__ import annotations

from tests.python.ops import (
    table,
    table_arrange,
    table_elementwise,
    table_statistics,
)
from tests.python.ops.table import Row

ROWS: list[Row] = [
    *table.ROWS,
    *table_elementwise.ROWS,
    *table_statistics.ROWS,
    *table_arrange.ROWS,
]
