"""The rows of what layers of networks compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import wengert as wg
from wengert import Rng

from tests.python.ops.operands import (
    Array,
    Shape,
    label,
    mask,
    off_zero,
    positive,
    reals,
    softmax,
    whole,
)
from tests.python.ops.table.row import Row


def rows() -> list[Row]:
    return [
        *_norms(),
        *_batch_norms(),
        *_embedding(),
        *_dropout(),
        *_attention(),
        *_losses(),
    ]


# A tenth, so that differences of rows that are nearly constant stay smooth.
EPS = 0.1


def _kept(shape: Shape, axes: tuple[int, ...]) -> tuple[int, ...]:
    axes = tuple(axis % len(shape) for axis in axes)
    return tuple(n if k in axes else 1 for k, n in enumerate(shape))


def layer_norm(x: Array, scale: Any, shift: Any, axes: tuple[int, ...]) -> Array:
    x = x.astype(np.float64) if x.dtype.kind != "f" else x
    centred = x - x.mean(axis=axes, keepdims=True)
    y = centred / np.sqrt(x.var(axis=axes, keepdims=True) + x.dtype.type(EPS))
    if scale is not None:
        y = y * scale.reshape(_kept(x.shape, axes))
    if shift is not None:
        y = y + shift.reshape(_kept(x.shape, axes))
    return np.asarray(y)


def rms_norm(x: Array, scale: Any, axes: tuple[int, ...]) -> Array:
    x = x.astype(np.float64) if x.dtype.kind != "f" else x
    mean = np.square(x).mean(axis=axes, keepdims=True)
    y = x / np.sqrt(mean + x.dtype.type(EPS))
    return np.asarray(y if scale is None else y * scale.reshape(_kept(x.shape, axes)))


def _norms() -> list[Row]:
    choices: tuple[tuple[tuple[int, ...], tuple[tuple[Shape, Shape], ...]], ...] = (
        ((-1,), (((5,), (5,)), ((2, 3), (3,)), ((2, 3, 4), (4,)), ((0, 3), (3,)))),
        ((0,), (((4, 3), (4,)), ((3, 0), (3,)), ((3, 2, 2), (3,)))),
        ((1, -1), (((2, 3, 4), (3, 4)), ((2, 2, 3, 2), (2, 2)))),
        ((0, 2), (((2, 3, 4), (2, 4)),)),
        ((-1,), (((30, 40), (40,)),)),
    )

    def row(op: str, call: Any, reference: Any, count: int, note: str) -> list[Row]:
        """Make the rows of a function of `x` and `count` companions."""
        return [
            Row(
                "mean",
                "linear",
                lambda *xs, axes=axes: call(*xs, axis=axes, eps=EPS),
                lambda *xs, axes=axes: reference(*xs, axes),
                (reals, *(reals,) * count),
                tuple((x, *(companion,) * count) for x, companion in shapes),
                f"{op} {note} axes {axes} of {shapes[-1][0]}",
                integers=(whole, *(whole,) * count),
                ulps=256,
            )
            for axes, shapes in choices
        ]

    def shifted(x: Any, shift: Any, **options: Any) -> Any:
        return wg.layer_norm(x, None, shift, **options)

    return [
        *row("layer_norm", wg.layer_norm, layer_norm, 2, "scaled, shifted"),
        *row(
            "layer_norm",
            wg.layer_norm,
            lambda x, axes: layer_norm(x, None, None, axes),
            0,
            "plain",
        ),
        *row(
            "layer_norm",
            shifted,
            lambda x, shift, axes: layer_norm(x, None, shift, axes),
            1,
            "shifted",
        ),
        *row("rms_norm", wg.rms_norm, rms_norm, 1, "scaled"),
        *row(
            "rms_norm", wg.rms_norm, lambda x, axes: rms_norm(x, None, axes), 0, "plain"
        ),
    ]


def batch_norm(
    x: Array, mean: Any, var: Any, scale: Any, shift: Any, axis: int
) -> Array:
    x = x.astype(np.float64) if x.dtype.kind != "f" else x
    axes = tuple(k for k in range(x.ndim) if k != axis % x.ndim)
    kept = _kept(x.shape, (axis,))
    mean = x.mean(axis=axes) if mean is None else mean
    centred = x - mean.reshape(kept)
    var = np.square(centred).mean(axis=axes) if var is None else var
    y = centred / np.sqrt(var.reshape(kept) + x.dtype.type(EPS))
    y = y if scale is None else y * scale.reshape(kept)
    return np.asarray(y if shift is None else y + shift.reshape(kept))


def _batch_norms() -> list[Row]:
    function: Any = wg.batch_norm
    shapes: tuple[tuple[Shape, Shape], ...] = (
        ((2, 3, 4), (3,)),
        ((4, 3), (3,)),
        ((2, 2, 3, 2), (2,)),
        ((1, 3), (3,)),
        ((20, 8, 9), (8,)),
    )

    def row(note: str, call: Any, reference: Any, *draws: Any) -> Row:
        return Row(
            "reshape",
            "linear",
            call,
            reference,
            (reals, *draws),
            tuple((x, *(companion,) * len(draws)) for x, companion in shapes),
            f"batch_norm {note}",
            ulps=256,
        )

    return [
        row(
            "computed",
            lambda x, scale, shift: function(x, None, None, scale, shift, eps=EPS)[0],
            lambda x, scale, shift: batch_norm(x, None, None, scale, shift, 1),
            reals,
            reals,
        ),
        row(
            "given",
            lambda *xs: function(*xs, eps=EPS)[0],
            lambda x, m, v, scale, bias: batch_norm(x, m, v, scale, bias, 1),
            reals,
            positive,
            reals,
            reals,
        ),
        row(
            "with a given mean",
            lambda x, mean: function(x, mean, eps=EPS)[0],
            lambda x, mean: batch_norm(x, mean, None, None, None, 1),
            reals,
        ),
    ]


def _embedding() -> list[Row]:
    return [
        Row(
            "gather",
            "linear",
            wg.embedding,
            lambda table, ids: table[ids],
            (reals, label),
            (
                ((4, 3), (5,)),
                ((4, 3), (2, 3)),
                ((6,), (3,)),
                ((4, 2, 3), (2,)),
                ((4, 3), ()),
                ((4, 0), (2,)),
                ((5, 3), (0,)),
                ((40, 50), (64,)),
            ),
            "embedding",
            integers=(whole, label),
            booleans=False,
        )
    ]


RATE, SEED = 0.375, 3


def dropped(x: Any) -> Any:
    """Drop out by a stream of its own, so that each call drops the same."""
    return wg.dropout(x, RATE, rng=Rng(SEED))


def dropout(x: Array) -> Array:
    kept = Rng(SEED).uniform(x.shape, dtype="float64") >= RATE
    x = x.astype(np.float64) if x.dtype.kind != "f" else x
    return np.asarray(np.where(kept, x * x.dtype.type(1 / (1 - RATE)), 0), x.dtype)


def _dropout() -> list[Row]:
    return [
        Row(
            "multiply_no_nan",
            "elementwise",
            dropped,
            dropout,
            (reals,),
            # The first draw is a hit: a row must not pass by giving zeros.
            (((7,),), ((2, 3),), ((0,),), ((3, 0),), ((40, 50),)),
            "dropout",
            integers=(whole,),
        )
    ]


def attention(
    query: Array, key: Array, value: Array, seen: Any = None, scale: float | None = None
) -> Array:
    """Attend by the formula; `seen` is where a query may look."""
    real = [x.astype(np.float64) if x.dtype.kind != "f" else x for x in (query, key)]
    if scale is None:
        scale = 1 / np.sqrt(query.shape[-1])
    scores = np.matmul(
        real[0] * real[0].dtype.type(scale), np.swapaxes(real[1], -1, -2)
    )
    if seen is not None:
        scores = np.where(seen, scores, -1e30).astype(scores.dtype)
    weights = softmax(scores)
    if seen is not None:
        weights = np.where(seen, weights, 0).astype(weights.dtype)
    return np.asarray(np.matmul(weights, value))


def _causal(query: Array, key: Array) -> Array:
    return np.tri(query.shape[-2], key.shape[-2], dtype=bool)


def _attention() -> list[Row]:
    function: Any = wg.scaled_dot_product_attention
    plain: tuple[tuple[Shape, ...], ...] = (
        ((2, 3), (4, 3), (4, 2)),
        ((1, 2), (1, 2), (1, 1)),
        ((2, 3, 2), (2, 2, 2), (2, 2, 3)),
        ((2, 1, 2, 2), (3, 2, 2), (2, 1, 2, 2)),
        ((0, 2), (3, 2), (3, 2)),
        ((2, 6, 8), (2, 7, 8), (2, 7, 5)),
    )

    def row(
        note: str, call: Any, reference: Any, shapes: Any, *draws: Any, **options: Any
    ) -> Row:
        return Row(
            "softmax",
            "rules",
            call,
            reference,
            (reals, reals, reals, *draws),
            shapes,
            f"attention {note}",
            ulps=256,
            **options,
        )

    masked = tuple((q, k, v, (q[-2], k[-2])) for q, k, v in plain)
    return [
        row("plain", function, attention, plain, integers=(whole, whole, whole)),
        row(
            "causal, scaled",
            lambda *xs: function(*xs, causal=True, scale=0.5),
            lambda q, k, v: attention(q, k, v, _causal(q, k), 0.5),
            plain,
        ),
        row("masked", function, attention, masked, mask),
        row(
            "masked, causal",
            lambda *xs: function(*xs, causal=True),
            lambda q, k, v, seen: attention(q, k, v, seen & _causal(q, k)),
            masked,
            mask,
        ),
        row(
            "with added scores",
            function,
            lambda q, k, v, more: np.matmul(
                softmax(
                    np.matmul(
                        q * q.dtype.type(1 / np.sqrt(q.shape[-1])),
                        np.swapaxes(k, -1, -2),
                    )
                    + more
                ),
                v,
            ),
            masked,
            off_zero,
        ),
    ]


def _losses() -> list[Row]:
    def row(note: str, shapes: Any, **options: Any) -> Row:
        return Row(
            "mean",
            "linear",
            lambda a, b: wg.mean_squared_error(a, b, **options),
            lambda a, b: np.mean(np.square(a - b)),
            (reals, reals),
            shapes,
            f"mean_squared_error{note}",
            integers=(whole, whole),
            ulps=64,
        )

    return [
        row("", (((), ()), ((5,), (5,)), ((2, 3), (2, 3)))),
        row(" broadcast", (((3, 1), (3,)), ((2, 3), ())), broadcast=True),
    ]
