"""The chain `tanh(y * w + b)`, forward and backward."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benches.python.libraries import Library, Task, divided
from benches.python.work import Case

# Links by elements. The length matters to compilers, which pay for each call once:
# `long` is a chain of 300 ops.
LINKS = {16: 30, 4096: 30, 65_536: 30, 1_000_000: 10}
LONG = 100
OPS_A_LINK = 3
PEERS = ("numpy", "autograd", "torch", "jax")


def chain(links: int, f: Any, x: Any, w: Any, b: Any) -> Any:
    """Apply the links, and sum."""
    for _ in range(links):
        x = f.tanh(x * w + b)
    return f.sum(x)


def task(size: int, links: int, constants: bool, library: Library) -> Task:
    """Prepare a chain; its factors and summands are leaves, or constants."""
    x = np.linspace(-1.0, 1.0, size, dtype=np.float32)
    others = {
        "w": np.linspace(0.8, 1.2, size, dtype=np.float32),
        "b": np.linspace(-0.2, 0.2, size, dtype=np.float32),
    }
    leaves, rest = ({"x": x}, others) if constants else ({"x": x, **others}, {})
    whole = library.gradient(partial(chain, links), leaves, rest)
    return divided(whole, links * OPS_A_LINK)


def case(name: str, size: int, links: int, constants: bool = False) -> Case:
    """Describe a chain."""
    return Case(name, size, PEERS, "op", partial(task, size, links, constants))


CASES = [
    *(case(f"chain/{size}", size, links) for size, links in LINKS.items()),
    case("chain/16/long", 16, LONG),
    case("chain/16/long/constants", 16, LONG, constants=True),
]
