"""What the tests of faults share."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import pytest
import wengert as wg
from wengert import (
    ComputationRecord,
    Tensor,
    WengertError,
)


@contextmanager
def nothing_lost(*records: ComputationRecord) -> Iterator[None]:
    """Expect that the records are as they were, and can be used."""
    before = [len(rec) for rec in records]
    yield
    assert [len(rec) for rec in records] == before
    for rec in records:
        mark = rec.mark()
        x = rec.tensor_from_value([1.0, 2.0])
        assert (x * x).sum().grad().wrt(x).data().tolist() == [2, 4]
        rec.rewind(mark)


@contextmanager
def raises(
    kind: type[WengertError], builtin: type[Exception], *texts: str
) -> Iterator[None]:
    """Expect an exception of both classes whose message holds all the texts."""
    with pytest.raises(kind) as caught:
        yield
    assert isinstance(caught.value, builtin)
    assert isinstance(caught.value, WengertError)
    message = str(caught.value)
    for text in texts:
        assert text in message, message
    lines = message.splitlines()
    assert lines[0] == lines[0].rstrip(". ")
    assert "please" not in message.replace("please report it", "")


def name_of(rec: ComputationRecord) -> str:
    found = re.match(r"<(record \d+):", repr(rec))
    assert found
    return found.group(1)


def in_thread(work: Callable[[], None], timeout: float = 60) -> None:
    """Run work elsewhere; fail if it hangs or raises."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout)
    assert not thread.is_alive(), "the work hangs"
    if errors:
        raise errors[0]


def gradients(rec: ComputationRecord) -> tuple[Tensor, wg.Grad]:
    x = rec.tensor_from_value([1.0, 2.0])
    return x, (x * x).sum().grad()


def len_of(mark: wg.Mark) -> int:
    found = re.search(r"after (\d+) node", repr(mark))
    assert found
    return int(found.group(1))


@contextmanager
def alarms(handler: Callable[[], None]) -> Iterator[None]:
    """Call the handler 5 ms after it returned, or as soon as Python lets it."""

    def handle(number: int, frame: FrameType | None) -> None:
        handler()
        # A timer that repeats would call a slow handler within itself.
        signal.setitimer(signal.ITIMER_REAL, 0.005)

    old = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.005)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
