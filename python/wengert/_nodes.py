"""What a record consists of."""

from __future__ import annotations

from typing import NamedTuple

from wengert._core import ComputationRecord

__all__ = ["Node", "nodes", "title"]


class Node(NamedTuple):
    """A node of a record."""

    op: str
    name: str | None
    # The op and the name, cut so that they stay within a line.
    heading: str
    # The numbers of nodes, and plain numbers as text.
    operands: list[int | str]
    parameters: str
    # Such as ``f32 (2, 3)``.
    type: str
    # The value in short.
    value: str
    # The record's number for the source line.
    site: int


def nodes(rec: ComputationRecord) -> list[Node]:
    """Give the nodes of a record in the order of recording."""
    return [Node._make(row) for row in rec._nodes()]


def title(rec: ComputationRecord) -> str:
    """Give what messages call a record."""
    return repr(rec).strip("<>").partition(":")[0]
