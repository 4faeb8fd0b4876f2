"""Records as pages of HTML. What comes from programs is data to the page's script."""

from __future__ import annotations

import json
import linecache
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import numpy as np
import numpy.typing as npt

from wengert._core import ComputationRecord, Grad
from wengert._nodes import nodes, title

__all__ = ["to_html"]

_Array = npt.NDArray[Any]

# Source lines before and after the one that recorded a node.
AROUND = 4
# Records up to this length show the elements of their arrays, beside the range.
DETAILED = 1000
# Of fewer elements the value in short shows all.
SEVERAL = 5
# How elements are shown: of more than `threshold`, the ends of each axis.
PRINTED: dict[str, Any] = {
    "precision": 5,
    "threshold": 100,
    "edgeitems": 2,
    "max_line_width": 40,
    "separator": ", ",
}
# Arrays of more axes have too many ends.
AXES = 4


def to_html(rec: ComputationRecord, grad: Grad | None) -> str:
    """Make one page of a record and a gradient; see `ComputationRecord.to_html`."""
    folder = files("wengert") / "page"
    parts = {
        name: (folder / f"page.{name}").read_text(encoding="utf-8")
        for name in ("html", "css", "js")
    }
    # Within a script no text ends it, or starts a comment, that has no such sign.
    text = json.dumps(_data(rec, grad), separators=(",", ":"), ensure_ascii=False)
    return Template(parts["html"]).substitute(
        title=escape(title(rec)),
        style=parts["css"],
        script=parts["js"],
        data=text.replace("<", "\\u003c"),
    )


class _Table:
    """Distinct texts, and for each node the number of its own."""

    def __init__(self) -> None:
        self.numbers: dict[Any, int] = {}
        self.column: list[int] = []

    def add(self, text: Any) -> None:
        """Note the text of the next node."""
        self.column.append(self.numbers.setdefault(text, len(self.numbers)))


def _data(rec: ComputationRecord, grad: Grad | None) -> dict[str, Any]:
    """Give what the page's script reads: columns of numbers and tables of texts."""
    known = nodes(rec)
    ops, parameters, types, sites = _Table(), _Table(), _Table(), _Table()
    for node in known:
        ops.add(node.op)
        parameters.add(node.parameters)
        types.add(node.type)
        sites.add(node.site)
    sweep = [] if grad is None else rec._cotangents(grad)
    cotangents: list[str | None] = [None] * len(known)
    for k, short, _ in sweep:
        cotangents[k] = short
    values: Iterable[tuple[int, _Array | None]] = ()
    arrays: Iterable[tuple[int, _Array]] = ()
    if len(known) <= DETAILED:
        values = ((k, rec._value(k)) for k in range(len(known)))
        arrays = ((k, array) for k, _, array in sweep)
    places = [_place(rec, site) for site in sites.numbers]
    return {
        "ops": list(ops.numbers),
        "op": ops.column,
        "parameters": list(parameters.numbers),
        "parameter": parameters.column,
        "types": list(types.numbers),
        "type": types.column,
        "places": places,
        "place": sites.column,
        "files": _sources(places),
        "around": AROUND,
        "names": {
            k: node.name for k, node in enumerate(known) if node.name is not None
        },
        "operands": [node.operands for node in known],
        "value": [node.value for node in known],
        "elements": _elements(values),
        "cotangent": cotangents,
        "cotangentElements": _elements(arrays),
        "loss": sweep[-1][0] if sweep else None,
    }


def _elements(arrays: Iterable[tuple[int, _Array | None]]) -> dict[int, str]:
    """Give by node the elements that the value in short does not show."""
    return {
        k: np.array2string(array, **PRINTED)
        for k, array in arrays
        if array is not None and array.size >= SEVERAL and array.ndim <= AXES
    }


def _place(rec: ComputationRecord, site: int) -> dict[str, Any]:
    text, known = rec._place(site)
    file, line = known or (None, 0)
    short = text.replace("\\", "/").rpartition("/")[2]
    return {"text": text, "short": short, "file": file, "line": line}


def _sources(places: list[dict[str, Any]]) -> dict[str, dict[int, str]]:
    """Give the lines around the places, by file and number."""
    sources: dict[str, dict[int, str]] = {}
    for place in places:
        file, line = place["file"], place["line"]
        if file is None:
            continue
        if file not in sources:
            linecache.checkcache(file)
            sources[file] = {}
        lines = linecache.getlines(file)
        for k in range(max(1, line - AROUND), min(len(lines), line + AROUND) + 1):
            sources[file][k] = lines[k - 1].rstrip()
    return sources
