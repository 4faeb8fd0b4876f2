"""Where parameters live between records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import numpy.typing as npt

from wengert import _core

__all__ = ["ParameterStore"]

Array = npt.NDArray[Any]


class ParameterStore(MutableMapping[str, Array]):
    """A mutable mapping from names to read-only arrays.

    An array that is put in is copied once; records that read it share its memory. A
    plain dict works wherever a store does; its arrays are copied into each record.

    Parameters
    ----------
    parameters : mapping from str to array_like, optional
        What the store holds at first. Elements are of float32, float64, int64 or bool.

    Examples
    --------
    >>> import wengert
    >>> store = wengert.ParameterStore({"x": [2.0]})
    >>> store["x"] = store["x"] - 0.5
    >>> store
    ParameterStore(x: float64 (1,))
    """

    def __init__(self, parameters: Mapping[str, npt.ArrayLike] | None = None) -> None:
        self._arrays: dict[str, Array] = {}
        for name, value in (parameters or {}).items():
            self[name] = value

    def __getitem__(self, name: str) -> Array:
        """Give the parameter of this name; KeyError if there is none."""
        return self._arrays[name]

    def __setitem__(self, name: str, value: npt.ArrayLike) -> None:
        """Put a read-only copy of an array in; TypeError if the name is no string."""
        if not isinstance(name, str):
            raise TypeError(f"a parameter's name is a string, not {name!r}")
        self._arrays[name] = _core.freeze(value)

    def _adopt(self, arrays: Mapping[str, Array]) -> None:
        """Put in what this package has just made: it is read-only and nobody else's."""
        self._arrays.update(arrays)

    def __delitem__(self, name: str) -> None:
        """Take a parameter out; KeyError if there is none."""
        del self._arrays[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is a parameter of this name."""
        return name in self._arrays

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names, in the order in which they were put in."""
        return iter(self._arrays)

    def __len__(self) -> int:
        """Count the parameters."""
        return len(self._arrays)

    def __reduce__(self) -> tuple[type[ParameterStore], tuple[dict[str, Array]]]:
        """Copy and pickle as a store of the same arrays."""
        return type(self), (dict(self._arrays),)

    def __repr__(self) -> str:
        """Show names, types and shapes."""
        rows = (f"{name}: {x.dtype} {x.shape}" for name, x in self._arrays.items())
        return f"ParameterStore({', '.join(rows)})"
