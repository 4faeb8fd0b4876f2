"""The gradient of a simulation: Lotka and Volterra's equations by Runge–Kutta.

Scalars in float64, as a program that was written without a library in mind has them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benches.python.libraries import Library, Task
from benches.python.work import Case

STEPS = 500
STEP = 0.02
LEAVES = {"α": 1.5, "β": 1.0, "γ": 3.0, "δ": 1.0, "x": 1.0, "y": 1.0}


def simulate(f: Any, a: Any, b: Any, c: Any, d: Any, x: Any, y: Any) -> Any:
    """Give the populations at the end, added up."""

    def rates(x: Any, y: Any) -> tuple[Any, Any]:
        return x * (a - b * y), y * (d * x - c)

    def step(x: Any, y: Any) -> tuple[Any, Any]:
        half = 0.5 * STEP
        x1, y1 = rates(x, y)
        x2, y2 = rates(x + half * x1, y + half * y1)
        x3, y3 = rates(x + half * x2, y + half * y2)
        x4, y4 = rates(x + STEP * x3, y + STEP * y3)
        x_rate = x1 + 2.0 * (x2 + x3) + x4
        y_rate = y1 + 2.0 * (y2 + y3) + y4
        return x + STEP / 6.0 * x_rate, y + STEP / 6.0 * y_rate

    x, y = f.iterate(step, (x, y), STEPS)
    return x + y


def task(library: Library) -> Task:
    """Prepare the simulation."""
    leaves = {name: np.array(value) for name, value in LEAVES.items()}
    return library.gradient(simulate, leaves, {})


CASES = [
    Case(
        f"lotka_volterra/{STEPS}", 1, ("numpy", "autograd", "torch", "jax"), "run", task
    )
]
