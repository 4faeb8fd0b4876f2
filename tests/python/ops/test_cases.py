"""Special points, promotion, and accuracy over the whole range."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, DTypeError, ShapeError

from tests.python import generated
from tests.python.ops import (
    cases,
    cases_elementwise,
    cases_statistics,
    operands,
)
from tests.python.ops.cases import INF, Case
from tests.python.ops.table import elementwise_others

CASES = [*cases.CASES, *cases_elementwise.CASES, *cases_statistics.CASES]
DTYPES = ("bool", "int64", "float32", "float64")


def of(case: Case, dtype: Any = None) -> tuple[Any, Any]:
    rec = ComputationRecord()
    x = np.asarray(case.x, dtype=dtype or (None if np.size(case.x) else np.float64))
    t = rec.tensor_from_value(x)
    return t, case.f(t)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_special_point(case: Case) -> None:
    generated.count("special points")
    t, y = of(case)
    np.testing.assert_allclose(y.data(), case.value, rtol=case.rtol, err_msg=case.why)
    if case.gradient is None:
        return
    seed = np.ones(y.shape)
    for ieee in (False, True):
        wanted = case.ieee if ieee and case.ieee is not None else case.gradient
        found = y.grad(seed=seed, ieee=ieee).wrt(t).data()
        why = f"ieee {ieee}"
        np.testing.assert_allclose(found, wanted, rtol=case.rtol, err_msg=why)


SMOOTH = [c for c in CASES if c.gradient is not None]


@pytest.mark.parametrize("case", SMOOTH, ids=lambda case: case.name)
def test_special_point_in_single_precision(case: Case) -> None:
    generated.count("special points")
    t, y = of(case, np.float32)
    assert y.dtype in (np.float32, np.bool_)
    rtol = case.rtol_single
    np.testing.assert_allclose(y.data(), case.value, rtol=rtol, err_msg=case.why)
    found = y.grad(seed=np.ones(y.shape)).wrt(t).data()
    np.testing.assert_allclose(found, case.gradient, rtol=rtol)


@pytest.mark.parametrize("case", SMOOTH, ids=lambda case: case.name)
@pytest.mark.parametrize("ieee", [False, True])
def test_recorded_gradient_agrees_at_special_points(case: Case, ieee: bool) -> None:
    generated.count("special points")
    t, y = of(case)
    seed = np.ones(y.shape)
    plain = y.grad(seed=seed, ieee=ieee).wrt(t).data()
    recorded = y.grad(seed=seed, record=True, ieee=ieee).wrt(t).data()
    np.testing.assert_allclose(recorded, plain, rtol=1e-15)


@pytest.mark.parametrize("case", SMOOTH, ids=lambda case: case.name)
def test_scalars_and_arrays_agree_at_special_points(case: Case) -> None:
    """Rank-0 float64 nodes have a path of their own through the engine."""
    if np.ndim(case.x) != 1 or np.ndim(case.value) != 1:
        return
    generated.count("special points")
    for k in range(len(case.x)):
        rec = ComputationRecord()
        one = rec.tensor_from_value(float(case.x[k]))
        try:
            y = case.f(one)
        except wg.WengertError:
            return
        if y.shape != ():
            return
        np.testing.assert_allclose(y.item(), case.value[k], rtol=1e-15)
        found = y.grad().wrt(one).item()
        np.testing.assert_allclose(found, case.gradient[k], rtol=1e-15)


@pytest.mark.parametrize("order", [1, 2, 3, 0.5, INF])
def test_derivatives_of_norm_at_0(order: float) -> None:
    """The gradient there is 0 by choice, whatever the cotangent, and so constant."""
    x = ComputationRecord().tensor_from_value([0.0, 0.0])
    first = wg.norm(x, order).grad(record=True).wrt(x)
    assert first.data().tolist() == [0, 0]
    assert (first * first + first).sum().grad().wrt(x).data().tolist() == [0, 0]


@pytest.mark.parametrize(
    ("x", "weights"),
    [
        ([0.0, 1.0], [0.2689414213699951, 0.7310585786300049]),
        ([2.0**40, 2.0**40 - 1], [0.7310585786300049, 0.2689414213699951]),
        ([-INF, 0.0, 0.0], [0, 0.5, 0.5]),
        ([-INF, -INF], [0, 0]),
        ([INF, 0.0], [1, 0]),
        ([INF, -INF, INF], [0.5, 0, 0.5]),
    ],
)
@pytest.mark.parametrize("axis", [None, (0, 2)])
def test_second_derivative_of_logsumexp(x: Any, weights: Any, axis: Any) -> None:
    """It is diag(w) - w wᵀ, also where the value is infinite or has lost digits."""
    w = np.array(weights)
    rec = ComputationRecord()
    t = rec.tensor_from_value(x)
    operand = t if axis is None else t.reshape(len(x), 1, 1)
    first = wg.logsumexp(operand, axis=axis).sum().grad(record=True).wrt(t)
    np.testing.assert_allclose(first.data(), w, rtol=1e-15)
    rows = [first[k].grad().wrt(t).data() for k in range(len(x))]
    np.testing.assert_allclose(rows, np.diag(w) - np.outer(w, w), rtol=1e-15)


# --- What raises ----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize("op", [wg.max, wg.argmax, wg.min, wg.argmin])
def test_an_extremum_of_nothing_raises(op: Any, dtype: str, rec: Any) -> None:
    with pytest.raises(ShapeError, match="no elements") as caught:
        op(rec.zeros((0,), dtype))
    assert isinstance(caught.value, ValueError)
    with pytest.raises(ShapeError, match="no elements"):
        op(rec.zeros((2, 0), dtype), axis=1)
    assert op(rec.zeros((2, 0), dtype), axis=0).shape == (0,)


@pytest.mark.parametrize(
    "power",
    [
        lambda t: t**-1,
        lambda t: wg.power(t, -2),
        lambda t: t ** np.array([1, -1]),
        lambda t: 2 ** (t - 3),
    ],
)
def test_integer_to_a_negative_power_raises(power: Any, rec: Any) -> None:
    t = rec.tensor_from_value([1, 2])
    before = len(rec)
    with pytest.raises(ValueError, match="negative integer power"):
        power(t)
    assert len(rec) - before <= 1
    assert (t**2).data().tolist() == [1, 4]


@pytest.mark.parametrize("f", [operator.neg, lambda t: t - t, lambda t: t - True])
def test_booleans_are_not_subtracted(f: Any, rec: Any) -> None:
    """As in NumPy, which asks for `~` and `^`."""
    with pytest.raises(DTypeError, match="not defined for bool"):
        f(rec.tensor_from_value([True]))


# --- Promotion ------------------------------------------------------------------------

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "==": operator.eq,
    "<": operator.lt,
    "maximum": lambda a, b: (
        wg.maximum(a, b) if isinstance(a, wg.Tensor) else np.maximum(a, b)
    ),
}
# What meets a tensor. Python's own numbers have no type; all others have.
OTHERS: dict[str, Any] = {
    "True": True,
    "2": 2,
    "2.0": 2.0,
    **{f"{d} array": np.ones(2, d) for d in DTYPES},
    **{f"{d} 0-d array": np.ones((), d) for d in DTYPES},
    **{f"np.{d}": np.dtype(d).type(1) for d in DTYPES},
}


OLD_POWER = np.lib.NumpyVersion(np.__version__) < "2.3.0"


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (2,)])
def test_promotion_is_numpys(
    shape: tuple[int, ...], dtype: str, op: str, other: str, rec: Any
) -> None:
    generated.count("promotions")
    f, b = OPERATORS[op], OTHERS[other]
    a = np.ones(shape, dtype)
    t = rec.tensor_from_value(a)
    # Before NumPy 2.3 the operator ** of an array and a scalar had rules of its own.
    reference = np.power if op == "**" and OLD_POWER else f
    try:
        wanted = reference(a, b)
    except TypeError:
        with pytest.raises(DTypeError):
            f(t, b)
        return
    found = f(t, b)
    dtype_wanted = wanted.dtype
    if dtype_wanted.kind == "i":
        dtype_wanted = np.dtype(np.int64)
    if dtype_wanted == np.float16:
        # A quotient of booleans: float16 is not held.
        dtype_wanted = np.dtype(np.float64)
    assert found.dtype == dtype_wanted
    np.testing.assert_array_equal(found.data(), wanted)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("other", DTYPES)
def test_promotion_between_tensors(dtype: str, other: str, rec: Any) -> None:
    a, b = np.ones((2,), dtype), np.ones((), other)
    x, y = rec.tensor_from_value(a), rec.tensor_from_value(b)
    assert (x + y).dtype == (y + x).dtype == (a + b).dtype
    assert wg.concatenate([x, x.astype(other)]).dtype == np.result_type(a, b)
    assert wg.where(x > 0, x, y).dtype == np.result_type(a, b)


def test_gradients_return_to_the_operands_type(rec: Any) -> None:
    """f64 + f32: computed in f64, each gradient in its operand's own type."""
    x = rec.tensor_from_value(np.ones(2, "f4"))
    y = rec.tensor_from_value(np.ones(2, "f8"))
    z = x * y
    assert z.dtype == np.float64
    gx, gy = z.sum().grad().wrt((x, y))
    assert gx.dtype == np.float32
    assert gy.dtype == np.float64


@pytest.mark.parametrize(
    ("given", "held"),
    [
        ("int8", "int64"),
        ("uint8", "int64"),
        ("int16", "int64"),
        ("int32", "int64"),
        ("uint32", "int64"),
        ("float16", "float32"),
        (">f4", "float32"),
        (">f8", "float64"),
        (">i8", "int64"),
        (">i2", "int64"),
    ],
)
def test_other_types_are_converted(given: str, held: str, rec: Any) -> None:
    x = np.array([[0, 1, 2], [3, 4, 100]]).astype(given)
    for array in (x, x.T, x[:, ::-1]):
        t = rec.tensor_from_value(array)
        assert t.dtype == held
        np.testing.assert_array_equal(t.data(), array)


@pytest.mark.parametrize(
    "value",
    [
        np.array([1 + 2j]),
        np.array(["a"]),
        np.array([b"a"]),
        np.array([None]),
        np.array([2**63], "u8"),
        np.array([1], "M8[s]"),
        np.array([1.0], np.longdouble),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        "text",
        None,
        object(),
    ],
    ids=lambda value: f"{getattr(value, 'dtype', type(value).__name__)}",
)
def test_types_that_no_array_holds_are_refused(value: Any, rec: Any) -> None:
    with pytest.raises(DTypeError) as caught:
        rec.tensor_from_value(value)
    assert isinstance(caught.value, TypeError)
    assert len(rec) == 0


# --- Accuracy -------------------------------------------------------------------------


def _spread(low: float, high: float, tiny: float) -> np.ndarray[Any, Any]:
    """Give values over the whole range, dense near 0 and near the ends."""
    rng = generated.rng_of("spread", low, high)
    size = max(abs(low), abs(high))
    exponents = rng.uniform(np.log10(tiny), np.log10(size), 3000)
    magnitudes = 10.0**exponents
    signs = rng.choice([-1.0, 1.0], 3000)
    even = rng.uniform(low, high, 2000)
    x = np.concatenate([magnitudes * signs, even, [0.0, -0.0, 1.0, -1.0]])
    return x[(x >= low) & (x <= high)]


RANGES: list[tuple[str, Any, float, float, float, float, float]] = [
    # op, reference in float64, low and high of f32, of f64, ulps
    ("exp", np.exp, -110, 89, -750, 710, 2),
    ("expm1", np.expm1, -110, 88, -750, 709, 2),
    ("log", np.log, 0, 3e38, 0, 1e308, 2),
    ("log1p", np.log1p, -1, 3e38, -1, 1e308, 2),
    ("sqrt", np.sqrt, 0, 3e38, 0, 1e308, 1),
    ("sin", np.sin, -1e5, 1e5, -1e8, 1e8, 2),
    ("cos", np.cos, -1e5, 1e5, -1e8, 1e8, 2),
    ("tanh", np.tanh, -100, 100, -100, 100, 4),
    ("sigmoid", operands.sigmoid, -20, 80, -36, 700, 8),
    ("softplus", operands.softplus, -80, 80, -700, 700, 8),
    ("exp2", np.exp2, -149, 127, -1074, 1023, 2),
    ("log2", np.log2, 0, 3e38, 0, 1e308, 2),
    ("log10", np.log10, 0, 3e38, 0, 1e308, 2),
    ("tan", np.tan, -1e5, 1e5, -1e8, 1e8, 2),
    ("arcsin", np.arcsin, -1, 1, -1, 1, 2),
    ("arccos", np.arccos, -1, 1, -1, 1, 2),
    ("arctan", np.arctan, -1e38, 1e38, -8e307, 8e307, 2),
    ("sinh", np.sinh, -89, 89, -710, 710, 2),
    ("cosh", np.cosh, -89, 89, -710, 710, 2),
    ("arcsinh", np.arcsinh, -1e38, 1e38, -8e307, 8e307, 2),
    ("arccosh", np.arccosh, 1, 3e38, 1, 1e308, 2),
    ("arctanh", np.arctanh, -1, 1, -1, 1, 2),
    ("erf", elementwise_others.erf, -6, 6, -7, 7, 2),
    ("erfc", elementwise_others.erfc, -6, 9, -7, 26, 4),
]


@pytest.mark.parametrize(
    ("op", "reference", "low32", "high32", "low64", "high64", "ulps"),
    RANGES,
    ids=[entry[0] for entry in RANGES],
)
def test_accuracy_over_the_range(
    op: str,
    reference: Any,
    low32: float,
    high32: float,
    low64: float,
    high64: float,
    ulps: float,
) -> None:
    f = getattr(wg, op)
    for x in (
        _spread(low32, high32, 1e-44).astype(np.float32),
        _spread(low64, high64, 1e-320),
    ):
        generated.count("accuracies")
        wanted = reference(x.astype(np.float64))
        found = f(ComputationRecord().tensor_from_value(x)).data()
        assert found.dtype == x.dtype
        with np.errstate(all="ignore"):
            ulp = np.spacing(np.abs(wanted.astype(x.dtype)))
            error = np.abs(found - wanted) / ulp
        same = found == wanted.astype(x.dtype)
        error = np.where(same, 0, error)
        worst = int(np.argmax(error))
        assert error[worst] <= ulps, f"{op}({x[worst]!r}) = {found[worst]!r}"


GUARDED = ("exp", "expm1", "log", "log1p", "sin", "cos", "sigmoid", "softplus", "silu")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("op", GUARDED)
def test_a_result_depends_on_its_own_operand_alone(op: str, dtype: str) -> None:
    # Loops compute common arguments by other code than special ones.
    special = [np.nan, INF, -INF, 0.0, -0.0, 1e-42, -1e-42, 1e30, -1e30, 710.0, -87.5]
    rng = generated.rng_of("neighbours", op, dtype)
    x = rng.uniform(0.01, 20, 4 * 1024 + 7).astype(dtype)
    mixed = x.copy()
    places = rng.choice(x.size, len(special), replace=False)
    mixed[places] = special
    rec = ComputationRecord()
    f = getattr(wg, op)

    def both(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        t = rec.tensor_from_value(values)
        y = f(t)
        return np.array([y.data(), y.grad(seed=np.ones_like(values)).wrt(t).data()])

    found, common = both(mixed), both(x)
    common[:, places] = np.array([both(mixed[k : k + 1]) for k in places])[:, :, 0].T
    # The sign of a NaN is left open.
    np.testing.assert_array_equal(found, common)
    signs = [np.signbit(x) & ~np.isnan(x) for x in (found, common)]
    np.testing.assert_array_equal(*signs)


@pytest.mark.parametrize("x", [1e5, -3e7, 1e10, 1e16, 1e22, 1.7e308])
def test_sine_of_large_angles(x: float) -> None:
    rec = ComputationRecord()
    t = rec.tensor_from_value([x, 2 * x / 3])
    for f, reference in ((wg.sin, np.sin), (wg.cos, np.cos)):
        np.testing.assert_allclose(
            f(t).data(), reference(t.data()), rtol=1e-14, atol=1e-300
        )


def test_sums_are_pairwise(rec: Any) -> None:
    """The rounding of a sum grows with the logarithm of its length, not with it."""
    x = np.full(1 << 20, 0.1, np.float32)
    exact = float(np.float32(0.1)) * x.size
    total = float(rec.tensor_from_value(x).sum().item())
    assert abs(total - exact) <= 4 * np.spacing(np.float32(exact))
    strided = np.full((1 << 20, 2), 0.1, np.float32)
    for total in rec.tensor_from_value(strided).sum(axis=0).data():
        assert abs(float(total) - exact) <= 8 * np.spacing(np.float32(exact))


def test_means_and_softmax_of_single_precision_add_in_double(rec: Any) -> None:
    rng = generated.rng_of("means")
    x = rng.normal(size=(100_003,)).astype(np.float32) + np.float32(1000)
    mean = rec.tensor_from_value(x).mean().item()
    assert mean == np.float32(np.mean(x.astype(np.float64)))
    total = wg.softmax(rec.tensor_from_value(x / 100)).data().astype(np.float64).sum()
    assert abs(total - 1) < 1e-6
