"""The package itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import wengert as wg
from wengert.layers import LinearLayer, Sequential, softmax_cross_entropy

from benches.python.libraries import (
    Arrays,
    Function,
    Library,
    Network,
    Task,
    links,
    loop,
    named,
    recurrence,
    timed,
    trained,
)
from benches.python.libraries._arrays import iterate


def norm(x: wg.Tensor, axis: int | None = None) -> wg.Tensor:
    """Give the length of vectors along an axis, or of all elements."""
    return wg.norm(x, axis=axis)


class Wengert:
    """The methods of `Library`."""

    name = "wengert"
    functions = SimpleNamespace(
        add=wg.add,
        concatenate=wg.concatenate,
        cross_entropy=softmax_cross_entropy,
        exp=wg.exp,
        iterate=iterate,
        log=wg.log,
        logsumexp=wg.logsumexp,
        multiply=wg.multiply,
        norm=norm,
        relu=wg.relu,
        sigmoid=wg.sigmoid,
        sin=wg.sin,
        square=wg.square,
        sum=wg.sum,
        swapaxes=wg.swapaxes,
        tanh=wg.tanh,
    )

    def describe(self) -> dict[str, str]:
        """Give the version."""
        return {"wengert": wg.__version__}

    def statement(self, code: str, inputs: Arrays, calls: int) -> Task:
        """Time the expression, recorded; each group of calls is dropped at its end."""
        rec = wg.ComputationRecord()
        tensors = {name: rec.tensor_from_value(x) for name, x in inputs.items()}
        names = {**vars(self.functions), **tensors}
        names |= {"rewind": rec.rewind, "mark": rec.mark()}

        def outputs() -> Arrays:
            return {"value": eval(code, names).data()}

        return Task(outputs, loop(code, names, calls, after="rewind(mark)"))

    def gradient(self, f: Function, leaves: Arrays, constants: Arrays) -> Task:
        """Time the function, and its gradient; the record is used again."""
        rec = wg.ComputationRecord()
        tensors = [rec.tensor_from_value(x) for x in leaves.values()]
        others = [rec.constant(x) for x in constants.values()]
        mark = rec.mark()

        def forward() -> None:
            f(self.functions, *tensors, *others)
            rec.rewind(mark)

        def both() -> None:
            f(self.functions, *tensors, *others).grad().wrt(tensors)
            rec.rewind(mark)

        def outputs() -> Arrays:
            value = f(self.functions, *tensors, *others)
            gradients = value.grad().wrt(dict(zip(leaves, tensors, strict=True)))
            found = named(value.data(), {k: g.data() for k, g in gradients.items()})
            rec.rewind(mark)
            return found

        def block(times: int) -> dict[str, float]:
            return {"forward": timed(forward, times), "gradient": timed(both, times)}

        return Task(outputs, block)

    def training(self, network: Network) -> Task:
        """Time a step of training with the layers of the package."""
        rec, store = wg.ComputationRecord(), wg.ParameterStore()
        for k, (weight, bias) in enumerate(network.parameters):
            store[f"{k}.weight"], store[f"{k}.bias"] = weight, bias
        sizes = [weight.shape for weight, _ in network.parameters]

        def layers() -> list[LinearLayer]:
            return [
                LinearLayer(rec, m, n, store, name=str(k), bias=True, rate=network.rate)
                for k, (m, n) in enumerate(sizes)
            ]

        def applied(layers: list[LinearLayer]) -> tuple[Sequential, wg.Tensor]:
            parts: list[Any] = [part for layer in layers for part in (layer, wg.relu)]
            model = Sequential(*parts[:-1])
            x = rec.constant(network.x, borrow=True)
            return model, softmax_cross_entropy(model(x), network.labels)

        def step() -> None:
            with rec:
                model, loss = applied(layers())
                model.optimize(loss.grad(), store)

        def outputs() -> Arrays:
            with rec:
                linear = layers()
                model, loss = applied(linear)
                grad = loss.grad()
                leaves = [list(layer.parameters.values()) for layer in linear]
                gradients = [(w.data(), b.data()) for w, b in grad.wrt(leaves)]
                model.optimize(grad, store)
                value = loss.data()
            names = [(f"{k}.weight", f"{k}.bias") for k in range(len(sizes))]
            after = [(store[weight], store[bias]) for weight, bias in names]
            return trained(value, gradients, after)

        return Task(outputs, lambda times: {"step": timed(step, times)})

    def recurrence(self, nodes: int) -> Task:
        """Time a chain."""
        return recurrence(Chain(), nodes)


class Chain:
    """A chain of scalars."""

    def __init__(self) -> None:
        self.rec = wg.ComputationRecord()

    def record(self, nodes: int) -> float:
        """Compute it."""
        self.x = self.rec.tensor_from_value(np.float64(0.999999))
        self.y = links(self.x, nodes)
        value: float = self.y.item()
        return value

    def sweep(self) -> float:
        """Give the gradient."""
        gradient: float = self.y.grad().wrt(self.x).item()
        return gradient

    def size(self) -> int:
        """Give the bytes."""
        return self.rec.bytes()

    def drop(self) -> None:
        """Free all."""
        self.rec.clear()


def library() -> Library:
    """Give the methods."""
    return Wengert()
