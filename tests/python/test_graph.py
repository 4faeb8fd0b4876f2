"""Records as graphs: the picture, and the text for Graphviz."""

from __future__ import annotations

import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, HandleError, Tensor
from wengert._layout import LETTER

from tests.python import browser, programs, snapshots

SVG = "{http://www.w3.org/2000/svg}"


def example(rec: ComputationRecord) -> Tensor:
    x = rec.constant([[1.0, -2.0, 3.0]]).named("image")
    w = rec.parameter("w", np.arange(6.0).reshape(3, 2))
    hidden = wg.relu(x @ w).named('the "hidden" \\ layer')
    rec.ones(3) * 2
    return (hidden * 2.5).sum() + (w * w).sum()


# --- The picture ----------------------------------------------------------------------


def groups(svg: str) -> list[ET.Element]:
    root = ET.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    return list(root.iter(f"{SVG}g"))


def test_a_picture_of_a_record(rec: ComputationRecord) -> None:
    example(rec)
    svg = rec.to_svg()
    found = groups(svg)
    assert len(found) == len(rec)
    texts = {
        tuple(text.text for text in group.iter(f"{SVG}text")): group for group in found
    }
    leaf = texts["#1 parameter w", "f64 (3, 2)"]
    assert leaf.get("class") == "leaf"
    assert texts["#0 constant image", "f64 (1, 3)"].get("class") == "constant"
    hidden = texts['#3 relu the "hidden" \\ layer', "f64 (1, 2)"]
    title = hidden.find(f"{SVG}title")
    assert title is not None
    assert title.text
    assert title.text.startswith("[8, 10]\n")
    assert "test_graph.py:" in title.text
    assert ("#6 multiply", "2.5", "f64 (1, 2)") in texts
    assert ("#7 sum", "axes=[0, 1]", "f64 ()") in texts


def test_boxes_of_a_picture_hold_their_text(rec: ComputationRecord) -> None:
    rec.parameter("long " * 30, [1.0])
    example(rec)
    for group in groups(rec.to_svg()):
        rect = group.find(f"{SVG}rect")
        assert rect is not None
        x, width = float(rect.attrib["x"]), float(rect.attrib["width"])
        for text in group.iter(f"{SVG}text"):
            assert text.text
            right = float(text.attrib["x"]) + len(text.text) * LETTER
            assert x < float(text.attrib["x"]) < right < x + width + 1e-6


@pytest.mark.parametrize(
    "name", ["\x00\x1b[31m", "\ufffe\uffff", "</title>&]]>", "\u2028"]
)
def test_a_picture_is_xml_whatever_the_names(name: str, rec: ComputationRecord) -> None:
    rec.ones(1).named(name)
    assert len(groups(rec.to_svg())) == 1


def test_only_what_a_tensor_was_computed_from(rec: ComputationRecord) -> None:
    loss = example(rec)
    shown = re.findall(r"<text[^>]*>#(\d+) ", rec.to_svg(loss))
    assert sorted(map(int, shown)) == [0, 1, 2, 3, 6, 7, 8, 9, 10]
    dot = rec.to_dot(loss)
    assert "n4 " not in dot
    assert "n5 " not in dot
    assert re.findall(r"<text[^>]*>#(\d+) ", rec.to_svg(rec.ones(1))) == ["11"]
    for view in (rec.to_svg, rec.to_dot):
        with pytest.raises(HandleError, match="belongs to record"):
            view(ComputationRecord().ones(1))
    rec.clear()
    for view in (rec.to_svg, rec.to_dot):
        with pytest.raises(HandleError, match="before the record was cleared"):
            view(loss)


def test_an_empty_record(rec: ComputationRecord) -> None:
    assert groups(rec.to_svg()) == []
    assert "->" not in rec.to_dot()


@browser.needed
def test_a_browser_draws_the_picture(rec: ComputationRecord, tmp_path: Path) -> None:
    """Letters are as wide as the layout believes, so no text leaves its box."""
    example(rec)
    found = browser.run(
        f"<title>t</title><body>{rec.to_svg()}</body>",
        """
        return all("g").map((group) => {
          const box = group.querySelector("rect").getBoundingClientRect();
          return [...group.querySelectorAll("text")].every((text) => {
            const inner = text.getBoundingClientRect();
            return inner.left >= box.left && inner.right <= box.right &&
              inner.top >= box.top && inner.bottom <= box.bottom;
          });
        });
        """,
        tmp_path,
    )
    assert found == [True] * len(rec)


# --- Graphviz -------------------------------------------------------------------------


def test_the_text_for_graphviz(rec: ComputationRecord) -> None:
    example(rec)
    text = re.sub(r"record \d+", "record N", rec.to_dot()).rstrip("\n")
    text, places = re.subn(r'tooltip="[^"]*test_graph\.py:\d+"', "tooltip=...", text)
    assert places == len(rec)
    snapshots.expect("dot", text)


@programs.needed("dot", "Graphviz")
def test_graphviz_reads_it(rec: ComputationRecord) -> None:
    for name in ('"', "\\", "\\n", "\n", "<b>", "]; x", "ü", '\\"', ""):
        rec.parameter(name, [1.0])
    example(rec)
    done = subprocess.run(
        ["dot", "-Tplain"],
        input=rec.to_dot(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.count("\nnode ") == len(rec)
    assert done.stdout.count("\nedge ") == rec.to_dot().count("->")
