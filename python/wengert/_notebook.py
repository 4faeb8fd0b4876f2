"""Records and tensors in a notebook. What comes from programs is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from wengert._core import ComputationRecord, Tensor
from wengert.errors import HandleError

__all__ = ["record_html", "tensor_html"]

CELL = "padding:1px 12px 1px 0;text-align:left;white-space:nowrap"


def record_html(rec: ComputationRecord) -> str:
    """Give the printed record as a table."""
    header, *rows = rec._rows()
    lines = [_row("th", header), *(_row("td", row) for row in rows)]
    heading = escape(repr(rec).strip("<>"))
    return (
        f"<div><b>{heading}</b><table style='font-family:monospace;"
        f"border-collapse:collapse'>{''.join(lines)}</table></div>"
    )


def _row(tag: str, cells: Iterable[str]) -> str:
    inner = "".join(f"<{tag} style='{CELL}'>{escape(cell)}</{tag}>" for cell in cells)
    return f"<tr>{inner}</tr>"


def tensor_html(tensor: Tensor) -> str:
    """Give what is known of a tensor, and its elements."""
    heading = escape(repr(tensor).strip("<>").partition(": ")[0])
    try:
        elements = escape(str(tensor.data()))
    except HandleError:
        return f"<div><b>{heading}</b></div>"
    return f"<div><b>{heading}</b><pre>{elements}</pre></div>"
