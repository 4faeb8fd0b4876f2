"""README's table: a few rows of a run, by what a reader wants to know."""

from __future__ import annotations

from benches.python.libraries import TITLES
from benches.python.report.markdown import table
from benches.python.report.numbers import quantity
from benches.python.results import UNITS, Results, Row

HEADLINES = {
    "`x + y` on 16 numbers": ("op/plus/16", "time"),
    "forward and backward of 90 such ops, an op": ("chain/16", "gradient"),
    "the same on 4,096 numbers": ("chain/4096", "gradient"),
    "30 ops on 10⁶ numbers, an op": ("chain/1000000", "gradient"),
    "record, sweep and drop 10⁶ scalars, a node": ("scalars/1000000", "in all"),
    "the memory of such a node": ("scalars/1000000", "memory"),
    "training step, 4-64-64-2, batch 1": ("training/4-64-64-2/1", "step"),
    "training step, 784-128-10, batch 32": ("training/784-128-10/32", "step"),
    "training step, 1024-2048-2048-10, batch 256": (
        "training/1024-2048-2048-10/256",
        "step",
    ),
    "gradient of 500 steps of Lotka–Volterra": ("lotka_volterra/500", "gradient"),
    "gradient of a mixture of Gaussians": ("mixture/10/25/1000", "gradient"),
    "product of 512 × 512 float32": ("product/nn/float32/512", "time"),
    "import, beyond NumPy's own": ("package/import", "import"),
}
COLUMNS = tuple(TITLES)


def headline(results: Results, report: str) -> str:
    """Write the table and what it was measured with; `report` is where all rows are."""
    versions = {k: v for known in results.libraries.values() for k, v in known.items()}
    names = [
        f"{title} {versions[title].split(',')[0]}"
        for title in TITLES.values()
        if title in versions
    ]
    head = ("median time of", *TITLES.values())
    rows = [
        (what, *(cell(label, row) for label in COLUMNS))
        for what, (case, metric) in HEADLINES.items()
        if (row := results.find(case, metric))
    ]
    lines = [
        f"One thread of {results.machine['CPU']}, Python {results.machine['Python']}, "
        f"{', '.join(names)}; JAX compiled, without the time of compiling.",
        f"[All figures]({report}); `make bench` measures them again.",
        "",
        *table(head, rows),
    ]
    return "\n".join(lines) + "\n"


def cell(label: str, row: Row) -> str:
    """Write a library's median."""
    if label not in row.figures:
        return "–"
    return quantity(row.figures[label].median, UNITS.get(row.metric, "ns"))
