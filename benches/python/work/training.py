"""A step of training a classifier by gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from benches.python.libraries import Library, Network, Task
from benches.python.work import Case

NETWORKS = [([4, 64, 64, 2], 1), ([784, 128, 10], 32), ([1024, 2048, 2048, 10], 256)]
PEERS = ("autograd", "torch", "jax")


def task(sizes: Sequence[int], batch: int, library: Library) -> Task:
    """Prepare a network with its batch."""
    rng = np.random.default_rng(7)
    parameters = []
    for inputs, outputs in pairwise(sizes):
        weight = rng.standard_normal((inputs, outputs)) / np.sqrt(inputs) / 4
        # Far from zero, so that no input of relu is so near its kink that rounding
        # decides the gradient.
        bias = rng.choice([-3.0, 3.0], outputs)
        parameters.append((weight.astype(np.float32), bias.astype(np.float32)))
    x = rng.standard_normal((batch, sizes[0])).astype(np.float32)
    labels = rng.integers(sizes[-1], size=batch)
    return library.training(Network(parameters, x, labels, rate=0.01))


CASES = [
    Case(
        f"training/{'-'.join(map(str, sizes))}/{batch}",
        max(a * b for a, b in pairwise(sizes)),
        PEERS,
        "step",
        partial(task, sizes, batch),
    )
    for sizes, batch in NETWORKS
]
