"""The promises of what takes too much memory or stack, by their numbers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import wengert as wg
from wengert import (
    ComputationRecord,
    ShapeError,
)

from tests.python.faults import (
    gradients,
    in_thread,
    len_of,
    nothing_lost,
)

# A few elements and a large number.
WITHOUT_BOUND: dict[str, Callable[[Any, int], Any]] = {
    "repeat": wg.repeat,
    "repeat each": lambda x, n: wg.repeat(x, [n, 1, n]),
    "one_hot": lambda x, n: wg.one_hot(x.astype(int), n),
    "tile": wg.tile,
    "bincount": lambda x, n: wg.bincount(x.astype(int), minlength=n),
    "bincount of": lambda x, n: wg.bincount((x.astype(int) - 1) * 0 + n),
    "pad": wg.pad,
    "pad edge": lambda x, n: wg.pad(x, n, mode="edge"),
    "pad reflect": lambda x, n: wg.pad(x, n, mode="reflect"),
    "pad wrap": lambda x, n: wg.pad(x, n, mode="wrap"),
    "tril": lambda x, n: wg.tril(wg.broadcast_to(x[0], (n, 1))),
    "conv1d": lambda x, n: wg.conv1d(x[None, None], x[None, None], padding=n),
    "avg_pool1d": lambda x, n: wg.avg_pool1d(
        x[None, None], n, padding=n // 2, count_include_pad=False
    ),
}


@pytest.mark.parametrize("name", WITHOUT_BOUND)
def test_fault_12_a_number_is_no_reason_to_end(
    name: str, rec: ComputationRecord
) -> None:
    """Whatever is derived from a number is reserved as carefully as a result."""
    use, x = WITHOUT_BOUND[name], rec.tensor_from_value([1.0, 2.0, 3.0])
    with pytest.raises(MemoryError, match=name.split()[0]):
        use(x, 10**13)
    with pytest.raises((ShapeError, MemoryError), match=r"overflows|no memory|window"):
        use(x, 2**62)
    with nothing_lost(rec):
        pass


def test_fault_12_more_memory_than_there_is(rec: ComputationRecord) -> None:
    x = rec.ones(1)
    many = wg.broadcast_to(x, 10**13)
    uses: list[Callable[[], Any]] = [
        lambda: rec.zeros(10**13),
        lambda: rec.ones((10**7, 10**6)),
        lambda: many * 2,
        lambda: wg.exp(many),
        lambda: many[::-1].reshape(10**7, 10**6) + 1,
        lambda: wg.concatenate([many, many]),
        lambda: wg.where(many > 0, x, 0),
        lambda: wg.Rng(1).uniform(10**13),
        lambda: wg.Rng(1).permutation(10**13),
    ]
    for k, use in enumerate(uses):
        mark = rec.mark()
        with nothing_lost(rec):
            with pytest.raises(MemoryError, match=r"no memory for [\d.]+ GiB of shape"):
                use()
            assert len(rec) - len_of(mark) <= 2, f"use {k}"
            rec.rewind(mark)


def test_fault_12_says_how_much(rec: ComputationRecord) -> None:
    with pytest.raises(MemoryError) as caught:
        rec.zeros((10**7, 10**6))
    text = str(caught.value)
    assert "no memory for 74505.8 GiB of shape (10000000, 1000000)" in text


def test_fault_12_in_a_sweep(rec: ComputationRecord) -> None:
    """The cotangent of a broadcast is never materialised unless something needs it."""
    x = rec.tensor_from_value(3.0)
    loss = wg.broadcast_to(x, 10**13)[:2].sum()
    try:
        found = loss.grad().wrt(x).item()
    except MemoryError as error:
        assert "GiB" in str(error)  # noqa: PT017
    else:
        assert found == 2
    assert (x * x).grad().wrt(x).item() == 6


def test_fault_15_a_long_chain_on_a_small_stack() -> None:
    nodes = 1_000_000
    old = threading.stack_size(256 * 1024)
    try:

        def work() -> None:
            rec = ComputationRecord()
            x = y = rec.tensor_from_value(1.0)
            for _ in range(nodes):
                y = y + 1e-6
            assert abs(y.item() - 2) < 1e-6
            grad = (y * x).grad()
            assert abs(grad.wrt(x).item() - 3) < 1e-6
            assert len(rec) > nodes
            rec.clear()
            # Again, and let the record die with its nodes.
            y = rec.tensor_from_value(1.0)
            for _ in range(1000):
                y = -y
            y.grad(record=True)

        in_thread(work, timeout=300)
    finally:
        threading.stack_size(old)


def test_fault_15_deep_structures_do_not_overflow(rec: ComputationRecord) -> None:
    """A structure of tensors nested too deep raises, as Python's own code does."""
    x, grad = gradients(rec)
    tree: Any = x
    for _ in range(100_000):
        tree = [tree]
    with pytest.raises(RecursionError):
        grad.wrt(tree)
    with nothing_lost(rec):
        pass
