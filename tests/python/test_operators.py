"""Python's operators, with tensors, arrays and numbers on either side."""

from __future__ import annotations

import copy
import enum
import itertools
import math
import operator
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, DTypeError, HandleError, ShapeError, Tensor

from tests.python import generated

X = np.array([[1.5, -2.0, 3.0], [0.5, 4.0, -1.0]])
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
# Each has a type of its own, except Python's numbers.
OPERANDS: dict[str, Any] = {
    "array": np.array([[2.0, 0.5, -1.5], [3.0, 1.5, 4.0]]),
    "row": np.array([2.0, -2.0, 3.0]),
    "column": np.array([[2.0], [0.5]]),
    "0-d array": np.array(2.5),
    "strided array": np.arange(1.0, 13.0).reshape(3, 4)[:, ::2].T,
    "int array": np.array([1, 2, 3]),
    "np.float64": np.float64(1.5),
    "np.float32": np.float32(1.5),
    "np.int64": np.int64(3),
    "np.bool": np.bool_(True),
    "float": 1.5,
    "int": 3,
    "bool": True,
    "list": [1.0, 2.0, 3.0],
    "tuple": (1.0, 2.0, 3.0),
}


def numeric_slope(f: Callable[[Any], Any], x: Any) -> Any:
    h = 1e-4
    return (f(x + h) - f(x - h)) / (2 * h)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("name", OPERANDS)
@pytest.mark.parametrize("op", ARITHMETIC)
def test_arithmetic(op: str, name: str, side: str, rec: ComputationRecord) -> None:
    """`np_array * tensor` records too: NumPy leaves it to the tensor."""
    generated.count("operators")
    f, other = ARITHMETIC[op], OPERANDS[name]
    # For NumPy, what a list stands for.
    plain = np.asarray(other) if isinstance(other, list | tuple) else other

    def both(x: Any, other: Any) -> Any:
        return f(x, other) if side == "left" else f(other, x)

    t = rec.tensor_from_value(X)
    y = both(t, other)
    assert type(y) is Tensor
    wanted = both(X, plain)
    assert y.dtype == wanted.dtype
    np.testing.assert_allclose(y.data(), wanted, rtol=1e-15)
    gradient = y.grad(seed=np.ones(y.shape)).wrt(t).data()
    np.testing.assert_allclose(
        gradient, numeric_slope(lambda x: both(x, plain), X), rtol=1e-6
    )


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("name", OPERANDS)
def test_powers(name: str, side: str, rec: ComputationRecord) -> None:
    generated.count("operators")
    other = OPERANDS[name]
    plain = np.asarray(other) if isinstance(other, list | tuple) else other
    x = np.abs(X)

    def power(x: Any, other: Any) -> Any:
        return x**other if side == "left" else abs(other) ** x

    if side == "right" and isinstance(other, list | tuple):

        def power(x: Any, other: Any) -> Any:
            return other**x

    t = rec.tensor_from_value(x)
    y = power(t, other)
    np.testing.assert_allclose(y.data(), power(x, plain), rtol=1e-14)
    gradient = y.grad(seed=np.ones(y.shape)).wrt(t).data()
    wanted = numeric_slope(lambda x: power(x, plain), x)
    np.testing.assert_allclose(gradient, wanted, rtol=1e-6)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("name", OPERANDS)
@pytest.mark.parametrize("op", COMPARISONS)
def test_comparisons(op: str, name: str, side: str, rec: ComputationRecord) -> None:
    generated.count("operators")
    f, other = COMPARISONS[op], OPERANDS[name]
    plain = np.asarray(other) if isinstance(other, list | tuple) else other
    t = rec.tensor_from_value(X)
    y = f(t, other) if side == "left" else f(other, t)
    assert type(y) is Tensor
    assert y.dtype == np.bool_
    wanted = f(X, plain) if side == "left" else f(plain, X)
    np.testing.assert_array_equal(y.data(), wanted)


@pytest.mark.parametrize("op", ARITHMETIC | COMPARISONS)
def test_two_tensors(op: str, rec: ComputationRecord) -> None:
    f = (ARITHMETIC | COMPARISONS)[op]
    a, b = X, OPERANDS["column"]
    y = f(rec.tensor_from_value(a), rec.tensor_from_value(b))
    np.testing.assert_array_equal(y.data(), f(a, b))


def test_unary_operators(rec: ComputationRecord) -> None:
    t = rec.tensor_from_value(X)
    np.testing.assert_array_equal((-t).data(), -X)
    np.testing.assert_array_equal(abs(t).data(), abs(X))
    before = len(rec)
    assert (+t).index == t.index
    assert len(rec) == before
    with pytest.raises(TypeError):
        _ = ~t


def test_augmented_assignment_rebinds(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.0, 2.0])
    y = x
    y += 1
    y *= x
    y -= [1.0, 1.0]
    y /= 2
    y **= 2
    assert x.data().tolist() == [1, 2]
    np.testing.assert_allclose(y.data(), [0.25, 6.25])
    np.testing.assert_allclose(y.sum().grad().wrt(x).data(), [1.5, 12.5])


def test_an_array_is_not_changed_by_a_tensor(rec: ComputationRecord) -> None:
    """`plain += tensor` would lose the gradient: it raises."""
    t: Any = rec.tensor_from_value([1.0, 2.0])
    plain = np.zeros(2)
    functions: list[Callable[[Any, Any], Any]] = [
        operator.iadd,
        operator.isub,
        operator.imul,
        operator.itruediv,
    ]
    for f in functions:
        with pytest.raises(TypeError):
            f(plain, t)
    with pytest.raises(TypeError):
        plain @= t
    with pytest.raises(TypeError, match=r"\.item\(\).*\.data\(\).*rec\.zeros"):
        plain[0] = t
    with pytest.raises(TypeError, match=r"rec\.zeros"):
        plain[:] = t
    assert plain.tolist() == [0, 0]
    # A number is no array: the name is bound to a tensor.
    number: Any = 1.0
    number += t
    assert isinstance(number, Tensor)


@pytest.mark.parametrize(
    "f",
    [np.add, np.multiply, np.exp, np.sum, np.concatenate, np.stack, np.matmul],
    ids=lambda f: f.__name__,
)
def test_numpys_functions_refuse_tensors(f: Any, rec: ComputationRecord) -> None:
    t = rec.tensor_from_value([1.0, 2.0])
    arguments: list[Any] = [t]
    if f in (np.add, np.multiply, np.matmul):
        arguments = [np.ones(2), t]
    elif f in (np.concatenate, np.stack):
        arguments = [[t, t]]
    with pytest.raises(TypeError):
        f(*arguments)


@pytest.mark.parametrize(
    "f",
    [
        float,
        complex,
        np.asarray,
        np.array,
        lambda t: np.asarray(t, np.float32),
        lambda t: np.array([t, t]),
        math.sqrt,
        int,
    ],
)
def test_what_would_lose_a_gradient_raises(f: Any, rec: ComputationRecord) -> None:
    t = rec.tensor_from_value(4.0)
    with pytest.raises(DTypeError, match=r"\.item\(\)") as caught:
        f(t)
    assert isinstance(caught.value, TypeError)
    assert t.item() == 4


# --- bool, int, index -----------------------------------------------------------------


def test_a_boolean_of_one_element_is_read(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([3.0])
    assert bool(x > 2) is True
    assert bool(x < 2) is False
    assert bool((x > 2).reshape(())) is True
    assert ("big" if x.sum() > 2 else "small") == "big"
    with pytest.raises(ShapeError, match=r"#\d+ greater \(2,\) has 2 elements, not 1"):
        bool(rec.tensor_from_value([1.0, 2.0]) > 1)
    for value in ([1.0], [1], 1.0):
        with pytest.raises(DTypeError, match="compare it first"):
            bool(rec.tensor_from_value(value))


def test_an_integer_of_one_element_is_read(rec: ComputationRecord) -> None:
    n = rec.tensor_from_value(3)
    assert int(n) == 3
    assert operator.index(n) == 3
    assert ["a", "b", "c", "d"][n] == "d"
    assert list(range(n)) == [0, 1, 2]
    count: Any = n
    assert rec.zeros(count).shape == (3,)
    with pytest.raises(ShapeError, match="has 2 elements"):
        int(rec.tensor_from_value([1, 2]))
    with pytest.raises(DTypeError, match=r"\.item\(\)"):
        int(rec.tensor_from_value(True))


@pytest.mark.parametrize(
    ("value", "wanted"), [(2.5, 2.5), (3, 3), (True, True), ([[7.0]], 7.0)]
)
def test_item_is_a_number_of_python(
    value: Any, wanted: Any, rec: ComputationRecord
) -> None:
    item = rec.tensor_from_value(value).item()
    assert item == wanted
    assert type(item) is type(wanted)


def test_item_needs_one_element(rec: ComputationRecord) -> None:
    for shape in ((2,), (0,), (1, 2)):
        with pytest.raises(ShapeError, match="elements, not 1"):
            rec.zeros(shape).item()


# --- Matrix products ------------------------------------------------------------------

PRODUCTS: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (6, 3, 4)),
    ((1, 2, 3), (7, 3, 1)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 2)),
]


@pytest.mark.parametrize(("a", "b"), PRODUCTS)
@pytest.mark.parametrize("kind", ["tensors", "array left", "array right"])
def test_matrix_products(
    a: tuple[int, ...], b: tuple[int, ...], kind: str, rng: Any, rec: Any
) -> None:
    generated.count("operators")
    x, y = rng.normal(size=a), rng.normal(size=b)
    left = x if kind == "array left" else rec.tensor_from_value(x)
    right = y if kind == "array right" else rec.tensor_from_value(y)
    z = left @ right
    assert type(z) is Tensor
    wanted = x @ y
    assert z.shape == np.shape(wanted)
    np.testing.assert_allclose(z.data(), wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("other", [2, 2.0, True, np.float64(2), np.array(2.0)])
def test_matrix_products_take_no_scalars(other: Any, rec: ComputationRecord) -> None:
    t = rec.ones((2, 2))
    before = len(rec)
    for a, b in ((t, other), (other, t)):
        with pytest.raises(ShapeError, match=r"use \* to multiply by a scalar"):
            operator.matmul(a, b)
    assert len(rec) == before


# --- What is no operand ---------------------------------------------------------------


class Stranger:
    """Knows tensors, while tensors do not know it."""

    def __radd__(self, other: object) -> str:
        return "radd"

    def __rmul__(self, other: object) -> str:
        return "rmul"

    def __lt__(self, other: object) -> str:
        return "lt"

    def __rmatmul__(self, other: object) -> str:
        return "rmatmul"

    def __rpow__(self, other: object) -> str:
        return "rpow"


def test_other_classes_get_their_turn(rec: ComputationRecord) -> None:
    t: Any = rec.ones(2)
    s: Any = Stranger()
    assert t + s == "radd"
    assert t * s == "rmul"
    assert t @ s == "rmatmul"
    assert t**s == "rpow"
    assert (t > s) == "lt"
    with pytest.raises(TypeError, match="unsupported operand"):
        t - s
    with pytest.raises(TypeError, match="unsupported operand"):
        s - t
    assert len(rec) == 1


@pytest.mark.parametrize("other", ["text", None, {}, object(), 1j, b"x", {1.0}])
def test_what_is_no_operand(other: Any, rec: ComputationRecord) -> None:
    t: Any = rec.ones(2)
    arithmetic = [*ARITHMETIC.values(), operator.pow, operator.matmul]
    for f in [*arithmetic, operator.lt, operator.ge]:
        with pytest.raises(TypeError):
            f(t, other)
        with pytest.raises(TypeError):
            f(other, t)
    assert (t == other) is False
    assert (t != other) is True
    assert len(rec) == 1


@pytest.mark.parametrize("f", [divmod, operator.floordiv])
def test_operators_that_do_not_exist(f: Any, rec: ComputationRecord) -> None:
    t = rec.ones(2)
    for arguments in ((t, 2), (2, t), (t, t), (np.ones(2), t)):
        with pytest.raises(TypeError):
            f(*arguments)


def test_power_takes_no_modulus(rec: ComputationRecord) -> None:
    with pytest.raises(TypeError):
        pow(rec.tensor_from_value(2), 3, 5)  # type: ignore[misc]


class Arrays:
    """An object of another library, such as a data frame's column."""

    def __init__(self, values: list[float]) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        return np.array(self.values, dtype)


def test_what_numpy_can_read_is_an_operand(rec: ComputationRecord) -> None:
    t = rec.tensor_from_value([1.0, 2.0])
    other: Any = Arrays([10, 20])
    assert (t + other).data().tolist() == [11, 22]
    assert (other * t).data().tolist() == [10, 40]
    assert wg.maximum(other, t).data().tolist() == [10, 20]
    assert rec.tensor_from_value(other).data().tolist() == [10, 20]


class Matrix(np.ndarray[Any, Any]):
    pass


def test_subclasses_of_arrays_are_read_as_arrays(rec: ComputationRecord) -> None:
    t = rec.tensor_from_value([1.0, 2.0])
    other: Any = np.array([10.0, 20.0]).view(Matrix)
    assert type(other + t) is Tensor
    assert (t + other).data().tolist() == [11, 22]
    masked = np.ma.masked_array([1.0, 2.0], mask=[False, False])
    assert (t + masked).data().tolist() == [2, 4]


def test_subclasses_of_numbers_are_typed_as_numpy_does(rec: ComputationRecord) -> None:
    """`np.float64` is a float, yet has a type of its own."""
    t = rec.ones(2, "float32")
    assert (t * 2.0).dtype == np.float32
    assert (t * np.float64(2.0)).dtype == np.float64
    assert (t * np.float32(2.0)).dtype == np.float32


# --- Functions without a tensor -------------------------------------------------------


def test_functions_of_no_tensor_are_numpys() -> None:
    assert wg.exp(0) == 1.0
    assert isinstance(wg.exp(0), np.float64)
    assert isinstance(wg.sum(np.ones(3, np.float32)), np.float32)
    y = wg.matmul(np.ones((2, 3)), np.ones((3, 1)))
    assert type(y) is np.ndarray
    assert y.tolist() == [[3], [3]]
    assert wg.where(True, 1, 2.0) == 1
    assert wg.add(1, 2) == 3
    assert wg.add([1, 2], 1).tolist() == [2, 3]
    assert wg.stack([[1], [2]]).tolist() == [[1], [2]]
    with pytest.raises(
        ShapeError, match=r"add: shapes do not broadcast: \(2,\), \(3,\)"
    ):
        wg.add(np.ones(2), np.ones(3))


def test_a_function_records_where_its_tensors_are() -> None:
    a, b = ComputationRecord(), ComputationRecord()
    with pytest.raises(HandleError):
        wg.add(a.ones(2), b.ones(2))
    x = a.ones(2)
    assert wg.add([1.0, 2.0], x).record is a
    assert wg.concatenate([np.ones(2), x]).record is a
    assert wg.where([True, False], 1.0, x).data().tolist() == [1, 1]


class Level(enum.IntEnum):
    HIGH = 2


class Metres(float):
    pass


@pytest.mark.parametrize("number", [Level.HIGH, Metres(1.5)], ids=repr)
@pytest.mark.parametrize("op", ARITHMETIC)
def test_numbers_of_a_class_of_their_own_have_a_type(
    op: str, number: Any, rec: ComputationRecord
) -> None:
    x = rec.tensor_from_value(np.array([1.0, 3.0], np.float32))
    value, use = x.data(), ARITHMETIC[op]
    for found, wanted in (
        (use(x, number), use(value, np.asarray(number))),
        (use(number, x), use(np.asarray(number), value)),
    ):
        assert isinstance(found, Tensor)
        np.testing.assert_array_equal(found.data(), wanted, strict=True)


# --- Identity -------------------------------------------------------------------------


def test_tensors_are_keys_by_identity(rec: ComputationRecord) -> None:
    x, y = rec.ones(2), rec.ones(2)
    names = {x: "x", y: "y"}
    assert names[x] == "x"
    assert names[y] == "y"
    assert hash(x) == hash(x)


def test_tensors_are_not_copied_out_of_their_record(rec: ComputationRecord) -> None:
    x = rec.ones(2)
    assert copy.copy(x).index == x.index
    for f in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match=r"\.data\(\)"):
            f(x)


def test_tensors_and_records_are_not_subclassed_or_extended(
    rec: ComputationRecord,
) -> None:
    x: Any = rec.ones(2)
    with pytest.raises(AttributeError):
        x.grad = None
    with pytest.raises(AttributeError):
        x.requires_grad = True
    with pytest.raises(TypeError):
        Tensor()


BITS: dict[str, Callable[[Any, Any], Any]] = {
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "%": operator.mod,
}


@pytest.mark.parametrize("op", BITS)
def test_operators_of_integers(op: str, rec: ComputationRecord) -> None:
    f = BITS[op]
    a, b = np.array([[5], [12]]), np.array([1, 2, 3])
    x, y = rec.tensor_from_value(a), rec.tensor_from_value(b)
    for found, wanted in (
        (f(x, y), f(a, b)),
        (f(x, b), f(a, b)),
        (f(a, y), f(a, b)),
        (f(x, 3), f(a, 3)),
        (f(3, y), f(3, b)),
    ):
        assert found.dtype == np.int64
        np.testing.assert_array_equal(found.data(), wanted)


@pytest.mark.parametrize("op", ["&", "|", "^", "<<", ">>"])
def test_floats_have_no_bits(op: str, rec: ComputationRecord) -> None:
    with pytest.raises(wg.DTypeError, match="not defined for f64"):
        BITS[op](rec.ones(2), 1)
    with pytest.raises(wg.DTypeError, match="not defined for f64"):
        ~rec.ones(2)


@pytest.mark.parametrize("size", [1, 2, 3, 10, 255, 511, 512, 513])
def test_rows_that_come_again(size: int, rec: ComputationRecord) -> None:
    """Short ones fill the blocks of a loop, however often and from wherever."""
    rng = np.random.default_rng(size)
    for outer, rows in itertools.product((1, 3), (1, 2, 3, 50, 107)):
        shape = outer, rows, size
        a = rng.standard_normal(shape)
        for row in ((outer, 1, size), (size,), (rows, 1), (outer, rows, 1)):
            b = rng.standard_normal(row)
            x, y = rec.constant(a), rec.tensor_from_value(b)
            difference = x - y
            assert (difference.data() == a - b).all()
            # To the operand flows the sum of what it was subtracted from, negated.
            cotangent = difference.grad(seed=a).wrt(y).data()
            axes = tuple(
                k for k in range(3) if np.broadcast_to(b, shape).strides[k] == 0
            )
            wanted = -a.sum(axes).reshape(row)
            np.testing.assert_allclose(cotangent, wanted, rtol=1e-12, atol=1e-12)
