"""Operands that are repeated or transposed."""

from __future__ import annotations

import re
from functools import partial

import numpy as np

from benches.python.libraries import Library, Task
from benches.python.work import Case

SIDE = 1000
PEERS = ("numpy", "torch", "jax")
CODES = {
    "add a row": "x + row",
    "add a column": "x + column",
    "times a row": "x * row",
    "times a column": "x * column",
    "add transposed": "x + y.T",
    "times transposed": "x.T * y",
    "both transposed": "x.T + y.T",
    "exp of transposed": "exp(x.T)",
    "sum of transposed": "sum(x.T, 0)",
}


def task(code: str, library: Library) -> Task:
    """Prepare the operands that the expression names."""
    rng = np.random.default_rng(7)
    shapes = {
        "x": (SIDE, SIDE),
        "y": (SIDE, SIDE),
        "row": (SIDE,),
        "column": (SIDE, 1),
    }
    inputs = {
        name: rng.standard_normal(shape).astype(np.float32)
        for name, shape in shapes.items()
        if name in re.findall(r"\w+", code)
    }
    return library.statement(code, inputs, 1)


CASES = [
    Case(f"layout/{name}", SIDE * SIDE, PEERS, "call", partial(task, code))
    for name, code in CODES.items()
]
