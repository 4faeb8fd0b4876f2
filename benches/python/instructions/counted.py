"""What is counted. Run by `gate.py`, under callgrind.

Every path runs twice, in forked children of one interpreter: N times and 2 N times.
The difference of the two is what N runs take, without the interpreter's start and the
path's own set-up. Prints a line for each child: its process, the path, and the runs.

No path calls NumPy: the counts do not depend on its version. The garbage collector is
off: when it comes depends on all that ran before.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from timeit import Timer

import wengert as wg

ELEMENTS, SIDE, NODES, LINKS = 16, 4, 1000, 100
# Each is called in a loop; `x` and `y` are vectors, `s` is a scalar, `m` is a matrix.
OPS = {
    "x + y": 500,
    "x * 2.0": 500,
    "exp(x)": 500,
    "s * s": 500,
    "sum(x)": 500,
    "m @ m": 500,
    "x[2:5]": 500,
    "m.T": 500,
}


def call(code: str, longest: int, times: int) -> None:
    """Record an op in a loop, into memory that was used before."""
    rec = wg.ComputationRecord()
    names = {
        "x": rec.ones(ELEMENTS, "float32"),
        "y": rec.ones(ELEMENTS, "float32"),
        "s": rec.ones(()),
        "m": rec.ones((SIDE, SIDE), "float32"),
        "exp": wg.exp,
        "sum": wg.sum,
    }
    mark = rec.mark()
    timer = Timer(code, globals=names)
    timer.timeit(longest)
    rec.rewind(mark)
    timer.timeit(times)


def sweep(last: Callable[[wg.ComputationRecord], wg.Tensor], times: int) -> None:
    """Sweep over a record, again and again."""
    y = last(wg.ComputationRecord())
    for _ in range(times):
        y.grad()


def scalars(rec: wg.ComputationRecord) -> wg.Tensor:
    """Record a recurrence of scalars."""
    x = y = rec.ones(())
    for _ in range(NODES // 2):
        y = y * x + 1e-9
    return y


def chain(rec: wg.ComputationRecord) -> wg.Tensor:
    """Record a chain on few elements."""
    y, w, b = (rec.ones(ELEMENTS, "float32") for _ in range(3))
    for _ in range(LINKS):
        y = wg.tanh(y * w + b)
    return wg.sum(y)


@dataclass(frozen=True)
class Path:
    """Something that is counted."""

    run: Callable[[int], None]
    times: int
    # What the count is divided by, in one run.
    units: int


PATHS = {
    **{code: Path(partial(call, code, 2 * n), n, 1) for code, n in OPS.items()},
    "sweep of scalars, a node": Path(partial(sweep, scalars), 3, NODES),
    "sweep of a chain, an op": Path(partial(sweep, chain), 3, 3 * LINKS),
}


def main() -> None:
    """Run every path in two children."""
    gc.disable()
    for name, path in PATHS.items():
        for times in (path.times, 2 * path.times):
            child = os.fork()
            if child == 0:
                path.run(times)
                # At once: the interpreter's end would be counted too.
                os._exit(0)
            _, status = os.waitpid(child, 0)
            if status != 0:
                raise SystemExit(f"{name}: the child ended with status {status}")
            print(child, times, name, flush=True)


if __name__ == "__main__":
    main()
