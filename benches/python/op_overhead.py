"""Measure what an op costs when it is called from Python, next to NumPy.

Three tables: an elementwise op on 16 float32 elements, recorded with its source line,
against the same NumPy call; forward plus backward of a chain of 300 such ops against
its forward alone; and a scalar record of a million nodes, built and swept.

All in one process, in blocks that alternate between the contestants, with the collector
off. Dropping the nodes (a rewind of the record) is part of every block: it is a cost
that NumPy pays as it goes.

    python benches/python/op_overhead.py [--json FILE] [--rounds N]
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import numpy as np
import wengert as wg
from wengert import ComputationRecord, Tensor

ELEMENTS = 16
CALLS = 2_000
LINKS = 100  # of three ops each
NODES = 1_000_000
WARM_UP = 5
# What the design asks for.
MOST_OF_NUMPY, MOST_OF_FORWARD = 0.5, 2.0

Block = Callable[[], int]


def cpu_model() -> str:
    """Give the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.split(":", 1)[1] for line in lines if line.startswith("model name")]
    return names[0].strip() if names else platform.processor() or "unknown"


def timed(work: Callable[[], object]) -> int:
    """Give the nanoseconds that the work takes."""
    start = perf_counter_ns()
    work()
    return perf_counter_ns() - start


def interleaved(blocks: dict[str, Block], rounds: int) -> dict[str, list[int]]:
    """Run each block once a round; give their times, without the first rounds."""
    times: dict[str, list[int]] = {name: [] for name in blocks}
    for k in range(rounds + WARM_UP):
        for name, block in blocks.items():
            gc.collect()
            gc.disable()
            spent = block()
            gc.enable()
            if k >= WARM_UP:
                times[name].append(spent)
    return times


def summary(times: list[int], per: int) -> dict[str, float]:
    """Give the median and the minimum, for one of what a block does many times."""
    return {"median_ns": statistics.median(times) / per, "min_ns": min(times) / per}


# --- An op, and NumPy's ---------------------------------------------------------------


def repeat_unary(f: Callable[[Any], Any], x: Any) -> None:
    """Call a function in a loop: all calls are recorded at one line."""
    for _ in range(CALLS):
        f(x)


def repeat_binary(f: Callable[[Any, Any], Any], x: Any, y: Any) -> None:
    """Call a function of two operands in a loop."""
    for _ in range(CALLS):
        f(x, y)


def repeat_plus(x: Any, y: Any) -> None:
    """Add by the operator, as most code does."""
    for _ in range(CALLS):
        x + y


def measure_ops(rounds: int) -> dict[str, dict[str, Any]]:
    """Measure each op in both libraries."""
    a = np.linspace(0.5, 1.5, ELEMENTS, dtype=np.float32)
    b = a[::-1].copy()
    rec = ComputationRecord()
    x, y = rec.tensor_from_value(a), rec.tensor_from_value(b)
    mark = rec.mark()

    def ours(loop: Callable[..., None], *arguments: Any) -> Block:
        def work() -> None:
            loop(*arguments)
            rec.rewind(mark)

        return lambda: timed(work)

    def theirs(loop: Callable[..., None], *arguments: Any) -> Block:
        return lambda: timed(lambda: loop(*arguments))

    blocks: dict[str, Block] = {
        "add wengert": ours(repeat_binary, wg.add, x, y),
        "add numpy": theirs(repeat_binary, np.add, a, b),
        "+ wengert": ours(repeat_plus, x, y),
        "+ numpy": theirs(repeat_plus, a, b),
        "multiply wengert": ours(repeat_binary, wg.multiply, x, y),
        "multiply numpy": theirs(repeat_binary, np.multiply, a, b),
        "exp wengert": ours(repeat_unary, wg.exp, x),
        "exp numpy": theirs(repeat_unary, np.exp, a),
    }
    times = interleaved(blocks, rounds)
    result: dict[str, dict[str, Any]] = {}
    for op in ("add", "+", "multiply", "exp"):
        ours_, theirs_ = times[f"{op} wengert"], times[f"{op} numpy"]
        pairs = zip(ours_, theirs_, strict=True)
        result[op] = {
            "wengert": summary(ours_, CALLS),
            "numpy": summary(theirs_, CALLS),
            # Of neighbouring blocks, so that a slow moment hits both.
            "ratio": statistics.median(o / t for o, t in pairs),
        }
    return result


# --- Forward and backward -------------------------------------------------------------


def chain(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Apply 300 ops whose values stay near 0.6."""
    for _ in range(LINKS):
        x = wg.exp(wg.add(wg.multiply(x, scale), shift))
    return x


def measure_chain(rounds: int) -> dict[str, dict[str, Any]]:
    """Measure the chain alone, and with its gradient."""
    rec = ComputationRecord()
    start = np.linspace(0.5, 1.5, ELEMENTS, dtype=np.float32)
    seed = np.ones(ELEMENTS, np.float32)
    scale = np.full(ELEMENTS, -0.8, np.float32)
    result: dict[str, dict[str, Any]] = {}
    # As leaves the other operands have gradients too: twice the work in a product.
    for kind, make in (("constants", rec.constant), ("leaves", rec.tensor_from_value)):
        rec.clear()
        x = rec.tensor_from_value(start)
        others = make(scale), make(scale * 0.1)
        mark = rec.mark()

        def forward(x: Any = x, others: Any = others, mark: Any = mark) -> None:
            chain(x, *others)
            rec.rewind(mark)

        def both(x: Any = x, others: Any = others, mark: Any = mark) -> None:
            chain(x, *others).grad(seed=seed).wrt(x)
            rec.rewind(mark)

        blocks: dict[str, Block] = {
            "forward": lambda work=forward: timed(work),  # type: ignore[misc]
            "both": lambda work=both: timed(work),  # type: ignore[misc]
        }
        times = interleaved(blocks, rounds)
        pairs = zip(times["both"], times["forward"], strict=True)
        result[kind] = {
            "forward": summary(times["forward"], 3 * LINKS),
            "forward and backward": summary(times["both"], 3 * LINKS),
            "ratio": statistics.median(b / f for b, f in pairs),
        }
    return result


# --- A large record of scalars --------------------------------------------------------


def build(x: Tensor, nodes: int) -> Tensor:
    """Record a long chain of scalars."""
    y = x
    for _ in range(nodes // 2):
        y = y * x + 1e-9
    return y


def measure_scalars() -> dict[str, float]:
    """Measure building, sweeping and clearing; the best of three."""
    rec = ComputationRecord()
    times: dict[str, list[int]] = {"build": [], "sweep": [], "clear": []}
    held = 0.0
    for _ in range(3):
        gc.collect()
        gc.disable()
        x = rec.tensor_from_value(0.999999)
        start = perf_counter_ns()
        y = build(x, NODES)
        built = perf_counter_ns()
        grad = y.grad()
        swept = perf_counter_ns()
        grad.wrt(x).item()
        held = rec.bytes() / len(rec)
        before = perf_counter_ns()
        rec.clear()
        times["clear"].append(perf_counter_ns() - before)
        times["build"].append(built - start)
        times["sweep"].append(swept - built)
        gc.enable()
    result = {f"{name}_ns": min(spent) / NODES for name, spent in times.items()}
    return {**result, "bytes": held}


# --- Report ---------------------------------------------------------------------------


def verdict(ratio: float, most: float) -> str:
    """Say whether a ratio is what was asked for."""
    return f"{ratio:5.2f}  (at most {most}: {'yes' if ratio <= most else 'NO'})"


def report(result: dict[str, Any]) -> None:
    """Print the tables."""
    machine = result["machine"]
    print(f"{machine['cpu']}, Python {machine['python']}, NumPy {machine['numpy']},")
    print(
        f"wengert {machine['wengert']}; medians (minima) of {result['rounds']} rounds"
    )
    print()
    print(f"An op on {ELEMENTS} float32 elements, recorded with its line; ns a call")
    for op, row in result["ops"].items():
        ours, theirs = row["wengert"], row["numpy"]
        print(
            f"  {op:9} wengert {ours['median_ns']:6.1f} ({ours['min_ns']:6.1f})"
            f"   numpy {theirs['median_ns']:6.1f} ({theirs['min_ns']:6.1f})"
            f"   ratio {verdict(row['ratio'], MOST_OF_NUMPY)}"
        )
    print()
    print(f"A chain of {3 * LINKS} such ops; ns an op")
    for kind, row in result["chain"].items():
        one, both = row["forward"], row["forward and backward"]
        print(
            f"  other operands {kind:9}  forward {one['median_ns']:6.1f}"
            f" ({one['min_ns']:6.1f})   with backward {both['median_ns']:6.1f}"
            f" ({both['min_ns']:6.1f})   ratio {verdict(row['ratio'], MOST_OF_FORWARD)}"
        )
    print()
    scalars = result["scalars"]
    print(f"A record of {NODES:,} scalar float64 nodes; ns a node, best of three")
    print(
        f"  built from Python {scalars['build_ns']:.1f}, swept"
        f" {scalars['sweep_ns']:.2f}, cleared {scalars['clear_ns']:.2f};"
        f" {scalars['bytes']:.1f} bytes a node"
    )


def main() -> None:
    """Measure all, print it, and write it if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    result = {
        "machine": {
            "cpu": cpu_model(),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "wengert": wg.__version__,
            "platform": sys.platform,
        },
        "rounds": options.rounds,
        "ops": measure_ops(options.rounds),
        "chain": measure_chain(options.rounds),
        "scalars": measure_scalars(),
    }
    report(result)
    if options.json is not None:
        text = json.dumps(result, indent=2) + "\n"
        options.json.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
