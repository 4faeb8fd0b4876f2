"""Sums and norms of a matrix over each of its axes and over both."""

from __future__ import annotations

from functools import partial

import numpy as np

from benches.python.libraries import Library, Task
from benches.python.work import Case

SIDE = 1000
AXES = {"axis 0": 0, "axis 1": 1, "both axes": None}
DTYPES = ("float32", "float64")
PEERS = ("numpy", "torch", "jax")


def task(function: str, axis: int | None, dtype: str, library: Library) -> Task:
    """Prepare a reduction."""
    x = np.random.default_rng(7).standard_normal((SIDE, SIDE)).astype(dtype)
    return library.statement(f"{function}(x, {axis})", {"x": x}, 1)


CASES = [
    Case(
        f"reduction/{function}/{over}/{dtype}",
        SIDE * SIDE,
        PEERS,
        "call",
        partial(task, function, axis, dtype),
    )
    for dtype in DTYPES
    for function in ("sum", "norm")
    for over, axis in AXES.items()
]
