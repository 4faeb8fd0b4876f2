"""Records as pages: what is in the file."""

from __future__ import annotations

import json
import linecache
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, HandleError, _page

from tests.python import pages
from tests.python.faults import name_of
from tests.python.pages import HOSTILE, example


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script id="record"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found.group(1))
    return data


def test_a_page_needs_nothing_but_itself(rec: ComputationRecord) -> None:
    _, _, loss = example(rec)
    page = rec.to_html(loss.grad())
    assert page.startswith("<!doctype html>")
    assert "default-src 'none'" in page
    assert not re.search(r"https?://|\bsrc=|\bhref=|@import|url\(", page)
    assert "$" not in page.split("<script>")[0].split("</style>")[1]
    assert f"<title>{name_of(rec)}</title>" in page


def test_what_a_page_holds(rec: ComputationRecord) -> None:
    w, hidden, loss = example(rec)
    data = data_of(rec.to_html(loss.grad()))
    n = hidden.index
    assert data["ops"][data["op"][n]] == "relu"
    assert data["names"] == {"0": "image", "1": "w", "3": "hidden"}
    assert data["parameters"][data["parameter"][n]] == ""
    assert data["types"][data["type"][n]] == "f64 (1, 2)"
    assert data["operands"] == [[], [], [0, 1], [2], [3], [3, "2.5"], [5]]
    assert data["parameters"][data["parameter"][loss.index]] == "axes=[0, 1]"
    assert data["value"][n] == "[8, 10]"
    assert data["elements"][str(w.index)] == "[[0., 1.],\n [2., 3.],\n [4., 5.]]"
    assert data["cotangent"][4] is None
    assert data["cotangent"][n] == "[2.5, 2.5]"
    assert data["loss"] == loss.index
    place = data["places"][data["place"][n]]
    assert place["file"] == pages.__file__
    assert place["short"] == f"pages.py:{place['line']}"
    around = data["files"][pages.__file__]
    assert "hidden = wg.relu(x @ w)" in around[str(place["line"])]
    assert len(around) <= 2 * _page.AROUND + 6


def test_without_a_gradient(rec: ComputationRecord) -> None:
    example(rec)
    data = data_of(rec.to_html())
    assert data["loss"] is None
    assert set(data["cotangent"]) == {None}


def test_a_gradient_of_chosen_tensors_and_one_that_is_recorded(
    rec: ComputationRecord,
) -> None:
    w, hidden, loss = example(rec)
    data = data_of(rec.to_html(loss.grad(wrt=[hidden])))
    assert data["cotangent"][hidden.index] == "[2.5, 2.5]"
    grad = loss.grad(record=True)
    data = data_of(rec.to_html(grad))
    assert len(data["op"]) == len(rec) > loss.index + 1
    assert data["cotangent"][w.index] is not None


def test_a_gradient_of_another_record(rec: ComputationRecord) -> None:
    _, _, loss = example(ComputationRecord())
    with pytest.raises(HandleError, match="to_html: the gradient of #6 belongs to"):
        rec.to_html(loss.grad())


@pytest.mark.parametrize("name", HOSTILE)
def test_fault_46_names_are_escaped(name: str, rec: ComputationRecord) -> None:
    x = rec.parameter(name, [1.0, 2.0])
    loss = wg.relu(x).named(name).sum()
    page = rec.to_html(loss.grad())
    plain = ComputationRecord()
    same = wg.relu(plain.parameter("x", [1.0, 2.0])).named("x").sum()
    for tag in ("<script", "</script", "<img", "<!--"):
        assert page.count(tag) == plain.to_html(same.grad()).count(tag)
    assert data_of(page)["names"]["0"] == name
    for view in (rec._repr_html_(), x._repr_html_(), rec.to_svg()):
        assert "<script" not in view
        assert "<img" not in view
    assert "\n" not in rec.to_dot().split("label=", 1)[1].split('"];')[0]


def test_programs_without_a_file(rec: ComputationRecord) -> None:
    scope: dict[str, Any] = {"rec": rec}
    exec(compile("rec.ones(2)", "<a string>", "exec"), scope)
    data = data_of(rec.to_html())
    assert data["places"][0]["text"] == "<a string>:1"
    assert data["files"] == {"<a string>": {}}
    # As a notebook keeps its cells.
    linecache.cache["<cell 1>"] = (11, None, ["y = rec.ones(3)\n"], "<cell 1>")
    exec(compile("y = rec.ones(3)\n", "<cell 1>", "exec"), scope)
    assert data_of(rec.to_html())["files"]["<cell 1>"] == {"1": "y = rec.ones(3)"}


def test_a_page_of_a_hundred_thousand_nodes(
    rec: ComputationRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is small, and no work is done for each node that can be shared."""
    y = rec.tensor_from_value(np.linspace(0, 1, 6))
    for _ in range(50_000):
        y = wg.tanh(y * 1.001)
    grad = y.sum().grad()
    reads: list[str] = []

    def getlines(file: str) -> list[str]:
        reads.append(file)
        return []

    monkeypatch.setattr(linecache, "getlines", getlines)
    page = rec.to_html(grad)
    assert len(rec) == 100_002
    assert len(page.encode()) / len(rec) < 80, "bytes a node"
    data = data_of(page)
    assert len(reads) == len(data["places"]) <= 5
    assert len(data["ops"]) == 4
    assert data["elements"] == {}
    assert None not in data["cotangent"]


def test_the_guide_has_its_pictures() -> None:
    guide = Path(__file__).parents[2] / "docs" / "guide" / "reading_a_record.md"
    names = re.findall(r"!\[[^]]+\]\(([^)]+)\)", guide.read_text(encoding="utf-8"))
    assert len(names) == 3
    for name in names:
        picture = (guide.parent / name).read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) < 64 << 10
