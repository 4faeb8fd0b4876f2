"""A run of the bench: which libraries meet in which processes, and on which cores."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benches.python.harness import imports, rust
from benches.python.harness.machine import has_avx512
from benches.python.harness.measure import Disagreement, Effort, Samples, measure
from benches.python.harness.process import Contestant, Process, ProcessError
from benches.python.libraries import TITLES
from benches.python.report.numbers import told
from benches.python.results import OURS, Row, rows_of
from benches.python.work import Case, chosen, groups, matches

# NumPy with the kernels that the processor has, where its library chooses others.
WIDE = "wide-numpy"
WIDE_KERNELS = (("OPENBLAS_CORETYPE", "SkylakeX"),)
ONE_THREAD = "one-thread"


class Bench:
    """Collects the rows of a run."""

    def __init__(
        self,
        peers: Sequence[str],
        only: Sequence[str],
        effort: Effort,
        left_out: Sequence[str] = (),
    ) -> None:
        self.peers = peers
        self.only = only
        self.effort = effort
        self.rows: list[Row] = []
        self.libraries: dict[str, dict[str, str]] = {}
        self.left_out: list[str] = []
        self.agreed = True
        for line in left_out:
            self.leave_out(line)

    def leave_out(self, line: str) -> None:
        """Say what is not measured, and why; once."""
        if line not in self.left_out:
            self.left_out.append(line)
            print(f"left out: {line}", file=sys.stderr)

    def cases(self, cores: Sequence[int]) -> None:
        """Time the cases that were chosen, as many threads as cores."""
        cases = [c for c in chosen(self.only) if not c.name.startswith("threads/")]
        for group in groups(cases):
            wanted = {peer for case in group for peer in case.peers}
            libraries = [OURS, *(peer for peer in self.peers if peer in wanted)]
            contestants = [Contestant(name, name, len(cores)) for name in libraries]
            if WIDE in wanted and "numpy" in self.peers and has_avx512():
                wide = Contestant(WIDE, "numpy", len(cores), WIDE_KERNELS)
                contestants.append(wide)
            self._group(group, contestants, cores)

    def threads(self, cores: Sequence[int]) -> None:
        """Time this package on all these cores beside itself on one thread."""
        cases = [c for c in chosen(self.only) if c.name.startswith("threads/")]
        if not hasattr(importlib.import_module(OURS), "set_num_threads"):
            self.leave_out(f"threads: this {OURS} has one only")
            return
        contestants = [
            Contestant(OURS, OURS, len(cores)),
            Contestant(ONE_THREAD, OURS, 1),
        ]
        for group in groups(cases):
            self._group(group, contestants, cores)

    def packages(self, wheel: Path | None) -> None:
        """Time imports, and weigh the wheel."""
        if matches("package/import", self.only):
            peers = [peer for peer in self.peers if peer in TITLES]
            samples = imports.import_times(peers, self.effort.least_rounds)
            self._add("package/import", "import", 1, samples)
        if matches("package/wheel", self.only):
            if wheel is None:
                self.leave_out("package/wheel: no wheel is given, by --wheel FILE")
            else:
                self._add("package/wheel", "wheel", 1, imports.wheel_size(wheel))

    def rust(self, core: int) -> None:
        """Time the chain in Rust, if one of its peers was asked for."""
        asked = set(rust.PEERS) & set(self.peers)
        if not asked or not matches("rust/chain", self.only):
            return
        try:
            found = rust.run(core, self.effort.most_rounds)
        except rust.NotBuilt as reason:
            self.leave_out(f"rust/chain: {reason}")
            return
        for case, samples in found.items():
            self._add(case, "op", 1, samples)

    def _group(
        self,
        cases: Sequence[Case],
        contestants: Sequence[Contestant],
        cores: Sequence[int],
    ) -> None:
        with self._started(contestants, cores) as processes:
            for case in cases:
                taking_part = {
                    label: process
                    for label, process in processes.items()
                    if label in (OURS, ONE_THREAD, *case.peers)
                }
                try:
                    samples = measure(case.name, taking_part, self.effort)
                except (Disagreement, ProcessError) as fault:
                    self.agreed = False
                    self.leave_out(str(fault))
                else:
                    self._add(case.name, case.per, len(cores), samples)

    @contextmanager
    def _started(
        self, contestants: Sequence[Contestant], cores: Sequence[int]
    ) -> Iterator[Mapping[str, Process]]:
        """Start processes that have imported their libraries."""
        with ExitStack() as stack:
            processes = {
                contestant.label: stack.enter_context(Process(contestant, cores))
                for contestant in contestants
            }
            for label, process in list(processes.items()):
                try:
                    self.libraries[label] = process.ask("describe")
                except ProcessError as fault:
                    if label == OURS:
                        raise
                    self.leave_out(str(fault))
                    del processes[label]
            yield processes

    def _add(self, case: str, per: str, threads: int, samples: Samples) -> None:
        for row in rows_of(case, per, threads, samples):
            self.rows.append(row)
            print(told(row), file=sys.stderr)
