"""What each library does with the work: one file a library, all with these methods.

Nothing here imports a library: a process loads the one that it measures.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter_ns
from timeit import Timer
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Arrays = dict[str, Array]
# A scalar of some arrays, over the functions of any library.
Function = Callable[..., Any]

# What a library is called in reports; the keys are the names of its module to import.
TITLES = {
    "wengert": "wengert",
    "numpy": "NumPy",
    "autograd": "autograd",
    "jax": "JAX",
    "torch": "PyTorch",
}


@dataclass(frozen=True)
class Task:
    """Work that is ready to be run by one library."""

    # Values and gradients by name, to be compared with those of the others.
    outputs: Callable[[], Arrays]
    # Runs the work so many times; gives nanoseconds for each metric.
    block: Callable[[int], dict[str, float]]


@dataclass(frozen=True)
class Network:
    """A classifier of linear layers with relu between them, and a batch to train on."""

    parameters: Sequence[tuple[Array, Array]]
    x: Array
    labels: Array
    rate: float


class Library(Protocol):
    """What a library can be asked for; it refuses by NotImplementedError."""

    # As in `TITLES`.
    name: str

    def describe(self) -> dict[str, str]:
        """Give the versions of what takes part, by name."""

    def statement(self, code: str, inputs: Arrays, calls: int) -> Task:
        """Time an expression of the inputs, in a loop of so many calls."""

    def gradient(self, f: Function, leaves: Arrays, constants: Arrays) -> Task:
        """Time f(functions, *leaves, *constants), alone and with its gradient."""

    def training(self, network: Network) -> Task:
        """Time a step of gradient descent on the cross entropy."""

    def recurrence(self, nodes: int) -> Task:
        """Time a long chain of scalars: recording it, sweeping it, dropping it."""


def load(name: str) -> Library:
    """Import a library and give its methods."""
    module = importlib.import_module(f"{__name__}._{name}")
    library: Library = module.library()
    return library


# --- What the libraries share ---------------------------------------------------------


def timed(work: Callable[[], object], times: int = 1) -> float:
    """Give the nanoseconds that one of several runs takes."""
    span = range(times)
    start = perf_counter_ns()
    for _ in span:
        work()
    return (perf_counter_ns() - start) / times


def divided(task: Task, ops: int) -> Task:
    """Give the figures of a task for one of its ops."""

    def block(times: int) -> dict[str, float]:
        return {name: spent / ops for name, spent in task.block(times).items()}

    return Task(task.outputs, block)


def loop(
    code: str, names: Mapping[str, Any], calls: int, after: str = ""
) -> Callable[[int], dict[str, float]]:
    """Compile blocks of a statement: groups of calls, and what ends each group."""
    text = f"for _ in span:\n    {code}\n{after}"
    timer = Timer(text, globals={**names, "span": range(calls)})
    return lambda times: {"time": timer.timeit(times) * 1e9 / times / calls}


def named(value: object, gradients: Mapping[str, object]) -> Arrays:
    """Name the value of a function and its gradients by its leaves."""
    arrays = {f"gradient of {name}": np.asarray(g) for name, g in gradients.items()}
    return {"value": np.asarray(value), **arrays}


def trained(
    loss: object,
    gradients: Sequence[tuple[object, object]],
    parameters: Sequence[tuple[object, object]],
) -> Arrays:
    """Name what a step of training gives: loss, gradients, parameters after it."""
    arrays = {"loss": np.asarray(loss).reshape(())}
    kinds = {"gradient": gradients, "parameter": parameters}
    for kind, layers in kinds.items():
        for k, (weight, bias) in enumerate(layers):
            arrays[f"{kind} {k} weight"] = np.asarray(weight)
            arrays[f"{kind} {k} bias"] = np.asarray(bias)
    return arrays


def classify(f: Any, parameters: Sequence[tuple[Any, Any]], x: Any) -> Any:
    """Apply a network, over the functions of any library."""
    *hidden, (weight, bias) = parameters
    for w, b in hidden:
        x = f.relu(x @ w + b)
    return x @ weight + bias


# --- A long chain of scalars ----------------------------------------------------------

# Where the gradient of a recurrence is compared with that of the others.
COMPARED_NODES = 10_000


class Recurrence(Protocol):
    """A chain of scalars in the hands of a library."""

    def record(self, nodes: int) -> float:
        """Compute the chain, and give its value."""

    def sweep(self) -> float:
        """Give the gradient."""

    def size(self) -> int | None:
        """Give the bytes that the chain takes, if the library tells."""

    def drop(self) -> None:
        """Free all."""


def links(x: Any, nodes: int) -> Any:
    """Compute a chain of scalars: two nodes a turn."""
    y = x
    for _ in range(nodes // 2):
        y = y * x + 1e-9
    return y


def recurrence(chain: Recurrence, nodes: int) -> Task:
    """Time the phases of a chain; all of them are part of every block."""

    def outputs() -> Arrays:
        value = chain.record(COMPARED_NODES)
        gradient = chain.sweep()
        chain.drop()
        return named(value, {"x": gradient})

    def block(_times: int) -> dict[str, float]:
        spent = {
            "record": timed(lambda: chain.record(nodes)) / nodes,
            "sweep": timed(chain.sweep) / nodes,
        }
        size = chain.size()
        spent["free"] = timed(chain.drop) / nodes
        spent["in all"] = sum(spent.values())
        return spent if size is None else {**spent, "memory": size / nodes}

    return Task(outputs, block)
