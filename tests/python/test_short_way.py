"""The short way of an op, and the objects that tensors leave behind.

The first call from a line goes the full way, since its place is new to the record;
calls after it may go the short one. So a loop of the same line compares the two.
"""

from __future__ import annotations

import gc
import operator
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import wengert

BINARY: list[Callable[[Any, Any], Any]] = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.pow,
    wengert.add,
    wengert.subtract,
    wengert.multiply,
    wengert.divide,
    wengert.power,
    wengert.maximum,
    wengert.minimum,
]
UNARY: list[Callable[[Any], Any]] = [
    operator.neg,
    abs,
    wengert.exp,
    wengert.log,
    wengert.tanh,
    wengert.square,
]
SHAPES: list[tuple[int, ...]] = [(), (1,), (2,), (3, 5), (256,), (300,), (0,), (40, 40)]


def leaf(rec: wengert.ComputationRecord, shape: tuple[int, ...], dtype: str) -> Any:
    value = np.linspace(0.5, 2.0, int(np.prod(shape))).reshape(shape).astype(dtype)
    return rec.tensor_from_value(value)


def operand_pairs(
    rec: wengert.ComputationRecord, dtype: str
) -> Iterator[tuple[Any, Any]]:
    for shape in SHAPES:
        x, y = leaf(rec, shape, dtype), leaf(rec, shape, dtype)
        yield x, y
        yield x, x
        for number in (2.5, 3, True, -0.0):
            yield x, number
            yield number, x
        yield x, leaf(rec, (), dtype)
        yield x.reshape((-1,)), y.reshape((-1,))
    x = leaf(rec, (4, 4), dtype)
    yield x.T, x
    yield x[::2], x[1::2]
    yield x, rec.constant(np.arange(16).reshape(4, 4))
    yield x, leaf(rec, (4, 4), "float32")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("op", BINARY, ids=lambda op: f"{op.__module__}.{op.__name__}")
def test_both_ways_record_the_same_node(op: Callable[..., Any], dtype: str) -> None:
    rec = wengert.ComputationRecord()
    for a, b in operand_pairs(rec, dtype):
        ways = []
        for _ in range(3):
            y = op(a, b)
            leaves = [x for x in (a, b) if isinstance(x, wengert.Tensor)]
            kept = [x for x in leaves if x.dtype in ("float32", "float64")]
            with np.errstate(all="ignore"):
                found = y.sum().grad(wrt=kept).wrt(kept)
            row = (y.dtype, y.shape, y.data().tobytes(), repr(y).split(" ", 2)[2])
            ways.append((row, [g.data().tobytes() for g in found]))
        assert ways[0] == ways[1] == ways[2]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("op", UNARY, ids=lambda op: f"{op.__module__}.{op.__name__}")
def test_both_ways_of_one_operand_agree(op: Callable[..., Any], dtype: str) -> None:
    rec = wengert.ComputationRecord()
    for shape in SHAPES:
        x = leaf(rec, shape, dtype)
        ways = []
        for _ in range(3):
            y = op(x)
            ways.append((y.data().tobytes(), y.sum().grad().wrt(x).data().tobytes()))
        assert ways[0] == ways[1] == ways[2]


def test_the_short_way_declines_what_has_an_error() -> None:
    rec, other = wengert.ComputationRecord(), wengert.ComputationRecord()
    x = rec.tensor_from_value(np.ones(3))
    strangers = [
        (other.tensor_from_value(np.ones(3)), wengert.HandleError),
        (rec.tensor_from_value(np.ones(4)), wengert.ShapeError),
    ]
    for stranger, error in strangers:
        for y in (x, stranger):
            # The second turn is at a known place.
            if y is stranger:
                with pytest.raises(error):
                    x + y
            else:
                x + y
    before = len(rec)
    for k in range(3):
        if k == 2:
            rec.clear()
            with pytest.raises(
                wengert.HandleError, match="before the record was clear"
            ):
                x + x
        else:
            x + x
    assert len(rec) == 0 < before


def test_marks_keep_what_lies_below_them_alive() -> None:
    rec = wengert.ComputationRecord()
    x = rec.tensor_from_value([1.0, 2.0])
    mark = rec.mark()
    for k in range(5):
        y = x * k
        assert y.data().tolist() == [k, 2.0 * k]
        rec.rewind(mark)
        with pytest.raises(wengert.HandleError, match="rewound"):
            y + y


def test_an_object_is_used_again_without_its_past() -> None:
    rec = wengert.ComputationRecord()
    x = rec.tensor_from_value([1.0])
    gone: list[str] = []
    for _ in range(1000):
        y = x + x
        watch = weakref.ref(y, lambda _: gone.append("y"))
        assert watch() is y
        del y
        assert watch() is None
    assert len(gone) == 1000
    kept = [x + k for k in range(1000)]
    assert [t.item() for t in kept] == [1.0 + k for k in range(1000)]
    assert len({id(t) for t in kept}) == 1000
    del kept
    assert (x + x).item() == 2.0


def test_objects_that_wait_hold_nothing() -> None:
    gc.collect()
    record_class, tensor_class = wengert.ComputationRecord, wengert.Tensor
    before = sys.getrefcount(record_class), sys.getrefcount(tensor_class)
    for _ in range(20):
        rec = wengert.ComputationRecord()
        watch = weakref.ref(rec)
        x = rec.tensor_from_value([1.0])
        kept = [x + x for _ in range(300)]
        del rec
        assert watch() is not None
        del x, kept
        assert watch() is None
    assert (sys.getrefcount(record_class), sys.getrefcount(tensor_class)) == before


def test_a_function_refuses_what_it_cannot_take_however_it_is_called() -> None:
    x = wengert.ComputationRecord().tensor_from_value([1.0, 2.0])
    function: Any
    for function, wanted in ((wengert.exp, 1), (wengert.multiply, 2)):
        for count in {0, 1, 2, 3} - {wanted}:
            for _ in range(2):
                with pytest.raises(TypeError, match=r"positional argument"):
                    function(*[x] * count)
        for _ in range(2):
            with pytest.raises(TypeError, match=r"unexpected keyword argument"):
                function(*[x] * wanted, out=x)
