"""Threads: a record each, and several on one. Results are right or HandleErrors."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, HandleError, ParameterStore, Rng

from tests.python.faults import alarms

THREADS = 16
# Small tensors; those for which the interpreter is released; those that the threads of
# the pool share.
SIZES = [4, 2000, 20_000]
# What is still at work then hangs, even under a sanitizer.
LIMIT = 900.0


def together(work: Callable[[int], None], threads: int = THREADS) -> None:
    """Run work in threads that start at once; fail if one hangs or raises."""
    barrier = threading.Barrier(threads)
    errors: list[BaseException] = []

    def run(k: int) -> None:
        try:
            barrier.wait(LIMIT)
            work(k)
        except BaseException as error:
            errors.append(error)

    started = [
        threading.Thread(target=run, args=(k,), daemon=True) for k in range(threads)
    ]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in started:
            thread.start()
        end = time.monotonic() + LIMIT
        for thread in started:
            thread.join(max(0.0, end - time.monotonic()))
    finally:
        sys.setswitchinterval(interval)
    assert not any(thread.is_alive() for thread in started), "a thread hangs"
    if errors:
        raise errors[0]


def result_of(seed: int, rec: ComputationRecord, size: int) -> bytes:
    rng = np.random.default_rng(seed)
    x = rec.tensor_from_value(rng.normal(size=(size, 20)))
    w = rec.tensor_from_value(rng.normal(size=(20, 10)))
    loss = wg.logsumexp(wg.tanh(x @ w) * 0.5) + (x[::2] ** 2).mean()
    grad = loss.grad()
    recorded = loss.grad(record=True).wrt(w)
    second = (recorded * recorded).sum().grad().wrt(w)
    found = [loss, grad.wrt(x), grad.wrt(w), second]
    return b"".join(t.data().tobytes() for t in found)


@pytest.mark.parametrize("size", SIZES)
def test_fault_33_a_record_each(size: int) -> None:
    wanted = [result_of(k, ComputationRecord(), size) for k in range(THREADS)]

    def work(k: int) -> None:
        rec = ComputationRecord()
        for _ in range(10):
            with rec:
                assert result_of(k, rec, size) == wanted[k]

    together(work)


@pytest.mark.parametrize("size", SIZES)
def test_fault_33_all_on_one_record(size: int) -> None:
    """Calls take turns: nothing that one thread records is disturbed by others."""
    wanted = [result_of(k, ComputationRecord(), size) for k in range(THREADS)]
    rec = ComputationRecord()
    refused = [0] * THREADS

    def work(k: int) -> None:
        for _ in range(5):
            try:
                assert result_of(k, rec, size) == wanted[k]
            except HandleError:
                refused[k] += 1

    together(work)
    # A turn is waited for: a refusal would be allowed, but none is needed.
    assert sum(refused) == 0
    assert len(rec) > 0


def test_fault_33_one_clears_while_others_record() -> None:
    rec = ComputationRecord()
    done = threading.Event()

    def work(k: int) -> None:
        if k == 0:
            for _ in range(2000):
                rec.clear()
            done.set()
            return
        while not done.is_set():
            try:
                x = rec.tensor_from_value(np.full(300, float(k)))
                y = x * x
                view = y.data()
                found = y.sum().grad().wrt(x).data()
            except HandleError as error:
                assert "cleared" in str(error)  # noqa: PT017
                continue
            assert (view == k * k).all()
            assert (found == 2 * k).all()

    together(work)
    rec.clear()
    assert rec.ones(3).sum().item() == 3


def test_fault_33_one_gradient_asked_by_all() -> None:
    rec = ComputationRecord()
    xs = [rec.tensor_from_value(np.full(50, float(k))) for k in range(50)]
    y = wg.stack(xs)
    loss = (y * y).sum()
    grads = [loss.grad(), loss.grad(record=True)]
    found: dict[int, set[int]] = {k: set() for k in range(100)}

    def work(thread: int) -> None:
        order = np.random.default_rng(thread).permutation(100)
        for k in order:
            t = grads[k // 50].wrt(xs[k % 50])
            assert (t.data() == 2 * (k % 50)).all()
            found[int(k)].add(t.index)
            assert grads[k // 50].connected(xs[k % 50])

    together(work)
    assert all(len(indices) == 1 for indices in found.values())


def test_one_stream_of_random_numbers() -> None:
    """What threads draw together is what one draws, in another order."""
    rng, drawn = Rng(3), [np.zeros(0)] * THREADS

    def work(k: int) -> None:
        drawn[k] = np.concatenate([rng.uniform(10, dtype="f8") for _ in range(100)])

    together(work)
    wanted = Rng(3).uniform(1000 * THREADS, dtype="f8")
    np.testing.assert_array_equal(np.sort(np.concatenate(drawn)), np.sort(wanted))


def test_one_store_read_by_all() -> None:
    store = ParameterStore({"w": np.arange(1000.0)})

    def work(k: int) -> None:
        for _ in range(100):
            rec = ComputationRecord()
            w = rec.parameter("w", store["w"])
            assert (w * 2).sum().grad().wrt(w).data().sum() == 2000

    together(work)


def test_records_die_in_other_threads() -> None:
    kept: list[Any] = []

    def make(k: int) -> None:
        for _ in range(50):
            rec = ComputationRecord()
            x = rec.tensor_from_value(np.ones(1000), borrow=True)
            kept.append((x * 2, x.sum().grad(), x.data()))

    together(make)

    def drop(k: int) -> None:
        while kept:
            try:
                kept.pop()
            except IndexError:
                return

    together(drop)


def test_views_are_read_while_the_record_is_reused() -> None:
    rec = ComputationRecord()
    stop = threading.Event()

    def work(k: int) -> None:
        if k == 0:
            for round_ in range(300):
                x = rec.tensor_from_value(np.full(5000, float(round_)))
                views.append((x * 1).data())
                rec.clear()
            stop.set()
            return
        while not stop.is_set():
            for view in views[-3:]:
                assert view[0] == view[-1] == view[2500]

    views: list[np.ndarray[Any, Any]] = []
    together(work, 3)
    for round_, view in enumerate(views):
        assert (view == round_).all()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")
def test_a_signal_handler_uses_the_record() -> None:
    """A handler that runs between two calls; one within a long call is refused."""
    rec = ComputationRecord()
    x = rec.tensor_from_value(np.ones(3000))
    ran = 0

    def handler() -> None:
        nonlocal ran
        try:
            y = x * 3
        except HandleError:
            # Under a sanitizer these calls are long.
            return
        ran += 1
        assert y.data()[0] == 3

    with alarms(handler):
        for _ in range(3000):
            y = wg.exp(x) * 2
            y.sum().grad().wrt(x)
    assert ran > 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_goes_on() -> None:
    rec = ComputationRecord()
    x = rec.tensor_from_value(np.ones((200, 200)))
    wanted = (x @ x).sum().item()
    pid = os.fork()
    if pid == 0:
        good = False
        try:
            good = (x @ x).sum().item() == wanted
            y = ComputationRecord().tensor_from_value(np.ones((200, 200)))
            good = good and (y @ y).sum().grad().wrt(y).data()[0, 0] == 400
        finally:
            os._exit(0 if good else 1)
    status: list[int] = []
    waiter = threading.Thread(
        target=lambda: status.append(os.waitpid(pid, 0)[1]), daemon=True
    )
    waiter.start()
    waiter.join(60)
    if not status:
        os.kill(pid, signal.SIGKILL)
        pytest.fail("the child hangs")
    assert os.waitstatus_to_exitcode(status[0]) == 0
