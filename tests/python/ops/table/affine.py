"""Rows of the layer in one op."""

from __future__ import annotations

from typing import Any

import numpy as np
import wengert as wg

from tests.python.ops.operands import Array, reals
from tests.python.ops.table.row import Row

ACTIVATIONS: dict[str | None, Any] = {
    None: lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}

SHAPES = (
    ((3, 4), (4, 2), (2,)),
    ((4,), (4, 2), (2,)),
    ((2, 3, 4), (4, 5), (5,)),
    ((1, 4), (4, 1), (1,)),
    ((0, 4), (4, 2), (2,)),
    ((3, 0), (0, 2), (2,)),
    ((2, 4), (4, 0), (0,)),
)
# So many values that some difference would step over the kink of relu.
LARGE = ((33, 20), (20, 17), (17,))


def row(activation: str | None) -> Row:
    """Make the row of one activation."""
    function = ACTIVATIONS[activation]

    def reference(x: Array, weight: Array, bias: Array) -> Any:
        return function(x @ weight + bias)

    return Row(
        "linear",
        "rules",
        lambda x, weight, bias: wg.linear(x, weight, bias, activation),
        reference,
        (reals, reals, reals),
        SHAPES if activation == "relu" else (*SHAPES, LARGE),
        activation or "",
        ulps=64,
    )


def rows() -> list[Row]:
    """Give a row for each activation."""
    return [row(activation) for activation in ACTIVATIONS]
