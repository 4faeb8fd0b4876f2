"""What this package is meant to reach, one row each.

A target is a bound on a ratio to another library, to the fastest of several, or on the
figure itself. Nothing fails when a target is missed: the report says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch

from benches.python.results import OURS, Results, Row

MEGABYTE, MILLISECOND = 1e6, 1e6
FASTEST = ("numpy", "torch", "jax")
WIDEST = ("wide-numpy",)


@dataclass(frozen=True)
class Target:
    """A bound for all cases whose names are like a pattern."""

    work: str
    cases: str
    metric: str
    at_most: float
    # Whom the ratio is to; nobody if the bound is on the figure.
    against: tuple[str, ...] = ()


TARGETS = (
    Target("op on 1 to 256 elements, from Python", "op/*", "time", 0.3, ("numpy",)),
    Target("chain, 16 elements", "chain/16", "gradient", 0.05, ("torch",)),
    Target("chain, 16 elements", "chain/16", "gradient", 1.2, ("jax",)),
    Target("chain of 300 ops", "chain/16/long*", "gradient/forward", 2.0),
    Target("chain, 4,096 elements", "chain/4096", "gradient", 0.2, ("torch",)),
    Target("chain, 65,536 elements", "chain/65536", "gradient", 0.35, ("torch",)),
    Target("chain, 10⁶ elements", "chain/1000000", "gradient", 0.3, ("torch",)),
    Target("chain, 10⁶ elements", "chain/1000000", "gradient", 1.0, ("jax",)),
    Target("chain in Rust", "rust/chain/*", "gradient", 0.15, ("candle",)),
    Target(
        "chain in Rust",
        "rust/chain/*",
        "gradient",
        0.15,
        ("burn-ndarray", "burn-flex"),
    ),
    Target("10⁶ scalar nodes", "scalars/*", "in all", 0.02, ("torch",)),
    Target("10⁶ scalar nodes, sweep", "scalars/*", "sweep", 10.0),
    Target("10⁶ scalar nodes, memory", "scalars/*", "memory", 60.0),
    Target(
        "10⁶ scalar nodes, clear", "scalars/1000000", "free", 0.1 * MILLISECOND / 1e6
    ),
    Target("training 4-64-64-2", "training/4-*", "step", 0.15, ("torch",)),
    Target("training 4-64-64-2", "training/4-*", "step", 1.0, ("jax",)),
    Target("training 784-128-10", "training/784-*", "step", 0.45, ("torch",)),
    Target("training 784-128-10", "training/784-*", "step", 1.0, ("jax",)),
    Target("training 1024-2048-2048-10", "training/1024-*", "step", 0.5, ("torch",)),
    Target("training 1024-2048-2048-10", "training/1024-*", "step", 1.05, ("jax",)),
    Target("Lotka–Volterra", "lotka_volterra/*", "gradient", 0.05, ("torch",)),
    Target("mixture of Gaussians", "mixture/*", "gradient", 0.3, ("torch",)),
    Target("mixture of Gaussians", "mixture/*", "gradient", 1.0, ("jax",)),
    Target("matrix product, 64 to 2048", "product/??/*", "time", 1 / 0.9, FASTEST),
    Target("matrix product, 2 to 32", "product/tiny/*", "time", 1.0, WIDEST),
    Target("matrix times vector", "product/*vector*", "time", 1.0, WIDEST),
    Target("exp, log, tanh, sigmoid, sin", "unary/*", "time", 1.0, FASTEST),
    Target("sums and norms of a matrix", "reduction/*", "time", 1.0, ("numpy",)),
    Target("rows, columns, transposed", "layout/*", "time", 1.0, ("numpy",)),
    Target(
        "two threads, product",
        "threads/product/nn/float32/1024",
        "time",
        1 / 1.6,
        ("one-thread",),
    ),
    Target(
        "two threads, exp and tanh of 10⁶",
        "threads/unary/*/1000000",
        "time",
        1 / 1.6,
        ("one-thread",),
    ),
    Target("two threads, anything", "threads/*", "time", 1.05, ("one-thread",)),
    Target("two threads, chains", "threads/*", "gradient", 1.05, ("one-thread",)),
    Target("import, beyond NumPy's", "package/import", "import", 10 * MILLISECOND),
    Target("wheel", "package/wheel", "size", 3 * MEGABYTE),
)


@dataclass(frozen=True)
class Outcome:
    """How a target stands."""

    target: Target
    # The figures that the bound is for, by case; empty if nothing was measured.
    measured: dict[str, float]

    @property
    def worst(self) -> str:
        """Name the case that is furthest from the target."""
        return max(self.measured, key=lambda case: self.measured[case])

    @property
    def met(self) -> int:
        """Count the cases that meet the target."""
        return sum(value <= self.target.at_most for value in self.measured.values())


def outcomes(results: Results, threads: int) -> list[Outcome]:
    """Hold the rows of a run against the targets."""
    found = []
    for target in TARGETS:
        measured = {
            row.case: value
            for row in results.rows
            if row.threads == threads
            and row.metric == target.metric
            and fnmatch(row.case, target.cases)
            and (value := judged(row, target)) is not None
        }
        found.append(Outcome(target, measured))
    return found


def judged(row: Row, target: Target) -> float | None:
    """Give the figure that a bound is for; none if its library was left out."""
    if not target.against:
        return row.figures[OURS].median
    ratios = [row.figures[k].ratio for k in target.against if k in row.figures]
    return max(ratios, default=None)
