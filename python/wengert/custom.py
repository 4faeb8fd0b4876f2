"""Ops of one's own: functions of arrays, with rules for their derivatives."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Literal, TypeAlias, TypeVar, overload

from wengert._core import _check_custom, _custom

__all__ = ["CustomOp", "custom_op"]

_Function: TypeAlias = Callable[..., Any]
_Rule = TypeVar("_Rule", bound=_Function)
_On: TypeAlias = Literal["arrays", "tensors"]


class CustomOp:
    """An op of one's own, as `custom_op` makes it.

    Called with tensors it records one node, which has the op's name. Tensors, arrays
    and Python numbers are operands, as of other ops; what is given by keyword is an
    option, which all functions of the op get as it is. An op has one value.

    The functions get read-only NumPy arrays. They may use any record, also the one that
    they are called for: no lock is held meanwhile. What they raise reaches the caller
    unchanged. What they give is checked: DTypeError and ShapeError name the function.

    Examples
    --------
    >>> import wengert
    >>> power = wengert.custom_op(lambda x, *, n: x**n, name="power")
    >>> rule = power.vjp(lambda ct, y, x, *, n: n * x ** (n - 1) * ct)
    >>> x = wengert.ComputationRecord().tensor_from_value([1.0, 2.0])
    >>> power(x, n=3).sum().grad().wrt(x).data()
    array([ 3., 12.])
    """

    def __init__(self, forward: _Function, name: str | None = None) -> None:
        functools.update_wrapper(self, forward)
        # A partial function, among others, has no name.
        self.name = name or getattr(forward, "__name__", type(forward).__name__)
        self._forward = forward
        self._vjp: _Function | None = None
        self._vjp_on_tensors: _Function | None = None
        self._jvp: _Function | None = None

    def __call__(self, *operands: Any, **options: Any) -> Any:
        """Apply the op: a tensor, or an array if no operand is a tensor."""
        return _custom(self, operands, options)

    @overload
    def vjp(self, rule: _Rule, /, *, on: _On = "arrays") -> _Rule: ...
    @overload
    def vjp(
        self, rule: None = None, /, *, on: _On = "arrays"
    ) -> Callable[[_Rule], _Rule]: ...
    def vjp(self, rule: Any = None, /, *, on: _On = "arrays") -> Any:
        """Give the op the rule of its derivative; a decorator.

        Parameters
        ----------
        rule : callable
            Called with the cotangent, the value and the operands, it gives the
            cotangent of each operand: a tuple, or for a single operand the cotangent
            alone. Each has the shape and the type of its operand; None is zero, and is
            what an operand of integers gets.
        on : "arrays" or "tensors"
            What the rule works on. One on arrays cannot be differentiated again:
            GradError names it. One on tensors consists of functions of this package,
            and can, to any order. An op may have both.

        Examples
        --------
        >>> import wengert
        >>> cube = wengert.custom_op(lambda x: x**3, name="cube")
        >>> rule = cube.vjp(lambda ct, y, x: 3 * x**2 * ct, on="tensors")
        >>> x = wengert.ComputationRecord().tensor_from_value(2.0)
        >>> slope = cube(x).grad(record=True).wrt(x)
        >>> slope.item(), slope.grad().wrt(x).item()
        (12.0, 12.0)
        """
        if on not in ("arrays", "tensors"):
            raise ValueError(
                f"{self.name}.vjp: on is 'arrays' or 'tensors', not {on!r}"
            )
        if rule is None:
            return functools.partial(self.vjp, on=on)
        if on == "arrays":
            self._vjp = rule
        else:
            self._vjp_on_tensors = rule
        return rule

    def jvp(self, rule: _Rule, /) -> _Rule:
        """Give the op the rule for tangents, which `check` compares; a decorator.

        Called with the tangents, the value and the operands, it gives the tangent of
        the value. The tangents are a tuple, or for a single operand its tangent alone;
        that of an operand of integers is None. Sweeps need no such rule.

        Examples
        --------
        >>> import wengert
        >>> cube = wengert.custom_op(lambda x: x**3, name="cube")
        >>> rule = cube.jvp(lambda t, y, x: 3 * x**2 * t)
        """
        self._jvp = rule
        return rule

    def check(self, *operands: Any, rtol: float = 1e-5, **options: Any) -> None:
        """Compare every rule of the op with differences of its values.

        GradError says which rule is wrong, and for which operand. Floats are computed
        in float64; the directions are always the same random ones.

        Parameters
        ----------
        *operands : array_like
            Where to compare: no nearer than a thousandth to a kink or to the end of the
            function's domain.
        rtol : float
            What a rule's result may be wrong by, compared with the sum of the
            magnitudes of its terms.
        **options
            The options of the op.

        Examples
        --------
        >>> import wengert
        >>> cube = wengert.custom_op(lambda x: x**3, name="cube")
        >>> rule = cube.vjp(lambda ct, y, x: 3 * x**2 * ct)
        >>> cube.check([1.0, 2.0])
        """
        _check_custom(self, operands, options, rtol)

    def __repr__(self) -> str:
        return f"<custom op {self.name}>"


def custom_op(forward: _Function, /, *, name: str | None = None) -> CustomOp:
    """Make an op of a function of arrays; a decorator.

    Parameters
    ----------
    forward : callable
        Called with read-only arrays, it gives one array, of float32, float64, int64 or
        bool. Without `CustomOp.vjp`, a sweep that reaches the op raises GradError.
    name : str, optional
        What messages and views call the op; by default the function's name.

    Examples
    --------
    >>> import wengert
    >>> @wengert.custom_op
    ... def cube(x):
    ...     return x**3
    >>> rule = cube.vjp(lambda ct, y, x: 3 * x**2 * ct)
    >>> cube(wengert.ComputationRecord().ones(2))
    <tensor #1 cube f64 (2,): [1, 1]>
    """
    return CustomOp(forward, name)
