"""NaN, infinities and signed zeros: the values of elementwise ops are NumPy's."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from wengert import ComputationRecord

from tests.python import generated
from tests.python.ops.operands import BINARY, UNARY, Array
from tests.python.ops.table import ROWS, Row

NAN, INF = np.nan, np.inf
POINTS = (NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1e-30, -1e-30, 1e30, -700.0)
# NumPy leaves open which of two zeros is the larger, which the table's `elu` asks too;
# a product that is below all numbers of one type has a sign in a wider one.
EITHER_ZERO = {"maximum", "minimum", "fmax", "fmin", "clip_min", "clip_max", "relu"}
EITHER_ZERO |= {"elu", "silu", "mish"}
ELEMENTWISE = [
    row
    for row in ROWS
    if row.tier in ("elementwise", "compare") and row.shapes in (UNARY, BINARY)
]


def unlike(found: Array, wanted: Array, signs: bool) -> Iterator[Any]:
    """Give the positions at which the arrays differ."""
    rtol = 64 * float(np.finfo(found.dtype).eps) if found.dtype.kind == "f" else 0
    same = np.isclose(found, wanted, rtol=rtol, atol=0, equal_nan=True)
    if signs and found.dtype.kind == "f":
        zeros = (found == 0) & (wanted == 0)
        same &= ~zeros | (np.signbit(found) == np.signbit(wanted))
    return iter(np.flatnonzero(~same))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("row", ELEMENTWISE, ids=lambda row: row.name)
def test_values_at_special_points_are_numpys(row: Row, dtype: str) -> None:
    points = np.array(list(product(POINTS, repeat=len(row.draws))), dtype).T
    generated.count("special points", points.shape[1])
    rec = ComputationRecord()
    xs = [rec.tensor_from_value(x) for x in points]
    found = row.call(*xs).data()
    with np.errstate(all="ignore"):
        wanted = np.asarray(row.reference(*points.astype(np.float64)))
        wanted = wanted.astype(found.dtype)
    signs = row.op not in EITHER_ZERO
    wrong = [
        (points[:, k].tolist(), found[k], wanted[k])
        for k in unlike(found, wanted, signs)
    ]
    assert wrong == []
