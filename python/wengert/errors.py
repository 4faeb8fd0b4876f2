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
    """The base of all exceptions of this package."""


class ShapeError(WengertError, ValueError):
    """Shapes, axes or sizes that do not fit."""


class DTypeError(WengertError, TypeError):
    """An element type, or a type of argument, that an operation does not take."""


class HandleError(WengertError, RuntimeError):
    """A tensor, mark or gradient that is dead, foreign, or of a record in use."""


class GradError(WengertError, RuntimeError):
    """A gradient that cannot be taken."""


class OutOfRangeError(WengertError, IndexError):
    """An index outside its axis, or nothing that can index."""


class CheckpointError(WengertError, ValueError):
    """A file of parameters that cannot be trusted."""


class NonFiniteError(WengertError, FloatingPointError):
    """A NaN or an infinity where none may be."""


class InternalError(WengertError, RuntimeError):
    """A defect of wengert itself. Please report it."""
