"""PyTorch, eager."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch.nn import functional

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


class PyTorch:
    """The methods of `Library`."""

    name = "torch"
    functions = SimpleNamespace(
        add=torch.add,
        concatenate=torch.cat,
        cross_entropy=functional.cross_entropy,
        exp=torch.exp,
        iterate=iterate,
        log=torch.log,
        logsumexp=torch.logsumexp,
        multiply=torch.mul,
        norm=lambda x, axis=None: torch.linalg.vector_norm(x, dim=axis),
        relu=torch.relu,
        sigmoid=torch.sigmoid,
        sin=torch.sin,
        square=torch.square,
        sum=torch.sum,
        swapaxes=torch.swapaxes,
        tanh=torch.tanh,
    )

    def describe(self) -> dict[str, str]:
        """Give the version, and the instructions that it uses."""
        instructions = torch.backends.cpu.get_cpu_capability()
        return {"PyTorch": f"{torch.__version__}, {instructions} kernels"}

    def statement(self, code: str, inputs: Arrays, calls: int) -> Task:
        """Time the expression."""
        tensors = {name: torch.from_numpy(x) for name, x in inputs.items()}
        names = {**vars(self.functions), **tensors}

        def outputs() -> Arrays:
            return {"value": eval(code, names).numpy()}

        return Task(outputs, loop(code, names, calls))

    def gradient(self, f: Function, leaves: Arrays, constants: Arrays) -> Task:
        """Time the function, and its gradient."""
        tensors = [torch.tensor(x, requires_grad=True) for x in leaves.values()]
        others = [torch.tensor(x) for x in constants.values()]

        def forward() -> torch.Tensor:
            return f(self.functions, *tensors, *others)

        def both() -> Any:
            return torch.autograd.grad(forward(), tensors)

        def outputs() -> Arrays:
            gradients = dict(zip(leaves, both(), strict=True))
            return named(forward().detach(), gradients)

        def block(times: int) -> dict[str, float]:
            return {"forward": timed(forward, times), "gradient": timed(both, times)}

        return Task(outputs, block)

    def training(self, network: Network) -> Task:
        """Time a step of training with the layers and the optimiser of the package."""
        parts: list[Any] = []
        linear = []
        for weight, bias in network.parameters:
            layer = torch.nn.Linear(*weight.shape)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(weight.T))
                layer.bias.copy_(torch.from_numpy(bias))
            linear.append(layer)
            parts += [layer, torch.nn.ReLU()]
        model = torch.nn.Sequential(*parts[:-1])
        optimizer = torch.optim.SGD(model.parameters(), lr=network.rate)
        x, labels = torch.from_numpy(network.x), torch.from_numpy(network.labels)

        def step() -> torch.Tensor:
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(x), labels)
            loss.backward()
            optimizer.step()
            return loss

        def outputs() -> Arrays:
            loss = step().detach()
            gradients = [(part.weight.grad.T, part.bias.grad) for part in linear]
            after = [(part.weight.detach().T, part.bias.detach()) for part in linear]
            return trained(loss, gradients, after)

        return Task(outputs, lambda times: {"step": timed(step, times)})

    def recurrence(self, nodes: int) -> Task:
        """Time a chain."""
        return recurrence(Chain(), nodes)


class Chain:
    """A chain of scalars."""

    def __init__(self) -> None:
        self.x = torch.tensor(0.999999, dtype=torch.float64, requires_grad=True)
        self.y = self.x

    def record(self, nodes: int) -> float:
        """Compute it."""
        self.y = links(self.x, nodes)
        return float(self.y.detach())

    def sweep(self) -> float:
        """Give the gradient."""
        (gradient,) = torch.autograd.grad(self.y, self.x)
        return float(gradient)

    def size(self) -> None:
        """PyTorch does not tell."""

    def drop(self) -> None:
        """Free all."""
        self.y = self.x


def library() -> Library:
    """Give the methods."""
    return PyTorch()
