"""Times a case: agreement first, then blocks of the libraries that take turns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from benches.python.harness.process import Refused
from benches.python.libraries import Arrays
from benches.python.results import OURS

# How far results may differ, relative to the largest element.
TOLERANCE = {"float32": 1e-4, "float64": 1e-9}
# Samples by library and metric, one a round.
Samples = dict[str, dict[str, list[float]]]


@dataclass(frozen=True)
class Effort:
    """How long is measured."""

    # The seconds of a block, and of all blocks of a case, about.
    block: float
    case: float
    least_rounds: int
    most_rounds: int

    def describe(self) -> dict[str, str]:
        """Say it in words."""
        return {
            "blocks": f"{self.block * 1000:g} ms, or one run if that is longer",
            "rounds": f"{self.least_rounds} to {self.most_rounds}",
        }


FULL = Effort(block=0.02, case=6.0, least_rounds=7, most_rounds=25)
QUICK = Effort(block=0.002, case=0.5, least_rounds=3, most_rounds=5)


class Asked(Protocol):
    """What is asked as a `Process` is."""

    def ask(self, method: str, *arguments: Any) -> Any:
        """Ask for something and wait for it."""


class Disagreement(Exception):
    """Libraries computed different things, so their times mean nothing."""


def disagreement(ours: Arrays, theirs: Arrays) -> str | None:
    """Say how another library's results differ from ours, if they do.

    A library may leave gradients out, as NumPy does, but not add any.
    """
    if not theirs:
        return "nothing to compare"
    for name, b in theirs.items():
        if name not in ours:
            return f"{name}: we have none"
        a = ours[name]
        if a.shape != b.shape or a.dtype != b.dtype:
            return f"{name}: {a.dtype} {a.shape} is not {b.dtype} {b.shape}"
        largest = float(np.abs(b).max(initial=0.0))
        bound = TOLERANCE[str(b.dtype)] * largest
        difference = float(np.abs(a - b).max(initial=0.0))
        # Not `>`: a NaN differs too.
        if not difference <= bound:
            return f"{name}: {difference:.2g} apart, {bound:.2g} is allowed"
    return None


def prepare(name: str, libraries: Mapping[str, Asked]) -> dict[str, Asked]:
    """Make a case ready in all libraries that have it; compare what they compute."""
    ready: dict[str, Asked] = {}
    ours: Arrays = {}
    for label, library in libraries.items():
        try:
            outputs = library.ask("prepare", name)
        except Refused:
            continue
        ready[label] = library
        if label == OURS:
            ours = outputs
        elif fault := disagreement(ours, outputs):
            raise Disagreement(f"{name}: {label} disagrees on {fault}")
    return ready


def measure(name: str, libraries: Mapping[str, Asked], effort: Effort) -> Samples:
    """Time a case in all libraries; this package is the first of them."""
    ready = prepare(name, libraries)
    plans = {
        label: library.ask("calibrate", effort.block)
        for label, library in ready.items()
    }
    a_round = sum(seconds for _, seconds in plans.values())
    rounds = round(effort.case / a_round)
    rounds = max(effort.least_rounds, min(effort.most_rounds, rounds))
    samples: Samples = {label: {} for label in ready}
    for k in range(rounds):
        # To and fro, so that nobody always follows the same one.
        order = list(ready) if k % 2 == 0 else list(reversed(ready))
        for label in order:
            times, _ = plans[label]
            for metric, spent in ready[label].ask("block", times).items():
                samples[label].setdefault(metric, []).append(spent)
    for found in samples.values():
        if "forward" in found and "gradient" in found:
            pairs = zip(found["gradient"], found["forward"], strict=True)
            found["gradient/forward"] = [both / alone for both, alone in pairs]
    return samples
