"""NumPy: the values alone."""

from __future__ import annotations

import numpy as np

from benches.python.libraries import (
    Arrays,
    Function,
    Library,
    Network,
    Task,
    loop,
    named,
    timed,
)
from benches.python.libraries._arrays import functions


class NumPy:
    """The methods of `Library` that need no gradient."""

    name = "numpy"
    functions = functions(np)

    def describe(self) -> dict[str, str]:
        """Give NumPy's version and that of its matrix products."""
        return {"NumPy": np.__version__, "NumPy's products": products()}

    def statement(self, code: str, inputs: Arrays, calls: int) -> Task:
        """Time the expression."""
        names = {**vars(self.functions), **inputs}

        def outputs() -> Arrays:
            return {"value": np.asarray(eval(code, names))}

        return Task(outputs, loop(code, names, calls))

    def gradient(self, f: Function, leaves: Arrays, constants: Arrays) -> Task:
        """Time the function alone."""
        arguments = [*leaves.values(), *constants.values()]

        def forward() -> object:
            return f(self.functions, *arguments)

        return Task(
            lambda: named(forward(), {}),
            lambda times: {"forward": timed(forward, times)},
        )

    def training(self, network: Network) -> Task:
        """Refuse."""
        raise NotImplementedError

    def recurrence(self, nodes: int) -> Task:
        """Refuse."""
        raise NotImplementedError


def products() -> str:
    """Say which library computes matrix products, with the kernels that it chose."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return "unknown (threadpoolctl is not installed)"
    for found in threadpool_info():
        if found["user_api"] == "blas":
            name, kernels = found["internal_api"], found.get("architecture", "unknown")
            return f"{name} {found['version']}, {kernels} kernels"
    return "unknown"


def library() -> Library:
    """Give the methods."""
    return NumPy()
