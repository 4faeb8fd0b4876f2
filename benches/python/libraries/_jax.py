"""JAX, compiled; the time of compiling is left out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benches.python.libraries import (
    Arrays,
    Function,
    Library,
    Network,
    Task,
    classify,
    loop,
    named,
    timed,
    trained,
)


def cross_entropy(logits: Any, labels: Any) -> Any:
    """Average the cross entropy of the softmax of each row."""
    rows = jax.nn.log_softmax(logits)
    return -jnp.mean(jnp.take_along_axis(rows, labels[:, None], axis=1))


def iterate(step: Function, state: Any, times: int) -> Any:
    """Apply a step again and again, as one loop of the compiled program."""
    return jax.lax.fori_loop(0, times, lambda _, state: step(*state), state)


class Jax:
    """The methods of `Library`, but for chains of scalars: they are not compiled."""

    name = "jax"
    functions = SimpleNamespace(
        add=jnp.add,
        concatenate=jnp.concatenate,
        cross_entropy=cross_entropy,
        exp=jnp.exp,
        iterate=iterate,
        log=jnp.log,
        logsumexp=jax.nn.logsumexp,
        multiply=jnp.multiply,
        norm=lambda x, axis=None: jnp.linalg.norm(x, axis=axis),
        relu=jax.nn.relu,
        sigmoid=jax.nn.sigmoid,
        sin=jnp.sin,
        square=jnp.square,
        sum=jnp.sum,
        swapaxes=jnp.swapaxes,
        tanh=jnp.tanh,
    )

    def describe(self) -> dict[str, str]:
        """Give the version."""
        return {"JAX": jax.__version__}

    def statement(self, code: str, inputs: Arrays, calls: int) -> Task:
        """Time the expression as a compiled function."""
        source = f"lambda {', '.join(inputs)}: {code}"
        compiled = jax.jit(eval(source, vars(self.functions).copy()))
        names = {name: jnp.asarray(x) for name, x in inputs.items()}

        def outputs() -> Arrays:
            return {"value": np.asarray(compiled(**names))}

        call = f"compiled({', '.join(inputs)}).block_until_ready()"
        return Task(outputs, loop(call, {**names, "compiled": compiled}, calls))

    def gradient(self, f: Function, leaves: Arrays, constants: Arrays) -> Task:
        """Time the function, and its gradient."""
        arguments = [jnp.asarray(x) for x in (*leaves.values(), *constants.values())]

        def plain(*values: Any) -> Any:
            return f(self.functions, *values)

        alone = jax.jit(plain)
        together = jax.jit(jax.value_and_grad(plain, tuple(range(len(leaves)))))

        def forward() -> Any:
            return alone(*arguments).block_until_ready()

        def both() -> Any:
            return jax.block_until_ready(together(*arguments))

        def outputs() -> Arrays:
            value, gradients = both()
            return named(value, dict(zip(leaves, gradients, strict=True)))

        def block(times: int) -> dict[str, float]:
            return {"forward": timed(forward, times), "gradient": timed(both, times)}

        return Task(outputs, block)

    def training(self, network: Network) -> Task:
        """Time a step of training, compiled whole."""
        data = jnp.asarray(network.x), jnp.asarray(network.labels)
        parameters = jax.tree.map(jnp.asarray, list(network.parameters))

        def loss(parameters: Any, x: Any, labels: Any) -> Any:
            logits = classify(self.functions, parameters, x)
            return cross_entropy(logits, labels)

        gradient = jax.value_and_grad(loss)

        def trained_on(parameters: Any, x: Any, labels: Any) -> Any:
            value, gradients = gradient(parameters, x, labels)
            after = jax.tree.map(
                lambda p, g: p - network.rate * g, parameters, gradients
            )
            return value, after

        compiled = jax.jit(trained_on)

        def step() -> Any:
            nonlocal parameters
            value, parameters = jax.block_until_ready(compiled(parameters, *data))
            return value

        def outputs() -> Arrays:
            _, gradients = gradient(parameters, *data)
            return trained(step(), gradients, parameters)

        return Task(outputs, lambda times: {"step": timed(step, times)})

    def recurrence(self, nodes: int) -> Task:
        """Refuse."""
        raise NotImplementedError


def library() -> Library:
    """Give the methods."""
    return Jax()
