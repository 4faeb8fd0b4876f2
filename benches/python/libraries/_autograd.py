"""HIPS autograd."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import value_and_grad
from autograd.core import make_vjp

from benches.python.libraries import (
    Arrays,
    Function,
    Library,
    Network,
    Task,
    classify,
    links,
    named,
    recurrence,
    timed,
    trained,
)
from benches.python.libraries._arrays import functions


class Autograd:
    """The methods of `Library` that are about gradients."""

    name = "autograd"
    functions = functions(anp)

    def describe(self) -> dict[str, str]:
        """Give the version."""
        return {"autograd": version("autograd")}

    def statement(self, code: str, inputs: Arrays, calls: int) -> Task:
        """Refuse: without a gradient it is NumPy."""
        raise NotImplementedError

    def gradient(self, f: Function, leaves: Arrays, constants: Arrays) -> Task:
        """Time the function, and its gradient."""
        # Numbers, not arrays without axes, as its users have them.
        arguments = [x[()] for x in (*leaves.values(), *constants.values())]

        def forward(*values: object) -> object:
            return f(self.functions, *values)

        both = value_and_grad(forward, tuple(range(len(leaves))))

        def outputs() -> Arrays:
            value, gradients = both(*arguments)
            return named(value, dict(zip(leaves, gradients, strict=True)))

        def block(times: int) -> dict[str, float]:
            return {
                "forward": timed(lambda: forward(*arguments), times),
                "gradient": timed(lambda: both(*arguments), times),
            }

        return Task(outputs, block)

    def training(self, network: Network) -> Task:
        """Time a step of training."""
        f, rate = self.functions, network.rate
        parameters = list(network.parameters)

        def loss(parameters: Any) -> Any:
            logits = classify(f, parameters, network.x)
            return f.cross_entropy(logits, network.labels)

        gradient = value_and_grad(loss)

        def step() -> tuple[Any, Any]:
            value, gradients = gradient(parameters)
            parameters[:] = [
                (w - rate * dw, b - rate * db)
                for (w, b), (dw, db) in zip(parameters, gradients, strict=True)
            ]
            return value, gradients

        def outputs() -> Arrays:
            return trained(*step(), parameters)

        return Task(outputs, lambda times: {"step": timed(step, times)})

    def recurrence(self, nodes: int) -> Task:
        """Time a chain."""
        return recurrence(Chain(), nodes)


class Chain:
    """A chain of scalars."""

    pullback: Callable[[float], float] | None = None

    def record(self, nodes: int) -> float:
        """Compute it."""
        x = np.float64(0.999999)
        self.pullback, value = make_vjp(lambda x: links(x, nodes), x)
        return float(value)

    def sweep(self) -> float:
        """Give the gradient."""
        assert self.pullback is not None
        return self.pullback(1.0)

    def size(self) -> None:
        """Autograd does not tell."""

    def drop(self) -> None:
        """Free all."""
        self.pullback = None


def library() -> Library:
    """Give the methods."""
    return Autograd()
