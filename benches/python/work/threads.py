"""Work that several threads share, beside the same on one thread.

This package alone; the harness runs it when more than one thread is asked for.
"""

from __future__ import annotations

from dataclasses import replace

from benches.python.work import chain, product, reduction, unary

CHOSEN = (
    *(f"product/nn/float32/{n}" for n in (64, 128, 256, 512, 1024)),
    *(f"unary/exp/float32/{n}" for n in (1000, 10_000, 100_000, 1_000_000)),
    *(f"unary/tanh/float64/{n}" for n in (1000, 10_000, 100_000, 1_000_000)),
    *(f"reduction/sum/axis {axis}/float32" for axis in (0, 1)),
    *(f"chain/{n}" for n in (16, 4096, 65_536, 1_000_000)),
)

CASES = [
    replace(case, name=f"threads/{case.name}", peers=())
    for case in (*product.CASES, *unary.CASES, *reduction.CASES, *chain.CASES)
    if case.name in CHOSEN
]
