"""Time this package beside others, and report ratios.

    python benches/python/run.py [--peers numpy,autograd,jax,torch] [--threads 1,2]
        [--only NAME]... [--quick] [--json FILE [--add]] [--markdown FILE]

Every library has a process of its own, all bound to the same cores; results are
compared before anything is timed; blocks of the libraries take turns. A case is named
as in the report, and so is a group of cases: `--only chain --only 'unary/exp/*'`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

if __name__ == "__main__":  # a script finds only what is in its own folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benches.python.harness import machine, rust
from benches.python.harness.bench import Bench
from benches.python.harness.measure import FULL, QUICK
from benches.python.harness.process import installed
from benches.python.libraries import TITLES
from benches.python.report.markdown import document
from benches.python.results import OURS, Results, read

PEERS = [name for name in TITLES if name != OURS]


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n")[0], allow_abbrev=False
    )
    known = [*PEERS, *rust.PEERS]
    parser.add_argument(
        "--peers",
        type=lambda text: listed(text, known),
        default=PEERS,
        help=f"any of {','.join(known)}; {','.join(PEERS)} by default",
    )
    parser.add_argument(
        "--threads",
        type=lambda text: [int(n) for n in text.split(",")],
        default=[1],
        help="how many each library may use; several for several runs",
    )
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="few and short blocks")
    parser.add_argument("--wheel", type=Path, help="the wheel whose size is reported")
    parser.add_argument("--json", type=Path, help="where the figures are written")
    parser.add_argument(
        "--add", action="store_true", help="keep the other rows that the file has"
    )
    parser.add_argument("--markdown", type=Path, help="where the report is written")
    return parser.parse_args(arguments)


def listed(text: str, known: Sequence[str]) -> list[str]:
    """Read names between commas."""
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"no {name!r} among {','.join(known)}")
    return names


def run(options: argparse.Namespace) -> tuple[Results, bool]:
    """Measure what is asked for; say too whether all libraries agreed."""
    peers = [peer for peer in options.peers if peer in rust.PEERS or installed(peer)]
    left_out = [f"{p}: not installed" for p in options.peers if p not in peers]
    effort = QUICK if options.quick else FULL
    bench = Bench(peers, options.only, effort, left_out)
    cores = sorted(os.sched_getaffinity(0))
    for threads in options.threads:
        if threads > len(cores):
            bench.leave_out(f"{threads} threads: there are {len(cores)} cores")
            continue
        # The last ones: the first has most of the interrupts.
        bench.cases(cores[-threads:])
        if threads > 1:
            bench.threads(cores[-threads:])
    bench.packages(options.wheel)
    bench.rust(cores[-1])
    results = Results(
        date=datetime.now(timezone.utc).date().isoformat(),
        commit=machine.commit(),
        machine=machine.machine(),
        libraries=bench.libraries,
        settings=effort.describe(),
        left_out=bench.left_out,
        rows=bench.rows,
    )
    return results, bench.agreed


def main() -> int:
    """Measure and report."""
    options = parse()
    results, agreed = run(options)
    if options.json is not None:
        if options.add and options.json.exists():
            results = results.added_to(read(options.json))
        results.write(options.json)
    text = document(results)
    if options.markdown is None:
        print(text, end="")
    else:
        options.markdown.write_text(text, encoding="utf-8")
    return 0 if agreed else 1


if __name__ == "__main__":
    sys.exit(main())
