"""What a row of the table says of an op."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from wengert import ComputationRecord, Tensor

from tests.python.ops.operands import Array, Draw, Shape, reals, whole


def tensor_leaf(rec: ComputationRecord, x: Array) -> Tensor:
    return rec.tensor_from_value(x)


@dataclass(frozen=True)
class Row:
    """An op with one choice of its parameters."""

    op: str
    # What `wengert._core.op_table` says of the op.
    tier: str
    call: Callable[..., Any]
    reference: Callable[..., Any]
    draws: tuple[Draw, ...]
    # The shapes of the operands, for each case.
    shapes: tuple[tuple[Shape, ...], ...]
    # The parameters, for the name of the row.
    note: str = ""
    # Draws for int64 operands; None if integers are refused or meaningless.
    integers: tuple[Draw, ...] | None = None
    # Whether it takes booleans in place of numbers.
    booleans: bool = False
    # Whether a gradient passes.
    gradient: bool = True
    # Whether `call` also takes arrays, and then gives what NumPy would.
    plain: bool = True
    leaf: Callable[[ComputationRecord, Array], Tensor] = tensor_leaf
    # Roundings of the result, in units of the last place.
    ulps: float = 16

    @property
    def name(self) -> str:
        return f"{self.op} {self.note}".strip()

    def draw(
        self, rng: np.random.Generator, shapes: Sequence[Shape]
    ) -> tuple[Array, ...]:
        return tuple(
            draw(rng, shape) for draw, shape in zip(self.draws, shapes, strict=True)
        )


def moving(
    op: str,
    call: Callable[[Any], Any],
    shapes: tuple[tuple[Shape, ...], ...],
    note: str,
    reference: Callable[[Any], Any] | None = None,
    plain: bool = False,
) -> Row:
    """Make a row that moves elements; without a reference NumPy reads the call."""
    return Row(
        op,
        "linear",
        call,
        reference or call,
        (reals,),
        shapes,
        note,
        integers=(whole,),
        booleans=True,
        plain=plain,
    )
