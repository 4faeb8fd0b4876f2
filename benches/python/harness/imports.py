"""How long importing takes, and how large the wheel is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benches.python.harness.measure import Samples
from benches.python.results import OURS

# NumPy's own import is the base: all others need NumPy.
CODE = """
from time import perf_counter_ns
{before}
start = perf_counter_ns()
import {library}
print(perf_counter_ns() - start)
"""


def import_times(peers: Sequence[str], rounds: int) -> Samples:
    """Time imports in fresh interpreters: nanoseconds beyond NumPy's own."""
    samples: Samples = {label: {"import": []} for label in (OURS, *peers)}
    for _ in range(rounds):
        for label, found in samples.items():
            before = "" if label == "numpy" else "import numpy"
            code = CODE.format(before=before, library=label)
            done = subprocess.run(
                [sys.executable, "-c", code], check=True, capture_output=True, text=True
            )
            found["import"].append(float(done.stdout))
    return samples


def wheel_size(path: Path) -> Samples:
    """Give the bytes of the wheel."""
    return {OURS: {"size": [float(path.stat().st_size)]}}
