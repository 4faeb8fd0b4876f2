"""Rows of what rearranges elements: order, repetition, margins, masks, places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import wengert as wg
from wengert import Tensor

from tests.python.ops.operands import CUBES, UNARY, mask, reals, whole
from tests.python.ops.table.row import Row, moving

MATRICES = (((3, 3),), ((2, 4),), ((4, 2),), ((2, 3, 4),), ((0, 3),), ((1, 1),))


def _both(op: str, name: str, shapes: Any, *args: Any, **options: Any) -> Row:
    """Call the function of a name of both with the same arguments."""
    ours, numpys = getattr(wg, name), getattr(np, name)
    shown = [str(a) for a in args] + [f"{k}={v}" for k, v in options.items()]
    return moving(
        op,
        lambda x: ours(x, *args, **options),
        shapes,
        " ".join([name, *shown]),
        lambda x: numpys(x, *args, **options),
        plain=True,
    )


def _order() -> list[Row]:
    return [
        _both("slice", "flip", UNARY),
        _both("slice", "flip", CUBES, (0, -1)),
        _both("concatenate", "roll", (((5,),), ((2, 3),), ((33,),)), 2),
        _both("concatenate", "roll", (CUBES[0], CUBES[3]), -1, axis=1),
        _both("concatenate", "roll", (CUBES[0], CUBES[3]), (1, 2), axis=(0, 2)),
        _both("concatenate", "roll", (CUBES[0], CUBES[3]), 1, axis=(0, 2)),
        _both("broadcast_to", "tile", UNARY, 2),
        _both("broadcast_to", "tile", UNARY, (2, 1, 3)),
        _both("gather", "repeat", UNARY, 2),
        _both("gather", "repeat", CUBES, 3, axis=1),
        _both("gather", "repeat", (((2, 3, 4),),), [2, 0, 1], axis=1),
        _both("transpose", "moveaxis", CUBES, 0, -1),
        _both("transpose", "moveaxis", CUBES, (0, 1), (-1, 0)),
        _both("gather", "diagonal", MATRICES),
        _both("gather", "diagonal", CUBES, offset=1, axis1=2, axis2=0),
        _both("gather", "diag", (((3, 3),), ((2, 4),)), -1),
        _both("scatter_add", "diag", (((3,),), ((1,),)), 1),
        _both("scatter_add", "diag", (((3,),), ((1,),)), -2),
        replace(_both("where", "tril", MATRICES), tier="rules"),
        replace(_both("where", "triu", MATRICES, 1), tier="rules"),
        replace(_both("where", "tril", MATRICES, -1), tier="rules"),
        replace(_both("where", "tril", (((3,),), ((0,),)), 1), tier="rules"),
        replace(_both("where", "triu", (((3,),), ((1,),))), tier="rules"),
        _both("reshape", "atleast_1d", (((),),)),
        _both("reshape", "atleast_2d", (((),), ((3,),))),
        _both("reshape", "atleast_3d", (((),), ((3,),), ((2, 3),))),
    ]


def _parts() -> list[Row]:
    def second(x: Any) -> Any:
        split = wg.split if isinstance(x, Tensor) else np.split
        return split(x, [1, 2], 1)[1]

    def half(x: Any) -> Any:
        split = wg.split if isinstance(x, Tensor) else np.split
        return split(x, 2)[1]

    def grid(k: int, indexing: str) -> Callable[[Any], Any]:
        def call(x: Any) -> Any:
            function: Any = wg.meshgrid if isinstance(x, Tensor) else np.meshgrid
            return function(x, [1.0, 2], x, indexing=indexing)[k]

        return call

    places = np.array([[2, 0, -1], [1, 1, 0]])
    along = np.array([[[0], [1], [1]]])
    gathered = np.array([[2, 0], [1, 1]])

    def gather(x: Any) -> Any:
        if isinstance(x, Tensor):
            return wg.gather(x, gathered, 1)
        return np.take_along_axis(x[:2], gathered, 1)

    return [
        moving("slice", second, CUBES[:1] + CUBES[3:], "split at"),
        moving("slice", half, (((4,),), ((2, 3),)), "split in 2"),
        moving("broadcast_to", grid(0, "xy"), (((3,),),), "meshgrid xy"),
        moving("broadcast_to", grid(2, "ij"), (((3,),),), "meshgrid ij"),
        _both("gather", "take", (((3,),), ((2, 3),)), places),
        _both("gather", "take", (((2, 3),), ((2, 4, 3),)), places, axis=-1),
        _both("take_along_axis", "take_along_axis", (((2, 3, 4),),), along, axis=-1),
        _both("take_along_axis", "take_along_axis", (((3,),),), places[0], axis=0),
        moving("take_along_axis", gather, (((3, 3),), ((2, 4),)), "gather"),
    ]


def _margins() -> list[Row]:
    def pad(op: str, width: Any, shapes: Any, **options: Any) -> Row:
        return _both(op, "pad", shapes, width, **options)

    full = (((3,),), ((2, 3),), ((4, 2),))
    return [
        pad("embed", (1, 2), full, mode="constant"),
        pad("embed", [(1, 0), (0, 2)], (((2, 3),), ((0, 2),)), mode="constant"),
        moving(
            "concatenate",
            lambda x: wg.pad(x, (2, 1), constant_values=1),
            full,
            "pad 1",
            lambda x: np.pad(x, (2, 1), constant_values=1),
            plain=True,
        ),
        pad("gather", (2, 3), full, mode="edge"),
        pad("gather", 1, full, mode="reflect"),
        pad("gather", (5, 4), full, mode="reflect"),
        pad("gather", (2, 5), full, mode="wrap"),
    ]


def _masks() -> list[Row]:
    flags = np.array([True, False, True])
    table = np.array([[True, False, True], [False, True, True]])
    rows = np.array([1, 0])
    return [
        moving("gather", lambda x: x[flags], (((3,),), ((3, 2),)), "[mask]"),
        moving("gather", lambda x: x[:, flags], (((2, 3),), ((2, 3, 4),)), "[:, mask]"),
        moving("gather", lambda x: x[table], (((2, 3),), ((2, 3, 4),)), "[masks]"),
        moving("gather", lambda x: x[..., table], (((4, 2, 3),),), "[..., masks]"),
        moving("gather", lambda x: x[rows, flags], (((2, 3),),), "[rows, mask]"),
        moving(
            "gather", lambda x: x[flags, :, rows], (((3, 4, 2),),), "[mask, :, rows]"
        ),
        moving("gather", lambda x: x[flags, None, 0], (((3, 2),),), "[mask, None, 0]"),
        moving("gather", lambda x: x[~flags & flags], (((3,),),), "[no mask]"),
    ]


def _additions() -> list[Row]:
    places = np.array([[0, 2, 0], [1, 1, 1]])

    def added(x: Any, v: Any) -> Any:
        if isinstance(x, Tensor) or isinstance(v, Tensor):
            return wg.scatter_add(x, places, v, 1)
        out = np.array(x, dtype=np.result_type(x, v))
        rows = np.arange(2)[:, None]
        np.add.at(out, (rows, places), v)
        return out

    return [
        Row(
            "add_along_axis",
            "linear",
            added,
            added,
            (reals, reals),
            (((2, 3), (2, 3)),),
            "scatter_add",
            integers=(whole, whole),
            plain=False,
        ),
        Row(
            "equal",
            "compare",
            lambda x: wg.one_hot(wg.astype(x, "int64"), 2),
            lambda x: np.eye(2)[x.astype(int)],
            (mask,),
            UNARY[1:],
            "one_hot",
            gradient=False,
        ),
    ]


ROWS = [*_order(), *_parts(), *_margins(), *_masks(), *_additions()]
