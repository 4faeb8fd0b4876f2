"""Rows of the products that are made of others: einsum, and those with names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import wengert as wg

from tests.python.ops.operands import Shape, reals, whole
from tests.python.ops.table.row import Row


def _row(
    op: str,
    tier: str,
    note: str,
    call: Callable[..., Any],
    reference: Callable[..., Any],
    shapes: tuple[tuple[Shape, ...], ...],
    booleans: bool = True,
) -> Row:
    count = len(shapes[0])
    return Row(
        op,
        tier,
        call,
        reference,
        (reals,) * count,
        shapes,
        note,
        integers=(whole,) * count,
        booleans=booleans,
        ulps=64,
    )


def _einsum(op: str, tier: str, text: str, *shapes: tuple[Shape, ...]) -> Row:
    return _row(
        op,
        tier,
        f"einsum {text}",
        lambda *x: wg.einsum(text, *x),
        lambda *x: np.einsum(text, *x),
        shapes,
    )


def _listed(op: str, tier: str, lists: Any, *shapes: tuple[Shape, ...]) -> Row:
    """Make a row of the form with lists; one more list than operands is the result."""
    count = len(shapes[0])

    def arguments(x: tuple[Any, ...]) -> list[Any]:
        pairs = zip(x, lists, strict=False)
        return [*(item for pair in pairs for item in pair), *lists[count:]]

    return _row(
        op,
        tier,
        f"einsum {lists}",
        lambda *x: wg.einsum(*arguments(x)),
        lambda *x: np.einsum(*arguments(x)),
        shapes,
    )


def _named(
    op: str, tier: str, name: str, *shapes: tuple[Shape, ...], **options: Any
) -> Row:
    ours, numpys = getattr(wg, name), getattr(np, name)
    shown = "".join(f" {k}={v}" for k, v in options.items())
    return _row(
        op,
        tier,
        name + shown,
        lambda a, b: ours(a, b, **options),
        lambda a, b: numpys(a, b, **options),
        shapes,
        booleans=name != "cross",
    )


def _of_one() -> list[Row]:
    square, cube = ((3, 3),), ((2, 3, 4),)
    return [
        _einsum("transpose", "linear", "ij->ji", ((2, 3),), ((0, 2),)),
        _einsum("transpose", "linear", "cab", cube),
        _einsum(
            "transpose", "linear", "i...j->j...i", ((2, 3),), cube, ((2, 3, 1, 4),)
        ),
        _einsum("sum", "linear", "ijk->j", cube, ((2, 0, 3),)),
        _einsum("sum", "linear", "...i->...", ((3,),), cube),
        _einsum("gather", "linear", "ii", square, ((1, 1),), ((0, 0),)),
        _einsum("gather", "linear", "ii->i", square),
        _einsum("gather", "linear", "iij->ji", ((2, 2, 3),)),
        _einsum("gather", "linear", "ijij->ji", ((2, 3, 2, 3),)),
        _einsum("gather", "linear", "iii", ((2, 2, 2),)),
    ]


def _of_two() -> list[Row]:
    pair, vectors = ((2, 3), (3, 4)), ((3,), (3,))
    return [
        _einsum("matmul", "linear", "ij,jk->ik", pair, ((0, 3), (3, 2))),
        _einsum("matmul", "linear", "ij,jk->ki", pair, ((2, 0), (0, 4))),
        _einsum("matmul", "linear", "ij,kj", ((2, 3), (4, 3))),
        _einsum("matmul", "linear", "i,i->", vectors, ((0,), (0,)), ((33,), (33,))),
        _einsum("matmul", "linear", "ij,j", ((2, 3), (3,))),
        _einsum("matmul", "linear", "bij,bjk->bik", ((5, 2, 3), (5, 3, 4))),
        _einsum("matmul", "linear", "ijk,ilk->jli", ((2, 3, 4), (2, 5, 4))),
        _einsum("matmul", "linear", "ijk,kjl->li", ((2, 3, 4), (4, 3, 2))),
        _einsum("matmul", "linear", "iij,jkk->ik", ((2, 2, 3), (3, 4, 4))),
        _einsum(
            "matmul",
            "linear",
            "...ij,...jk",
            pair,
            ((5, 2, 3), (3, 4)),
            ((5, 1, 2, 3), (4, 3, 2)),
        ),
        _einsum("matmul", "linear", "ij,ij->i", ((2, 3), (2, 3))),
        _einsum("multiply", "elementwise", "i,j", ((2,), (3,)), ((0,), (2,))),
        _einsum("multiply", "elementwise", "ij,ij->ji", ((2, 3), (2, 3))),
        _einsum("multiply", "elementwise", ",i->i", ((), (3,))),
        _einsum("multiply", "elementwise", "i,ij->ij", ((1,), (2, 3)), ((2,), (1, 3))),
        _einsum("multiply", "elementwise", "...,...", ((2, 1), (3,)), ((), ())),
        _einsum("multiply", "elementwise", "i,i->", ((1,), (3,))),
    ]


def _of_many() -> list[Row]:
    chain = ((2, 3), (3, 4), (4, 5))
    ring = ((2, 3), (3, 4), (4, 2))
    return [
        _einsum("matmul", "linear", "ij,jk,kl->il", chain),
        _einsum("matmul", "linear", "ij,jk,ki->", ring),
        _einsum("multiply", "elementwise", "i,j,k->kij", ((2,), (3,), (2,))),
        _einsum("matmul", "linear", "bi,bj,bij->b", ((2, 3), (2, 4), (2, 3, 4))),
        _einsum("matmul", "linear", "i,...ij,j", ((2,), (4, 2, 3), (3,))),
    ]


def _with_lists() -> list[Row]:
    pair = ((2, 3), (3, 4))
    return [
        _listed("matmul", "linear", [[0, 1], [1, 2], [0, 2]], pair, ((0, 3), (3, 2))),
        _listed("matmul", "linear", [[7, 11], (11, 3)], pair),
        _listed("matmul", "linear", [[..., 0], [0, 1], [1, ...]], ((5, 2, 3), (3, 4))),
        _listed("gather", "linear", [[2, 2], []], ((3, 3),)),
        _listed("transpose", "linear", [[30, 2]], ((2, 3),)),
        _listed("multiply", "elementwise", [[], [0], [0]], ((), (3,))),
    ]


def _by_name() -> list[Row]:
    cubes = ((2, 3, 4), (3, 4, 2))
    return [
        _named(
            "matmul",
            "linear",
            "dot",
            ((3,), (3,)),
            ((2, 3), (3, 4)),
            ((2, 3), (3,)),
            ((2, 3, 4), (5, 4, 2)),
            ((0, 3), (3, 0)),
        ),
        _named("multiply", "elementwise", "dot", ((), (3,)), ((2, 3), ())),
        _named("matmul", "linear", "inner", ((3,), (3,)), ((2, 3), (4, 3))),
        _named("multiply", "elementwise", "inner", ((), (2, 3)), ((), ())),
        _named("multiply", "elementwise", "outer", ((2, 3), (2,)), ((), (2,))),
        _named("matmul", "linear", "vdot", ((2, 3), (3, 2)), ((0,), (0, 2)), ((), ())),
        _named(
            "multiply",
            "elementwise",
            "kron",
            ((2, 3), (4,)),
            ((2,), (2, 3, 1)),
            ((), (3,)),
            ((0, 2), (3, 4)),
        ),
        _named("matmul", "linear", "tensordot", cubes, ((3, 4), (3, 4))),
        _named("matmul", "linear", "tensordot", ((2, 3), (3, 4)), axes=1),
        _named("multiply", "elementwise", "tensordot", ((2,), (3, 1)), axes=0),
        _named("matmul", "linear", "tensordot", cubes, axes=((0, -1), (2, 1))),
        _named("matmul", "linear", "tensordot", ((2, 3), (4, 3)), axes=(1, 1)),
        _named("gather", "linear", "cross", ((3,), (3,)), ((2, 1, 3), (4, 3))),
        _named("gather", "linear", "cross", ((3, 2), (2, 3)), axisa=0, axisc=0),
        _named("gather", "linear", "cross", ((2, 3, 4), (2, 3, 4)), axis=1),
    ]


def rows() -> list[Row]:
    return [*_of_one(), *_of_two(), *_of_many(), *_with_lists(), *_by_name()]
