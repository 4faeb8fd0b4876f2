"""One op on a few elements, called in a loop: what calling costs."""

from __future__ import annotations

from functools import partial

import numpy as np

from benches.python.libraries import Library, Task
from benches.python.work import Case

# Nodes that are recorded before they are dropped.
CALLS = 1000
OPS = {"plus": "x + y", "multiply": "multiply(x, y)", "exp": "exp(x)"}


def task(size: int, code: str, library: Library) -> Task:
    """Prepare an op."""
    x = np.linspace(0.5, 1.5, size, dtype=np.float32)
    return library.statement(code, {"x": x, "y": x[::-1].copy()}, CALLS)


CASES = [
    Case(f"op/{name}/{size}", size, ("numpy",), "call", partial(task, size, code))
    for name, code in OPS.items()
    for size in (1, 16, 64, 256)
]
