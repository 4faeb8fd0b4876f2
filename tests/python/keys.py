"""Keys that NumPy takes between the brackets of an array."""

from __future__ import annotations

from typing import Any

import numpy as np

SHAPES = [(7,), (4, 5), (1, 6), (3, 4, 5), (2, 1, 3, 4), (3, 0, 2), (6, 40, 3)]


def a_slice(rng: np.random.Generator, size: int) -> slice:
    def end() -> int | None:
        return None if rng.random() < 0.4 else int(rng.integers(-size - 2, size + 3))

    step = int(rng.choice([-3, -2, -1, 1, 2, 3]))
    return slice(end(), end(), None if rng.random() < 0.4 else step)


def positions(rng: np.random.Generator, shape: tuple[int, ...], size: int) -> Any:
    """Draw positions as an array or a list; they repeat, and count from both ends."""
    array = rng.integers(-size, size, shape)
    form = rng.integers(4)
    if form == 0:
        return array.tolist()
    return array.astype(np.int32) if form == 1 else array


# Arrays of these shapes broadcast against one another, and against masks that are true
# three times or once.
COMMON = [(1,), (3,), (2, 1), (2, 3)]


def a_mask(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Draw a mask that is true three times, where it has room, or once."""
    mask = np.zeros(shape, bool)
    count = 3 if mask.size >= 3 and rng.random() < 0.8 else min(1, mask.size)
    mask.flat[rng.permutation(mask.size)[:count]] = True
    return mask.tolist() if rng.random() < 0.2 and mask.size else mask


def a_truth(rng: np.random.Generator) -> Any:
    """Draw a mask without axes, which is true more often."""
    holds = bool(rng.random() < 0.8)
    return [holds, np.bool_(holds), np.array(holds)][int(rng.integers(3))]


def parts_of(rng: np.random.Generator, shape: tuple[int, ...]) -> list[Any]:
    """Draw parts of a key, for all of the axes."""
    parts: list[Any] = []
    while shape:
        size, width = shape[0], 1
        kind = rng.choice(["int", "slice", "array", "mask"], p=[0.25, 0.35, 0.3, 0.1])
        if kind == "int" and size > 0:
            index = int(rng.integers(-size, size))
            parts.append(np.int64(index) if rng.random() < 0.2 else index)
        elif kind == "array" and size > 0:
            common = COMMON[int(rng.integers(len(COMMON)))]
            parts.append(positions(rng, common, size))
        elif kind == "mask":
            width = int(rng.integers(1, len(shape) + 1))
            parts.append(a_mask(rng, shape[:width]))
        else:
            parts.append(a_slice(rng, size))
        shape = shape[width:]
    return parts


def key_of(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Draw any key that NumPy takes for an array of the shape."""
    first = int(rng.integers(0, len(shape) + 1))
    key = parts_of(rng, shape[:first])
    if rng.random() < 0.4:
        last = int(rng.integers(first, len(shape) + 1))
        key += [..., *parts_of(rng, shape[last:])]
    for draw in (lambda _: None, lambda _: None, a_truth):
        if rng.random() < 0.25:
            key.insert(int(rng.integers(0, len(key) + 1)), draw(rng))
    if len(key) == 1 and rng.random() < 0.5:
        return key[0]
    return tuple(key)


def numpys(x: np.ndarray[Any, Any], key: Any) -> Any:
    """Give what NumPy selects; None if it refuses the key."""
    try:
        return x[key]
    except IndexError:
        return None
