"""The rows of indexing and concatenation, and of their transposes."""

from __future__ import annotations

from typing import Any

import numpy as np
import wengert as wg
from wengert import Tensor

from tests.python.ops.operands import CUBES, UNARY, reals, whole
from tests.python.ops.table.row import Row, moving


def rows() -> list[Row]:
    return [*_index(), *_several()]


def _index() -> list[Row]:
    rows = np.array([2, 0, 2, 1, -1])
    columns = np.array([[0], [1]])

    def embed(c: Any) -> Any:
        """Reach the transpose of a slice: the recorded gradient of one."""
        if not isinstance(c, Tensor):
            out = np.zeros((5, *c.shape), c.dtype)
            out[1:4:2] = c
            return out
        x = c.record.tensor_from_value(np.zeros((5, *c.shape), c.dtype))
        loss = (x[1:4:2] * c).sum()
        return loss.grad(record=True).wrt(x)

    def scatter_add(c: Any) -> Any:
        if not isinstance(c, Tensor):
            out = np.zeros((4, *c.shape), c.dtype)
            np.add.at(out, (rows[:4],), np.broadcast_to(c, (4, *c.shape)))
            return out
        x = c.record.tensor_from_value(np.zeros((4, *c.shape), c.dtype))
        loss = (x[rows[:4]] * c).sum()
        return loss.grad(record=True).wrt(x)

    def reached(op: str, call: Any) -> Row:
        return Row(op, "linear", call, call, (reals,), UNARY, plain=False)

    return [
        moving("slice", lambda x: x[1], (CUBES[0], CUBES[2], CUBES[3]), "[1]"),
        moving("slice", lambda x: x[..., ::-1], CUBES, "[..., ::-1]"),
        moving("slice", lambda x: x[:, 1:, None], CUBES, "[:, 1:, None]"),
        moving("slice", lambda x: x[-1:0:-2, ..., 0], CUBES, "[-1:0:-2, ..., 0]"),
        moving("slice", lambda x: x[5:2], CUBES, "[5:2]"),
        moving("slice", lambda x: x[::2][::-1][:, ::2], CUBES, "of slices"),
        moving("gather", lambda x: x[rows], (((3,),), ((3, 2),), ((9, 8, 7),)), "rows"),
        moving("gather", lambda x: x[:, rows], (((2, 3),), ((2, 3, 4),)), "[:, rows]"),
        moving("gather", lambda x: x[columns, rows], (((3, 3),), ((4, 3, 2),)), "2"),
        moving("gather", lambda x: x[rows, :, columns], (((3, 4, 2),),), "apart"),
        moving("gather", lambda x: x[1, ..., rows], (((2, 2, 3),),), "with an int"),
        moving("gather", lambda x: x[np.array([], int)], (((3,),), ((3, 2),)), "empty"),
        reached("embed", embed),
        reached("scatter_add", scatter_add),
    ]


def _several() -> list[Row]:
    def row(note: str, shapes: Any, call: Any, reference: Any) -> Row:
        draws = (reals,) * len(shapes[0])
        return Row(
            "concatenate",
            "linear",
            call,
            reference,
            draws,
            shapes,
            note,
            integers=(whole,) * len(draws),
            booleans=True,
        )

    behind = (((2, 3), (2, 3)), ((1, 3), (4, 3)), ((0, 2), (3, 2)), ((0,), (0,)))
    beside = (((2, 3), (2, 3)), ((2, 1), (2, 4)), ((3, 0), (3, 2)), ((20, 9), (20, 30)))
    alike = (((3,), (3,), (3,)), ((2, 3),) * 3, ((),) * 3, ((0, 2),) * 3)
    return [
        row(
            "axis 0",
            behind,
            lambda *x: wg.concatenate(x),
            lambda *x: np.concatenate(x),
        ),
        row(
            "axis -1",
            beside,
            lambda *x: wg.concatenate(list(x), axis=-1),
            lambda *x: np.concatenate(x, axis=-1),
        ),
        row("stack", alike, lambda *x: wg.stack(x), lambda *x: np.stack(x)),
        row(
            "stack -1",
            alike,
            lambda *x: wg.stack(x, axis=-1),
            lambda *x: np.stack(x, axis=-1),
        ),
    ]
