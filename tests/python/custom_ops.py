"""Custom ops that several tests use."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import CustomOp


def cube_on(*forms: str) -> CustomOp:
    """Make x³ with rules that work on arrays, on tensors, on both or on neither."""

    @wg.custom_op
    def cube(x: Any) -> Any:
        return x**3

    def rule(ct: Any, y: Any, x: Any) -> Any:
        return 3 * x**2 * ct

    if "arrays" in forms:
        cube.vjp(rule)
    if "tensors" in forms:
        cube.vjp(rule, on="tensors")
    return cube


FORMS = pytest.mark.parametrize(
    "cube",
    [cube_on("arrays"), cube_on("tensors"), cube_on("arrays", "tensors")],
    ids=["arrays", "tensors", "both"],
)


@wg.custom_op
def scaled(x: Any, w: Any, k: Any, *, power: int = 1) -> Any:
    """Give x * w**power, taken at the positions k along the last axis."""
    return (x * w**power)[..., k]


@scaled.vjp
def _(ct: Any, y: Any, x: Any, w: Any, k: Any, *, power: int = 1) -> Any:
    full = np.zeros(np.broadcast_shapes(x.shape, w.shape), ct.dtype)
    np.add.at(np.moveaxis(full, -1, 0), k, np.moveaxis(ct, -1, 0))
    rows = tuple(range(x.ndim - 1))
    slope = power * w ** (power - 1)
    return full * w**power, (full * x * slope).sum(axis=rows), None
