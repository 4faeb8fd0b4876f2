"""The cases that tests generate: their seeds, and how many there were."""

from __future__ import annotations

import os
import zlib
from collections import Counter

import numpy as np

# Another number gives other cases; the session's header and every failure show it.
BASE = int(os.environ.get("WENGERT_TEST_SEED", "0"))

counts: Counter[str] = Counter()


def count(kind: str, cases: int = 1) -> None:
    counts[kind] += cases


def seed_of(*name: object) -> int:
    """Give the same seed for the same name, in every process."""
    return zlib.crc32(repr((BASE, *name)).encode())


def rng_of(*name: object) -> np.random.Generator:
    return np.random.default_rng(seed_of(*name))
