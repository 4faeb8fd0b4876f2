"""Functions of one operand, from what fits the first cache to what fits none."""

from __future__ import annotations

from functools import partial

import numpy as np

from benches.python.libraries import Library, Task
from benches.python.work import Case, calls_of

FUNCTIONS = ("exp", "log", "tanh", "sigmoid", "sin")
SIZES = (1000, 10_000, 100_000, 1_000_000)
DTYPES = ("float32", "float64")
PEERS = ("numpy", "torch", "jax")


def task(function: str, size: int, dtype: str, library: Library) -> Task:
    """Prepare a function of normal numbers; those of the logarithm are positive."""
    x = 2 * np.random.default_rng(7).standard_normal(size)
    if function == "log":
        x = np.abs(x)
    inputs = {"x": x.astype(dtype)}
    return library.statement(f"{function}(x)", inputs, calls_of(size))


CASES = [
    Case(
        f"unary/{function}/{dtype}/{size}",
        size,
        PEERS,
        "call",
        partial(task, function, size, dtype),
    )
    for size in SIZES
    for dtype in DTYPES
    for function in FUNCTIONS
]
