"""The exceptions of wengert.

Each also is a builtin exception, so code that catches ``ValueError`` or ``TypeError``
goes on working. ``MemoryError``, ``OverflowError`` and ``KeyError`` are raised as they
are.
"""

__all__ = [
    "CheckpointError",
    "DTypeError",
    "GradError",
    "HandleError",
    "InternalError",
    "NonFiniteError",
    "OutOfRangeError",
    "ShapeError",
    "WengertError",
]


class WengertError(Exception):
    """The base of all exceptions of this package.

    Examples
    --------
    >>> import wengert
    >>> issubclass(wengert.ShapeError, wengert.WengertError)
    True
    """


class ShapeError(WengertError, ValueError):
    """Shapes, axes or sizes that do not fit.

    Examples
    --------
    >>> import wengert
    >>> wengert.squeeze([1.0, 2.0], 0)
    Traceback (most recent call last):
    wengert.errors.ShapeError: squeeze: axis 0 of (2,) has size 2, not 1
    """


class DTypeError(WengertError, TypeError):
    """An element type, or a type of argument, that an operation does not take.

    Examples
    --------
    >>> import wengert
    >>> wengert.negative([True])
    Traceback (most recent call last):
    wengert.errors.DTypeError: negative: not defined for bool
    """


class HandleError(WengertError, RuntimeError):
    """A tensor, mark or gradient that is dead, foreign, or of a record in use.

    Examples
    --------
    >>> import wengert
    >>> rec = wengert.ComputationRecord()
    >>> x = rec.tensor_from_value(3.0)
    >>> rec.clear()
    >>> x.data()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    wengert.errors.HandleError: data: #0 tensor was made before the record was ...
    """


class GradError(WengertError, RuntimeError):
    """A gradient that cannot be taken.

    Examples
    --------
    >>> import wengert
    >>> x = wengert.ComputationRecord().tensor_from_value(3.0)
    >>> first = (x * x).grad().wrt(x)
    >>> first.grad()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    wengert.errors.GradError: grad: the sweep reached #2 gradient, ...
    """


class OutOfRangeError(WengertError, IndexError):
    """An index outside its axis, or nothing that can index.

    Examples
    --------
    >>> import wengert
    >>> wengert.take([1.0, 2.0], [2])
    Traceback (most recent call last):
    wengert.errors.OutOfRangeError: take: index 2 at (0,) is out of range for size 2
    """


class CheckpointError(WengertError, ValueError):
    """A file of parameters that cannot be trusted.

    Examples
    --------
    >>> import wengert
    >>> issubclass(wengert.CheckpointError, ValueError)
    True
    """


class NonFiniteError(WengertError, FloatingPointError):
    """A NaN or an infinity where none may be.

    Examples
    --------
    >>> import wengert
    >>> rec = wengert.ComputationRecord(check_finite=True)
    >>> wengert.log(rec.tensor_from_value(0.0))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    wengert.errors.NonFiniteError: log...
    """


class InternalError(WengertError, RuntimeError):
    """A defect of wengert itself. Please report it.

    Examples
    --------
    >>> import wengert
    >>> issubclass(wengert.InternalError, RuntimeError)
    True
    """
