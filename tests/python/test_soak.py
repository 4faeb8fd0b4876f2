"""Memory stays flat over very many ops, however they are recorded and dropped."""

from __future__ import annotations

import gc
import os
import resource
import subprocess
import sys

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord

# By hand, with figures: WENGERT_SOAK_OPS=100_000_000 python tests/python/test_soak.py
OPS = int(os.environ.get("WENGERT_SOAK_OPS", "10_000_000"))
ROUNDS = 20
# The ops of a round are parted among its kinds of work.
SHARE = OPS // ROUNDS // 4

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="reads /proc"
)


def resident() -> int:
    """Give the bytes of memory that the process has."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def scalars(rec: ComputationRecord) -> None:
    """Record a recurrence, and drop it at once."""
    x = y = rec.tensor_from_value(0.5)
    for _ in range(SHARE // 2):
        y = x * y + x
    assert y.grad().wrt(x).item() == pytest.approx(4)
    rec.clear()


def vectors(rec: ComputationRecord) -> None:
    """Rewind after each short piece, and drop its gradients."""
    x = rec.tensor_from_value(np.linspace(0, 1, 16))
    mark = rec.mark()
    for _ in range(SHARE // 10):
        y = x
        for _ in range(3):
            y = wg.tanh(x * y) + 1
        y.sum().grad().wrt(x).data()
        rec.rewind(mark)
    rec.clear()


def short_records() -> None:
    """Make a record for each few ops, and keep an array of the last."""
    kept = np.zeros(0)
    for k in range(SHARE // 5):
        rec = ComputationRecord()
        x = rec.tensor_from_value([1.0, 2.0, float(k)])
        kept = (x * x + x).sum().grad().wrt(x).data()
    assert kept.tolist() == [3, 5, 2 * (SHARE // 5 - 1) + 1]


def refusals(rec: ComputationRecord) -> None:
    """Ops on values of changing sizes, some of them refused."""
    for k in range(SHARE // 4):
        x = rec.ones(3 + k % 500)
        y = x[::2] + 1
        with pytest.raises(wg.ShapeError):
            y + rec.ones((2, 700))
        if k % 100 == 0:
            rec.clear()
    rec.clear()


def soak() -> None:
    """Do it all, over and over."""
    rec = ComputationRecord()
    sizes, pools, records = [], [], []
    for _ in range(ROUNDS):
        scalars(rec)
        vectors(rec)
        short_records()
        refusals(rec)
        gc.collect()
        sizes.append(resident())
        pools.append(wg.pool_bytes())
        records.append(rec.bytes())
    print(f"{OPS:,} ops in {ROUNDS} rounds; bytes in use after each:")
    print("process", *(f"{size:,}" for size in sizes))
    print("pool   ", *(f"{size:,}" for size in pools))
    print("record ", *(f"{size:,}" for size in records))
    # After the first rounds nothing is new.
    assert len(set(pools[2:])) == 1, pools
    assert len(set(records[2:])) == 1, records
    assert sizes[-1] - sizes[2] < 2 << 20, sizes


def test_memory_is_flat() -> None:
    # Alone in a process, whose memory no other test has grown.
    done = subprocess.run([sys.executable, "-W", "error", __file__], check=False)
    assert done.returncode == 0


if __name__ == "__main__":
    soak()
