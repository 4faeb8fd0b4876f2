"""Matrix products: large and tiny, transposed, and with vectors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from benches.python.libraries import Library, Task
from benches.python.work import Case, calls_of

# `wide-numpy` is NumPy made to use its AVX-512 kernels, where it would choose others.
PEERS = ("numpy", "torch", "jax")
WIDE_PEERS = ("numpy", "wide-numpy", "torch", "jax")
FORMS = {"nn": "a @ b", "tn": "a.T @ b", "nt": "a @ b.T"}
SQUARES = (64, 128, 256, 512, 1024, 2048)
TINY = (2, 4, 8, 16, 32)
LENGTHS = (64, 256, 1024)
VECTORS = {"matrix-vector": "a @ v", "vector-matrix": "v @ a"}
DTYPES = ("float32", "float64")
Prepare = Callable[[str, int, str, Library], Task]


def square(code: str, n: int, dtype: str, library: Library) -> Task:
    """Prepare a product of square matrices."""
    rng = np.random.default_rng(7)
    a, b = rng.standard_normal((2, n, n)).astype(dtype)
    return library.statement(code, {"a": a, "b": b}, calls_of(n * n))


def vector(code: str, n: int, dtype: str, library: Library) -> Task:
    """Prepare a product with a vector."""
    rng = np.random.default_rng(7)
    a, v = rng.standard_normal((n, n)).astype(dtype), rng.standard_normal(n)
    return library.statement(code, {"a": a, "v": v.astype(dtype)}, calls_of(n))


def case(kind: str, n: int, dtype: str, task: Prepare, peers: tuple[str, ...]) -> Case:
    """Describe a product."""
    code = {**FORMS, **VECTORS, "tiny": "a @ b"}[kind]
    name = f"product/{kind}/{dtype}/{n}"
    return Case(name, n * n, peers, "call", partial(task, code, n, dtype))


CASES = [
    *(
        case(kind, n, dtype, square, PEERS)
        for n in SQUARES
        for dtype in DTYPES
        for kind in FORMS
    ),
    *(case("tiny", n, dtype, square, WIDE_PEERS) for n in TINY for dtype in DTYPES),
    *(
        case(kind, n, dtype, vector, WIDE_PEERS)
        for n in LENGTHS
        for dtype in DTYPES
        for kind in VECTORS
    ),
]
