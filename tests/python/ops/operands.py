"""What the rows of the table are made of: draws, shapes, and formulas of NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Shape = tuple[int, ...]
# Draws an operand of a shape.
Draw = Callable[[np.random.Generator, Shape], Array]


# --- What operands are drawn from -----------------------------------------------------
#
# All floats are multiples of 1/64, and so are the cotangents of the laws, so that a
# cast to float32 on the way loses nothing. The distances from kinks and poles exceed
# what differences reach (`laws.STEP` twice).


def _dyadic(x: Array) -> Array:
    return np.round(x * 64) / 64


def reals(rng: np.random.Generator, shape: Shape) -> Array:
    return np.asarray(_dyadic(rng.uniform(-2, 2, shape)))


def positive(rng: np.random.Generator, shape: Shape) -> Array:
    return np.asarray(_dyadic(rng.uniform(0.3, 2.5, shape)))


def above_minus_one(rng: np.random.Generator, shape: Shape) -> Array:
    return np.asarray(_dyadic(rng.uniform(-0.6, 2, shape)))


def off_zero(rng: np.random.Generator, shape: Shape) -> Array:
    sign = rng.choice([-1.0, 1.0], shape)
    return np.asarray(sign * _dyadic(rng.uniform(0.3, 2, shape)))


def even(rng: np.random.Generator, shape: Shape) -> Array:
    """Draw even multiples of 1/16: never equal to those that `odd` draws."""
    return np.asarray(rng.integers(-16, 16, shape) / 8)


def odd(rng: np.random.Generator, shape: Shape) -> Array:
    return np.asarray(even(rng, shape) + 1 / 16)


def distinct(rng: np.random.Generator, shape: Shape) -> Array:
    """Draw without ties, so that a maximum is smooth."""
    size = int(np.prod(shape))
    return np.asarray(rng.permutation(size).reshape(shape) / 16 - size / 32)


def whole(rng: np.random.Generator, shape: Shape) -> Array:
    return np.asarray(rng.integers(-4, 5, shape))


def whole_floats(rng: np.random.Generator, shape: Shape) -> Array:
    return np.asarray(whole(rng, shape) / 2)


def natural(rng: np.random.Generator, shape: Shape) -> Array:
    return np.asarray(rng.integers(0, 5, shape))


def label(rng: np.random.Generator, shape: Shape) -> Array:
    return np.asarray(rng.integers(0, 4, shape))


def mask(rng: np.random.Generator, shape: Shape) -> Array:
    return np.asarray(rng.integers(0, 2, shape) == 1)


# --- The shapes that operands have ----------------------------------------------------

# Around the lanes of vectors, and beyond what a record holds inline.
UNARY: tuple[tuple[Shape, ...], ...] = (
    ((),),
    ((1,),),
    ((7,),),
    ((2, 3),),
    ((2, 3, 2),),
    ((33,),),
    ((0,),),
    ((3, 0),),
    ((40, 50),),
)
BINARY: tuple[tuple[Shape, ...], ...] = (
    ((), ()),
    ((3,), (3,)),
    ((2, 3), (2, 3)),
    ((2, 3), (3,)),
    ((3,), (2, 3)),
    ((2, 1), (1, 3)),
    ((), (2, 3)),
    ((2, 3), ()),
    ((4, 1, 3), (2, 1)),
    ((1,), (1, 1)),
    ((0,), (0,)),
    ((0, 3), (3,)),
    ((1,), (0,)),
    ((33,), (33,)),
    ((40, 50), (40, 50)),
    ((40, 50), (50,)),
    ((40, 1), (50,)),
)
# At least one axis of several elements, or none.
AXES: tuple[tuple[Shape, ...], ...] = (
    ((5,),),
    ((2, 3),),
    ((2, 3, 4),),
    ((17, 9),),
    ((1, 1),),
    ((40, 50),),
)
SUMS = (*AXES, ((3, 0),), ((0, 2),), ((2, 0, 3),))
CUBES: tuple[tuple[Shape, ...], ...] = (
    ((2, 3, 4),),
    ((1, 1, 1),),
    ((3, 0, 2),),
    ((10, 9, 8),),
)


# --- What NumPy has no single function for --------------------------------------------


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)), dtype=_real(x))


def relu(x: Array) -> Array:
    return np.maximum(x, np.zeros((), x.dtype))


def softplus(x: Array) -> Array:
    return np.asarray(np.logaddexp(0, x), dtype=_real(x))


def leaky_relu(a: Array, b: Any) -> Array:
    return np.where(a > 0, a, a * b)


def multiply_no_nan(a: Array, b: Array) -> Array:
    return np.where(a == 0, np.zeros((), np.result_type(a, b)), np.multiply(a, b))


def _real(x: Array) -> np.dtype[Any]:
    return x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)


def logsumexp(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    x = x.astype(_real(x))
    top = np.max(x, axis=axis, keepdims=True, initial=-1e30)
    total = np.sum(np.exp(x - top), axis=axis, keepdims=True)
    y = np.log(total) + top
    y = y if keepdims else np.sum(y, axis=axis)
    return np.asarray(y, dtype=_real(x))


def softmax(x: Array, axis: int = -1) -> Array:
    x = x.astype(_real(x))
    e = np.exp(x - np.max(x, axis=axis, keepdims=True, initial=-1e30))
    return np.asarray(e / np.sum(e, axis=axis, keepdims=True))


def log_softmax(x: Array, axis: int = -1) -> Array:
    return np.asarray(x - logsumexp(x, axis, keepdims=True), dtype=_real(x))


def softmax_cross_entropy(logits: Array, labels: Array) -> Array:
    rows = logsumexp(logits, -1)
    picked = np.take_along_axis(logits, labels[..., None], -1)[..., 0]
    return np.asarray(rows - picked, dtype=_real(logits))
