"""Numbers as people read them."""

from __future__ import annotations

from benches.python.libraries import TITLES
from benches.python.results import OURS, UNITS, Row

SCALES = {
    "ns": ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns")),
    "bytes": ((1e6, "MB"), (1e3, "kB"), (1.0, "bytes")),
    "times": ((1.0, "×"),),
}
# Labels that are no library's name.
LABELS = {
    "wide-numpy": "NumPy with AVX-512",
    "one-thread": "one thread",
    "candle": "candle",
    "burn-ndarray": "burn on ndarray",
    "burn-flex": "burn on flex",
}


def title(label: str) -> str:
    """Name a library, or what else was measured."""
    return {**TITLES, **LABELS}[label]


def plain(number: float) -> str:
    """Write a number with three significant digits, at least."""
    if number == 0:
        return "0"
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:#.3g}"


def quantity(number: float, unit: str) -> str:
    """Write a figure in the largest unit that it has one of."""
    scales = SCALES[unit]
    scale, name = next((s for s in scales if number >= s[0]), scales[-1])
    return f"{plain(number / scale)} {name}"


def ratio(number: float) -> str:
    """Write how many times as long something took."""
    if number >= 10:
        return f"{number:.0f}"
    return f"{number:.2f}" if number >= 0.1 else f"{number:.2g}"


def told(row: Row) -> str:
    """Write a row in one line."""
    unit = UNITS.get(row.metric, "ns")
    parts = []
    for label, figures in row.figures.items():
        part = f"{label} {quantity(figures.median, unit)}"
        parts.append(part if label == OURS else f"{part} ({ratio(figures.ratio)})")
    what = f"{row.case} {row.metric}, {count(row.threads, 'thread')}"
    return f"{what}: {', '.join(parts)}"


def count(number: int, noun: str) -> str:
    """Write how many there are."""
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"
