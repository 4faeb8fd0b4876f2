"""Row 17 of FAULTS.md: every public function, of operands with an axis of size 0.

Each case says what NumPy does: a value, of a shape and a type, or an error.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, Rng, Tensor, WengertError

from tests.python import generated
from tests.python.faults import nothing_lost

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
Function = Callable[..., Any]

SHAPES: tuple[Shape, ...] = ((0,), (0, 3), (3, 0), (2, 0, 4))
# Operands that broadcast to those.
PARTNERS: dict[Shape, tuple[Shape, ...]] = {
    (0,): ((0,), (1,), ()),
    (0, 3): ((0, 3), (3,), (1, 3), (1, 1)),
    (3, 0): ((3, 0), (0,), (3, 1), (1,)),
    (2, 0, 4): ((2, 0, 4), (4,), (2, 1, 1), (0, 1)),
}


@dataclass(frozen=True)
class Case:
    """A call, what stands for it in NumPy, and the operands of both."""

    ours: Function
    numpys: Function
    operands: tuple[Array, ...]
    note: str


def real(*shape: int) -> Array:
    return np.linspace(-0.5, 0.5, int(np.prod(shape))).reshape(shape)


def whole(*shape: int) -> Array:
    return np.zeros(shape, np.int64)


Cases = Iterator[Case]


def unary(
    ours: Function,
    numpys: Function,
    draw: Function = real,
    shapes: tuple[Shape, ...] = SHAPES,
) -> Cases:
    for shape in shapes:
        yield Case(ours, numpys, (draw(*shape),), f"{shape}")


def binary(ours: Function, numpys: Function, draw: Function = real) -> Cases:
    for shape, partners in PARTNERS.items():
        for partner in partners:
            for pair in {(shape, partner), (partner, shape)}:
                operands = tuple(draw(*one) for one in pair)
                yield Case(ours, numpys, operands, f"{pair}")


def reduction(ours: Function, numpys: Function, several: bool = True) -> Cases:
    """Give each axis, no axis and, of functions that take several, those."""
    for shape in SHAPES:
        axes: list[Any] = [None, *range(-1, len(shape))]
        if several and len(shape) > 1:
            axes += [(0, 1), tuple(range(len(shape)))]
        for axis, keepdims in itertools.product(axes, (False, True)):
            options = {"axis": axis, "keepdims": keepdims}
            for draw in (real, whole):
                yield Case(
                    lambda x, options=options: ours(x, **options),
                    lambda x, options=options: numpys(x, **options),
                    (draw(*shape),),
                    f"{draw.__name__} {shape} {options}",
                )


def along(ours: Function, numpys: Function, none: bool = False) -> Cases:
    """Give each axis of each shape."""
    for shape in SHAPES:
        for axis in [*([None] if none else []), *range(-1, len(shape))]:
            yield Case(
                lambda x, axis=axis: ours(x, axis=axis),
                lambda x, axis=axis: numpys(x, axis),
                (real(*shape),),
                f"{shape} axis {axis}",
            )


def chosen(*cases: tuple[Function, Function, tuple[Any, ...]]) -> Cases:
    """Give cases of their own: shapes stand for real operands."""
    for ours, numpys, operands in cases:
        arrays = tuple(real(*x) if isinstance(x, tuple) else x for x in operands)
        shapes = ", ".join(str(x.shape) for x in arrays)
        yield Case(ours, numpys, arrays, shapes)


def same(x: Array, *_: Array, **__: Any) -> Array:
    return x.copy()


def zeros(*shape: int) -> Function:
    return lambda *_: np.zeros(shape)


def logsumexp(x: Array, axis: Any, keepdims: bool) -> Any:
    reduce: Any = np.logaddexp.reduce
    return reduce(x.astype(float), axis=axis, keepdims=keepdims)


def norm(x: Array, axis: Any, keepdims: bool) -> Any:
    # NumPy's own takes two axes for those of a matrix.
    return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))


def names(text: str) -> list[str]:
    return text.split()


NUMPYS_UNARY = names("""
    abs arccos arccosh arcsin arcsinh arctan arctanh atleast_1d atleast_2d atleast_3d
    ceil cos cosh exp exp2 expm1 flip floor isfinite isinf isnan log log10 log1p log2
    logical_not nan_to_num negative reciprocal rint round sign sin sinh sqrt square
    squeeze tan tanh transpose trunc unique
""")
OUR_UNARY = names("""
    dropout erf erfc gelu gelu_tanh hardtanh mish relu selu sigmoid silu softplus
    stop_gradient
""")
NUMPYS_BINARY = names("""
    add arctan2 copysign divide equal fmax fmin fmod greater greater_equal hypot less
    less_equal logaddexp logical_and logical_or logical_xor maximum minimum mod
    multiply not_equal power remainder subtract
""")
OUR_BINARY = names("clip_max clip_min elu leaky_relu multiply_no_nan")
BITS = names("bitwise_and bitwise_or bitwise_xor left_shift right_shift")
REDUCTIONS = names("all any max mean min prod std sum var")
PRODUCTS = names("dot inner kron matmul outer vdot")
# What is no function of arrays.
OTHERS = names("""
    custom_op debug num_threads pool_bytes pool_limit release_pool set_num_threads
    set_pool_limit
""")


def products(name: str) -> Cases:
    pairs: tuple[tuple[Shape, Shape], ...] = (
        ((0,), (0,)),
        ((3, 0), (0,)),
        ((0,), (0, 3)),
        ((3, 0), (0, 2)),
        ((0, 3), (3, 0)),
        ((0, 3), (3,)),
        ((2, 3, 0), (2, 0, 4)),
        ((0, 2, 3), (3, 4)),
    )
    for pair in pairs:
        operands = tuple(real(*shape) for shape in pair)
        yield Case(getattr(wg, name), getattr(np, name), operands, f"{pair}")


def places(name: str) -> Cases:
    """Give positions along each axis: none, and two where there may be none."""
    ours = getattr(wg, name)
    for shape in ((3, 0), (0, 3), (0,)):
        for axis in range(len(shape)):
            for count in (0, 2):
                reach = list(shape)
                reach[axis] = count
                note = f"{shape} axis {axis} at {reach}"
                indices = whole(*reach)

                def call(x: Any, axis: int = axis, indices: Array = indices) -> Any:
                    if name in ("take_along_axis", "gather"):
                        return ours(x, indices, axis)
                    values = np.ones(indices.shape)
                    return ours(x, indices, values, axis)

                def reference(
                    x: Array, axis: int = axis, indices: Array = indices
                ) -> Any:
                    taken = np.take_along_axis(x, indices, axis)
                    if name in ("take_along_axis", "gather"):
                        return taken
                    # Where there is a place there is nothing to put there.
                    assert taken.size == 0
                    return x

                yield Case(call, reference, (real(*shape),), note)


def convolutions(ndim: int) -> dict[str, Cases]:
    """Give no batch, and no channels, for windows of 2 over a width of 4."""
    wide, window = (4,) * ndim, (2,) * ndim
    shorter, longer, halves = (3,) * ndim, (5,) * ndim, (2,) * ndim
    conv = getattr(wg, f"conv{ndim}d")
    transposed = getattr(wg, f"conv_transpose{ndim}d")
    names = {
        f"conv{ndim}d": chosen(
            (conv, zeros(0, 3, *shorter), ((0, 2, *wide), (3, 2, *window))),
            (conv, zeros(2, 3, *shorter), ((2, 0, *wide), (3, 0, *window))),
            (conv, zeros(2, 0, *shorter), ((2, 2, *wide), (0, 2, *window))),
        ),
        f"conv_transpose{ndim}d": chosen(
            (transposed, zeros(0, 3, *longer), ((0, 2, *wide), (2, 3, *window))),
            (transposed, zeros(2, 3, *longer), ((2, 0, *wide), (0, 3, *window))),
            (transposed, zeros(2, 0, *longer), ((2, 2, *wide), (2, 0, *window))),
        ),
    }
    for kind in ("avg", "max"):
        name = f"{kind}_pool{ndim}d"
        pool = getattr(wg, name)
        names[name] = chosen(
            (lambda x, f=pool: f(x, 2), zeros(0, 2, *halves), ((0, 2, *wide),)),
            (lambda x, f=pool: f(x, 2), zeros(2, 0, *halves), ((2, 0, *wide),)),
        )
    return names


def rest() -> dict[str, Cases]:
    scores = wg.scaled_dot_product_attention
    crossed = wg.softmax_cross_entropy
    return {
        "argmax": reduction(wg.argmax, np.argmax, several=False),
        "argmin": reduction(wg.argmin, np.argmin, several=False),
        "argsort": along(wg.argsort, lambda x, axis: np.argsort(x, axis)),
        "astype": unary(
            lambda x: wg.astype(x, "float32"), lambda x: x.astype(np.float32)
        ),
        # By given averages too; it returns them beside.
        "batch_norm": chosen(
            (lambda x: wg.batch_norm(x)[0], same, ((3, 0),)),
            (lambda x: wg.batch_norm(x, np.zeros(3), np.ones(3))[0], same, ((0, 3),)),
            (
                lambda x: wg.batch_norm(x, np.zeros(3), np.ones(3))[0],
                same,
                ((2, 3, 0),),
            ),
        ),
        # Of all elements, by any number of axes.
        "bincount": unary(wg.bincount, lambda x: np.bincount(x.ravel()), whole),
        "bitwise_not": unary(wg.bitwise_not, np.bitwise_not, whole),
        "broadcast_to": chosen(
            (
                lambda x: wg.broadcast_to(x, (2, 0, 3)),
                lambda x: np.broadcast_to(x, (2, 0, 3)),
                ((0, 3),),
            ),
            (
                lambda x: wg.broadcast_to(x, (0, 3)),
                lambda x: np.broadcast_to(x, (0, 3)),
                ((3,),),
            ),
            (
                lambda x: wg.broadcast_to(x, (2, 3)),
                lambda x: np.broadcast_to(x, (2, 3)),
                ((0, 3),),
            ),
        ),
        "clip": unary(lambda x: wg.clip(x, -1, 1), lambda x: np.clip(x, -1, 1)),
        "concatenate": chosen(
            *(
                (
                    lambda *x, axis=axis: wg.concatenate(x, axis),
                    lambda *x, axis=axis: np.concatenate(x, axis),
                    operands,
                )
                for axis in (0, 1)
                for operands in (
                    ((0, 3), (2, 3)),
                    ((0, 3), (0, 3)),
                    ((0, 3), (0, 2)),
                    ((3, 0), (3, 2)),
                )
            )
        ),
        "count_nonzero": reduction(wg.count_nonzero, np.count_nonzero),
        "cross": chosen(
            (wg.cross, np.cross, ((0, 3), (0, 3))),
            (wg.cross, np.cross, ((0, 3), (3,))),
            (wg.cross, np.cross, ((3, 0), (3, 0))),
        ),
        "cumprod": along(wg.cumprod, np.cumprod, none=True),
        "cumsum": along(wg.cumsum, np.cumsum, none=True),
        "diag": unary(wg.diag, np.diag),
        "diagonal": unary(wg.diagonal, np.diagonal),
        "einsum": chosen(
            *(
                (
                    lambda *x, text=text: wg.einsum(text, *x),
                    lambda *x, text=text: np.einsum(text, *x),
                    operands,
                )
                for text, operands in (
                    ("ij,jk->ik", ((3, 0), (0, 2))),
                    ("ij,jk->ik", ((0, 3), (3, 2))),
                    ("ij->", ((3, 0),)),
                    ("ij->j", ((0, 3),)),
                    ("i,j->ij", ((0,), (3,))),
                    ("ii->i", ((0, 0),)),
                )
            )
        ),
        "embedding": chosen(
            (lambda x: wg.embedding(x, whole(0)), zeros(0, 2), ((3, 2),)),
            (lambda x: wg.embedding(x, whole(2)), zeros(2, 0), ((3, 0),)),
            (lambda x: wg.embedding(x, whole(2)), lambda x: x[whole(2)], ((0, 2),)),
        ),
        "expand_dims": along(wg.expand_dims, np.expand_dims),
        "layer_norm": chosen(
            (wg.layer_norm, same, ((0, 3), (3,), (3,))),
            (wg.layer_norm, same, ((3, 0), (0,), (0,))),
            (lambda x: wg.layer_norm(x, axis=0), same, ((0, 3),)),
        ),
        "linear": chosen(
            (wg.linear, lambda x, w, b: x @ w + b, ((0, 3), (3, 2), (2,))),
            (wg.linear, lambda x, w, b: x @ w + b, ((3, 0), (0, 2), (2,))),
            (wg.linear, lambda x, w, b: x @ w + b, ((2, 3), (3, 0), (0,))),
            (
                lambda x, w: wg.linear(x, w, activation="relu"),
                np.matmul,
                ((0, 3), (3, 2)),
            ),
        ),
        "log_softmax": along(wg.log_softmax, same),
        "logcumsumexp": along(wg.logcumsumexp, np.logaddexp.accumulate),
        "logsumexp": reduction(wg.logsumexp, logsumexp),
        "mean_squared_error": chosen(
            (wg.mean_squared_error, lambda a, b: np.mean(a - b), ((0,), (0,))),
            (wg.mean_squared_error, lambda a, b: np.mean(a - b), ((3, 0), (3, 0))),
        ),
        "median": reduction(wg.median, np.median),
        "meshgrid": chosen(
            (wg.meshgrid, np.meshgrid, ((0,), (3,))),
            (wg.meshgrid, np.meshgrid, ((3,), (0,))),
        ),
        "moveaxis": unary(
            lambda x: wg.moveaxis(x, 0, -1), lambda x: np.moveaxis(x, 0, -1)
        ),
        "norm": reduction(wg.norm, norm),
        "one_hot": chosen(
            (lambda x: wg.one_hot(x, 3), zeros(0, 3), (whole(0),)),
            (lambda x: wg.one_hot(x, 3), zeros(2, 0, 3), (whole(2, 0),)),
            (lambda x: wg.one_hot(x, 0), zeros(0, 0), (whole(0),)),
        ),
        "pad": itertools.chain.from_iterable(
            unary(
                lambda x, mode=mode: wg.pad(x, 1, mode=mode),
                lambda x, mode=mode: np.pad(x, 1, mode=mode),
            )
            for mode in ("constant", "edge", "reflect", "wrap")
        ),
        "repeat": along(
            lambda x, axis: wg.repeat(x, 2, axis),
            lambda x, axis: np.repeat(x, 2, axis),
            none=True,
        ),
        "reshape": unary(
            lambda x: wg.reshape(x, (5, 0)), lambda x: np.reshape(x, (5, 0))
        ),
        "rms_norm": chosen(
            (wg.rms_norm, same, ((0, 3), (3,))),
            (wg.rms_norm, same, ((3, 0), (0,))),
        ),
        "roll": along(
            lambda x, axis: wg.roll(x, 1, axis),
            lambda x, axis: np.roll(x, 1, axis),
            none=True,
        ),
        "scaled_dot_product_attention": chosen(
            (scores, zeros(0, 3, 5), ((0, 3, 4), (0, 2, 4), (0, 2, 5))),
            (scores, zeros(2, 0, 5), ((2, 0, 4), (2, 3, 4), (2, 3, 5))),
            (scores, zeros(2, 3, 0), ((2, 3, 4), (2, 2, 4), (2, 2, 0))),
            # Of no keys nothing is averaged.
            (scores, zeros(2, 3, 5), ((2, 3, 4), (2, 0, 4), (2, 0, 5))),
        ),
        "softmax": along(wg.softmax, same),
        "softmax_cross_entropy": chosen(
            (lambda x: crossed(x, whole(0)), zeros(0), ((0, 3),)),
            (lambda x: crossed(x, whole(2, 0)), zeros(2, 0), ((2, 0, 3),)),
            # A label of no classes is out of range.
            (lambda x: crossed(x, whole(2)), lambda x: x[:, whole(2)], ((2, 0),)),
        ),
        "sort": along(wg.sort, np.sort),
        "split": chosen(
            *(
                (
                    lambda x, axis=axis, parts=parts: wg.split(x, parts, axis),
                    lambda x, axis=axis, parts=parts: np.split(x, parts, axis),
                    (shape,),
                )
                for shape, axis, parts in (
                    ((0, 3), 0, 2),
                    ((0, 3), 1, 3),
                    ((0, 3), 0, [0, 1]),
                    ((3, 0), 0, [1]),
                    ((3, 0), 1, 2),
                )
            )
        ),
        "stack": chosen(
            *(
                (
                    lambda *x, axis=axis: wg.stack(x, axis),
                    lambda *x, axis=axis: np.stack(x, axis),
                    ((0, 3), (0, 3)),
                )
                for axis in (0, 1, -1)
            )
        ),
        "swapaxes": unary(
            lambda x: wg.swapaxes(x, 0, -1), lambda x: np.swapaxes(x, 0, -1)
        ),
        "take": along(
            lambda x, axis: wg.take(x, whole(0), axis),
            lambda x, axis: np.take(x, whole(0), axis),
            none=True,
        ),
        "tensordot": chosen(
            (wg.tensordot, np.tensordot, ((2, 0, 3), (0, 3, 4))),
            (wg.tensordot, np.tensordot, ((0, 2, 3), (2, 3, 4))),
        ),
        "tile": unary(lambda x: wg.tile(x, (2, 1)), lambda x: np.tile(x, (2, 1))),
        "topk": chosen(
            (
                lambda x: wg.topk(x, 0),
                lambda x: (np.zeros((3, 0)), whole(3, 0)),
                ((3, 0),),
            ),
            (
                lambda x: wg.topk(x, 2),
                lambda x: (np.zeros((0, 2)), whole(0, 2)),
                ((0, 3),),
            ),
            (lambda x: wg.topk(x, 1), lambda x: x[:, whole(1)], ((3, 0),)),
        ),
        # NumPy makes matrices of vectors here, and does not say so.
        "tril": unary(wg.tril, np.tril, shapes=SHAPES[1:]),
        "triu": unary(wg.triu, np.triu, shapes=SHAPES[1:]),
        "where": binary(lambda a, b: wg.where(a > 0, a, b), np.add),
    }


def all_cases() -> dict[str, list[Case]]:
    """Give the cases of each function by its name."""
    plain = {"dropout": lambda x: wg.dropout(x, 0.5, rng=Rng(1))}
    table: dict[str, Cases] = {
        **{name: unary(getattr(wg, name), getattr(np, name)) for name in NUMPYS_UNARY},
        **{name: unary(plain.get(name, getattr(wg, name)), same) for name in OUR_UNARY},
        **{
            name: binary(getattr(wg, name), getattr(np, name)) for name in NUMPYS_BINARY
        },
        **{name: binary(getattr(wg, name), np.multiply) for name in OUR_BINARY},
        **{name: binary(getattr(wg, name), getattr(np, name), whole) for name in BITS},
        **{
            name: reduction(getattr(wg, name), getattr(np, name)) for name in REDUCTIONS
        },
        **{name: products(name) for name in PRODUCTS},
        **{
            name: places(name)
            for name in (
                "gather",
                "put_along_axis",
                "scatter",
                "scatter_add",
                "take_along_axis",
            )
        },
        **{name: cases for k in (1, 2, 3) for name, cases in convolutions(k).items()},
        **rest(),
    }
    return {name: list(cases) for name, cases in table.items()}


CASES = all_cases()


def public() -> set[str]:
    """Give the names of the package's functions of arrays."""
    functions = {
        name for name in wg.__all__ if callable(getattr(wg, name)) and name[0].islower()
    }
    return functions - set(OTHERS)


def unmet(cases: dict[str, list[Case]]) -> set[str]:
    """Give the functions without a case, and the cases of no function."""
    missing = {name for name in public() if not cases.get(name)}
    return missing | (cases.keys() - public())


def test_fault_17_every_function_has_a_case() -> None:
    assert unmet(CASES) == set()
    assert unmet({**CASES, "sin": []}) == {"sin"}
    assert unmet({k: v for k, v in CASES.items() if k != "sum"}) == {"sum"}
    assert unmet({**CASES, "nothing": CASES["sin"]}) == {"nothing"}


def parts_of(result: Any) -> list[Any]:
    return list(result) if isinstance(result, list | tuple) else [result]


def outcome(function: Function, operands: Any) -> list[Any] | Exception:
    """Give the results, or the error that is raised."""
    with warnings.catch_warnings():
        # Means of nothing.
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            return parts_of(function(*operands))
        except (ValueError, IndexError, TypeError) as error:
            return error


def check(name: str, case: Case) -> None:
    why = f"{name}: {case.note}"
    wanted = outcome(case.numpys, case.operands)
    rec = ComputationRecord()
    tensors = [rec.tensor_from_value(x) for x in case.operands]
    if isinstance(wanted, Exception):
        for operands in (tensors, case.operands):
            with nothing_lost(rec):
                found = outcome(case.ours, operands)
            assert isinstance(found, WengertError), f"{why}: NumPy: {wanted}"
        return
    found = outcome(case.ours, tensors)
    assert not isinstance(found, Exception), f"{why}: {found}"
    assert len(found) == len(wanted), why
    for y, expected in zip(found, map(np.asarray, wanted), strict=True):
        value = y.data() if isinstance(y, Tensor) else np.asarray(y)
        np.testing.assert_array_equal(value, expected, err_msg=why, strict=True)
        if not isinstance(y, Tensor) or value.dtype.kind != "f":
            continue
        grad = y.grad(seed=np.ones(y.shape))
        for x, t in zip(case.operands, tensors, strict=True):
            if x.dtype.kind == "f":
                ct = grad.wrt(t).data()
                assert (ct.shape, ct.dtype) == (x.shape, x.dtype), why
                if value.size == 0:
                    np.testing.assert_array_equal(ct, np.zeros(x.shape), err_msg=why)


@pytest.mark.parametrize("name", sorted(CASES))
def test_fault_17_an_axis_of_size_0(name: str) -> None:
    for case in CASES[name]:
        generated.count("empty operands")
        check(name, case)
