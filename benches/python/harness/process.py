"""The bench's side of a library's process."""

from __future__ import annotations

import importlib.util
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from benches.python import ROOT

if TYPE_CHECKING:
    from typing_extensions import Self

# How long a process may take to end when its input has.
PATIENCE = 10  # seconds


@dataclass(frozen=True)
class Contestant:
    """A library under certain settings."""

    label: str
    library: str
    threads: int
    # Beside those of the threads.
    environment: tuple[tuple[str, str], ...] = ()

    def variables(self) -> dict[str, str]:
        """Give the variables of its environment that differ from the bench's."""
        threads = str(self.threads)
        many = str(self.threads > 1).lower()
        return {
            "OMP_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            "WENGERT_NUM_THREADS": threads,
            "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={many}",
            "JAX_PLATFORMS": "cpu",
            "JAX_ENABLE_X64": "1",
            "CUDA_VISIBLE_DEVICES": "",
            "PYTHONHASHSEED": "0",
            **dict(self.environment),
        }


class ProcessError(Exception):
    """A library's process failed, or is gone."""


class Refused(Exception):
    """The library does not do this."""


def installed(library: str) -> bool:
    """Say whether a library can be imported, without importing it."""
    return importlib.util.find_spec(library) is not None


class Process:
    """A library in a process of its own, which is stopped unless it is asked."""

    def __init__(self, contestant: Contestant, cores: Sequence[int]) -> None:
        self.contestant = contestant
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "benches.python.harness.worker",
                contestant.library,
                ",".join(map(str, cores)),
            ],
            cwd=ROOT,
            env={**os.environ, **contestant.variables()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    @property
    def pid(self) -> int:
        """Give the process's number."""
        return self._process.pid

    def ask(self, method: str, *arguments: Any) -> Any:
        """Ask for something and wait for it; the process runs only meanwhile.

        Idle threads that spin, as those of some libraries do for a while, would take
        the time of the next library.
        """
        source, sink = self._process.stdout, self._process.stdin
        assert source is not None
        assert sink is not None
        self._process.send_signal(signal.SIGCONT)
        try:
            pickle.dump((method, arguments), sink)
            sink.flush()
            state, answer = pickle.load(source)
        except (BrokenPipeError, EOFError) as error:
            status = self._process.wait()
            raise ProcessError(
                f"{self.contestant.label}: the process ended with status {status}"
            ) from error
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        if state == "refused":
            raise Refused
        if state == "failed":
            raise ProcessError(f"{self.contestant.label}: {method} failed\n{answer}")
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.send_signal(signal.SIGCONT)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
