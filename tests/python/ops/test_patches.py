"""Convolutions and poolings: ties, padding, refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, ShapeError

X = np.arange(24.0).reshape(1, 2, 3, 4)

# Not even the types allow it.
PAIRS: Any = [(1, 2, 3)]

REFUSALS: list[tuple[Callable[[Any], Any], str]] = [
    (
        lambda x: wg.conv2d(x, np.ones((3, 4, 2, 2))),
        r"conv2d: #0 tensor \(1, 2, 3, 4\) has 2 channels, #1 constant \(3, 4, 2, 2\) "
        "takes 4 in each of 1 groups",
    ),
    (
        lambda x: wg.conv2d(x, np.ones((3, 1, 2, 2)), groups=2),
        r"conv2d: the 3 channels of #1 constant .* do not split into 2 groups",
    ),
    (
        lambda x: wg.conv1d(x, np.ones((3, 2, 2))),
        r"conv1d: #0 tensor \(1, 2, 3, 4\) has 4 axes, not 3, or 2 for one image alone",
    ),
    (
        lambda x: wg.conv2d(x, np.ones((3, 2, 2))),
        r"conv2d: #1 constant \(3, 2, 2\) has 3 axes, not 4",
    ),
    (
        lambda x: wg.conv2d(x, np.ones((3, 2, 3, 3)), dilation=2),
        r"conv2d: a window that spans 5 does not fit axis 2 of #0 tensor "
        r"\(1, 2, 3, 4\), which is 3 long with its padding",
    ),
    (
        lambda x: wg.conv2d(x, np.ones((3, 2, 2, 2)), np.ones(2)),
        r"conv2d: the bias #2 constant \(2,\) does not fit #1 constant \(3, 2, 2, 2\): "
        r"it needs shape \(3,\)",
    ),
    (lambda x: wg.conv2d(x, np.ones((3, 2, 2, 2)), stride=0), "stride must be at lea"),
    (lambda x: wg.conv2d(x, np.ones((3, 2, 2, 2)), dilation=0), "dilation must be at"),
    (lambda x: wg.conv2d(x, np.ones((3, 2, 2, 0))), "window must be at least 1"),
    (lambda x: wg.conv2d(x, np.ones((3, 2, 2, 2)), groups=0), "groups must be at leas"),
    (
        lambda x: wg.conv2d(x, np.ones((3, 2, 2, 2)), stride=(1, 2, 3)),
        "conv2d: 3 values of stride for 2 axes",
    ),
    (
        lambda x: wg.conv2d(x, np.ones((3, 2, 2, 2)), padding="full"),
        "conv2d: padding is 'valid', 'same', sizes or pairs of sizes, not 'full'",
    ),
    (
        lambda x: wg.conv2d(x, np.ones((3, 2, 2, 2)), padding=[*PAIRS, 0]),
        "conv2d: 3 sizes of padding for the two ends",
    ),
    (
        lambda x: wg.conv2d(x, np.ones((3, 2, 2, 2)), padding=-1),
        "conv2d: dimension -1 is negative",
    ),
    (
        lambda x: wg.conv_transpose2d(x, np.ones((3, 2, 2, 2))),
        "conv_transpose2d: #0 tensor .* has 2 channels, #1 constant .* takes 3",
    ),
    (
        lambda x: wg.conv_transpose2d(
            x, np.ones((2, 2, 2, 2)), stride=2, output_padding=(0, 2)
        ),
        "conv_transpose2d: output_padding of 2 on axis 3 must be less than 2",
    ),
    (
        lambda x: wg.conv_transpose2d(x, np.ones((2, 2, 2, 2)), padding="same"),
        "conv_transpose2d: padding is 'same' only where a window moves over",
    ),
    (
        lambda x: wg.conv_transpose2d(x, np.ones((2, 2, 1, 1)), padding=2),
        "conv_transpose2d: padding leaves nothing of axis 2",
    ),
    (
        lambda x: wg.conv_transpose2d(x[:, :, :0], np.ones((2, 2, 1, 1))),
        "conv_transpose2d: .* has no elements along",
    ),
    (
        lambda x: wg.max_pool2d(x, 2, padding=2),
        "max_pool2d: padding of 2 on axis 2 must be less than 2",
    ),
    (lambda x: wg.max_pool2d(x[:, :, :0], 1), "max_pool2d: .* has no elements along"),
    (
        lambda x: wg.avg_pool2d(x, 5),
        "avg_pool2d: a window that spans 5 does not fit axis 2",
    ),
    (lambda x: wg.avg_pool1d(x, 2), "avg_pool1d: #0 tensor .* has 4 axes, not 3"),
    (
        lambda x: wg.conv2d(x[0], np.ones((3, 4, 2, 2))),
        r"conv2d: #1 reshape \(1, 2, 3, 4\) has 2 channels, #2 constant",
    ),
    (
        lambda x: wg.max_pool2d(x[0], 5),
        r"does not fit axis 2 of #1 reshape \(1, 2, 3, 4\), which is 3 long",
    ),
    (lambda x: wg.max_pool2d(x, (1, 2, 3)), "max_pool2d: 3 values of window for 2"),
]


@pytest.mark.parametrize(("call", "text"), REFUSALS, ids=lambda x: str(x)[:50])
def test_a_refusal_says_why_and_records_nothing(
    call: Callable[[Any], Any], text: str
) -> None:
    rec = ComputationRecord()
    x = rec.tensor_from_value(X)
    with pytest.raises(ShapeError, match=text):
        call(x)
    # At most the slice that a call here begins with.
    assert len(rec) <= 2
    assert (x + 1).shape == X.shape


def test_fault_11_a_size_that_overflows() -> None:
    x, weight = np.ones((1, 1, 1)), np.ones((1, 1, 1))
    with pytest.raises(ShapeError, match="overflows"):
        wg.conv1d(x, weight, padding=2**62)
    with pytest.raises(ShapeError, match="overflows"):
        wg.conv_transpose1d(np.ones((1, 1, 3)), weight, stride=2**62)


def test_elements_that_tie_share_the_cotangent_of_their_window() -> None:
    rec = ComputationRecord()
    x = rec.tensor_from_value([[[5.0, 5.0, 1.0, 5.0]]])
    y = wg.max_pool1d(x, 3, stride=1)
    found = y.grad(seed=[[[6.0, 8.0]]]).wrt(x).data()
    assert found.tolist() == [[[3.0, 7.0, 0.0, 4.0]]]


def test_padding_is_no_element_of_a_maximum() -> None:
    """Zeros would win over what is negative, and tie with zeros."""
    rec = ComputationRecord()
    x = rec.tensor_from_value([[[-2.0, -3.0, 0.0, 0.0]]])
    y = wg.max_pool1d(x, 2, padding=1)
    assert y.data().tolist() == [[[-2.0, 0.0, 0.0]]]
    found = y.grad(seed=[[[1.0, 2.0, 4.0]]]).wrt(x).data()
    assert found.tolist() == [[[1.0, 0.0, 2.0, 4.0]]]
    lowest = np.full((1, 1, 2), -np.inf)
    assert wg.max_pool1d(lowest, 2, padding=1).tolist() == [[[-np.inf, -np.inf]]]


def test_a_nan_is_the_largest() -> None:
    y = wg.max_pool1d([[[1.0, np.nan, 2.0, 3.0]]], 2)
    np.testing.assert_array_equal(y, [[[np.nan, 3.0]]])


@pytest.mark.parametrize(
    ("size", "window", "stride"),
    [(n, k, s) for n in (1, 4, 5, 8) for k in (1, 2, 3, 4) for s in (1, 2, 3)],
)
def test_same_makes_as_many_places_as_strides_fit(
    size: int, window: int, stride: int
) -> None:
    x, weight = np.ones((1, 1, size)), np.ones((1, 1, window))
    y = wg.conv1d(x, weight, stride=stride, padding="same")
    assert y.shape == (1, 1, -(-size // stride))


def test_a_transposed_convolution_is_the_transpose() -> None:
    """<ct, conv(x)> = <conv_transpose(ct), x>, for sizes that strides do not divide."""
    rng = np.random.default_rng(0)
    for size in (7, 8, 9):
        x = rng.normal(size=(2, 4, size))
        weight = rng.normal(size=(6, 2, 3))
        options: dict[str, Any] = {"stride": 3, "padding": 1, "groups": 2}
        y = wg.conv1d(x, weight, **options)
        ct = rng.normal(size=y.shape)
        more = (size + 2 - 3) % 3
        back = wg.conv_transpose1d(ct, weight, output_padding=more, **options)
        assert back.shape == x.shape
        np.testing.assert_allclose(np.sum(ct * y), np.sum(back * x), rtol=1e-12)


def test_windows_are_shown_in_the_record(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value(X)
    wg.conv2d(x, np.ones((1, 2, 2, 3)), stride=(1, 2), padding=(0, 1))
    assert "patches #0, windows=[2, 3/2 padded 1+1]" in " ".join(str(rec).split())
