"""Memory that is kept for reuse, and its limit."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord

KIB, MIB = 1 << 10, 1 << 20


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    """Start with an empty pool, and leave the limit as it was."""
    limit = wg.pool_limit()
    # What earlier tests left behind is not to come back in the middle of one.
    gc.collect()
    wg.release_pool()
    yield
    wg.set_pool_limit(limit)


def return_memory(*sizes: int) -> None:
    """Make arrays of so many bytes, and let them all go at once."""
    arrays = [wg.Rng(1).uniform(size // 4) for size in sizes]
    assert len(arrays) == len(sizes)


def test_memory_that_is_let_go_is_kept_for_reuse() -> None:
    assert wg.pool_limit() == 1 << 30
    assert wg.pool_bytes() == 0
    return_memory(4 * MIB, 4 * KIB)
    assert wg.pool_bytes() == 4 * MIB + 4 * KIB
    rec = ComputationRecord()
    x = rec.tensor_from_value(np.ones(MIB // 2))
    assert wg.pool_bytes() == 4 * KIB
    assert x.sum().item() == MIB // 2
    del x, rec
    wg.release_pool()
    assert wg.pool_bytes() == 0


def test_what_a_thread_has_no_room_for_the_process_keeps() -> None:
    blocks = [256 * KIB] * 80
    for _ in range(2):
        return_memory(*blocks)
        assert wg.pool_bytes() == 20 * MIB


@pytest.mark.parametrize(
    ("limit", "kept"),
    [
        (0, 0),
        # The largest blocks go first. Those of up to 256 KiB are counted apart.
        (64 * KIB, 64 * KIB),
        (2 * MIB, MIB + 128 * KIB),
        (5 * MIB, 3 * MIB + 128 * KIB),
        (7 * MIB, 7 * MIB + 128 * KIB),
        (2**62, 7 * MIB + 128 * KIB),
    ],
)
def test_a_limit_frees_what_is_above_it(limit: int, kept: int) -> None:
    return_memory(4 * MIB, 2 * MIB, MIB, 64 * KIB, 64 * KIB)
    wg.set_pool_limit(limit)
    assert wg.pool_limit() == limit
    assert wg.pool_bytes() == kept
    # What comes back later finds the same limit.
    wg.release_pool()
    return_memory(4 * MIB, 2 * MIB, MIB, 64 * KIB, 64 * KIB)
    assert wg.pool_bytes() <= limit + min(limit, 128 * KIB)
    assert (wg.pool_bytes() == 0) == (limit == 0)


def test_another_thread_frees_its_memory_when_next_it_returns_some() -> None:
    go, done = threading.Barrier(2, timeout=60), threading.Barrier(2, timeout=60)
    bytes_seen: list[int] = []

    def work() -> None:
        return_memory(128 * KIB, 128 * KIB)
        bytes_seen.append(wg.pool_bytes())
        go.wait()
        done.wait()
        return_memory(KIB)
        bytes_seen.append(wg.pool_bytes())

    thread = threading.Thread(target=work)
    thread.start()
    go.wait()
    wg.set_pool_limit(0)
    done.wait()
    thread.join(60)
    assert bytes_seen == [256 * KIB, 0]


@pytest.mark.parametrize(
    ("limit", "kind"),
    [(-1, OverflowError), (2**64, OverflowError), (1.5, TypeError), (None, TypeError)],
)
def test_what_is_no_limit(limit: Any, kind: type[Exception]) -> None:
    before = wg.pool_limit()
    with pytest.raises(kind):
        wg.set_pool_limit(limit)
    assert wg.pool_limit() == before


def test_computing_goes_on_without_a_pool() -> None:
    wg.set_pool_limit(0)
    rec = ComputationRecord()
    for _ in range(3):
        x = rec.tensor_from_value(np.full(MIB, 3.0))
        assert (x * x).sum().grad().wrt(x).data()[-1] == 6
        rec.clear()
    assert wg.pool_bytes() == 0
