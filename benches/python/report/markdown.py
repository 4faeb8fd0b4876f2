"""The report of a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benches.python.report.numbers import count, quantity, ratio, title
from benches.python.report.targets import Outcome, Target, outcomes
from benches.python.results import OURS, UNITS, Results, Row

LEGEND = (
    "A cell is the median of all rounds, (the minimum), and for other libraries the "
    "ratio: wengert's figure over theirs, in the median round."
)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Write a table."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def document(results: Results) -> str:
    """Write the whole report."""
    lines = [f"# Bench of {results.date}", "", *setting(results), ""]
    for threads in dict.fromkeys(row.threads for row in results.rows):
        lines += [f"## Targets, {count(threads, 'thread')}", ""]
        lines += [*verdicts(outcomes(results, threads)), ""]
    lines += ["## Figures", "", LEGEND, ""]
    for (subject, threads), rows in subjects(results.rows).items():
        lines += [f"### {subject}, {count(threads, 'thread')}", "", *figures(rows), ""]
    return "\n".join(lines)


def setting(results: Results) -> list[str]:
    """List what the figures were measured with."""
    facts = {**results.machine, "wengert's commit": results.commit}
    for known in results.libraries.values():
        facts.update(known)
    facts |= results.settings
    lines = [f"- {name}: {value}" for name, value in facts.items()]
    return lines + [f"- left out: {line}" for line in results.left_out]


def verdicts(found: Sequence[Outcome]) -> list[str]:
    """Write the table of targets that were measured."""
    head = ("work", "at most", "measured", "met")
    return table(head, (verdict(outcome) for outcome in found if outcome.measured))


def verdict(outcome: Outcome) -> tuple[str, str, str, str]:
    """Write a row for a target."""
    target, values = outcome.target, outcome.measured
    worst, least = max(values.values()), min(values.values())
    if len(values) == 1:
        met = "yes" if outcome.met else "**no**"
        return target.work, bound(target), written(worst, target), met
    spread = f"{written(least, target)} to {written(worst, target)} ({outcome.worst})"
    met = f"{outcome.met} of {len(values)}"
    return (
        target.work,
        bound(target),
        spread,
        met if outcome.met == len(values) else f"**{met}**",
    )


def bound(target: Target) -> str:
    """Write what a target asks for."""
    if not target.against:
        return written(target.at_most, target)
    fastest = "the fastest of " if len(target.against) > 1 else ""
    names = ", ".join(map(title, target.against))
    return f"{ratio(target.at_most)} × {fastest}{names}"


def written(value: float, target: Target) -> str:
    """Write a figure that a target is for."""
    if target.against:
        return ratio(value)
    return quantity(value, UNITS.get(target.metric, "ns"))


def subjects(rows: Sequence[Row]) -> dict[tuple[str, int], list[Row]]:
    """Group rows by what their names begin with."""
    found: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        found.setdefault((row.case.split("/")[0], row.threads), []).append(row)
    return found


def figures(rows: Sequence[Row]) -> list[str]:
    """Write the table of a subject."""
    labels = list(dict.fromkeys(label for row in rows for label in row.figures))
    lines = []
    for row in rows:
        _, _, name = row.case.partition("/")
        unitless = UNITS.get(row.metric) == "times"
        what = row.metric if unitless else f"{row.metric} / {row.per}"
        cells = [cell(label, row) for label in labels]
        lines.append((name, what, *cells))
    return table(("case", "what", *map(title, labels)), lines)


def cell(label: str, row: Row) -> str:
    """Write a library's figures."""
    if label not in row.figures:
        return "–"
    found = row.figures[label]
    unit = UNITS.get(row.metric, "ns")
    text = f"{quantity(found.median, unit)} ({quantity(found.least, unit)})"
    return text if label == OURS else f"{text}, {ratio(found.ratio)}"
