"""The layout of graphs: boxes lie apart, and lines lead around them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from wengert import _layout
from wengert._layout import Box, Layout, Line

from tests.python import generated


def operands_of(rng: np.random.Generator) -> list[list[int]]:
    """Draw a graph: chains, fans, long lines, and parts that touch nothing."""
    size = int(rng.integers(1, 60))
    near = int(rng.integers(1, size + 1))
    graph: list[list[int]] = []
    for node in range(size):
        count = min(node, int(rng.integers(0, 4)))
        low = max(0, node - near)
        graph.append([int(x) for x in rng.integers(low, node, count)] if node else [])
    return graph


def labels(rng: np.random.Generator, size: int) -> list[list[str]]:
    return [
        ["x" * int(rng.integers(1, 40)) for _ in range(rng.integers(1, 4))]
        for _ in range(size)
    ]


def corners(box: Box) -> tuple[float, float, float, float]:
    wide, high = box.width / 2, box.height / 2
    return box.x - wide, box.y - high, box.x + wide, box.y + high


def points(line: Line) -> np.ndarray[Any, Any]:
    start, leave, come, end = line.heights
    bend = (leave + come) / 2
    t = np.linspace(0, 1, 21)
    weights = np.stack([(1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3])
    curve = np.array([line.x0, line.x0, line.x1, line.x1]) @ weights
    return np.concatenate(
        [
            np.stack([np.full(21, line.x0), start + t * (leave - start)], axis=1),
            np.stack([curve, np.array([leave, bend, bend, come]) @ weights], axis=1),
            np.stack([np.full(21, line.x1), come + t * (end - come)], axis=1),
        ]
    )


def overlaps(picture: Layout) -> list[tuple[int, int]]:
    found = []
    for k, a in enumerate(picture.boxes):
        for b in picture.boxes[:k]:
            (l0, t0, r0, b0), (l1, t1, r1, b1) = corners(a), corners(b)
            if min(r0, r1) - max(l0, l1) > 1e-6 and min(b0, b1) - max(t0, t1) > 1e-6:
                found.append((a.node, b.node))
    return found


def crossed(picture: Layout) -> list[tuple[Line, int]]:
    """Give the lines that run through a box."""
    frames = np.array([corners(box) for box in picture.boxes])
    low, high = frames[:, :2] + 1e-6, frames[:, 2:] - 1e-6
    found = []
    for line in picture.lines:
        at = points(line)[:, None]
        for k in np.unique(np.nonzero(((low < at) & (at < high)).all(2))[1]):
            found.append((line, picture.boxes[int(k)].node))
    return found


def reached(picture: Layout, start: Box) -> set[int]:
    """Give the nodes in whose boxes the lines from one box end."""
    ends = {(round(b.x, 6), round(corners(b)[1], 6)): b.node for b in picture.boxes}
    leaving: dict[tuple[float, float], list[Line]] = {}
    for line in picture.lines:
        at = round(line.x0, 6), round(line.heights[0], 6)
        leaving.setdefault(at, []).append(line)
    found: set[int] = set()
    todo = [(round(start.x, 6), round(corners(start)[3], 6))]
    while todo:
        for line in leaving.get(todo.pop(), []):
            at = round(line.x1, 6), round(line.heights[3], 6)
            if line.ends_in_box:
                found.add(ends[at])
            else:
                todo.append(at)
    return found


@pytest.mark.parametrize("block", range(8))
def test_boxes_lie_apart_and_lines_around_them(block: int) -> None:
    for k in range(25):
        seed = generated.seed_of("graphs", block, k)
        generated.count("graphs")
        rng = np.random.default_rng(seed)
        graph = operands_of(rng)
        picture = _layout.layout(labels(rng, len(graph)), graph)
        why = f"seed {seed}"
        assert sorted(box.node for box in picture.boxes) == list(range(len(graph))), why
        assert overlaps(picture) == [], why
        assert crossed(picture) == [], why
        box_of = {box.node: box for box in picture.boxes}
        users: dict[int, set[int]] = {node: set() for node in range(len(graph))}
        for node, inputs in enumerate(graph):
            left, top, right, bottom = corners(box_of[node])
            assert min(left, top) >= 0, why
            assert right <= picture.width, why
            assert bottom <= picture.height, why
            for x in inputs:
                assert corners(box_of[x])[3] < top, why
                if not any(line.startswith("of ") for line in box_of[node].lines):
                    users[x].add(node)
        for node, wanted in users.items():
            found = reached(picture, box_of[node])
            assert wanted <= found, why
            assert all(node in graph[user] for user in found), why


def test_the_checkers_see_an_overlap_and_a_crossed_box() -> None:
    a, b = Box(0, ["a"], 50, 50, 40, 20), Box(1, ["b"], 80, 60, 40, 20)
    assert overlaps(Layout([a, b], [], 100, 100)) == [(1, 0)]
    through = Line(50, 50, (0, 10, 90, 100), True)
    assert crossed(Layout([a], [through], 100, 100)) == [(through, 0)]


def test_operands_far_away_are_written() -> None:
    """A line over many layers would say less than the operand's name."""
    graph: list[list[int]] = [[], []]
    graph += [[1 if k == 0 else k + 1] for k in range(40)]
    graph[-1].append(0)
    graph[5].append(0)
    lines = [[f"#{k} op", "f64 ()"] for k in range(len(graph))]
    picture = _layout.layout(lines, graph)
    box_of = {box.node: box for box in picture.boxes}
    assert box_of[41].lines == ["#41 op", "of #0 op", "f64 ()"]
    assert box_of[5].lines == ["#5 op", "f64 ()"]
    assert overlaps(picture) == []


def test_a_chain_is_straight() -> None:
    """Also one whose every third node takes a parameter that is used all along."""
    graph: list[list[int]] = [[], []]
    for k in range(2, 60):
        graph.append([k - 1, 0] if k % 3 == 2 else [k - 1])
    picture = _layout.layout([["#12 matmul", "f64 (2, 3)"]] * len(graph), graph)
    chain = [box.x for box in picture.boxes if box.node >= 2]
    steps = np.abs(np.diff(chain))
    assert steps.max() < _layout.GAP
    assert np.median(steps) < 0.5


def test_work_grows_with_the_number_of_nodes() -> None:
    """Lines that one node feeds share their way, and long ones are not drawn."""
    graph: list[list[int]] = [[]]
    for k in range(1, 3000):
        graph.append([k - 1, 0])
    graph.append(list(range(3000)))
    grid = _layout._Grid(graph)
    assert len(grid.layer) < len(graph) * (_layout.REACH + 1)


def test_wide_letters_have_room() -> None:
    narrow, wide = _layout.layout([["ab"], ["\u9690\u85cf"]], [[], []]).boxes
    assert wide.width - narrow.width == pytest.approx(2 * _layout.LETTER)
