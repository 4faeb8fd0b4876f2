"""Replay equals eager, for every row of the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from wengert import ComputationRecord, Tensor

from tests.python.ops import laws
from tests.python.ops.operands import Array
from tests.python.ops.table import ROWS, Row

# A gradient that was not recorded is left out: see test_fault_50.
REPLAYED = [row for row in ROWS if row.op != "gradient"]


def recorded(
    row: Row, xs: Sequence[Array], ct: Array
) -> tuple[list[Tensor], list[Tensor]]:
    """Give the leaves, and the value with its recorded gradients."""
    tensors = laws.leaves(row, ComputationRecord(), xs)
    y = row.call(*tensors)
    results = [y]
    if row.gradient:
        grad = y.grad(seed=ct, record=True)
        results += [grad.wrt(t) for t in tensors if laws.is_float(t)]
    return tensors, results


def replay(row: Row) -> None:
    """A record of some operands, replayed on others, holds what they give."""
    for shapes, seed, why in laws.cases(row, "replay"):
        rng = np.random.default_rng(seed)
        first, second = row.draw(rng, shapes), row.draw(rng, shapes)
        ct = laws.cotangent(rng, np.shape(row.reference(*first)))
        tensors, results = recorded(row, first, ct)
        _, wanted = recorded(row, second, ct)
        again = tensors[0].record.replay(dict(zip(tensors, second, strict=True)))
        for before, after in zip(results, wanted, strict=True):
            found = again[before]
            assert found.dtype == after.dtype, why
            np.testing.assert_array_equal(found.data(), after.data(), err_msg=why)


@pytest.mark.parametrize("row", REPLAYED, ids=[row.name for row in REPLAYED])
def test_replay_equals_eager(row: Row) -> None:
    replay(row)


def test_a_value_that_python_read_breaks_the_law() -> None:
    row = next(row for row in ROWS if row.name == "sin")

    def reads(x: Any) -> Any:
        return x * float(x.data().sum())

    replay(row)
    with pytest.raises(AssertionError):
        replay(replace(row, call=reads))
