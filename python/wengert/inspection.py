"""Where two records differ, as `ComputationRecord.diff` finds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wengert._core import ComputationRecord
from wengert._nodes import nodes, title

__all__ = ["Difference", "diff"]


@dataclass(frozen=True)
class Difference:
    """The first node at which two records differ.

    Its text says what differs, and where each record's node was recorded.

    Attributes
    ----------
    kind : str
        "op", "operands", "parameters", "type", "value" or "length".
    index, other_index : int or None
        The nodes' numbers; None where a record has no more nodes.
    text : str
        What differs, and where.

    Examples
    --------
    >>> import wengert
    >>> first, second = (wengert.ComputationRecord() for _ in range(2))
    >>> x, y = first.ones(2), second.ones(3)
    >>> difference = first.diff(second)
    >>> difference.kind, difference.index
    ('type', 0)
    >>> print(difference)
    type differs: f64 (2,) and f64 (3,)
      #0 tensor of record ..., recorded at ...
      #0 tensor of record ..., recorded at ...
    """

    kind: str
    index: int | None
    other_index: int | None
    text: str

    def __str__(self) -> str:
        """Say what differs, and where."""
        return self.text

    __repr__ = __str__


def diff(
    rec: ComputationRecord,
    other: ComputationRecord,
    rtol: float = 0.0,
    atol: float = 0.0,
) -> Difference | None:
    """Find the first node at which two records differ; see `ComputationRecord.diff`.

    Examples
    --------
    >>> import wengert
    >>> from wengert.inspection import diff
    >>> first, second = (wengert.ComputationRecord() for _ in range(2))
    >>> x, y = first.constant(1.0), second.constant(1.0 + 1e-12)
    >>> diff(first, second).kind, diff(first, second, rtol=1e-9)
    ('value', None)
    """
    ours, theirs = _Side(rec), _Side(other)
    pairs = zip(ours.kept, theirs.kept, strict=False)
    # The other record's node for each of this one's.
    match: dict[int, int] = {}
    for k, j in pairs:
        a, b = ours.nodes[k], theirs.nodes[j]
        operands = [match.get(x, x) if isinstance(x, int) else x for x in a.operands]
        if a.op != b.op:
            kind, what = "op", f"{a.op} and {b.op}"
        elif operands != b.operands:
            kind, what = "operands", f"{_listed(a.operands)} and {_listed(b.operands)}"
        elif a.parameters != b.parameters:
            kind, what = "parameters", f"{a.parameters} and {b.parameters}"
        elif a.type != b.type:
            kind, what = "type", f"{a.type} and {b.type}"
        else:
            found = _values(rec._value(k), other._value(j), rtol, atol)
            if found is None:
                match[k] = j
                continue
            kind, what = "value", found
        text = f"{kind} differs: {what}\n  {ours.line(k)}\n  {theirs.line(j)}"
        return Difference(kind, k, j, text)
    shorter = min(len(ours.kept), len(theirs.kept))
    for side, rest in ((ours, theirs), (theirs, ours)):
        if len(side.kept) > shorter:
            k = side.kept[shorter]
            text = f"length differs: {rest.title} ends before\n  {side.line(k)}"
            index, other_index = (k, None) if side is ours else (None, k)
            return Difference("length", index, other_index, text)
    return None


class _Side:
    """One of two records that are compared."""

    def __init__(self, rec: ComputationRecord) -> None:
        self.rec = rec
        self.nodes = nodes(rec)
        # A gradient that was not recorded is no part of the computation.
        self.kept = [k for k, node in enumerate(self.nodes) if node.op != "gradient"]
        self.title = title(rec)

    def line(self, k: int) -> str:
        node = self.nodes[k]
        at, _ = self.rec._place(node.site)
        return f"#{k} {node.heading} of {self.title}, recorded at {at}"


def _listed(operands: list[int | str]) -> str:
    return ", ".join(f"#{x}" if isinstance(x, int) else x for x in operands)


def _values(
    a: npt.NDArray[Any] | None, b: npt.NDArray[Any] | None, rtol: float, atol: float
) -> str | None:
    """Say how two arrays of one type differ; None if they do not, or one is gone."""
    if a is None or b is None:
        return None
    if a.dtype.kind == "f":
        same = np.isclose(a, b, rtol=rtol, atol=atol, equal_nan=True)
    else:
        same = np.equal(a, b)
    if np.all(same):
        return None
    wrong = np.argwhere(~same)
    at = tuple(int(k) for k in wrong[0])
    where = f" at {at}" if at else ""
    count = f", {len(wrong):,} of {same.size:,} elements" if same.size > 1 else ""
    return f"{a[at].item()!r} and {b[at].item()!r}{where}{count}"
