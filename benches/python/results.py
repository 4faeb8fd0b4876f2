"""What a run of the bench gives, and the file that keeps it."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

# What figures count, by metric; nanoseconds if it is not here.
UNITS = {"memory": "bytes", "size": "bytes", "gradient/forward": "times"}
# This package, which every ratio is of.
OURS = "wengert"


@dataclass(frozen=True)
class Figures:
    """What one library took, over all rounds."""

    median: float
    least: float
    # What this package took over what the library did, in the median round: blocks of
    # one round are neighbours, so that a slow moment hits both.
    ratio: float


@dataclass(frozen=True)
class Row:
    """One metric of one case, in all libraries."""

    case: str
    metric: str
    per: str
    threads: int
    figures: dict[str, Figures]

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells this row from others."""
        return self.case, self.metric, self.threads


@dataclass(frozen=True)
class Results:
    """All rows of a run, and what they were measured with."""

    date: str
    commit: str
    machine: dict[str, str]
    # What each library says of itself.
    libraries: dict[str, dict[str, str]]
    settings: dict[str, str]
    left_out: list[str]
    rows: list[Row] = field(default_factory=list)

    def find(self, case: str, metric: str, threads: int = 1) -> Row | None:
        """Give a row, if it was measured."""
        rows = (row for row in self.rows if row.key == (case, metric, threads))
        return next(rows, None)

    def added_to(self, earlier: Results) -> Results:
        """Put these rows in the place of an earlier run's, or behind them."""
        for name in ("commit", "machine", "settings"):
            before, now = getattr(earlier, name), getattr(self, name)
            if before != now:
                raise ValueError(f"{name} was {before}, and now is {now}")
        new = {row.key for row in self.rows}
        kept = [row for row in earlier.rows if row.key not in new]
        return Results(
            self.date,
            self.commit,
            self.machine,
            {**earlier.libraries, **self.libraries},
            self.settings,
            list(dict.fromkeys([*earlier.left_out, *self.left_out])),
            [*kept, *self.rows],
        )

    def write(self, path: Path) -> None:
        """Write the file."""
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")


def read(path: Path) -> Results:
    """Read the file of a run."""
    table = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        Row(**{**row, "figures": {k: Figures(**f) for k, f in row["figures"].items()}})
        for row in table.pop("rows")
    ]
    return Results(**table, rows=rows)


# A number for each round, by library and metric.
Samples = Mapping[str, Mapping[str, Sequence[float]]]


def rows_of(case: str, per: str, threads: int, samples: Samples) -> list[Row]:
    """Sum the rounds up."""
    metrics = dict.fromkeys(name for found in samples.values() for name in found)
    rows = []
    for metric in metrics:
        ours = samples[OURS].get(metric)
        figures = {
            label: figures_of(found[metric], ours or found[metric])
            for label, found in samples.items()
            if metric in found
        }
        rows.append(Row(case, metric, per, threads, figures))
    return rows


def figures_of(spent: Sequence[float], ours: Sequence[float]) -> Figures:
    """Sum the rounds of a library up, beside those of this package."""
    ratios = [a / b for a, b in zip(ours, spent, strict=True) if b]
    ratio = statistics.median(ratios) if ratios else 1.0
    return Figures(*map(shortened, (statistics.median(spent), min(spent), ratio)))


def shortened(number: float) -> float:
    """Leave out digits that mean nothing."""
    return float(f"{number:.5g}")
