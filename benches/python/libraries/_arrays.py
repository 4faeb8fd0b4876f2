"""The functions of the benchmark over NumPy, and over what follows its names."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any


def iterate(step: Callable[..., Any], state: Any, times: int) -> Any:
    """Apply a step again and again."""
    for _ in range(times):
        state = step(*state)
    return state


def functions(np: Any) -> SimpleNamespace:
    """Give the functions over a module that has NumPy's names."""

    def logsumexp(x: Any, axis: int) -> Any:
        top = np.max(x, axis=axis, keepdims=True)
        total = np.sum(np.exp(x - top), axis=axis)
        return np.squeeze(top, axis=axis) + np.log(total)

    def cross_entropy(logits: Any, labels: Any) -> Any:
        chosen = logits[np.arange(len(labels)), labels]
        return np.mean(logsumexp(logits, 1) - chosen)

    return SimpleNamespace(
        add=np.add,
        concatenate=np.concatenate,
        cross_entropy=cross_entropy,
        exp=np.exp,
        iterate=iterate,
        log=np.log,
        logsumexp=logsumexp,
        multiply=np.multiply,
        norm=lambda x, axis=None: np.linalg.norm(x, axis=axis),
        relu=lambda x: np.maximum(x, 0),
        sigmoid=lambda x: 1 / (1 + np.exp(-x)),
        sin=np.sin,
        square=np.square,
        sum=np.sum,
        swapaxes=np.swapaxes,
        tanh=np.tanh,
    )
