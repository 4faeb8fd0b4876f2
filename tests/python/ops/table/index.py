"""The rows of indexing and concatenation, and of their transposes."""

from __future__ import annotations

from typing import Any

import numpy as np
import wengert as wg
from wengert import Tensor

from tests.python.ops.operands import CUBES, UNARY, reals, whole
from tests.python.ops.table.row import Row, moving


def rows() -> list[Row]:
    return [*_index(), *_several(), *_assignments()]


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


def _assignments() -> list[Row]:
    rows = np.array([2, 0, 2, 1, -1])
    columns = np.array([[0], [1]])
    mask = np.array([True, False, True])
    places = np.array([[2, 0, 2], [1, 1, 1]])

    def row(op: str, note: str, call: Any, shapes: Any) -> Row:
        return Row(
            op,
            "linear",
            call,
            call,
            (reals, reals),
            shapes,
            note,
            integers=(whole, whole),
            booleans=True,
            plain=False,
        )

    def at(op: str, note: str, key: Any, shapes: Any) -> Row:
        def call(x: Any, v: Any) -> Any:
            y = +x if isinstance(x, Tensor) else np.array(x)
            y[key] = v
            return y

        return row(op, note, call, shapes)

    def along(x: Any, v: Any) -> Any:
        if isinstance(x, Tensor):
            return wg.put_along_axis(x, places, v, 1)
        out = np.array(x)
        np.put_along_axis(out, places, v, 1)
        return out

    def scatter(x: Any, v: Any) -> Any:
        if isinstance(x, Tensor):
            return wg.scatter(x, places, v, 1)
        out = np.array(x)
        np.put_along_axis(out[:2], places, v, 1)
        return out

    window = (((3, 4), (2, 2)), ((3, 4), (2,)), ((3, 4), (2, 1)), ((3, 4), ()))
    apart = (((3, 4, 2), (2, 5, 4)), ((3, 4, 2), (5, 1)), ((3, 4, 2), ()))
    return [
        at("assign", "[1:, ::-2]", np.s_[1:, ::-2], window),
        at("assign", "[...]", np.s_[...], (((2, 3), (2, 3)), ((0, 2), (2,)), ((), ()))),
        at("assign", "[1]", 1, (((3,), ()), ((3, 2), (2,)), ((3, 2), (1, 2)))),
        at("assign", "[:, None, 0]", np.s_[:, None, 0], (((3, 2), (3, 1)),)),
        at("assign", "[5:2]", np.s_[5:2], (((3,), ()), ((3, 2), (0, 1)))),
        at("assign", "[1:, rows]", np.s_[1:, rows], (((3, 3), (2, 5)),)),
        at("put", "[rows]", rows, (((3,), (5,)), ((3, 2), (2,)), ((3, 2), (5, 2)))),
        at("put", "[:, rows]", np.s_[:, rows], (((2, 3), (2, 5)), ((2, 3), (5,)))),
        at("put", "[rows, :, columns]", np.s_[rows, :, columns], apart),
        at("put", "[1, ..., rows]", np.s_[1, ..., rows], (((2, 2, 3), (5, 2)),)),
        at("put", "[mask]", mask, (((3,), (2,)), ((3, 2), (2, 2)), ((3, 2), ()))),
        at("put", "[:, mask]", np.s_[:, mask], (((2, 3), (2, 2)), ((2, 3), (2,)))),
        at("put", "[True]", True, (((2, 3), (1, 2, 3)), ((3,), ()))),
        row("put", "put_along_axis", along, (((2, 3), (2, 3)), ((2, 3), (3,)))),
        row("put", "scatter", scatter, (((3, 3), (2, 3)), ((3, 4), (2, 1)))),
    ]
