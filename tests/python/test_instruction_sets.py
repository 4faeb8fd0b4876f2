"""What depends on the processor, and what does not."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import wengert as wg

# Of each float type: sums and products that rules write, and functions, whose own
# multiplications and additions may be fused, as bits.
CODE = """
import itertools
import json
import numpy as np
import wengert as wg

def bits(x):
    return np.asarray(x).view(f"i{x.dtype.itemsize}").tolist()

rng = np.random.default_rng(7)
results = {}
for dtype in ("float32", "float64"):
    a, b = (3 * rng.standard_normal(1001).astype(dtype) for _ in range(2))
    rec = wg.ComputationRecord()
    x = rec.tensor_from_value(a)
    loss = ((x * b + a) / (x * x + 1)).sum() + ((x - b) ** 2).sum()
    results[f"arithmetic {dtype}"] = bits(loss.grad().wrt(x).data())
    for name in ("exp", "expm1", "log", "log1p", "sin", "cos", "tanh", "sigmoid"):
        results[f"{name} {dtype}"] = bits(getattr(wg, name)(np.abs(a)))
    results[f"norm {dtype}"] = bits(wg.norm(a.reshape(7, 143), axis=1))
    results[f"softmax {dtype}"] = bits(wg.softmax(a))
print(json.dumps(results))
"""


# By instruction set, then by what was computed.
Results = dict[str, dict[str, list[int]]]


@pytest.fixture(scope="module")
def results() -> Results:
    def of(isa: str) -> dict[str, list[int]]:
        done = subprocess.run(
            [sys.executable, "-c", CODE],
            env=os.environ | {"WENGERT_ISA": isa},
            capture_output=True,
            check=True,
            timeout=60,
        )
        bits: dict[str, list[int]] = json.loads(done.stdout)
        return bits

    return {isa: of(isa) for isa in ("baseline", "avx2", "avx512")}


def test_every_processor_that_fuses_gives_the_same_bits(results: Results) -> None:
    assert results["avx2"] == results["avx512"]


def test_what_a_rule_writes_is_never_fused(results: Results) -> None:
    for name in ("arithmetic float32", "arithmetic float64"):
        assert results["baseline"][name] == results["avx2"][name]


def test_functions_differ_by_last_places_where_nothing_fuses(results: Results) -> None:
    for name, bits in results["baseline"].items():
        # Each is within 2 places of the exact value; a row of a softmax adds some.
        apart = np.subtract(bits, results["avx2"][name])
        assert np.abs(apart).max() <= (8 if "softmax" in name else 4), name


UNARY = [
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctanh",
    "cos",
    "cosh",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "gelu",
    "gelu_tanh",
    "log",
    "log10",
    "log1p",
    "log2",
    "mish",
    "sigmoid",
    "silu",
    "sin",
    "sinh",
    "softplus",
    "sqrt",
    "tan",
    "tanh",
]
BINARY = ["arctan2", "divide", "elu", "hypot", "logaddexp", "power"]


@pytest.mark.parametrize("name", UNARY + BINARY)
def test_a_number_alone_has_the_bits_of_one_in_an_array(name: str) -> None:
    function = getattr(wg, name)
    shapes: tuple[tuple[int, ...], ...] = ((), (1,), (1000,))
    for a, b in np.random.default_rng(7).uniform(0.05, 0.95, (50, 2)):
        if name == "arccosh":
            a += 1
        results = []
        # A record that checks for NaN takes another way.
        for shape, checks in itertools.product(shapes, (False, True)):
            rec = wg.ComputationRecord(check_finite=checks)
            x = [rec.tensor_from_value(np.full(shape, v)) for v in (a, b)]
            y = function(*x[: 1 + (name in BINARY)])
            grad = y.sum().grad()
            parts = [y, *(grad.wrt(v) for v in x[: 1 + (name in BINARY)])]
            results.append([part.data().ravel()[0].hex() for part in parts])
        assert all(found == results[0] for found in results), (a, b)
