"""Python's integers beyond int64: what they are depends on what they meet."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest
import wengert as wg

NUMBERS = (2**63, -(2**63) - 1, 2**70, -(2**200), 10**400, -(10**5000))
# What they meet, with elements at both ends of the range.
MEETING: dict[str, Any] = {
    "bool": [False, True],
    "int64": [-(2**63), 2**63 - 1],
    "float32": [-1.5, float(np.float32(2**70))],
    "float64": [-1.5, 2.0**70],
}
ARITHMETIC = (
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.pow,
)
COMPARISONS = (
    operator.eq,
    operator.ne,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
)
# Ours and NumPy's.
OPERATORS: dict[str, tuple[Any, Any]] = {
    **{f.__name__: (f, f) for f in (*ARITHMETIC, *COMPARISONS)},
    "maximum": (wg.maximum, np.maximum),
    "minimum": (wg.minimum, np.minimum),
    "where": (
        lambda a, b: wg.where([True, False], a, b),
        lambda a, b: np.where([True, False], a, b),
    ),
}


def numpys(op: str, array: Any, number: int, left: bool) -> Any:
    """Apply NumPy's operator, except where it has its doubts or none."""
    f = OPERATORS[op][1]
    if array.dtype.kind in "bi":
        if op == "where":
            raise OverflowError  # NumPy wraps what fits uint64.
        if f in COMPARISONS:
            # NumPy compares integers with such a number, but booleans with none.
            array = array.astype(object)
    with np.errstate(all="ignore"):
        y = f(number, array) if left else f(array, number)
    return y.astype(bool) if y.dtype == object else y


@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: f"{n.bit_length()} bits")
@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize("dtype", MEETING)
def test_numbers_beyond_int64_are_what_they_are_in_numpy(
    dtype: str, op: str, number: int, left: bool, rec: Any
) -> None:
    array = np.array(MEETING[dtype], dtype)
    f, x = OPERATORS[op][0], rec.constant(array)
    try:
        wanted = numpys(op, array, number, left)
    except OverflowError:
        with pytest.raises(OverflowError, match=r"does not fit [if]64"):
            f(number, x) if left else f(x, number)
        assert len(rec) == 1
        return
    found = f(number, x) if left else f(x, number)
    assert found.dtype == wanted.dtype
    rtol = 2 * np.finfo(wanted.dtype).eps if wanted.dtype.kind == "f" else 0
    np.testing.assert_allclose(found.data(), wanted, rtol=rtol)


def test_functions_of_numbers_beyond_int64() -> None:
    assert wg.multiply(2.0, 2**70) == wg.multiply(2**70, 2.0) == 2.0**71
    assert (wg.less(2**70, np.array([2.0**70, 2.0**71])) == [False, True]).all()
    assert wg.sqrt(2**70) == 2.0**35
    refused: list[tuple[Any, tuple[Any, ...]]] = [
        (wg.multiply, (2, 2**70)),
        (wg.less, (2**70, 2**71)),
        (wg.sum, (2**70,)),
        (wg.where, ([0.5], 1, 2**70)),
    ]
    for f, operands in refused:
        with pytest.raises(OverflowError, match=f"number {2**70} does not fit i64"):
            f(*operands)
    with pytest.raises(OverflowError, match="number of 1329 bits does not fit f64"):
        wg.multiply(2.0, 10**400)
