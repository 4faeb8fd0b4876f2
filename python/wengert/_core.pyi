from collections.abc import Iterator, Sequence
from typing import Any, NoReturn, TypeAlias, TypeVar, final, overload

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike
from typing_extensions import Self

from wengert.custom import CustomOp
from wengert.inspection import Difference

_Array: TypeAlias = npt.NDArray[Any]
_Axes: TypeAlias = int | Sequence[int] | None
_Operand: TypeAlias = Tensor | ArrayLike
_Tree = TypeVar("_Tree", bound=Tensor | list[Any] | tuple[Any, ...] | dict[Any, Any])

__version__: str

@final
class ComputationRecord:
    def __new__(cls, *, rng: Rng | None = None, check_finite: bool = False) -> Self: ...
    def tensor_from_value(
        self,
        value: _Operand,
        /,
        *,
        dtype: npt.DTypeLike | None = None,
        borrow: bool = False,
    ) -> Tensor: ...
    def constant(
        self,
        value: _Operand,
        /,
        *,
        dtype: npt.DTypeLike | None = None,
        borrow: bool = False,
    ) -> Tensor: ...
    def parameter(self, name: str, value: _Operand, /) -> Tensor: ...
    def zeros(
        self, shape: int | Sequence[int], dtype: npt.DTypeLike | None = None
    ) -> Tensor: ...
    def ones(
        self, shape: int | Sequence[int], dtype: npt.DTypeLike | None = None
    ) -> Tensor: ...
    def clear(self) -> None: ...
    def mark(self) -> Mark: ...
    def rewind(self, mark: Mark, /) -> None: ...
    def bytes(self) -> int: ...
    @property
    def rng(self) -> Rng: ...
    @property
    def _layers(self) -> int: ...
    def _count_layer(self) -> None: ...
    @property
    def check_finite(self) -> bool: ...
    def table(self, grad: Grad | None = None) -> str: ...
    def to_dot(self, of: Tensor | None = None) -> str: ...
    def to_svg(self, of: Tensor | None = None) -> str: ...
    def to_html(self, grad: Grad | None = None) -> str: ...
    def profile(self) -> Profile: ...
    def diff(
        self, other: ComputationRecord, /, *, rtol: float = 0.0, atol: float = 0.0
    ) -> Difference | None: ...
    def replay(
        self,
        values: dict[Tensor, _Operand] | None = None,
        /,
        *,
        upto: Tensor | None = None,
    ) -> Replay: ...
    def _repr_html_(self) -> str: ...
    def _rows(self) -> list[list[str]]: ...
    def _nodes(
        self,
    ) -> list[tuple[str, str | None, str, list[int | str], str, str, str, int]]: ...
    def _value(self, node: int) -> _Array | None: ...
    def _cotangents(self, grad: Grad) -> list[tuple[int, str, _Array]]: ...
    def _boxes(
        self, of: Tensor | None
    ) -> list[tuple[int, str, list[str], str, list[int]]]: ...
    def _place(self, site: int) -> tuple[str, tuple[str, int] | None]: ...
    def _panic(self) -> None: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exception: object) -> None: ...

@final
class Tensor:
    __array_ufunc__: None
    @property
    def record(self) -> ComputationRecord: ...
    @property
    def index(self) -> int: ...
    @property
    def name(self) -> str | None: ...
    def named(self, name: str, /) -> Self: ...
    def _repr_html_(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def ndim(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def T(self) -> Tensor: ...
    def data(self) -> _Array: ...
    def item(self) -> Any: ...
    def grad(
        self,
        *,
        seed: _Operand | None = None,
        wrt: Tensor | list[Any] | tuple[Any, ...] | dict[Any, Any] | None = None,
        record: bool = False,
        ieee: bool = False,
        consume: bool = False,
    ) -> Grad: ...
    def sum(self, axis: _Axes = None, keepdims: bool = False) -> Tensor: ...
    def mean(self, axis: _Axes = None, keepdims: bool = False) -> Tensor: ...
    def max(self, axis: _Axes = None, keepdims: bool = False) -> Tensor: ...
    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Tensor: ...
    def min(self, axis: _Axes = None, keepdims: bool = False) -> Tensor: ...
    def prod(self, axis: _Axes = None, keepdims: bool = False) -> Tensor: ...
    def var(
        self, axis: _Axes = None, ddof: float = 0.0, keepdims: bool = False
    ) -> Tensor: ...
    def std(
        self, axis: _Axes = None, ddof: float = 0.0, keepdims: bool = False
    ) -> Tensor: ...
    def any(self, axis: _Axes = None, keepdims: bool = False) -> Tensor: ...
    def all(self, axis: _Axes = None, keepdims: bool = False) -> Tensor: ...
    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Tensor: ...
    def cumsum(self, axis: int | None = None) -> Tensor: ...
    def cumprod(self, axis: int | None = None) -> Tensor: ...
    def argsort(self, axis: int | None = -1) -> Tensor: ...
    def reshape(self, *shape: int | Sequence[int]) -> Tensor: ...
    def transpose(self, *axes: int | Sequence[int]) -> Tensor: ...
    def swapaxes(self, axis1: int, axis2: int) -> Tensor: ...
    def squeeze(self, axis: _Axes = None) -> Tensor: ...
    def astype(self, dtype: npt.DTypeLike) -> Tensor: ...
    def __add__(self, other: _Operand, /) -> Tensor: ...
    def __radd__(self, other: _Operand, /) -> Tensor: ...
    def __sub__(self, other: _Operand, /) -> Tensor: ...
    def __rsub__(self, other: _Operand, /) -> Tensor: ...
    def __mul__(self, other: _Operand, /) -> Tensor: ...
    def __rmul__(self, other: _Operand, /) -> Tensor: ...
    def __truediv__(self, other: _Operand, /) -> Tensor: ...
    def __rtruediv__(self, other: _Operand, /) -> Tensor: ...
    def __matmul__(self, other: _Operand, /) -> Tensor: ...
    def __rmatmul__(self, other: _Operand, /) -> Tensor: ...
    def __pow__(self, exponent: _Operand, modulo: None = None, /) -> Tensor: ...
    def __rpow__(self, base: _Operand, modulo: None = None, /) -> Tensor: ...
    def __mod__(self, other: _Operand, /) -> Tensor: ...
    def __rmod__(self, other: _Operand, /) -> Tensor: ...
    def __and__(self, other: _Operand, /) -> Tensor: ...
    def __rand__(self, other: _Operand, /) -> Tensor: ...
    def __or__(self, other: _Operand, /) -> Tensor: ...
    def __ror__(self, other: _Operand, /) -> Tensor: ...
    def __xor__(self, other: _Operand, /) -> Tensor: ...
    def __rxor__(self, other: _Operand, /) -> Tensor: ...
    def __lshift__(self, other: _Operand, /) -> Tensor: ...
    def __rlshift__(self, other: _Operand, /) -> Tensor: ...
    def __rshift__(self, other: _Operand, /) -> Tensor: ...
    def __rrshift__(self, other: _Operand, /) -> Tensor: ...
    def __invert__(self) -> Tensor: ...
    def clip(
        self, min: _Operand | None = None, max: _Operand | None = None
    ) -> Tensor: ...
    def round(self, decimals: int = 0) -> Tensor: ...
    def __neg__(self) -> Tensor: ...
    def __pos__(self) -> Tensor: ...
    def __abs__(self) -> Tensor: ...
    def __eq__(self, other: _Operand, /) -> Tensor: ...  # type: ignore[override]
    def __ne__(self, other: _Operand, /) -> Tensor: ...  # type: ignore[override]
    def __lt__(self, other: _Operand, /) -> Tensor: ...
    def __le__(self, other: _Operand, /) -> Tensor: ...
    def __gt__(self, other: _Operand, /) -> Tensor: ...
    def __ge__(self, other: _Operand, /) -> Tensor: ...
    def __hash__(self) -> int: ...
    def __getitem__(self, key: Any, /) -> Tensor: ...
    def __setitem__(self, key: Any, values: _Operand, /) -> None: ...
    def __delitem__(self, key: Any, /) -> NoReturn: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Tensor]: ...
    def __float__(self) -> float: ...
    def __complex__(self) -> complex: ...
    def __array__(self, *_arguments: Any, **_options: Any) -> _Array: ...
    def __bool__(self) -> bool: ...
    def __int__(self) -> int: ...
    def __index__(self) -> int: ...
    def __copy__(self) -> Tensor: ...

@final
class Grad:
    def wrt(self, tensors: _Tree, /, *, strict: bool = False) -> _Tree: ...
    def connected(self, tensor: Tensor, /) -> bool: ...

@final
class Replay:
    @property
    def record(self) -> ComputationRecord: ...
    def __getitem__(self, tensor: Tensor, /) -> Tensor: ...

@final
class Mark: ...

@final
class Profile:
    @property
    def ops(self) -> list[ProfileRow]: ...
    @property
    def lines(self) -> list[ProfileRow]: ...
    @property
    def wall(self) -> float: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exception: object) -> None: ...

@final
class ProfileRow:
    @property
    def name(self) -> str: ...
    @property
    def count(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def forward(self) -> float: ...
    @property
    def sweep(self) -> float: ...

@final
class _Pin: ...

@final
class Rng:
    def __new__(cls, seed: int, /) -> Self: ...
    def uniform(
        self,
        shape: int | Sequence[int],
        low: float = 0.0,
        high: float = 1.0,
        dtype: npt.DTypeLike | None = None,
    ) -> _Array: ...
    def normal(
        self, shape: int | Sequence[int], dtype: npt.DTypeLike | None = None
    ) -> _Array: ...
    def permutation(self, n: int, /) -> npt.NDArray[np.int64]: ...

def _custom(
    op: CustomOp, operands: tuple[Any, ...], options: dict[str, Any], /
) -> Any: ...
def _check_custom(
    op: CustomOp, operands: tuple[Any, ...], options: dict[str, Any], rtol: float, /
) -> None: ...

# Below this line: generated by tools/gen.py.

__all__ = [
    "ComputationRecord",
    "Grad",
    "Mark",
    "Profile",
    "ProfileRow",
    "Replay",
    "Rng",
    "Tensor",
    "_Pin",
    "__version__",
    "_check_custom",
    "_custom",
    "abs",
    "add",
    "all",
    "any",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "argmax",
    "argmin",
    "argsort",
    "astype",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm",
    "bincount",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "broadcast_to",
    "ceil",
    "clip",
    "clip_max",
    "clip_min",
    "concatenate",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "copysign",
    "cos",
    "cosh",
    "count_nonzero",
    "cross",
    "cumprod",
    "cumsum",
    "debug",
    "descend",
    "diag",
    "diagonal",
    "divide",
    "dot",
    "dropout",
    "einsum",
    "elu",
    "embedding",
    "equal",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expand_dims",
    "expm1",
    "flip",
    "floor",
    "fmax",
    "fmin",
    "fmod",
    "freeze",
    "gather",
    "gelu",
    "gelu_tanh",
    "greater",
    "greater_equal",
    "hardtanh",
    "hypot",
    "inner",
    "isfinite",
    "isinf",
    "isnan",
    "kron",
    "layer_norm",
    "leaky_relu",
    "left_shift",
    "less",
    "less_equal",
    "linear",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_softmax",
    "logaddexp",
    "logcumsumexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logsumexp",
    "matmul",
    "max",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "maximum",
    "mean",
    "mean_squared_error",
    "median",
    "meshgrid",
    "min",
    "minimum",
    "mish",
    "moveaxis",
    "multiply",
    "multiply_no_nan",
    "nan_to_num",
    "negative",
    "norm",
    "not_equal",
    "num_threads",
    "one_hot",
    "op_table",
    "outer",
    "pad",
    "pool_bytes",
    "pool_limit",
    "power",
    "prod",
    "put_along_axis",
    "reciprocal",
    "release_pool",
    "relu",
    "remainder",
    "repeat",
    "reshape",
    "right_shift",
    "rint",
    "rms_norm",
    "roll",
    "round",
    "scaled_dot_product_attention",
    "scatter",
    "scatter_add",
    "selu",
    "set_num_threads",
    "set_pool_limit",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinh",
    "softmax",
    "softmax_cross_entropy",
    "softplus",
    "sort",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "stop_gradient",
    "subtract",
    "sum",
    "swapaxes",
    "take",
    "take_along_axis",
    "tan",
    "tanh",
    "tensordot",
    "tile",
    "topk",
    "transpose",
    "tril",
    "triu",
    "trunc",
    "unique",
    "var",
    "vdot",
    "where",
]

@overload
def abs(x: Tensor, /) -> Tensor: ...
@overload
def abs(x: ArrayLike, /) -> Any: ...
@overload
def add(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def add(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def add(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def all(x: Tensor, /, axis: _Axes = None, keepdims: bool = False) -> Tensor: ...
@overload
def all(x: ArrayLike, /, axis: _Axes = None, keepdims: bool = False) -> Any: ...
@overload
def any(x: Tensor, /, axis: _Axes = None, keepdims: bool = False) -> Tensor: ...
@overload
def any(x: ArrayLike, /, axis: _Axes = None, keepdims: bool = False) -> Any: ...
@overload
def arccos(x: Tensor, /) -> Tensor: ...
@overload
def arccos(x: ArrayLike, /) -> Any: ...
@overload
def arccosh(x: Tensor, /) -> Tensor: ...
@overload
def arccosh(x: ArrayLike, /) -> Any: ...
@overload
def arcsin(x: Tensor, /) -> Tensor: ...
@overload
def arcsin(x: ArrayLike, /) -> Any: ...
@overload
def arcsinh(x: Tensor, /) -> Tensor: ...
@overload
def arcsinh(x: ArrayLike, /) -> Any: ...
@overload
def arctan(x: Tensor, /) -> Tensor: ...
@overload
def arctan(x: ArrayLike, /) -> Any: ...
@overload
def arctan2(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def arctan2(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def arctan2(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def arctanh(x: Tensor, /) -> Tensor: ...
@overload
def arctanh(x: ArrayLike, /) -> Any: ...
@overload
def argmax(x: Tensor, /, axis: int | None = None, keepdims: bool = False) -> Tensor: ...
@overload
def argmax(x: ArrayLike, /, axis: int | None = None, keepdims: bool = False) -> Any: ...
@overload
def argmin(x: Tensor, /, axis: int | None = None, keepdims: bool = False) -> Tensor: ...
@overload
def argmin(x: ArrayLike, /, axis: int | None = None, keepdims: bool = False) -> Any: ...
@overload
def argsort(x: Tensor, /, axis: int | None = -1) -> Tensor: ...
@overload
def argsort(x: ArrayLike, /, axis: int | None = -1) -> Any: ...
@overload
def astype(x: Tensor, dtype: npt.DTypeLike, /) -> Tensor: ...
@overload
def astype(x: ArrayLike, dtype: npt.DTypeLike, /) -> Any: ...
@overload
def atleast_1d(x: Tensor, /) -> Tensor: ...
@overload
def atleast_1d(x: ArrayLike, /) -> Any: ...
@overload
def atleast_2d(x: Tensor, /) -> Tensor: ...
@overload
def atleast_2d(x: ArrayLike, /) -> Any: ...
@overload
def atleast_3d(x: Tensor, /) -> Tensor: ...
@overload
def atleast_3d(x: ArrayLike, /) -> Any: ...
@overload
def avg_pool1d(
    x: Tensor,
    window: int | Sequence[int],
    /,
    stride: int | Sequence[int] | None = None,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    count_include_pad: bool = True,
) -> Tensor: ...
@overload
def avg_pool1d(
    x: ArrayLike,
    window: int | Sequence[int],
    /,
    stride: int | Sequence[int] | None = None,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    count_include_pad: bool = True,
) -> Any: ...
@overload
def avg_pool2d(
    x: Tensor,
    window: int | Sequence[int],
    /,
    stride: int | Sequence[int] | None = None,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    count_include_pad: bool = True,
) -> Tensor: ...
@overload
def avg_pool2d(
    x: ArrayLike,
    window: int | Sequence[int],
    /,
    stride: int | Sequence[int] | None = None,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    count_include_pad: bool = True,
) -> Any: ...
@overload
def avg_pool3d(
    x: Tensor,
    window: int | Sequence[int],
    /,
    stride: int | Sequence[int] | None = None,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    count_include_pad: bool = True,
) -> Tensor: ...
@overload
def avg_pool3d(
    x: ArrayLike,
    window: int | Sequence[int],
    /,
    stride: int | Sequence[int] | None = None,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    count_include_pad: bool = True,
) -> Any: ...
@overload
def batch_norm(
    x: Tensor,
    /,
    mean: Tensor | ArrayLike | None = None,
    var: Tensor | ArrayLike | None = None,
    scale: Tensor | ArrayLike | None = None,
    bias: Tensor | ArrayLike | None = None,
    axis: int = 1,
    eps: float = 1e-05,
) -> tuple[Tensor, Tensor, Tensor]: ...
@overload
def batch_norm(
    x: ArrayLike,
    /,
    mean: Tensor | None = None,
    var: Tensor | ArrayLike | None = None,
    scale: Tensor | ArrayLike | None = None,
    bias: Tensor | ArrayLike | None = None,
    axis: int = 1,
    eps: float = 1e-05,
) -> tuple[Tensor, Tensor, Tensor]: ...
@overload
def batch_norm(
    x: ArrayLike,
    /,
    mean: ArrayLike | None = None,
    var: Tensor | None = None,
    scale: Tensor | ArrayLike | None = None,
    bias: Tensor | ArrayLike | None = None,
    axis: int = 1,
    eps: float = 1e-05,
) -> tuple[Tensor, Tensor, Tensor]: ...
@overload
def batch_norm(
    x: ArrayLike,
    /,
    mean: ArrayLike | None = None,
    var: ArrayLike | None = None,
    scale: Tensor | None = None,
    bias: Tensor | ArrayLike | None = None,
    axis: int = 1,
    eps: float = 1e-05,
) -> tuple[Tensor, Tensor, Tensor]: ...
@overload
def batch_norm(
    x: ArrayLike,
    /,
    mean: ArrayLike | None = None,
    var: ArrayLike | None = None,
    scale: ArrayLike | None = None,
    bias: Tensor | None = None,
    axis: int = 1,
    eps: float = 1e-05,
) -> tuple[Tensor, Tensor, Tensor]: ...
@overload
def batch_norm(
    x: ArrayLike,
    /,
    mean: ArrayLike | None = None,
    var: ArrayLike | None = None,
    scale: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    axis: int = 1,
    eps: float = 1e-05,
) -> tuple[Any, Any, Any]: ...
@overload
def bincount(
    x: Tensor,
    /,
    weights: Tensor | ArrayLike | None = None,
    minlength: int = 0,
) -> Tensor: ...
@overload
def bincount(
    x: ArrayLike,
    /,
    weights: Tensor | None = None,
    minlength: int = 0,
) -> Tensor: ...
@overload
def bincount(
    x: ArrayLike,
    /,
    weights: ArrayLike | None = None,
    minlength: int = 0,
) -> Any: ...
@overload
def bitwise_and(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def bitwise_and(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def bitwise_and(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def bitwise_not(x: Tensor, /) -> Tensor: ...
@overload
def bitwise_not(x: ArrayLike, /) -> Any: ...
@overload
def bitwise_or(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def bitwise_or(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def bitwise_or(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def bitwise_xor(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def bitwise_xor(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def bitwise_xor(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def broadcast_to(x: Tensor, /, shape: int | Sequence[int]) -> Tensor: ...
@overload
def broadcast_to(x: ArrayLike, /, shape: int | Sequence[int]) -> Any: ...
@overload
def ceil(x: Tensor, /) -> Tensor: ...
@overload
def ceil(x: ArrayLike, /) -> Any: ...
@overload
def clip(
    x: Tensor,
    /,
    min: Tensor | ArrayLike | None = None,
    max: Tensor | ArrayLike | None = None,
) -> Tensor: ...
@overload
def clip(
    x: ArrayLike,
    /,
    min: Tensor | None = None,
    max: Tensor | ArrayLike | None = None,
) -> Tensor: ...
@overload
def clip(
    x: ArrayLike,
    /,
    min: ArrayLike | None = None,
    max: Tensor | None = None,
) -> Tensor: ...
@overload
def clip(
    x: ArrayLike,
    /,
    min: ArrayLike | None = None,
    max: ArrayLike | None = None,
) -> Any: ...
@overload
def clip_max(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def clip_max(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def clip_max(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def clip_min(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def clip_min(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def clip_min(a: ArrayLike, b: ArrayLike, /) -> Any: ...
def concatenate(tensors: Sequence[Tensor | ArrayLike], /, axis: int = 0) -> Any: ...
@overload
def conv1d(
    x: Tensor,
    weight: Tensor | ArrayLike,
    /,
    bias: Tensor | ArrayLike | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor: ...
@overload
def conv1d(
    x: ArrayLike,
    weight: Tensor,
    /,
    bias: Tensor | ArrayLike | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor: ...
@overload
def conv1d(
    x: ArrayLike,
    weight: ArrayLike,
    /,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor: ...
@overload
def conv1d(
    x: ArrayLike,
    weight: ArrayLike,
    /,
    bias: ArrayLike | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Any: ...
@overload
def conv2d(
    x: Tensor,
    weight: Tensor | ArrayLike,
    /,
    bias: Tensor | ArrayLike | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor: ...
@overload
def conv2d(
    x: ArrayLike,
    weight: Tensor,
    /,
    bias: Tensor | ArrayLike | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor: ...
@overload
def conv2d(
    x: ArrayLike,
    weight: ArrayLike,
    /,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor: ...
@overload
def conv2d(
    x: ArrayLike,
    weight: ArrayLike,
    /,
    bias: ArrayLike | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Any: ...
@overload
def conv3d(
    x: Tensor,
    weight: Tensor | ArrayLike,
    /,
    bias: Tensor | ArrayLike | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor: ...
@overload
def conv3d(
    x: ArrayLike,
    weight: Tensor,
    /,
    bias: Tensor | ArrayLike | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor: ...
@overload
def conv3d(
    x: ArrayLike,
    weight: ArrayLike,
    /,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor: ...
@overload
def conv3d(
    x: ArrayLike,
    weight: ArrayLike,
    /,
    bias: ArrayLike | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Any: ...
@overload
def conv_transpose1d(
    x: Tensor,
    weight: Tensor | ArrayLike,
    /,
    bias: Tensor | ArrayLike | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    output_padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor: ...
@overload
def conv_transpose1d(
    x: ArrayLike,
    weight: Tensor,
    /,
    bias: Tensor | ArrayLike | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    output_padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor: ...
@overload
def conv_transpose1d(
    x: ArrayLike,
    weight: ArrayLike,
    /,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    output_padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor: ...
@overload
def conv_transpose1d(
    x: ArrayLike,
    weight: ArrayLike,
    /,
    bias: ArrayLike | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    output_padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Any: ...
@overload
def conv_transpose2d(
    x: Tensor,
    weight: Tensor | ArrayLike,
    /,
    bias: Tensor | ArrayLike | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    output_padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor: ...
@overload
def conv_transpose2d(
    x: ArrayLike,
    weight: Tensor,
    /,
    bias: Tensor | ArrayLike | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    output_padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor: ...
@overload
def conv_transpose2d(
    x: ArrayLike,
    weight: ArrayLike,
    /,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    output_padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor: ...
@overload
def conv_transpose2d(
    x: ArrayLike,
    weight: ArrayLike,
    /,
    bias: ArrayLike | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    output_padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Any: ...
@overload
def conv_transpose3d(
    x: Tensor,
    weight: Tensor | ArrayLike,
    /,
    bias: Tensor | ArrayLike | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    output_padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor: ...
@overload
def conv_transpose3d(
    x: ArrayLike,
    weight: Tensor,
    /,
    bias: Tensor | ArrayLike | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    output_padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor: ...
@overload
def conv_transpose3d(
    x: ArrayLike,
    weight: ArrayLike,
    /,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    output_padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor: ...
@overload
def conv_transpose3d(
    x: ArrayLike,
    weight: ArrayLike,
    /,
    bias: ArrayLike | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
    output_padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Any: ...
@overload
def copysign(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def copysign(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def copysign(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def cos(x: Tensor, /) -> Tensor: ...
@overload
def cos(x: ArrayLike, /) -> Any: ...
@overload
def cosh(x: Tensor, /) -> Tensor: ...
@overload
def cosh(x: ArrayLike, /) -> Any: ...
@overload
def count_nonzero(
    x: Tensor,
    /,
    axis: _Axes = None,
    keepdims: bool = False,
) -> Tensor: ...
@overload
def count_nonzero(
    x: ArrayLike,
    /,
    axis: _Axes = None,
    keepdims: bool = False,
) -> Any: ...
@overload
def cross(
    a: Tensor,
    b: Tensor | ArrayLike,
    /,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Tensor: ...
@overload
def cross(
    a: ArrayLike,
    b: Tensor,
    /,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Tensor: ...
@overload
def cross(
    a: ArrayLike,
    b: ArrayLike,
    /,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Any: ...
@overload
def cumprod(x: Tensor, /, axis: int | None = None) -> Tensor: ...
@overload
def cumprod(x: ArrayLike, /, axis: int | None = None) -> Any: ...
@overload
def cumsum(x: Tensor, /, axis: int | None = None) -> Tensor: ...
@overload
def cumsum(x: ArrayLike, /, axis: int | None = None) -> Any: ...
def debug(array: ArrayLike, /) -> str: ...
def descend(
    gradient: Grad,
    parameters: list[Tensor],
    rates: list[float],
    /,
) -> list[_Array]: ...
@overload
def diag(x: Tensor, /, k: int = 0) -> Tensor: ...
@overload
def diag(x: ArrayLike, /, k: int = 0) -> Any: ...
@overload
def diagonal(
    x: Tensor,
    /,
    offset: int = 0,
    axis1: int = 0,
    axis2: int = 1,
) -> Tensor: ...
@overload
def diagonal(
    x: ArrayLike,
    /,
    offset: int = 0,
    axis1: int = 0,
    axis2: int = 1,
) -> Any: ...
@overload
def divide(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def divide(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def divide(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def dot(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def dot(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def dot(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def dropout(x: Tensor, /, rate: float, rng: Rng | None = None) -> Tensor: ...
@overload
def dropout(x: ArrayLike, /, rate: float, rng: Rng | None = None) -> Any: ...
def einsum(
    subscripts: str | Tensor | ArrayLike,
    /,
    *operands: Tensor | ArrayLike | Sequence[Any],
) -> Any: ...
@overload
def elu(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def elu(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def elu(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def embedding(table: Tensor, ids: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def embedding(table: ArrayLike, ids: Tensor, /) -> Tensor: ...
@overload
def embedding(table: ArrayLike, ids: ArrayLike, /) -> Any: ...
@overload
def equal(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def equal(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def equal(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def erf(x: Tensor, /) -> Tensor: ...
@overload
def erf(x: ArrayLike, /) -> Any: ...
@overload
def erfc(x: Tensor, /) -> Tensor: ...
@overload
def erfc(x: ArrayLike, /) -> Any: ...
@overload
def exp(x: Tensor, /) -> Tensor: ...
@overload
def exp(x: ArrayLike, /) -> Any: ...
@overload
def exp2(x: Tensor, /) -> Tensor: ...
@overload
def exp2(x: ArrayLike, /) -> Any: ...
@overload
def expand_dims(x: Tensor, /, axis: _Axes) -> Tensor: ...
@overload
def expand_dims(x: ArrayLike, /, axis: _Axes) -> Any: ...
@overload
def expm1(x: Tensor, /) -> Tensor: ...
@overload
def expm1(x: ArrayLike, /) -> Any: ...
@overload
def flip(x: Tensor, /, axis: _Axes = None) -> Tensor: ...
@overload
def flip(x: ArrayLike, /, axis: _Axes = None) -> Any: ...
@overload
def floor(x: Tensor, /) -> Tensor: ...
@overload
def floor(x: ArrayLike, /) -> Any: ...
@overload
def fmax(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def fmax(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def fmax(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def fmin(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def fmin(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def fmin(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def fmod(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def fmod(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def fmod(a: ArrayLike, b: ArrayLike, /) -> Any: ...
def freeze(array: ArrayLike, /) -> _Array: ...
@overload
def gather(x: Tensor, indices: Tensor | ArrayLike, /, axis: int = -1) -> Tensor: ...
@overload
def gather(x: ArrayLike, indices: Tensor, /, axis: int = -1) -> Tensor: ...
@overload
def gather(x: ArrayLike, indices: ArrayLike, /, axis: int = -1) -> Any: ...
@overload
def gelu(x: Tensor, /) -> Tensor: ...
@overload
def gelu(x: ArrayLike, /) -> Any: ...
@overload
def gelu_tanh(x: Tensor, /) -> Tensor: ...
@overload
def gelu_tanh(x: ArrayLike, /) -> Any: ...
@overload
def greater(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def greater(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def greater(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def greater_equal(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def greater_equal(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def greater_equal(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def hardtanh(x: Tensor, /, low: float = -1.0, high: float = 1.0) -> Tensor: ...
@overload
def hardtanh(x: ArrayLike, /, low: float = -1.0, high: float = 1.0) -> Any: ...
@overload
def hypot(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def hypot(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def hypot(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def inner(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def inner(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def inner(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def isfinite(x: Tensor, /) -> Tensor: ...
@overload
def isfinite(x: ArrayLike, /) -> Any: ...
@overload
def isinf(x: Tensor, /) -> Tensor: ...
@overload
def isinf(x: ArrayLike, /) -> Any: ...
@overload
def isnan(x: Tensor, /) -> Tensor: ...
@overload
def isnan(x: ArrayLike, /) -> Any: ...
@overload
def kron(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def kron(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def kron(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def layer_norm(
    x: Tensor,
    /,
    scale: Tensor | ArrayLike | None = None,
    bias: Tensor | ArrayLike | None = None,
    axis: _Axes = None,
    eps: float = 1e-05,
) -> Tensor: ...
@overload
def layer_norm(
    x: ArrayLike,
    /,
    scale: Tensor | None = None,
    bias: Tensor | ArrayLike | None = None,
    axis: _Axes = None,
    eps: float = 1e-05,
) -> Tensor: ...
@overload
def layer_norm(
    x: ArrayLike,
    /,
    scale: ArrayLike | None = None,
    bias: Tensor | None = None,
    axis: _Axes = None,
    eps: float = 1e-05,
) -> Tensor: ...
@overload
def layer_norm(
    x: ArrayLike,
    /,
    scale: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    axis: _Axes = None,
    eps: float = 1e-05,
) -> Any: ...
@overload
def leaky_relu(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def leaky_relu(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def leaky_relu(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def left_shift(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def left_shift(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def left_shift(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def less(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def less(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def less(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def less_equal(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def less_equal(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def less_equal(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def linear(
    x: Tensor,
    weight: Tensor | ArrayLike,
    /,
    bias: Tensor | ArrayLike | None = None,
    activation: str | None = None,
) -> Tensor: ...
@overload
def linear(
    x: ArrayLike,
    weight: Tensor,
    /,
    bias: Tensor | ArrayLike | None = None,
    activation: str | None = None,
) -> Tensor: ...
@overload
def linear(
    x: ArrayLike,
    weight: ArrayLike,
    /,
    bias: Tensor | None = None,
    activation: str | None = None,
) -> Tensor: ...
@overload
def linear(
    x: ArrayLike,
    weight: ArrayLike,
    /,
    bias: ArrayLike | None = None,
    activation: str | None = None,
) -> Any: ...
@overload
def log(x: Tensor, /) -> Tensor: ...
@overload
def log(x: ArrayLike, /) -> Any: ...
@overload
def log10(x: Tensor, /) -> Tensor: ...
@overload
def log10(x: ArrayLike, /) -> Any: ...
@overload
def log1p(x: Tensor, /) -> Tensor: ...
@overload
def log1p(x: ArrayLike, /) -> Any: ...
@overload
def log2(x: Tensor, /) -> Tensor: ...
@overload
def log2(x: ArrayLike, /) -> Any: ...
@overload
def log_softmax(x: Tensor, /, axis: int = -1) -> Tensor: ...
@overload
def log_softmax(x: ArrayLike, /, axis: int = -1) -> Any: ...
@overload
def logaddexp(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def logaddexp(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def logaddexp(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def logcumsumexp(x: Tensor, /, axis: int | None = None) -> Tensor: ...
@overload
def logcumsumexp(x: ArrayLike, /, axis: int | None = None) -> Any: ...
@overload
def logical_and(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def logical_and(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def logical_and(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def logical_not(x: Tensor, /) -> Tensor: ...
@overload
def logical_not(x: ArrayLike, /) -> Any: ...
@overload
def logical_or(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def logical_or(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def logical_or(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def logical_xor(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def logical_xor(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def logical_xor(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def logsumexp(x: Tensor, /, axis: _Axes = None, keepdims: bool = False) -> Tensor: ...
@overload
def logsumexp(x: ArrayLike, /, axis: _Axes = None, keepdims: bool = False) -> Any: ...
@overload
def matmul(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def matmul(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def matmul(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def max(x: Tensor, /, axis: _Axes = None, keepdims: bool = False) -> Tensor: ...
@overload
def max(x: ArrayLike, /, axis: _Axes = None, keepdims: bool = False) -> Any: ...
@overload
def max_pool1d(
    x: Tensor,
    window: int | Sequence[int],
    /,
    stride: int | Sequence[int] | None = None,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
) -> Tensor: ...
@overload
def max_pool1d(
    x: ArrayLike,
    window: int | Sequence[int],
    /,
    stride: int | Sequence[int] | None = None,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
) -> Any: ...
@overload
def max_pool2d(
    x: Tensor,
    window: int | Sequence[int],
    /,
    stride: int | Sequence[int] | None = None,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
) -> Tensor: ...
@overload
def max_pool2d(
    x: ArrayLike,
    window: int | Sequence[int],
    /,
    stride: int | Sequence[int] | None = None,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
) -> Any: ...
@overload
def max_pool3d(
    x: Tensor,
    window: int | Sequence[int],
    /,
    stride: int | Sequence[int] | None = None,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
) -> Tensor: ...
@overload
def max_pool3d(
    x: ArrayLike,
    window: int | Sequence[int],
    /,
    stride: int | Sequence[int] | None = None,
    padding: str | int | Sequence[int | tuple[int, int]] = 0,
) -> Any: ...
@overload
def maximum(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def maximum(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def maximum(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def mean(x: Tensor, /, axis: _Axes = None, keepdims: bool = False) -> Tensor: ...
@overload
def mean(x: ArrayLike, /, axis: _Axes = None, keepdims: bool = False) -> Any: ...
@overload
def mean_squared_error(
    prediction: Tensor,
    target: Tensor | ArrayLike,
    /,
    broadcast: bool = False,
) -> Tensor: ...
@overload
def mean_squared_error(
    prediction: ArrayLike,
    target: Tensor,
    /,
    broadcast: bool = False,
) -> Tensor: ...
@overload
def mean_squared_error(
    prediction: ArrayLike,
    target: ArrayLike,
    /,
    broadcast: bool = False,
) -> Any: ...
@overload
def median(x: Tensor, /, axis: _Axes = None, keepdims: bool = False) -> Tensor: ...
@overload
def median(x: ArrayLike, /, axis: _Axes = None, keepdims: bool = False) -> Any: ...
def meshgrid(*xi: Tensor | ArrayLike, indexing: str = "xy") -> list[Any]: ...
@overload
def min(x: Tensor, /, axis: _Axes = None, keepdims: bool = False) -> Tensor: ...
@overload
def min(x: ArrayLike, /, axis: _Axes = None, keepdims: bool = False) -> Any: ...
@overload
def minimum(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def minimum(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def minimum(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def mish(x: Tensor, /) -> Tensor: ...
@overload
def mish(x: ArrayLike, /) -> Any: ...
@overload
def moveaxis(
    x: Tensor,
    source: int | Sequence[int],
    destination: int | Sequence[int],
    /,
) -> Tensor: ...
@overload
def moveaxis(
    x: ArrayLike,
    source: int | Sequence[int],
    destination: int | Sequence[int],
    /,
) -> Any: ...
@overload
def multiply(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def multiply(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def multiply(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def multiply_no_nan(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def multiply_no_nan(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def multiply_no_nan(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def nan_to_num(
    x: Tensor,
    /,
    nan: float = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Tensor: ...
@overload
def nan_to_num(
    x: ArrayLike,
    /,
    nan: float = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Any: ...
@overload
def negative(x: Tensor, /) -> Tensor: ...
@overload
def negative(x: ArrayLike, /) -> Any: ...
@overload
def norm(
    x: Tensor,
    /,
    ord: float = 2.0,
    axis: _Axes = None,
    keepdims: bool = False,
) -> Tensor: ...
@overload
def norm(
    x: ArrayLike,
    /,
    ord: float = 2.0,
    axis: _Axes = None,
    keepdims: bool = False,
) -> Any: ...
@overload
def not_equal(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def not_equal(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def not_equal(a: ArrayLike, b: ArrayLike, /) -> Any: ...
def num_threads() -> int: ...
@overload
def one_hot(
    labels: Tensor,
    classes: int,
    /,
    dtype: npt.DTypeLike | None = None,
) -> Tensor: ...
@overload
def one_hot(
    labels: ArrayLike,
    classes: int,
    /,
    dtype: npt.DTypeLike | None = None,
) -> Any: ...
def op_table() -> list[dict[str, Any]]: ...
@overload
def outer(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def outer(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def outer(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def pad(
    x: Tensor,
    pad_width: int | tuple[int, int] | Sequence[tuple[int, int]],
    /,
    mode: str = "constant",
    constant_values: float = 0.0,
) -> Tensor: ...
@overload
def pad(
    x: ArrayLike,
    pad_width: int | tuple[int, int] | Sequence[tuple[int, int]],
    /,
    mode: str = "constant",
    constant_values: float = 0.0,
) -> Any: ...
def pool_bytes() -> int: ...
def pool_limit() -> int: ...
@overload
def power(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def power(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def power(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def prod(x: Tensor, /, axis: _Axes = None, keepdims: bool = False) -> Tensor: ...
@overload
def prod(x: ArrayLike, /, axis: _Axes = None, keepdims: bool = False) -> Any: ...
@overload
def put_along_axis(
    x: Tensor,
    indices: Tensor | ArrayLike,
    values: Tensor | ArrayLike,
    /,
    axis: _Axes = -1,
) -> Tensor: ...
@overload
def put_along_axis(
    x: ArrayLike,
    indices: Tensor,
    values: Tensor | ArrayLike,
    /,
    axis: _Axes = -1,
) -> Tensor: ...
@overload
def put_along_axis(
    x: ArrayLike,
    indices: ArrayLike,
    values: Tensor,
    /,
    axis: _Axes = -1,
) -> Tensor: ...
@overload
def put_along_axis(
    x: ArrayLike,
    indices: ArrayLike,
    values: ArrayLike,
    /,
    axis: _Axes = -1,
) -> Any: ...
@overload
def reciprocal(x: Tensor, /) -> Tensor: ...
@overload
def reciprocal(x: ArrayLike, /) -> Any: ...
def release_pool() -> None: ...
@overload
def relu(x: Tensor, /) -> Tensor: ...
@overload
def relu(x: ArrayLike, /) -> Any: ...
@overload
def remainder(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def remainder(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def remainder(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def repeat(
    x: Tensor,
    repeats: int | Sequence[int],
    /,
    axis: int | None = None,
) -> Tensor: ...
@overload
def repeat(
    x: ArrayLike,
    repeats: int | Sequence[int],
    /,
    axis: int | None = None,
) -> Any: ...
@overload
def reshape(x: Tensor, /, shape: int | Sequence[int]) -> Tensor: ...
@overload
def reshape(x: ArrayLike, /, shape: int | Sequence[int]) -> Any: ...
@overload
def right_shift(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def right_shift(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def right_shift(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def rint(x: Tensor, /) -> Tensor: ...
@overload
def rint(x: ArrayLike, /) -> Any: ...
@overload
def rms_norm(
    x: Tensor,
    /,
    scale: Tensor | ArrayLike | None = None,
    axis: _Axes = None,
    eps: float = 1e-05,
) -> Tensor: ...
@overload
def rms_norm(
    x: ArrayLike,
    /,
    scale: Tensor | None = None,
    axis: _Axes = None,
    eps: float = 1e-05,
) -> Tensor: ...
@overload
def rms_norm(
    x: ArrayLike,
    /,
    scale: ArrayLike | None = None,
    axis: _Axes = None,
    eps: float = 1e-05,
) -> Any: ...
@overload
def roll(x: Tensor, /, shift: int | Sequence[int], axis: _Axes = None) -> Tensor: ...
@overload
def roll(x: ArrayLike, /, shift: int | Sequence[int], axis: _Axes = None) -> Any: ...
@overload
def round(x: Tensor, /, decimals: int = 0) -> Tensor: ...
@overload
def round(x: ArrayLike, /, decimals: int = 0) -> Any: ...
@overload
def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor | ArrayLike,
    value: Tensor | ArrayLike,
    /,
    mask: Tensor | ArrayLike | None = None,
    causal: bool = False,
    scale: float | None = None,
) -> Tensor: ...
@overload
def scaled_dot_product_attention(
    query: ArrayLike,
    key: Tensor,
    value: Tensor | ArrayLike,
    /,
    mask: Tensor | ArrayLike | None = None,
    causal: bool = False,
    scale: float | None = None,
) -> Tensor: ...
@overload
def scaled_dot_product_attention(
    query: ArrayLike,
    key: ArrayLike,
    value: Tensor,
    /,
    mask: Tensor | ArrayLike | None = None,
    causal: bool = False,
    scale: float | None = None,
) -> Tensor: ...
@overload
def scaled_dot_product_attention(
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    /,
    mask: Tensor | None = None,
    causal: bool = False,
    scale: float | None = None,
) -> Tensor: ...
@overload
def scaled_dot_product_attention(
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    /,
    mask: ArrayLike | None = None,
    causal: bool = False,
    scale: float | None = None,
) -> Any: ...
@overload
def scatter(
    x: Tensor,
    indices: Tensor | ArrayLike,
    values: Tensor | ArrayLike,
    /,
    axis: _Axes = -1,
) -> Tensor: ...
@overload
def scatter(
    x: ArrayLike,
    indices: Tensor,
    values: Tensor | ArrayLike,
    /,
    axis: _Axes = -1,
) -> Tensor: ...
@overload
def scatter(
    x: ArrayLike,
    indices: ArrayLike,
    values: Tensor,
    /,
    axis: _Axes = -1,
) -> Tensor: ...
@overload
def scatter(
    x: ArrayLike,
    indices: ArrayLike,
    values: ArrayLike,
    /,
    axis: _Axes = -1,
) -> Any: ...
@overload
def scatter_add(
    x: Tensor,
    indices: Tensor | ArrayLike,
    values: Tensor | ArrayLike,
    /,
    axis: int = -1,
) -> Tensor: ...
@overload
def scatter_add(
    x: ArrayLike,
    indices: Tensor,
    values: Tensor | ArrayLike,
    /,
    axis: int = -1,
) -> Tensor: ...
@overload
def scatter_add(
    x: ArrayLike,
    indices: ArrayLike,
    values: Tensor,
    /,
    axis: int = -1,
) -> Tensor: ...
@overload
def scatter_add(
    x: ArrayLike,
    indices: ArrayLike,
    values: ArrayLike,
    /,
    axis: int = -1,
) -> Any: ...
@overload
def selu(x: Tensor, /) -> Tensor: ...
@overload
def selu(x: ArrayLike, /) -> Any: ...
def set_num_threads(threads: int, /) -> None: ...
def set_pool_limit(limit: int, /) -> None: ...
@overload
def sigmoid(x: Tensor, /) -> Tensor: ...
@overload
def sigmoid(x: ArrayLike, /) -> Any: ...
@overload
def sign(x: Tensor, /) -> Tensor: ...
@overload
def sign(x: ArrayLike, /) -> Any: ...
@overload
def silu(x: Tensor, /) -> Tensor: ...
@overload
def silu(x: ArrayLike, /) -> Any: ...
@overload
def sin(x: Tensor, /) -> Tensor: ...
@overload
def sin(x: ArrayLike, /) -> Any: ...
@overload
def sinh(x: Tensor, /) -> Tensor: ...
@overload
def sinh(x: ArrayLike, /) -> Any: ...
@overload
def softmax(x: Tensor, /, axis: int = -1) -> Tensor: ...
@overload
def softmax(x: ArrayLike, /, axis: int = -1) -> Any: ...
@overload
def softmax_cross_entropy(logits: Tensor, labels: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def softmax_cross_entropy(logits: ArrayLike, labels: Tensor, /) -> Tensor: ...
@overload
def softmax_cross_entropy(logits: ArrayLike, labels: ArrayLike, /) -> Any: ...
@overload
def softplus(x: Tensor, /) -> Tensor: ...
@overload
def softplus(x: ArrayLike, /) -> Any: ...
@overload
def sort(x: Tensor, /, axis: int | None = -1) -> Tensor: ...
@overload
def sort(x: ArrayLike, /, axis: int | None = -1) -> Any: ...
@overload
def split(
    x: Tensor,
    indices_or_sections: int | Sequence[int],
    /,
    axis: int = 0,
) -> list[Tensor]: ...
@overload
def split(
    x: ArrayLike,
    indices_or_sections: int | Sequence[int],
    /,
    axis: int = 0,
) -> list[Any]: ...
@overload
def sqrt(x: Tensor, /) -> Tensor: ...
@overload
def sqrt(x: ArrayLike, /) -> Any: ...
@overload
def square(x: Tensor, /) -> Tensor: ...
@overload
def square(x: ArrayLike, /) -> Any: ...
@overload
def squeeze(x: Tensor, /, axis: _Axes = None) -> Tensor: ...
@overload
def squeeze(x: ArrayLike, /, axis: _Axes = None) -> Any: ...
def stack(tensors: Sequence[Tensor | ArrayLike], /, axis: int = 0) -> Any: ...
@overload
def std(
    x: Tensor,
    /,
    axis: _Axes = None,
    ddof: float = 0.0,
    keepdims: bool = False,
) -> Tensor: ...
@overload
def std(
    x: ArrayLike,
    /,
    axis: _Axes = None,
    ddof: float = 0.0,
    keepdims: bool = False,
) -> Any: ...
@overload
def stop_gradient(x: Tensor, /) -> Tensor: ...
@overload
def stop_gradient(x: ArrayLike, /) -> Any: ...
@overload
def subtract(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def subtract(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def subtract(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def sum(x: Tensor, /, axis: _Axes = None, keepdims: bool = False) -> Tensor: ...
@overload
def sum(x: ArrayLike, /, axis: _Axes = None, keepdims: bool = False) -> Any: ...
@overload
def swapaxes(x: Tensor, axis1: int, axis2: int, /) -> Tensor: ...
@overload
def swapaxes(x: ArrayLike, axis1: int, axis2: int, /) -> Any: ...
@overload
def take(
    x: Tensor,
    indices: Tensor | ArrayLike,
    /,
    axis: int | None = None,
) -> Tensor: ...
@overload
def take(x: ArrayLike, indices: Tensor, /, axis: int | None = None) -> Tensor: ...
@overload
def take(x: ArrayLike, indices: ArrayLike, /, axis: int | None = None) -> Any: ...
@overload
def take_along_axis(
    x: Tensor,
    indices: Tensor | ArrayLike,
    /,
    axis: int | None = -1,
) -> Tensor: ...
@overload
def take_along_axis(
    x: ArrayLike,
    indices: Tensor,
    /,
    axis: int | None = -1,
) -> Tensor: ...
@overload
def take_along_axis(
    x: ArrayLike,
    indices: ArrayLike,
    /,
    axis: int | None = -1,
) -> Any: ...
@overload
def tan(x: Tensor, /) -> Tensor: ...
@overload
def tan(x: ArrayLike, /) -> Any: ...
@overload
def tanh(x: Tensor, /) -> Tensor: ...
@overload
def tanh(x: ArrayLike, /) -> Any: ...
@overload
def tensordot(
    a: Tensor,
    b: Tensor | ArrayLike,
    /,
    axes: int | Sequence[int | Sequence[int]] = 2,
) -> Tensor: ...
@overload
def tensordot(
    a: ArrayLike,
    b: Tensor,
    /,
    axes: int | Sequence[int | Sequence[int]] = 2,
) -> Tensor: ...
@overload
def tensordot(
    a: ArrayLike,
    b: ArrayLike,
    /,
    axes: int | Sequence[int | Sequence[int]] = 2,
) -> Any: ...
@overload
def tile(x: Tensor, reps: int | Sequence[int], /) -> Tensor: ...
@overload
def tile(x: ArrayLike, reps: int | Sequence[int], /) -> Any: ...
@overload
def topk(x: Tensor, k: int, /, axis: int = -1) -> tuple[Tensor, Tensor]: ...
@overload
def topk(x: ArrayLike, k: int, /, axis: int = -1) -> tuple[Any, Any]: ...
@overload
def transpose(x: Tensor, /, axes: _Axes = None) -> Tensor: ...
@overload
def transpose(x: ArrayLike, /, axes: _Axes = None) -> Any: ...
@overload
def tril(x: Tensor, /, k: int = 0) -> Tensor: ...
@overload
def tril(x: ArrayLike, /, k: int = 0) -> Any: ...
@overload
def triu(x: Tensor, /, k: int = 0) -> Tensor: ...
@overload
def triu(x: ArrayLike, /, k: int = 0) -> Any: ...
@overload
def trunc(x: Tensor, /) -> Tensor: ...
@overload
def trunc(x: ArrayLike, /) -> Any: ...
@overload
def unique(x: Tensor, /) -> Tensor: ...
@overload
def unique(x: ArrayLike, /) -> Any: ...
@overload
def var(
    x: Tensor,
    /,
    axis: _Axes = None,
    ddof: float = 0.0,
    keepdims: bool = False,
) -> Tensor: ...
@overload
def var(
    x: ArrayLike,
    /,
    axis: _Axes = None,
    ddof: float = 0.0,
    keepdims: bool = False,
) -> Any: ...
@overload
def vdot(a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def vdot(a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def vdot(a: ArrayLike, b: ArrayLike, /) -> Any: ...
@overload
def where(
    condition: Tensor,
    a: Tensor | ArrayLike,
    b: Tensor | ArrayLike,
    /,
) -> Tensor: ...
@overload
def where(condition: ArrayLike, a: Tensor, b: Tensor | ArrayLike, /) -> Tensor: ...
@overload
def where(condition: ArrayLike, a: ArrayLike, b: Tensor, /) -> Tensor: ...
@overload
def where(condition: ArrayLike, a: ArrayLike, b: ArrayLike, /) -> Any: ...
