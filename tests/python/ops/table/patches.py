"""The rows of convolutions and poolings."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import wengert as wg

from tests.python.ops.operands import Array, Shape, distinct, reals, whole
from tests.python.ops.table.row import Row

Pairs = tuple[tuple[int, int], ...]


def rows() -> list[Row]:
    batches = [*_convolutions(), *_transposed(), *_max_pools(), *_average_pools()]
    single = [row for row in batches if any(x[0] == 1 for x, *_ in row.shapes)]
    return [*batches, *map(_alone, single)]


def _alone(row: Row) -> Row:
    """Make a row of single images, without their axis, of one with batches of one."""

    def reference(x: Array, *others: Array) -> Array:
        return np.asarray(row.reference(x[None], *others)[0])

    shapes = tuple((x[1:], *others) for x, *others in row.shapes if x[0] == 1)
    note = f"{row.note} alone"
    return replace(row, reference=reference, shapes=shapes, note=note)


# --- The formulas, element by element -------------------------------------------------


def same(sizes: Shape, window: Shape, stride: Shape, dilation: Shape) -> Pairs:
    """Give the zeros of padding 'same' around each axis."""
    pairs = []
    for n, k, s, d in zip(sizes, window, stride, dilation, strict=True):
        zeros = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        pairs.append((zeros // 2, zeros - zeros // 2))
    return tuple(pairs)


def padded(x: Array, pairs: Pairs) -> Array:
    return np.pad(x, ((0, 0), (0, 0), *pairs))


def position(place: Shape, stride: Shape, tap: Shape, dilation: Shape) -> Shape:
    steps = zip(place, stride, tap, dilation, strict=True)
    return tuple(p * s + t * d for p, s, t, d in steps)


def conv(
    x: Any,
    weight: Array,
    stride: Shape,
    pairs: Pairs,
    dilation: Shape,
    groups: int = 1,
) -> Array:
    """Convolve tap by tap and place by place."""
    x = padded(x, pairs)
    window = weight.shape[2:]
    sizes = zip(x.shape[2:], window, stride, dilation, strict=True)
    places = tuple((n - (k - 1) * d - 1) // s + 1 for n, k, s, d in sizes)
    outputs, channels = weight.shape[0], weight.shape[1]
    y = np.zeros((x.shape[0], outputs, *places), np.result_type(x, weight))
    for place, tap in product(np.ndindex(places), np.ndindex(window)):
        at = position(place, stride, tap, dilation)
        for output in range(outputs):
            first = output // (outputs // groups) * channels
            shown = x[(slice(None), slice(first, first + channels), *at)]
            y[(slice(None), output, *place)] += (
                shown @ weight[(output, slice(None), *tap)]
            )
    return y


def conv_transpose(
    x: Any,
    weight: Array,
    stride: Shape,
    pairs: Pairs,
    dilation: Shape,
    more: Shape,
    groups: int = 1,
) -> Array:
    """Add each element times the window where the window lies."""
    window, outputs = weight.shape[2:], weight.shape[1]
    sizes = zip(x.shape[2:], window, stride, dilation, more, strict=True)
    reach = tuple((n - 1) * s + (k - 1) * d + 1 + m for n, k, s, d, m in sizes)
    y: Any = np.zeros((x.shape[0], outputs * groups, *reach), np.result_type(x, weight))
    for place, tap in product(np.ndindex(x.shape[2:]), np.ndindex(window)):
        at = position(place, stride, tap, dilation)
        for channel in range(x.shape[1]):
            group = channel // (x.shape[1] // groups)
            part = slice(group * outputs, (group + 1) * outputs)
            filters = weight[(channel, slice(None), *tap)]
            y[(slice(None), part, *at)] += (
                x[(slice(None), channel, *place)][:, None] * filters
            )
    ends = zip(reach, pairs, strict=True)
    return np.asarray(
        y[(..., *(slice(before, n - after) for n, (before, after) in ends))]
    )


def pooled(x: Any, window: Shape, stride: Shape, pairs: Pairs, reduce: Any) -> Array:
    """Reduce what each window shows, with NaN in place of padding."""
    x = np.pad(x.astype(np.float64), ((0, 0), (0, 0), *pairs), constant_values=np.nan)
    sizes = zip(x.shape[2:], window, stride, strict=True)
    places = tuple((n - k) // s + 1 for n, k, s in sizes)
    y = np.zeros((*x.shape[:2], *places))
    for place in np.ndindex(places):
        ends = zip(place, window, stride, strict=True)
        shown = x[(..., *(slice(p * s, p * s + k) for p, k, s in ends))]
        y[(..., *place)] = reduce(shown, axis=tuple(range(2, x.ndim)))
    return y


# --- The rows -------------------------------------------------------------------------


def _convolutions() -> list[Row]:
    def row(
        axes: int,
        shapes: tuple[tuple[Shape, ...], ...],
        note: str,
        stride: Shape,
        padding: Any,
        pairs: Any,
        dilation: Shape,
        groups: int = 1,
    ) -> Row:
        function = getattr(wg, f"conv{axes}d")

        def call(x: Any, weight: Any, bias: Any = None) -> Any:
            options = {"stride": stride, "padding": padding, "dilation": dilation}
            return function(x, weight, bias, groups=groups, **options)

        def reference(x: Array, weight: Array, bias: Any = None) -> Array:
            zeros = pairs or same(x.shape[2:], weight.shape[2:], stride, dilation)
            y = conv(x, weight, stride, zeros, dilation, groups)
            return y if bias is None else y + bias.reshape(-1, *[1] * axes)

        count = len(shapes[0])
        return Row(
            "patches",
            "linear",
            call,
            reference,
            (reals,) * count,
            shapes,
            f"conv{axes}d {note}",
            integers=(whole,) * count,
            ulps=128,
        )

    return [
        row(
            1,
            (
                ((2, 3, 5), (4, 3, 2)),
                ((1, 1, 1), (1, 1, 1)),
                ((0, 2, 4), (3, 2, 3)),
                ((1, 0, 4), (2, 0, 3)),
                ((2, 2, 4), (0, 2, 2)),
                ((3, 4, 33), (5, 4, 3)),
            ),
            "plain",
            (1,),
            0,
            (NO,),
            (1,),
        ),
        row(1, (((2, 2, 6), (2, 2, 3), (2,)),), "biased", (1,), "valid", (NO,), (1,)),
        row(1, (((2, 2, 7), (3, 2, 2)),), "by 2", (2,), ((1, 2),), ((1, 2),), (1,)),
        row(1, (((1, 2, 5), (2, 2, 3)),), "dilated", (1,), (1,), (ONE,), (2,)),
        row(1, (((2, 4, 5), (6, 2, 2)),), "in groups", (1,), 0, (NO,), (1,), 2),
        row(1, (((1, 3, 4), (6, 1, 3)),), "by channel", (1,), "same", (), (1,), 3),
        row(
            1,
            (((1, 1, 5), (1, 1, 2)), ((1, 2, 6), (1, 2, 3)), ((1, 1, 1), (1, 1, 4))),
            "same by 2",
            (2,),
            "same",
            (),
            (1,),
        ),
        row(
            2,
            (((2, 2, 4, 3), (3, 2, 2, 2)), ((1, 3, 9, 8), (4, 3, 3, 3))),
            "plain",
            (1, 1),
            1,
            (ONE, ONE),
            (1, 1),
        ),
        row(
            2,
            (((1, 2, 5, 6), (2, 2, 2, 3), (2,)),),
            "all options",
            (2, 1),
            ((1, 0), (2, 1)),
            ((1, 0), (2, 1)),
            (1, 2),
        ),
        row(2, (((1, 1, 3, 4), (2, 1, 2, 3)),), "same", (1, 1), "same", (), (1, 1)),
        row(
            3,
            (((1, 2, 3, 3, 2), (2, 1, 2, 2, 1), (2,)),),
            "all options",
            (1, 2, 1),
            (1, 0, 1),
            (ONE, NO, ONE),
            (2, 1, 1),
            2,
        ),
    ]


def _transposed() -> list[Row]:
    def row(
        axes: int,
        shapes: tuple[tuple[Shape, ...], ...],
        note: str,
        stride: Shape,
        padding: Any,
        pairs: Any,
        dilation: Shape,
        more: Shape,
        groups: int = 1,
    ) -> Row:
        function = getattr(wg, f"conv_transpose{axes}d")

        def call(x: Any, weight: Any, bias: Any = None) -> Any:
            options = {"stride": stride, "padding": padding, "dilation": dilation}
            options |= {"output_padding": more}
            return function(x, weight, bias, groups=groups, **options)

        def reference(x: Array, weight: Array, bias: Any = None) -> Array:
            y = conv_transpose(x, weight, stride, pairs, dilation, more, groups)
            return y if bias is None else y + bias.reshape(-1, *[1] * axes)

        count = len(shapes[0])
        return Row(
            "fold",
            "linear",
            call,
            reference,
            (reals,) * count,
            shapes,
            f"conv_transpose{axes}d {note}",
            integers=(whole,) * count,
            ulps=128,
        )

    return [
        row(
            1,
            (
                ((2, 3, 4), (3, 2, 3)),
                ((1, 1, 1), (1, 1, 1)),
                ((0, 2, 4), (2, 3, 2)),
                ((2, 3, 20), (3, 4, 3)),
            ),
            "plain",
            (1,),
            0,
            (NO,),
            (1,),
            (0,),
        ),
        row(
            1,
            (((2, 2, 3), (2, 1, 3), (2,)),),
            "all options",
            (3,),
            ((1, 2),),
            ((1, 2),),
            (2,),
            (2,),
            2,
        ),
        row(
            2,
            (((1, 2, 3, 2), (2, 3, 2, 3), (3,)),),
            "all options",
            (2, 1),
            (1, 1),
            (ONE, ONE),
            (1, 2),
            (1, 0),
        ),
        row(
            3,
            (((1, 2, 2, 1, 2), (2, 1, 1, 2, 2)),),
            "all options",
            (2, 1, 2),
            (0, 0, 1),
            (NO, NO, ONE),
            (1, 2, 1),
            (1, 0, 1),
            2,
        ),
    ]


NO, ONE = (0, 0), (1, 1)
# Axes, shapes, window, stride, padding, and the padding of each end.
POOLS: tuple[tuple[int, tuple[tuple[Shape, ...], ...], Shape, Any, Any, Pairs], ...] = (
    (
        1,
        (((2, 3, 6),), ((1, 1, 2),), ((0, 2, 4),), ((2, 2, 33),)),
        (2,),
        None,
        0,
        ((0, 0),),
    ),
    (1, (((2, 2, 7),),), (3,), (1,), ((1, 2),), ((1, 2),)),
    (2, (((1, 2, 4, 5),), ((2, 1, 6, 7),)), (2, 3), (2, 1), (1, 0), (ONE, NO)),
    (2, (((1, 2, 5, 4),),), (2, 2), (2, 2), 1, (ONE, ONE)),
    (
        3,
        (((1, 2, 2, 3, 4),),),
        (2, 1, 2),
        (1, 1, 2),
        (1, 0, 1),
        ((1, 1), (0, 0), (1, 1)),
    ),
)


def _max_pools() -> list[Row]:
    def row(
        axes: int,
        shapes: tuple[tuple[Shape, ...], ...],
        window: Shape,
        stride: Any,
        padding: Any,
        pairs: Pairs,
    ) -> Row:
        function = getattr(wg, f"max_pool{axes}d")

        def reference(x: Array) -> Array:
            y = pooled(x, window, stride or window, pairs, np.nanmax)
            return y.astype(x.dtype)

        return Row(
            "max_pool",
            "rules",
            lambda x: function(x, window, stride, padding),
            reference,
            (distinct,),
            shapes,
            f"{axes} window {window} stride {stride} padding {padding}",
            integers=(whole,),
            booleans=True,
        )

    return [row(*pool) for pool in POOLS]


def _average_pools() -> list[Row]:
    def row(
        axes: int,
        shapes: tuple[tuple[Shape, ...], ...],
        window: Shape,
        stride: Any,
        padding: Any,
        pairs: Pairs,
        included: bool,
    ) -> Row:
        function = getattr(wg, f"avg_pool{axes}d")
        size = int(np.prod(window))

        def reference(x: Array) -> Array:
            def mean(shown: Array, axis: Any) -> Array:
                return np.asarray(np.nansum(shown, axis=axis) / size)

            average = mean if included else np.nanmean
            y = pooled(x, window, stride or window, pairs, average)
            return y if x.dtype.kind != "f" else y.astype(x.dtype)

        return Row(
            "patches",
            "linear",
            lambda x: function(x, window, stride, padding, count_include_pad=included),
            reference,
            (reals,),
            shapes,
            f"avg_pool{axes}d window {window} stride {stride} padding {padding}"
            + ("" if included else " left out"),
            integers=(whole,),
            booleans=True,
            ulps=64,
        )

    return [
        row(*pool, included=included) for pool in POOLS for included in (True, False)
    ]
