"""What the ops beyond the first refuse, what the message says, and that it is all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, DTypeError, OutOfRangeError, ShapeError

X = np.arange(6.0).reshape(2, 3)
PLACES = np.zeros((3, 1), int)


def untyped(value: Any) -> Any:
    """Give what not even the types allow."""
    return value


REFUSALS: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    (lambda x: wg.topk(x, 4), ShapeError, "topk: 4 elements asked for, there are 3"),
    (lambda x: wg.cumsum(x, 2), ShapeError, "cumsum: axis 2 is out of range"),
    (lambda x: wg.sort(x, 2), ShapeError, "sort: axis 2 is out of range"),
    (lambda x: wg.median(x, 2), ShapeError, "median: axis 2 is out of range"),
    (lambda x: wg.norm(x, 2, (0, 0)), ShapeError, "norm: axis 0 is given twice"),
    (lambda x: wg.bincount(x), DTypeError, "bincount: indices must be i64"),
    (lambda x: wg.repeat(x, [1, 2], 1), ShapeError, "repeat: 2 counts for axis 1"),
    (lambda x: wg.tile(x, -1), ShapeError, "tile: dimension -1 is negative"),
    (lambda x: wg.moveaxis(x, 0, 2), ShapeError, "moveaxis: axis 2 is out of range"),
    (lambda x: wg.moveaxis(x, (0, 1), 0), ShapeError, "moveaxis: 1 axes given"),
    (lambda x: wg.diagonal(x, 0, 1, 1), ShapeError, "diagonal: axis 1 is given twice"),
    (lambda x: wg.diag(x[None]), ShapeError, "diag: .* has 3 axes"),
    (lambda x: wg.tril(x.sum()), ShapeError, "tril: .* has 0 axes"),
    (
        lambda x: wg.cross(x[:, 1:], X[:, 1:]),
        ShapeError,
        "cross: axis 1 of .* has size 2, not 3\n.*\nhint: of vectors of 2, write a",
    ),
    (lambda x: wg.split(x, 2, 1), ShapeError, "split: 2 equal parts of 3 elements"),
    (lambda x: wg.split(x, -1, 1), ShapeError, "split: -1 equal parts of 3 elements"),
    (lambda x: wg.norm(x[:0], -np.inf, 0), ShapeError, "norm: .* has no elements al"),
    (lambda x: wg.pad(x, 1, mode="new"), ShapeError, "pad: mode is"),
    (lambda x: wg.pad(x, [(1, 1)] * 3), ShapeError, "pad: 3 axes given"),
    (lambda x: wg.pad(x[:0], 1, mode="edge"), ShapeError, "pad: axis 0 of .* has no"),
    (lambda x: wg.pad(x, -1), ShapeError, "pad: dimension -1 is negative"),
    (lambda x: wg.pad(x, (1, -1)), ShapeError, "pad: dimension -1 is negative"),
    (
        lambda x: wg.pad(x, untyped(1.5)),
        DTypeError,
        "pad: a dimension must be an integer",
    ),
    (
        lambda x: wg.pad(x, [untyped((1, 2, 3))]),
        ShapeError,
        "pad: 3 sizes of padding for th",
    ),
    (
        lambda x: wg.pad(x, untyped({0: 1})),
        DTypeError,
        "pad: pad_width is .*, not a dict",
    ),
    (lambda x: wg.topk(x, -1), ShapeError, "topk: dimension -1 is negative"),
    (
        lambda x: wg.topk(x, untyped(1.5)),
        DTypeError,
        "topk: a dimension must be an int",
    ),
    (lambda x: wg.one_hot([1], -3), ShapeError, "one_hot: dimension -3 is negative"),
    (
        lambda x: wg.bincount([1], minlength=-1),
        ShapeError,
        "bincount: dimension -1 is negative",
    ),
    (
        lambda x: wg.bincount([[0, 2], [-7, -1]]),
        OutOfRangeError,
        r"bincount: index -7 at \(1, 0\) is negative",
    ),
    (
        lambda x: wg.conv1d(x, np.ones((1, 1, 1)), groups=-1),
        ShapeError,
        "conv1d: dimension -1 is negative",
    ),
    (
        lambda x: wg.Rng(0).permutation(-1),
        ShapeError,
        "permutation: dimension -1 is negative",
    ),
    (
        lambda x: wg.scaled_dot_product_attention(x, X, X, np.ones((2, 2), int)),
        DTypeError,
        "scaled_dot_product_attention: the mask holds i64, not bool or floats to add",
    ),
    (lambda x: wg.meshgrid(x, indexing="a"), ShapeError, "meshgrid: indexing is"),
    (lambda x: wg.take(x, [9]), OutOfRangeError, "index 9 at"),
    (lambda x: wg.take(x, [0.5]), DTypeError, "indices must be i64"),
    (lambda x: wg.gather(x, PLACES), ShapeError, "gather: positions of shape"),
    (lambda x: wg.gather(x, PLACES[:2] - 4), OutOfRangeError, "index -4 at"),
    (
        lambda x: wg.scatter_add(x, PLACES[:2], [1.0]),
        ShapeError,
        "scatter_add: shapes do not broadcast",
    ),
    (lambda x: wg.roll(x, (1, 2, 3), (0, 1)), ShapeError, "roll: 3 values of shift"),
    (lambda x: wg.roll(x, (), (0, 1)), ShapeError, "roll: 0 values of shift for 2"),
    (lambda x: wg.argmin(x, 2), ShapeError, "^argmin: axis 2 is out of range"),
    (lambda x: wg.count_nonzero(x, 2), ShapeError, "^count_nonzero: axis 2 is out"),
    (lambda x: wg.clip(x, X[0, :2]), ShapeError, "^clip: shapes do not broadcast"),
    (lambda x: wg.clip(x, 0, X[0, :2]), ShapeError, r"^clip: .*: \(2, 3\), #"),
    (lambda x: wg.logical_or(x, X[:, :2]), ShapeError, "^logical_or: shapes do not"),
    (lambda x: wg.cross(x, X[[0, 0, 0]]), ShapeError, "^cross: shapes do not"),
    (
        lambda x: wg.mean_squared_error(x, X[:, :2], broadcast=True),
        ShapeError,
        "^mean_squared_error: shapes do not broadcast",
    ),
    (lambda x: wg.linear(x, X), ShapeError, "^linear: inner sizes differ: #0 tensor"),
    (lambda x: wg.meshgrid(*[x] * 65), ShapeError, "^meshgrid: 65 axes, at most 64"),
    (lambda x: x[x], DTypeError, "^index: indices must be i64"),
    (lambda x: wg.repeat(x, [1, 2]), ShapeError, r"^repeat: .* of \(6,\), which has"),
    (lambda x: x & 1, DTypeError, "bitwise_and: not defined for f64"),
    (lambda x: x[[[True], [False]]], OutOfRangeError, "a mask of shape"),
    (lambda x: wg.einsum("ij", x, x), ShapeError, "it is for 1 operands, 2 are given"),
    (lambda x: wg.einsum("ijk", x), ShapeError, '"ijk" names 3 axes, #0 .* has 2'),
    (lambda x: wg.einsum("...ijk", x), ShapeError, '"ijk" names 3 axes, #0 .* has 2'),
    (lambda x: wg.einsum("i", x), ShapeError, '"i" names 1 axes, #0 .* has 2'),
    (lambda x: wg.einsum("i1", x), ShapeError, "'1' is no subscript"),
    (lambda x: wg.einsum("i.j", x), ShapeError, "dots stand in threes"),
    (lambda x: wg.einsum("...i...", x), ShapeError, "dots stand in threes"),
    (lambda x: wg.einsum("ij->k", x), ShapeError, "subscript k of .* in no operand"),
    (lambda x: wg.einsum("ij->ii", x), ShapeError, "has subscript i twice"),
    (lambda x: wg.einsum("...j->j", x), ShapeError, "no place for the axes"),
    (lambda x: wg.einsum("ij->j->j", x), ShapeError, "'-' is no subscript"),
    (
        lambda x: wg.einsum(x, [0, 1], x),
        DTypeError,
        "einsum: behind each operand comes the list of its subscripts, .*, not <tensor",
    ),
    (lambda x: wg.einsum(x, 0), DTypeError, "whole numbers or `...`, not 0"),
    (lambda x: wg.einsum(x, "ij"), DTypeError, "whole numbers or `...`, not 'i'"),
    (lambda x: wg.einsum(x, [0, 0.5]), DTypeError, "whole numbers or `...`, not 0.5"),
    (lambda x: wg.einsum(x, [0, True]), DTypeError, "or `...`, not True"),
    (lambda x: wg.einsum(x, [0, -1]), ShapeError, "einsum: dimension -1 is negative"),
    (lambda x: wg.einsum(x), DTypeError, "whole numbers or `...`, not <tensor #0"),
    (lambda x: wg.einsum([0, 1]), ShapeError, "einsum: needs at least one tensor"),
    (
        lambda x: wg.einsum(x, [0, 1], [2]),
        ShapeError,
        r"einsum: \"\[0, 1\] -> \[2\]\": subscript 2 of the result is in no operand",
    ),
    (lambda x: wg.einsum(x, [0, 1], [0, 0]), ShapeError, "has subscript 0 twice"),
    (lambda x: wg.einsum(x, [..., 0, ...]), ShapeError, "dots stand in threes, and on"),
    (lambda x: wg.einsum(x, [0, 1, 2]), ShapeError, r"\[0, 1, 2\] names 3 axes, #0 "),
    (
        lambda x: wg.einsum(x, [0, 1], x, [1, 70]),
        ShapeError,
        "einsum: the sizes at subscript 1 differ: 3 in",
    ),
    (
        lambda x: wg.einsum("ij,jk", x, x),
        ShapeError,
        r"einsum: the sizes at subscript j differ: 3 in #0 tensor \(2, 3\), "
        r"2 in #0 tensor \(2, 3\)\n  #0 tensor recorded at .*test_refusals.py",
    ),
    (lambda x: wg.einsum("ii", x), ShapeError, "at subscript i differ: 2 in .*, 3 in"),
    (
        lambda x: wg.einsum("...,...i", x, X),
        ShapeError,
        r"subscript \.\.\. differ: 3 in .*, 2 in #1 constant",
    ),
    (lambda x: wg.dot(x, X), ShapeError, "dot: inner sizes differ: .* axis 1 has 3"),
    (lambda x: wg.inner(x, X.T), ShapeError, "inner: inner sizes differ"),
    (lambda x: wg.vdot(x, X[0]), ShapeError, r"vdot: #0 .* has 6 elements, #1 .* 3"),
    (
        lambda x: wg.cross(x, X.T),
        ShapeError,
        r"cross: axis 1 of .* \(3, 2\) has size 2",
    ),
    (lambda x: wg.cross(x, X, axis=2), ShapeError, "cross: axis 2 is out of range"),
    (lambda x: wg.tensordot(x, X.T), ShapeError, "tensordot: inner sizes differ"),
    (lambda x: wg.tensordot(x, X, 3), ShapeError, "tensordot: axis -3 is out of"),
    (lambda x: wg.tensordot(x, X, -1), ShapeError, "dimension -1 is negative"),
    (lambda x: wg.tensordot(x, X, ([0, 1], 0)), ShapeError, "2 axes of one .* with 1"),
    (
        lambda x: wg.tensordot(x, X, ([0, 0], [0, 1])),
        ShapeError,
        "axis 0 is given twice",
    ),
]


@pytest.mark.parametrize(("call", "kind", "text"), REFUSALS, ids=lambda x: str(x)[:60])
def test_a_refusal_says_why_and_records_nothing(
    call: Callable[[Any], Any], kind: type[Exception], text: str
) -> None:
    rec = ComputationRecord()
    x = rec.tensor_from_value(X)
    with pytest.raises(kind, match=text):
        call(x)
    # At most the slice that a call here begins with.
    assert len(rec) <= 2
    assert (x + 1).shape == X.shape


@pytest.mark.parametrize("label", [-1, 3])
def test_fault_24_a_label_out_of_range(label: int, rec: ComputationRecord) -> None:
    labels = rec.constant([0, label])
    before = len(rec)
    with pytest.raises(OutOfRangeError, match=rf"index {label} at \(1,\) .* size 3"):
        wg.one_hot(labels, 3)
    with pytest.raises(OutOfRangeError, match="index -7"):
        wg.bincount(rec.constant([1, -7]))
    assert len(rec) <= before + 1


def test_fault_25_repeated_places_add_up_in_their_order(rec: ComputationRecord) -> None:
    """The order decides the bits: 1 is lost next to 1e16 unless it comes last."""
    values = np.array([1e16, 1.0, -1e16, 1.0])
    places = np.zeros(4, int)
    x = rec.tensor_from_value(np.zeros(2))
    wanted = ((0 + 1e16) + 1.0 - 1e16) + 1.0
    for _ in range(3):
        assert wg.scatter_add(x, places, values).data().tolist() == [wanted, 0]
        assert wg.bincount(places, values)[0] == wanted


@pytest.mark.parametrize(
    "widths",
    [
        2,
        np.int64(2),
        (1, 2),
        [3],
        [(1, 2)],
        [(1, 2), (0, 3)],
        np.array([[1, 2], [0, 3]]),
    ],
)
def test_pad_takes_every_form_of_widths(widths: Any) -> None:
    np.testing.assert_array_equal(wg.pad(X, widths), np.pad(X, widths))


@pytest.mark.parametrize(
    "call",
    [
        lambda np_: np_.cumsum(np.zeros((2, 0)), axis=1),
        lambda np_: np_.cumprod(np.zeros((0, 2)), axis=0),
        lambda np_: np_.sort(np.zeros((2, 0))),
        lambda np_: np_.argsort(np.zeros((0,))),
        lambda np_: np_.prod(np.zeros((2, 0)), axis=1),
        lambda np_: np_.any(np.zeros((2, 0)), axis=1),
        lambda np_: np_.all(np.zeros((2, 0)), axis=0),
        lambda np_: np_.flip(np.zeros((2, 0))),
        lambda np_: np_.roll(np.zeros((2, 0)), 1),
        lambda np_: np_.roll(np.ones((2, 3)), 1, ()),
        lambda np_: np_.roll(np.ones((2, 3)), (), ()),
        lambda np_: np_.tile(np.zeros((2, 0)), 3),
        lambda np_: np_.tile(np.zeros(2), 0),
        lambda np_: np_.repeat(np.zeros(2), 0),
        lambda np_: np_.diagonal(np.zeros((2, 0))),
        lambda np_: np_.diag(np.zeros(0)),
        lambda np_: np_.tril(np.zeros((0, 2))),
        lambda np_: np_.pad(np.zeros((0, 2)), 1),
        lambda np_: np_.take(np.zeros((2, 3)), np.zeros(0, int), axis=1),
        lambda np_: np_.bincount(np.zeros(0, int)),
        lambda np_: np_.clip(np.zeros((0, 3)), 0, 1),
        lambda np_: np_.split(np.zeros((0, 2)), 1)[0],
        lambda np_: np_.einsum("ij,jk->ik", np.zeros((2, 0)), np.zeros((0, 3))),
        lambda np_: np_.einsum("ii", np.zeros((0, 0))),
        lambda np_: np_.dot(np.zeros(0), np.zeros(0)),
        lambda np_: np_.outer(np.zeros(0), np.zeros(2)),
        lambda np_: np_.kron(np.zeros((0, 2)), np.zeros((3, 1))),
        lambda np_: np_.cross(np.zeros((0, 3)), np.zeros((0, 3))),
    ],
)
def test_fault_17_of_nothing_numpys_answer(call: Callable[[Any], Any]) -> None:
    np.testing.assert_array_equal(call(wg), call(np), strict=True)


def test_fault_16_at_most_64_axes(rec: ComputationRecord) -> None:
    x = rec.ones((1,) * 64)
    calls: list[Callable[[], Any]] = [
        lambda: x[None],
        lambda: x[(..., *[None] * 3)],
        lambda: rec.ones(3)[(None,) * 64],
        lambda: wg.expand_dims(x, 0),
        lambda: wg.expand_dims(x, tuple(range(10**6))),
        lambda: wg.stack([x, x]),
        lambda: wg.tile(x, (1,) * 65),
        lambda: wg.one_hot(rec.zeros((1,) * 64, "int64"), 2),
        lambda: wg.take(x, np.zeros((1, 1), int), axis=0),
        lambda: wg.kron(x, np.zeros(1)),
        lambda: wg.tensordot(x, x, 0),
        lambda: wg.einsum("...,ab", x, np.zeros((2, 2))),
    ]
    for call in calls:
        with pytest.raises(ShapeError, match="at most 64 axes"):
            call()


def test_fault_16_einsum_of_60_labels(rec: ComputationRecord) -> None:
    """So many fit. A product of more axes is refused, though the result has few."""
    labels = "".join(chr(ord("a") + k) for k in range(26))
    labels += labels.upper() + "αβγδεζηθ"
    assert len(labels) == 60
    ones = rec.ones((1,) * 40)
    left, right = labels[:40], labels[20:]
    assert wg.einsum(f"{left},{right}->{labels}", ones, ones).shape == (1,) * 60
    before = len(rec)
    more = [chr(ord("一") + k) for k in range(80)]
    left, right = "".join(more[:40]), "".join(more[40:])
    for result in (f"->{left}{right}", ""):
        with pytest.raises(ShapeError, match="einsum: 80 axes, at most 64 axes"):
            wg.einsum(f"{left},{right}{result}", ones, ones)
    all_of_both = f"{left},{right},{left}{right[:24]}->"
    x = rec.ones((1,) * 64)
    assert wg.einsum(all_of_both, ones, ones, x).item() == 1
    assert len(rec) > before
