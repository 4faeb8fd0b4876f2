"""The promises of what signals, forks, threads and limits of memory get."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, HandleError, Tensor

from tests.python.faults import alarms, nothing_lost

# What is still at work then hangs, even under a sanitizer.
LIMIT = 600.0

needs_signals = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="needs POSIX timers"
)
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture(autouse=True)
def _default_threads() -> Iterator[None]:
    yield
    wg.set_num_threads(0)


# --- Signals --------------------------------------------------------------------------


def is_at_work(rec: ComputationRecord) -> bool:
    """Whether this thread is within a call on the record: then it refuses another."""
    try:
        len(rec)
    except HandleError:
        return True
    return False


def interrupt(rec: ComputationRecord, work: Callable[[], object]) -> None:
    """Expect that Ctrl-C, pressed while the record is at work, ends the work.

    Only what was completed before is recorded.
    """

    def handler() -> None:
        if is_at_work(rec):
            raise KeyboardInterrupt

    lengths = [len(rec)]

    def several() -> None:
        # A single call takes long enough on any machine; the others are for a handler
        # that always comes between two calls, which would be the fault.
        for _ in range(5):
            work()
            lengths.append(len(rec))

    with alarms(handler), pytest.raises(KeyboardInterrupt):
        several()
    assert len(rec) == lengths[-1]


def large(rec: ComputationRecord, *shape: int) -> Tensor:
    return rec.tensor_from_value(np.linspace(0, 1, int(np.prod(shape))).reshape(shape))


def repeated(rec: ComputationRecord) -> Tensor:
    """Give an array that repeats one matrix very often."""
    return wg.broadcast_to(large(rec, 1, 1000, 1000), (100_000, 1000, 1000))


# Each makes a large array, and then does one op on it.
WORK: dict[str, tuple[Callable[[ComputationRecord], Tensor], Callable[[Tensor], Any]]]
WORK = {
    "matmul": (lambda rec: large(rec, 3000, 3000), lambda x: x @ x),
    "matmul of integers": (
        lambda rec: large(rec, 900, 900).astype("i8"),
        lambda x: x @ x,
    ),
    "power": (lambda rec: large(rec, 30_000_000), lambda x: x**1.7),
    "sort": (lambda rec: -large(rec, 10_000_000), wg.argsort),
    "softmax": (lambda rec: large(rec, 6000, 6000), lambda x: wg.softmax(x, 0)),
    "reshape": (lambda rec: large(rec, 6000, 6000).T, lambda x: x.reshape(-1)),
    "sum": (repeated, lambda x: x.sum()),
    "sum of columns": (repeated, lambda x: x.sum((0, 1))),
    "max of rows": (repeated, lambda x: x.max((0, 2))),
}


@needs_signals
@pytest.mark.parametrize(
    ("name", "threads"),
    [*((name, 1) for name in WORK), ("matmul", 2), ("sum", 2)],
)
def test_fault_36_ctrl_c_within_an_op(
    name: str, threads: int, rec: ComputationRecord
) -> None:
    wg.set_num_threads(threads)
    prepare, op = WORK[name]
    x = prepare(rec)
    interrupt(rec, lambda: op(x))
    with nothing_lost(rec):
        pass


@needs_signals
@pytest.mark.parametrize("recorded", [False, True])
def test_fault_36_ctrl_c_within_a_sweep(recorded: bool, rec: ComputationRecord) -> None:
    """Of large arrays: the gradient is found as if nothing had been."""
    x = rec.tensor_from_value(np.linspace(0.5, 1.0, 1_000_000).reshape(1000, 1000))
    y = x
    for _ in range(6):
        y = wg.tanh(y @ x * 0.002) ** 1.1 + x
    loss = y.sum()
    wanted = loss.grad().wrt(x).data()
    mark = rec.mark()
    with nothing_lost(rec):
        for _ in range(3):
            interrupt(rec, lambda: loss.grad(record=recorded))
    found = loss.grad(record=recorded).wrt(x).data()
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    rec.rewind(mark)
    assert (loss.grad().wrt(x).data() == wanted).all()


@needs_signals
def test_fault_36_ctrl_c_within_a_sweep_of_scalars(rec: ComputationRecord) -> None:
    x = y = rec.tensor_from_value(0.5)
    for _ in range(8_000_000):
        y = y + x
    with nothing_lost(rec):
        interrupt(rec, lambda: y.grad())
    assert y.grad().wrt(x).item() == 8_000_001


@needs_signals
def test_fault_36_ctrl_c_within_zeros(rec: ComputationRecord) -> None:
    """The memory is had at once, but takes long to be filled."""
    with nothing_lost(rec):
        seen = []

        def handler() -> None:
            seen.append(len(rec))
            if len(seen) == 2:
                raise KeyboardInterrupt

        with alarms(handler), pytest.raises(KeyboardInterrupt):
            rec.zeros((100_000_000,))


@needs_signals
def test_fault_36_ctrl_c_while_all_nodes_are_read(rec: ComputationRecord) -> None:
    x = y = rec.tensor_from_value(0.5)
    for _ in range(500_000):
        y = y + x
    with nothing_lost(rec):
        interrupt(rec, lambda: rec.diff(rec))


DRAWS: dict[str, Callable[[wg.Rng], object]] = {
    "uniform": lambda rng: rng.uniform(100_000_000),
    "normal": lambda rng: rng.normal(30_000_000),
    "permutation": lambda rng: rng.permutation(30_000_000),
}


@needs_signals
@pytest.mark.parametrize("name", DRAWS)
def test_fault_36_ctrl_c_within_draws(name: str) -> None:
    """The stream is where it was before."""
    rng, seen = wg.Rng(7), []

    def handler() -> None:
        seen.append(rng)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with alarms(handler), pytest.raises(KeyboardInterrupt):
        DRAWS[name](rng)
    assert (rng.uniform(3) == wg.Rng(7).uniform(3)).all()


@needs_signals
def test_fault_36_ctrl_c_that_comes_from_the_system(rec: ComputationRecord) -> None:
    x = large(rec, 3000, 3000)

    def work() -> None:
        while True:
            mark = rec.mark()
            x @ x
            rec.rewind(mark)

    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    # A program that a shell starts in the background ignores this signal.
    old = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            work()
        timer.join()
    finally:
        signal.signal(signal.SIGINT, old)
    with nothing_lost(rec):
        pass


@needs_signals
@pytest.mark.parametrize("threads", [1, 2])
def test_fault_36_a_handler_that_returns(threads: int, rec: ComputationRecord) -> None:
    """The work goes on, whatever the handler did meanwhile; results are the same."""
    wg.set_num_threads(threads)
    rng = np.random.default_rng(1)
    x = rec.tensor_from_value(rng.normal(size=(1500, 1500)))
    wanted = (x @ x).sum().grad().wrt(x).data()
    other = ComputationRecord()
    refused = 0

    def handler() -> None:
        nonlocal refused
        refused += is_at_work(rec)
        y = other.tensor_from_value(np.ones((300, 300)))
        assert (y @ y).sum().grad().wrt(y).data()[0, 0] == 600
        other.clear()

    with alarms(handler):
        while refused < 5:
            found = (x @ x).sum().grad().wrt(x).data()
            assert (found == wanted).all()


@needs_signals
def test_fault_36_ctrl_c_while_another_thread_has_the_record(
    rec: ComputationRecord,
) -> None:
    x = wg.broadcast_to(large(rec, 1, 1_000_000), (200, 1_000_000))
    started, stop = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        while not stop.is_set():
            x.sum()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    started.wait(LIMIT)

    def handler() -> None:
        raise KeyboardInterrupt

    def ask() -> None:
        while True:
            len(rec)

    with alarms(handler), pytest.raises(KeyboardInterrupt):
        ask()
    stop.set()
    thread.join(LIMIT)
    assert not thread.is_alive()
    with nothing_lost(rec):
        pass


# --- Processes ------------------------------------------------------------------------


def run(code: str, **environment: str) -> None:
    """Run a program; nothing may be printed to its standard error."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        check=False,
        timeout=LIMIT,
        capture_output=True,
        env={**os.environ, **environment},
        text=True,
    )
    assert done.stderr == ""
    assert done.returncode == 0, done.stdout


def in_child(work: Callable[[], bool]) -> None:
    """Expect of a forked child that the work gives true, and that it ends."""
    pid = os.fork()
    if pid == 0:
        good = False
        try:
            good = work()
        finally:
            os._exit(0 if good else 1)
    expect_good(pid)


def expect_good(pid: int) -> None:
    status: list[int] = []
    waiter = threading.Thread(
        target=lambda: status.append(os.waitpid(pid, 0)[1]), daemon=True
    )
    waiter.start()
    waiter.join(LIMIT)
    if not status:
        os.kill(pid, signal.SIGKILL)
        pytest.fail("the child hangs")
    assert os.waitstatus_to_exitcode(status[0]) == 0


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fault_34_a_forked_child_computes(rec: ComputationRecord) -> None:
    """It makes a pool of its own, also if it is a child's child."""
    wg.set_num_threads(2)
    x = rec.tensor_from_value(np.random.default_rng(1).normal(size=(400, 400)))

    def result() -> bytes:
        y = wg.tanh(x @ x * 0.01)
        return (y * y).sum().grad().wrt(x).data().tobytes()

    wanted = result()

    def generations(left: int) -> bool:
        if left > 0:
            in_child(lambda: generations(left - 1))
        other = ComputationRecord().tensor_from_value(np.ones((400, 400)))
        return result() == wanted and (other @ other).data()[3, 4] == 400

    in_child(lambda: generations(2))
    assert result() == wanted


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fault_35_a_fork_while_others_are_at_work(rec: ComputationRecord) -> None:
    wg.set_num_threads(2)
    x = rec.tensor_from_value(np.ones((400, 400)))
    stop = threading.Event()

    def on_the_record() -> None:
        while not stop.is_set():
            mark = rec.mark()
            (x @ x).sum().grad().wrt(x)
            rec.rewind(mark)

    def on_many() -> None:
        while not stop.is_set():
            y = ComputationRecord().tensor_from_value(np.ones(300_000), borrow=True)
            wg.exp(y * 2).sum().grad().wrt(y)

    threads = [
        threading.Thread(target=f, daemon=True) for f in (on_the_record, on_many)
    ]
    for thread in threads:
        thread.start()
    refused = [0]

    def child() -> bool:
        y = ComputationRecord().tensor_from_value(np.ones((400, 400)), borrow=True)
        good = (y @ y).sum().grad().wrt(y).data()[1, 2] == 800
        try:
            good = good and (x @ x).data()[3, 4] == 400
        except RuntimeError as error:
            good = good and "stayed behind at a fork" in str(error)
            refused[0] += 1
        return bool(good)

    try:
        for _ in range(30):
            in_child(child)
    finally:
        stop.set()
        for thread in threads:
            thread.join(LIMIT)
    assert (x @ x).data()[0, 0] == 400


@needs_fork
@needs_signals
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("threads", [1, 2])
def test_fault_35_a_fork_within_a_signal_handler(
    threads: int, rec: ComputationRecord
) -> None:
    """The op that was under way fails in the child, and goes on in the parent."""
    wg.set_num_threads(threads)
    x = rec.tensor_from_value(np.ones((1200, 1200)))
    children: list[int] = []

    def handler() -> None:
        if not children and is_at_work(rec):
            children.append(os.fork())

    parent, error, good = os.getpid(), "", False
    try:
        with alarms(handler):
            while not children:
                try:
                    assert (x @ x).data()[5, 6] == 1200
                except HandleError as caught:
                    error = str(caught)
        good = "the process was forked" in error and (x @ x[:, 0]).data()[0] == 1200
    finally:
        if os.getpid() != parent:
            os._exit(0 if good else 1)
    assert error == ""
    expect_good(children[0])


def test_fault_37_the_interpreter_ends_with_work_running() -> None:
    """Work that would take minutes does not keep the process."""
    run(
        """
        import threading
        import numpy as np
        import wengert as wg

        wg.set_num_threads(2)
        rec = wg.ComputationRecord()
        row = rec.tensor_from_value(np.ones((1, 1_000_000)))
        x = wg.broadcast_to(row, (100_000_000, 1_000_000))
        started = threading.Barrier(3)

        def reduce():
            started.wait()
            x.sum()

        def multiply():
            y = wg.ComputationRecord().tensor_from_value(np.ones((3000, 3000)))
            started.wait()
            while True:
                y @ y

        for work in (reduce, multiply):
            threading.Thread(target=work, daemon=True).start()
        started.wait()
        """
    )


# --- Memory ---------------------------------------------------------------------------


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs RLIMIT_AS")
@pytest.mark.parametrize("threads", [1, 2])
def test_fault_13_memory_ends_within_a_sweep(threads: int) -> None:
    """At any place: the record, its gradients and the process go on."""
    run(
        f"""
        import resource
        import numpy as np
        import wengert as wg

        wg.set_num_threads({threads})

        def size():
            with open("/proc/self/statm") as file:
                return int(file.read().split()[0]) * resource.getpagesize()

        rec = wg.ComputationRecord()
        x = rec.tensor_from_value(np.linspace(0.1, 1, 90_000).reshape(300, 300))
        y = x
        for _ in range(10):
            y = wg.tanh(y @ x * 0.01) + wg.softmax(y, 0) * x[::-1]
        loss = (y * y).sum()
        old = loss.grad().wrt(x)
        wanted = old.data().tobytes()
        mark, nodes = rec.mark(), len(rec)
        unlimited = resource.getrlimit(resource.RLIMIT_AS)
        failed = 0
        for room in range(0, 40_000_000, 500_000):
            wg.release_pool()
            resource.setrlimit(resource.RLIMIT_AS, (size() + room, unlimited[1]))
            try:
                found = loss.grad().wrt(x).data().tobytes()
            except MemoryError as error:
                failed += 1
                assert "no memory" in str(error), error
                assert len(rec) == nodes
            else:
                assert found == wanted
            resource.setrlimit(resource.RLIMIT_AS, unlimited)
            rec.rewind(mark)
            assert old.data().tobytes() == wanted
            assert loss.grad().wrt(x).data().tobytes() == wanted
            rec.rewind(mark)
        assert 5 < failed < 75, failed
        """,
        # What is let go goes back to the system, and counts no more.
        MALLOC_MMAP_THRESHOLD_="65536",
    )


def test_fault_14_no_memory_while_an_error_is_raised() -> None:
    """Whichever of Python's allocations fails, it is a MemoryError."""
    pytest.importorskip("_testcapi")
    run(
        """
        import _testcapi
        import wengert as wg

        rec = wg.ComputationRecord()
        x = rec.ones(3)
        large = rec.ones((10_000_000, 1))
        row = rec.ones((1, 10_000_000))

        def attempt(use, start):
            _testcapi.set_nomemory(start, 0)
            try:
                use()
            except MemoryError:
                return MemoryError
            except wg.WengertError:
                return wg.WengertError
            finally:
                _testcapi.remove_mem_hooks()

        uses = [lambda: rec.zeros(10**13), lambda: large @ row, lambda: large + row]
        uses += [lambda: x @ x[:2], lambda: x.reshape(7), lambda: x[5]]
        for use in uses:
            # A first call keeps names for the next.
            assert attempt(use, 10**9) is not None
            seen = [attempt(use, start) for start in range(1, 80)]
            assert MemoryError in seen
            assert None not in seen, seen
        assert (x * 2).sum().grad().wrt(x).data().tolist() == [2, 2, 2]
        """
    )
