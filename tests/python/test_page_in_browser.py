"""Records as pages: what a browser makes of them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, _page

from tests.python import browser, programs
from tests.python.faults import name_of
from tests.python.pages import HOSTILE, example


@browser.needed
def test_a_reader_looks_at_a_node(rec: ComputationRecord, tmp_path: Path) -> None:
    _, _, loss = example(rec)
    found = browser.run(
        rec.to_html(loss.grad()),
        """
        const start = text("aside h2");
        const list = all("#rows .row").map(cells);
        click(all("#rows .row")[3]);
        const node = {
          heading: text("aside h2"),
          parts: all("aside h3").map((part) => part.textContent),
          links: all("aside .link").map((link) => link.textContent),
          here: text("aside .source .here"),
          lines: all("aside .source span").length,
          classes: all("#rows .row").map((row) => row.className),
          hash: location.hash,
        };
        click("aside .link.operand");
        const operand = text("aside h2");
        click(all("#rows .row")[1]);
        const leaf = text("aside");
        click(all("#rows .row")[4]);
        const still = text("aside");
        return {
          start, list, node, operand, leaf, still,
          resources: performance.getEntriesByType("resource").length,
        };
        """,
        tmp_path,
    )
    assert found["start"] == "sum #6"
    place = found["list"][3][-1]
    assert found["list"][3] == [
        *("3", "relu hidden", "#2", "f64 (1, 2)", "[8, 10]", "[2.5, 2.5]"),
        place,
    ]
    assert re.fullmatch(r"pages\.py:\d+", place)
    node = found["node"]
    assert node["heading"] == "relu hidden #3"
    assert node["parts"] == ["Value", "Cotangent", "Operands", "Users", "Recorded at"]
    assert node["links"] == [
        "#2matmulf64 (1, 2)",
        "#4stop_gradientf64 (1, 2)",
        "#5multiplyf64 (1, 2)",
    ]
    assert node["here"].endswith('    hidden = wg.relu(x @ w).named("hidden")')
    assert node["lines"] == 2 * _page.AROUND + 1
    assert node["hash"] == "#3"
    assert [c.split()[1:] for c in node["classes"]] == [
        [],
        ["leaf"],
        ["operand"],
        ["chosen"],
        ["user"],
        ["user"],
        [],
    ]
    assert found["operand"] == "matmul #2"
    assert "[[0., 1.],\n [2., 3.],\n [4., 5.]]" in found["leaf"]
    assert "None: it comes from outside." in found["leaf"]
    assert "The sweep does not visit this node." in found["still"]
    assert found["resources"] == 0


@browser.needed
def test_a_reader_filters(rec: ComputationRecord, tmp_path: Path) -> None:
    _, _, loss = example(rec)
    rec.constant([np.nan])
    found = browser.run(
        rec.to_html(loss.grad()),
        """
        const numbers = () => all("#rows .row .number").map((cell) => cell.textContent);
        const after = (words, kind) => {
          type("#filter", words);
          type("#kind", kind ?? "all");
          return [numbers().join(" "), text("#count")];
        };
        return {
          op: after("MATMUL"),
          name: after("hidden"),
          words: after("f64 (1, 2) axes"),
          two: after("relu f64"),
          number: after("#5"),
          leaves: after("", "leaves"),
          named: after("", "named"),
          swept: after("", "swept"),
          broken: after("", "broken"),
          none: after("nothing of the kind"),
          all: after(""),
        };
        """,
        tmp_path,
    )
    assert found == {
        "op": ["2", "1 of 8 nodes"],
        "name": ["3", "1 of 8 nodes"],
        "words": ["", "0 of 8 nodes"],
        "two": ["3", "1 of 8 nodes"],
        "number": ["5 6", "2 of 8 nodes"],
        "leaves": ["1", "1 of 8 nodes"],
        "named": ["0 1 3", "3 of 8 nodes"],
        "swept": ["1 2 3 5 6", "5 of 8 nodes"],
        "broken": ["7", "1 of 8 nodes"],
        "none": ["", "0 of 8 nodes"],
        "all": ["0 1 2 3 4 5 6 7", "8 nodes"],
    }


@browser.needed
def test_a_reader_steps_the_sweep(rec: ComputationRecord, tmp_path: Path) -> None:
    _, _, loss = example(rec)
    found = browser.run(
        rec.to_html(loss.grad()),
        """
        const state = () => ({
          saying: text("#saying"),
          step: one("#step").value,
          now: all("#rows .now .number").map((cell) => cell.textContent).join(" "),
          cotangents: all("#rows .cotangent").map((cell) => cell.textContent),
          heading: text("aside h2"),
          off: all("footer button:disabled").map((button) => button.id).join(" "),
        });
        const states = [state()];
        click("#first"); states.push(state());
        click("#forth"); states.push(state());
        press("ArrowRight"); press("ArrowRight"); states.push(state());
        press("ArrowLeft"); states.push(state());
        type("#step", "4"); states.push(state());
        click("#last"); states.push(state());
        return states;
        """,
        tmp_path,
    )
    start, before, seed, third, back, slid, last = found
    everything = ["", "", "[2.5, 2.5]", "", "[2.5, 2.5]", "[1, 1]", "1"]
    assert start["saying"] == "The sweep has visited 5 nodes"
    assert start["now"] == ""
    assert start["cotangents"][0] == ""
    assert start["cotangents"][3:] == everything[2:3] + everything[3:4] + everything[5:]
    assert before["saying"] == "Before the sweep of 5 nodes"
    assert before["off"] == "first back"
    assert before["cotangents"] == ["", "·", "·", "·", "", "·", "·"]
    assert seed["saying"] == "Step 1 of 5: #6 sum hands its cotangent to #5"
    assert (seed["now"], seed["heading"]) == ("6", "sum #6")
    assert seed["cotangents"] == ["", "·", "·", "·", "", "·", "1"]
    assert third["saying"] == "Step 3 of 5: #3 relu hands its cotangent to #2"
    assert third["cotangents"][3] == "[2.5, 2.5]"
    assert third["cotangents"][2] == "·"
    assert back["step"] == "2"
    assert back["cotangents"][3] == "·"
    assert (slid["step"], slid["now"]) == ("4", "2")
    assert last["saying"] == "Step 5 of 5: #1 parameter keeps its cotangent"
    assert last["off"] == "forth last"
    assert last["cotangents"] == start["cotangents"]


@browser.needed
def test_a_reader_uses_the_keyboard(rec: ComputationRecord, tmp_path: Path) -> None:
    _, _, loss = example(rec)
    found = browser.run(
        rec.to_html(loss.grad()),
        """
        const headings = [];
        const then = (key) => { press(key); headings.push(text("aside h2")); };
        ["ArrowUp", "ArrowUp", "PageUp", "ArrowDown", "PageDown"].forEach(then);
        press("/");
        const focused = document.activeElement.id;
        type("#filter", "relu");
        press("ArrowDown");
        const inside = text("aside h2");
        press("Escape");
        return { headings, focused, inside, left: text("#count"),
                 focus: document.activeElement.id };
        """,
        tmp_path,
    )
    assert found == {
        "headings": [
            "multiply #5",
            "stop_gradient #4",
            "constant image #0",
            "parameter w #1",
            "sum #6",
        ],
        "focused": "filter",
        "inside": "sum #6",
        "left": "7 nodes",
        "focus": "scroller",
    }


@browser.needed
@pytest.mark.parametrize("tallest", ["8e6", "1e6"])
def test_a_reader_scrolls_a_hundred_thousand_nodes(
    tallest: str, rec: ComputationRecord, tmp_path: Path
) -> None:
    """Only the rows in sight are in the page, whatever the place and the filter.

    Also if the list is too tall for a browser, so that rows share the way to scroll.
    """
    y = rec.tensor_from_value(np.linspace(0, 1, 6))
    for _ in range(49_999):
        y = wg.tanh(y * 1.001)
    grad = y.sum().grad()
    rec.ones(1)
    assert len(rec) == 100_001
    page = rec.to_html(grad)
    assert "const TALLEST = 8e6;" in page
    found = browser.run(
        page.replace("const TALLEST = 8e6;", f"const TALLEST = {tallest};"),
        """
        const seen = () => {
          const area = one("#scroller").getBoundingClientRect();
          const rows = all("#rows .row");
          const inside = rows.filter((row) => {
            const box = row.getBoundingClientRect();
            return box.bottom > area.top + 32 && box.top < area.bottom;
          });
          const number = (row) => Number(row.dataset.node);
          const ordered = inside.every((row, k) => !k ||
            number(row) === number(inside[k - 1]) + 1 &&
            Math.abs(row.getBoundingClientRect().top -
              inside[k - 1].getBoundingClientRect().bottom) < 0.5);
          return { drawn: rows.length, first: number(inside[0]),
                   last: number(inside.at(-1)), ordered };
        };
        const found = { start: seen() };
        const scroller = one("#scroller");
        for (const [name, part] of [["top", 0], ["middle", 0.5], ["bottom", 1]]) {
          scroller.scrollTop = part * (scroller.scrollHeight - scroller.clientHeight);
          scroller.dispatchEvent(new Event("scroll"));
          found[name] = seen();
        }
        type("#filter", "tanh");
        found.count = text("#count");
        found.filtered = all("#rows .row").length;
        type("#filter", "#77777 ");
        click("#rows .row");
        found.heading = text("aside h2");
        type("#filter", "");
        press("ArrowDown");
        found.moved = seen();
        click("#first");
        found.before = text("#saying");
        type("#step", "60000");
        found.step = text("#saying");
        found.swept = seen();
        return found;
        """,
        tmp_path,
    )
    for place in ("start", "top", "middle", "bottom", "moved", "swept"):
        assert found[place]["drawn"] < 40
        assert found[place]["ordered"], (place, found[place])
    assert found["top"]["first"] == 0
    assert 49_900 < found["middle"]["first"] < 50_100
    assert found["bottom"]["last"] == 100_000
    assert found["start"]["first"] < 99_999 <= found["start"]["last"]
    assert found["count"] == "49,999 of 100,001 nodes"
    assert found["filtered"] < 40
    assert found["heading"] == "multiply #77777"
    assert found["moved"]["first"] < 77_778 < found["moved"]["last"]
    assert found["before"] == "Before the sweep of 100,000 nodes"
    assert found["step"].startswith("Step 60,000 of 100,000: #40000 tanh hands")
    assert found["swept"]["first"] <= 40_000 <= found["swept"]["last"]


@browser.needed
def test_fault_46_hostile_names_are_text(
    rec: ComputationRecord, tmp_path: Path
) -> None:
    leaves = [rec.parameter(name, [1.0]) for name in HOSTILE]
    loss = wg.concatenate(leaves).sum()
    found = browser.run(
        rec.to_html(loss.grad()),
        """
        const leaves = all("#rows .row").slice(0, -2);
        const names = leaves.map((row) => {
          click(all("#rows .row")[row.dataset.node]);
          return [row.querySelector(".name").textContent,
                  one("aside h2 .name").textContent];
        });
        type("#filter", "<script>");
        return { names, hacked: window.hacked ?? null, images: all("img").length,
                 count: text("#count"), title: document.title };
        """,
        tmp_path,
    )
    for name, shown in zip(HOSTILE, found["names"], strict=True):
        # A browser shows no character of number 0.
        assert shown == [name, name], name
    assert found["hacked"] is None
    assert found["images"] == 0
    assert found["count"] == "2 of 10 nodes"
    assert found["title"] == name_of(rec)


@browser.needed
@pytest.mark.parametrize("nodes", [0, 1, 30])
def test_short_records_and_none(
    nodes: int, rec: ComputationRecord, tmp_path: Path
) -> None:
    for _ in range(nodes):
        rec.ones(())
    found = browser.run(
        rec.to_html(),
        """
        press("ArrowDown"); press("ArrowRight"); press("End");
        return { count: text("#count"), rows: all("#rows .row").length,
                 sweep: getComputedStyle(one("footer")).display,
                 columns: all(".head span").filter((x) => x.offsetWidth).length };
        """,
        tmp_path,
    )
    assert found["count"] == f"{nodes} nodes"
    assert (found["rows"] > 0) == (nodes > 0)
    assert found["sweep"] == "none"
    assert found["columns"] == 6


@browser.needed
def test_a_fault_in_the_page_is_seen(rec: ComputationRecord, tmp_path: Path) -> None:
    """The checker is checked."""
    page = rec.to_html()
    with pytest.raises(AssertionError):
        browser.run(page.replace("filter();\n", "", 1), "missing();", tmp_path)
    broken = page.replace('"use strict";', '"use strict"; throw new Error("planned");')
    with pytest.raises(AssertionError, match="planned"):
        browser.run(broken, "return 1;", tmp_path)
    online = page.replace("</style>", "</style><img src='https://example.org/x.png'>")
    with pytest.raises(AssertionError, match="img-src"):
        browser.run(online, "await later(); return 1;", tmp_path)


def test_without_its_program_a_test_is_skipped_but_not_in_ci(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(programs.REQUIRED, raising=False)
    assert programs.needed("no such program", "It").args == (True,)
    assert programs.needed("sh", "The shell").args == (False,)
    monkeypatch.setenv(programs.REQUIRED, "required")
    assert programs.needed("no such program", "It").args == (False,)
