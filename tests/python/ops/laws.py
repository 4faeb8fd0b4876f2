"""The laws that every row of the table obeys. Each raises AssertionError if not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, DTypeError, Tensor

from tests.python import generated
from tests.python.ops import operands
from tests.python.ops.operands import Array, Draw, Shape, mask
from tests.python.ops.table import Row

# A power of two, so that float32 holds an operand of the table plus twice the step.
STEP = 2.0**-10
# Differences along every axis of arrays up to this size; otherwise along directions.
EVERY_AXIS = 12
DIRECTIONS = 4


def is_float(x: Any) -> bool:
    return bool(x.dtype.kind == "f")


def cotangent(rng: np.random.Generator, shape: Shape) -> Array:
    return operands.reals(rng, shape)


def leaves(row: Row, rec: ComputationRecord, xs: Sequence[Array]) -> list[Tensor]:
    """Record the operands: floats as leaves, others as constants."""
    return [row.leaf(rec, x) if is_float(x) else rec.constant(x) for x in xs]


def cases(row: Row, law: str) -> Iterator[tuple[tuple[Shape, ...], int, str]]:
    """Give each choice of shapes, its seed, and what a failure shows."""
    for shapes in row.shapes:
        seed = generated.seed_of(law, row.name, shapes)
        generated.count("laws")
        yield shapes, seed, f"{law}: {row.name}: shapes {shapes}, seed {seed}"


def differences(f: Callable[..., float], xs: Sequence[Array], k: int) -> Array:
    """Give 5-point central differences of `f` in operand `k`."""
    out = np.zeros(xs[k].shape)
    for at in np.ndindex(xs[k].shape):
        direction = np.zeros(xs[k].shape)
        direction[at] = 1
        out[at] = slope(f, xs, k, direction)
    return out


def slope(
    f: Callable[..., float], xs: Sequence[Array], k: int, direction: Array
) -> float:
    def at(steps: int) -> float:
        moved = list(xs)
        moved[k] = xs[k] + steps * STEP * direction
        return float(f(*moved))

    return (at(-2) - 8 * at(-1) + 8 * at(1) - at(2)) / (12 * STEP)


def expect_slopes(
    f: Callable[..., float],
    xs: Sequence[Array],
    gradients: dict[int, Array],
    rng: np.random.Generator,
    why: str,
    tolerance: float = 2e-8,
) -> None:
    """Fail unless the gradients, by operand, are the slopes of `f`."""
    for k, gradient in gradients.items():
        why_k = f"{why}, operand {k}"
        assert gradient.shape == xs[k].shape, why_k
        if xs[k].size <= EVERY_AXIS:
            wanted = differences(f, xs, k)
            scale = max(1.0, float(np.max(np.abs(wanted), initial=0)))
            np.testing.assert_allclose(
                gradient, wanted, rtol=0, atol=tolerance * scale, err_msg=why_k
            )
            continue
        for _ in range(DIRECTIONS):
            # Whole numbers keep what moves exact in float32.
            direction = rng.integers(-1, 2, xs[k].shape).astype(float)
            wanted = np.asarray(slope(f, xs, k, direction))
            found = np.sum(gradient * direction)
            scale = float(np.sum(np.abs(gradient * direction))) + 1
            np.testing.assert_allclose(
                found, wanted, rtol=0, atol=tolerance * scale, err_msg=why_k
            )


# --- Values ---------------------------------------------------------------------------


def operands_of(
    row: Row, rng: np.random.Generator, shapes: Sequence[Shape], dtype: str
) -> tuple[Array, ...] | None:
    """Draw operands of an element type; None if the row does not take it."""
    draws: tuple[Draw, ...] | None
    if dtype == "bool":
        draws = (mask,) * len(shapes) if row.booleans else None
    elif dtype == "int64":
        draws = row.integers
    else:
        draws = row.draws
    if draws is None:
        return None
    xs = [draw(rng, shape) for draw, shape in zip(draws, shapes, strict=True)]
    return tuple(x.astype(dtype) if is_float(x) else x for x in xs)


def close(row: Row, found: Array, wanted: Array, why: str, dtype: Any = None) -> None:
    dtype = np.dtype(dtype or found.dtype)
    if dtype.kind != "f":
        np.testing.assert_array_equal(found, wanted, err_msg=why)
        return
    rtol = row.ulps * float(np.finfo(dtype).eps)
    top = float(np.max(np.abs(wanted), initial=0))
    atol = 0.0 if row.tier == "elementwise" else rtol * top
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=atol, err_msg=why)


def ours(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Give the element type that stands for one of NumPy's: smaller integers widen."""
    return np.dtype(np.int64) if dtype.kind in "iu" else dtype


def value(row: Row, dtype: str) -> None:
    """The value and its type are NumPy's, of tensors and of plain arrays."""
    for shapes, seed, why in cases(row, f"value {dtype}"):
        xs = operands_of(row, np.random.default_rng(seed), shapes, dtype)
        if xs is None:
            continue
        rec = ComputationRecord()
        y = row.call(*leaves(row, rec, xs))
        assert isinstance(y, Tensor), why
        typed = np.asarray(row.reference(*xs))
        assert y.dtype == ours(typed.dtype), why
        assert y.shape == typed.shape, why
        exact = (x.astype(np.float64) if is_float(x) else x for x in xs)
        wanted = np.asarray(row.reference(*exact))
        close(row, y.data(), wanted, why)
        if row.plain:
            plain = row.call(*xs)
            assert isinstance(plain, np.ndarray | np.generic), why
            assert plain.dtype == y.dtype, why
            np.testing.assert_array_equal(plain, y.data(), err_msg=why, strict=False)


# --- Gradients ------------------------------------------------------------------------


def gradients(
    row: Row, xs: Sequence[Array], ct: Array, **options: Any
) -> dict[int, Array]:
    """Give the cotangents of the float operands, by position."""
    rec = ComputationRecord()
    tensors = leaves(row, rec, xs)
    grad = row.call(*tensors).grad(seed=ct, **options)
    return {k: grad.wrt(t).data() for k, t in enumerate(tensors) if is_float(t)}


def vjp(row: Row) -> None:
    """The gradient is the slope of NumPy's function, for any cotangent."""
    for shapes, seed, why in cases(row, "vjp"):
        rng = np.random.default_rng(seed)
        xs = row.draw(rng, shapes)
        ct = cotangent(rng, np.shape(row.reference(*xs)))

        def f(*xs: Array, ct: Array = ct) -> float:
            return float(np.sum(ct * row.reference(*xs)))

        expect_slopes(f, xs, gradients(row, xs, ct), rng, why)


def single_precision(row: Row) -> None:
    """In float32 the gradient has that type, and is the one in float64, rounded."""
    for shapes, seed, why in cases(row, "single precision"):
        rng = np.random.default_rng(seed)
        xs = row.draw(rng, shapes)
        ct = cotangent(rng, np.shape(row.reference(*xs)))
        wanted = gradients(row, xs, ct)
        narrow = [x.astype(np.float32) if is_float(x) else x for x in xs]
        for k, found in gradients(row, narrow, ct.astype(np.float32)).items():
            assert found.dtype == np.float32, why
            scale = max(1.0, float(np.max(np.abs(wanted[k]), initial=0)))
            np.testing.assert_allclose(
                found, wanted[k], rtol=0, atol=2e-6 * scale, err_msg=f"{why}, {k}"
            )


def second_order(row: Row) -> None:
    """What a recorded gradient gives is the slope of the first gradient."""
    for shapes, seed, why in cases(row, "second order"):
        rng = np.random.default_rng(seed)
        xs = row.draw(rng, shapes)
        shape = np.shape(row.reference(*xs))
        linear, square = cotangent(rng, shape), cotangent(rng, shape)
        weights = [cotangent(rng, x.shape) for x in xs]

        def sweep(
            xs: Sequence[Array],
            record: bool,
            linear: Array = linear,
            square: Array = square,
        ) -> tuple[list[Tensor], list[Tensor | None]]:
            tensors = leaves(row, ComputationRecord(), xs)
            y = row.call(*tensors)
            # The square makes the second derivative of a linear op more than zero.
            loss = (y * linear + y * y * (square * 0.5)).sum()
            grad = loss.grad(record=record)
            return tensors, [grad.wrt(t) if is_float(t) else None for t in tensors]

        def first(*xs: Array, weights: list[Array] = weights) -> float:
            _, found = sweep(xs, record=False)
            pairs = zip(weights, found, strict=True)
            return sum(float(np.sum(w * g.data())) for w, g in pairs if g is not None)

        tensors, found = sweep(xs, record=True)
        _, eager = sweep(xs, record=False)
        for a, b in zip(found, eager, strict=True):
            if a is not None and b is not None:
                np.testing.assert_allclose(
                    a.data(), b.data(), rtol=1e-12, atol=1e-13, err_msg=why
                )
        pairs = zip(weights, found, strict=True)
        terms = [(g * w).sum() for w, g in pairs if g is not None]
        total = wg.stack(terms).sum()
        grad = total.grad()
        second = {k: grad.wrt(t).data() for k, t in enumerate(tensors) if is_float(t)}
        expect_slopes(first, xs, second, rng, why, tolerance=1e-7)


STRICTEST = (
    operands.positive,
    operands.above_minus_one,
    operands.off_zero,
    operands.distinct,
    operands.reals,
)


def accumulation(row: Row) -> None:
    """A tensor that is used several times gets the sum of what each use gives."""
    for shapes, seed, why in cases(row, "accumulation"):
        rng = np.random.default_rng(seed)
        xs = row.draw(rng, shapes)
        floats = [k for k, x in enumerate(xs) if is_float(x)]
        if len({shapes[k] for k in floats}) != 1:
            continue
        draw = next((d for d in STRICTEST if d in row.draws), row.draws[floats[0]])
        x = draw(rng, shapes[floats[0]])
        ct = cotangent(rng, np.shape(row.reference(*xs)))
        other = cotangent(rng, np.shape(ct))

        def together(x: Any, xs: tuple[Array, ...] = xs) -> list[Any]:
            return [x if is_float(fixed) else fixed for fixed in xs]

        def f(x: Array, total: Array = ct + other, together: Any = together) -> float:
            return float(np.sum(total * row.reference(*together(x))))

        rec = ComputationRecord()
        t = row.leaf(rec, x)
        loss = (row.call(*together(t)) * ct).sum()
        loss = loss + (row.call(*together(t)) * other).sum()
        found = loss.grad().wrt(t).data()
        expect_slopes(f, [x], {0: found}, rng, why)


def no_gradient(row: Row) -> None:
    """Nothing flows through an op without a gradient, and the loss says so."""
    for shapes, seed, why in cases(row, "no gradient"):
        rng = np.random.default_rng(seed)
        xs = row.draw(rng, shapes)
        tensors = leaves(row, ComputationRecord(), xs)
        y = row.call(*tensors)
        if not is_float(y):
            with pytest.raises(DTypeError, match="has no gradient"):
                y.grad(seed=np.ones(y.shape))
            y = y.astype("float64")
        grad = y.grad(seed=np.ones(y.shape))
        for t in tensors:
            # A leaf is connected to itself.
            if is_float(t) and t.index != y.index:
                assert not grad.connected(t), why
                np.testing.assert_array_equal(
                    grad.wrt(t).data(), np.zeros(t.shape), err_msg=why
                )


# --- Layouts --------------------------------------------------------------------------


@dataclass(frozen=True)
class Layout:
    """A leaf and a view of it that has the operand's shape."""

    name: str
    # The leaf's elements, for an operand.
    store: Callable[[Array], Array]
    # The view, of a tensor or of an array.
    view: Callable[[Any, Shape], Any]
    borrow: bool = False


def _apart(x: Array) -> Array:
    """Every second element of each axis, among others that are never to be read."""
    out = np.full([2 * n + 1 for n in x.shape], np.nan)
    out[tuple(slice(1, None, 2) for _ in x.shape)] = x
    return out


def _first_rows(x: Array) -> Array:
    return x[tuple(slice(0, 1) for _ in x.shape)]


def _repeat(x: Any, shape: Shape) -> Any:
    function = wg.broadcast_to if isinstance(x, Tensor) else np.broadcast_to
    return function(x, shape)


def _all(x: Any, one: slice) -> Any:
    # NumPy gives a scalar, not an array, where there is no axis.
    return x[(..., *(one,) * x.ndim)]


LAYOUTS = (
    Layout("transposed", lambda x: x.T, lambda x, _: x.T),
    # `asfortranarray` would give a scalar an axis.
    Layout("fortran", lambda x: np.asarray(x, order="F"), lambda x, _: x),
    Layout(
        "reversed",
        lambda x: _all(x, slice(None, None, -1)),
        lambda x, _: _all(x, slice(None, None, -1)),
    ),
    Layout("apart", _apart, lambda x, _: _all(x, slice(1, None, 2))),
    Layout(
        "backwards apart",
        lambda x: _apart(_all(x, slice(None, None, -1))),
        lambda x, _: _all(x, slice(-2, None, -2)),
    ),
    Layout("repeated", _first_rows, _repeat),
    Layout("borrowed", lambda x: x.copy(), lambda x, _: x, borrow=True),
    Layout("borrowed transposed", lambda x: x.T.copy().T, lambda x, _: x, borrow=True),
    Layout(
        "borrowed apart",
        lambda x: _all(_apart(x), slice(1, None, 2)),
        lambda x, _: x,
        borrow=True,
    ),
)


def adjoint(layout: Layout, leaf: Array, ct: Array) -> Array:
    """Sum the view's cotangent to the leaf, element by element."""
    places = np.arange(leaf.size).reshape(leaf.shape)
    places = layout.view(places, ct.shape)
    out = np.zeros(leaf.size)
    np.add.at(out, np.ravel(places), np.ravel(ct))
    return out.reshape(leaf.shape)


def layouts(row: Row) -> None:
    """How operands lie in memory changes neither value nor gradient."""
    for layout in LAYOUTS:
        for shapes, seed, why in cases(row, f"layout {layout.name}"):
            _layout(row, layout, shapes, np.random.default_rng(seed), why)


def large_layouts(row: Row) -> None:
    """Nor does it where values are so large that results lie as their operands do."""
    shapes = ((40, 30),) * len(row.draws)
    for layout in LAYOUTS:
        why = f"large {layout.name}"
        _layout(row, layout, shapes, generated.rng_of(row.name, why), why)


def _layout(
    row: Row,
    layout: Layout,
    shapes: Sequence[Shape],
    rng: np.random.Generator,
    why: str,
) -> None:
    stored = [layout.store(x) if is_float(x) else x for x in row.draw(rng, shapes)]
    xs = [
        layout.view(x, shape) if is_float(x) else x
        for x, shape in zip(stored, shapes, strict=True)
    ]
    _same_as_contiguous(row, layout, stored, xs, why, rng)


def _same_as_contiguous(
    row: Row,
    layout: Layout,
    stored: list[Array],
    xs: list[Array],
    why: str,
    rng: np.random.Generator,
) -> None:
    rec = ComputationRecord()
    bases, views = [], []
    for x, wanted in zip(stored, xs, strict=True):
        base = rec.tensor_from_value(x, borrow=layout.borrow and is_float(x))
        bases.append(base)
        views.append(layout.view(base, wanted.shape) if is_float(x) else base)
    contiguous = [
        rec.tensor_from_value(np.array(x, order="C")) if is_float(x) else view
        for x, view in zip(xs, views, strict=True)
    ]
    y, wanted_y = row.call(*views), row.call(*contiguous)
    close(row, y.data(), wanted_y.data(), why)
    if not row.gradient:
        return
    ct = cotangent(rng, y.shape)
    grad, wanted_grad = y.grad(seed=ct), wanted_y.grad(seed=ct)
    for x, base, view, plain in zip(stored, bases, views, contiguous, strict=True):
        if not is_float(x):
            continue
        wanted = wanted_grad.wrt(plain).data()
        for found, expected in (
            (grad.wrt(view), wanted),
            (grad.wrt(base), adjoint(layout, x, wanted)),
        ):
            np.testing.assert_allclose(
                found.data(), expected, rtol=1e-11, atol=1e-11, err_msg=why
            )
