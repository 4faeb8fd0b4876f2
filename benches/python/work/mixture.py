"""The gradient of the log-likelihood of a mixture of Gaussians, by ADBench's formula.

Šrajer, Kukelova and Fitzgibbon, "A benchmark of selected algorithmic differentiation
tools on some problems in computer vision and machine learning", 2018. The inverse
covariance of a component is QᵀQ, where Q is lower triangular with exp(q) on its
diagonal and `low` below; a Wishart prior with m = 0 and γ = 1 regularises it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benches.python.libraries import Library, Task
from benches.python.work import Case

DIMENSIONS, COMPONENTS, POINTS = 10, 25, 1000
# The prior's m and γ.
WISHART, SCALE = 0, 1.0
PEERS = ("numpy", "autograd", "torch", "jax")


def log_likelihood(
    f: Any, alpha: Any, mu: Any, q: Any, low: Any, x: Any, places: Any, unit: Any
) -> Any:
    """Give the log-likelihood but for constants that have no gradient."""
    # (k, d, d): what is below the diagonal is gathered from `low`, the rest is zero.
    entries = f.concatenate((low, 0.0 * low[:, :1]), 1)
    diagonal = f.exp(q)
    factors = entries[:, places] + diagonal[:, :, None] * unit
    # (k, n, d)
    centred = x - mu[:, None, :]
    squares = f.sum(f.square(centred @ f.swapaxes(factors, 1, 2)), 2)
    log_volumes = f.sum(q, 1)
    inner = (alpha + log_volumes)[:, None] - 0.5 * squares
    likelihood = f.sum(f.logsumexp(inner, 0)) - POINTS * f.logsumexp(alpha, 0)
    frobenius = f.sum(f.square(diagonal)) + f.sum(f.square(low))
    return likelihood + 0.5 * SCALE**2 * frobenius - WISHART * f.sum(log_volumes)


def task(library: Library) -> Task:
    """Prepare a mixture and its points."""
    rng = np.random.default_rng(7)
    shape = COMPONENTS, DIMENSIONS
    below = DIMENSIONS * (DIMENSIONS - 1) // 2
    leaves = {
        "α": rng.standard_normal(COMPONENTS),
        "μ": rng.random(shape),
        "q": rng.standard_normal(shape) / 4,
        "low": rng.standard_normal((COMPONENTS, below)) / 4,
    }
    places = np.full((DIMENSIONS, DIMENSIONS), below)
    places[np.tril_indices(DIMENSIONS, -1)] = np.arange(below)
    constants = {
        "x": rng.random((POINTS, DIMENSIONS)),
        "places": places,
        "unit": np.eye(DIMENSIONS),
    }
    return library.gradient(log_likelihood, leaves, constants)


CASES = [
    Case(
        f"mixture/{DIMENSIONS}/{COMPONENTS}/{POINTS}",
        POINTS * COMPONENTS * DIMENSIONS,
        PEERS,
        "run",
        task,
    )
]
