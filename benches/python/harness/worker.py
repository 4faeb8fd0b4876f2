"""The process of one library: reads requests, answers them, and times what it runs.

    python -m benches.python.harness.worker LIBRARY CORES

Requests and answers are pickles on standard input and output; the bench starts this
process itself and talks to no other. Settings of threads are in the environment, and
the cores are chosen here, before anything is imported that looks at them.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
import traceback
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benches.python.libraries import Arrays, Library, Task


class Worker:
    """Answers requests: a method each."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.task: Task | None = None

    def describe(self) -> dict[str, str]:
        """Give the versions of what takes part."""
        return self.library.describe()

    def prepare(self, name: str) -> Arrays:
        """Make a case ready, and give what it computes."""
        from benches.python.work import find

        self.task = None
        gc.collect()
        self.task = find(name).task(self.library)
        return self.task.outputs()

    def calibrate(self, seconds: float) -> tuple[int, float]:
        """Give how many runs a block of so many seconds has, and how long it takes."""
        # The first run may compile.
        self._run(1)
        times = 1
        while (spent := self._run(times)[1]) < seconds / 2:
            times *= 2
        if times > 1:
            times = round(times * seconds / spent)
            spent = self._run(times)[1]
        return times, spent

    def block(self, times: int) -> dict[str, float]:
        """Run a block; give nanoseconds for each metric."""
        # The blocks of others have emptied the caches.
        if times > 1:
            self._run(1)
        return self._run(times)[0]

    def _run(self, times: int) -> tuple[dict[str, float], float]:
        assert self.task is not None
        gc.collect()
        gc.disable()
        start = perf_counter()
        try:
            figures = self.task.block(times)
            return figures, perf_counter() - start
        finally:
            gc.enable()


def main() -> None:
    """Answer until the input ends."""
    name, cores = sys.argv[1], sys.argv[2]
    # The bench ends this process, by closing its input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.sched_setaffinity(0, map(int, cores.split(",")))
    # What a library prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    from benches.python.libraries import load

    worker = Worker(load(name))
    # What a library holds need not be looked through between blocks.
    gc.freeze()
    while True:
        try:
            method, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        answer: tuple[str, Any]
        try:
            answer = "done", getattr(worker, method)(*arguments)
        except NotImplementedError:
            answer = "refused", None
        except Exception:
            answer = "failed", traceback.format_exc()
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    main()
