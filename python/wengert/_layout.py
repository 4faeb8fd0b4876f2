"""A small layered layout of graphs.

Layers from top to bottom, what is computed below its operands; boxes in an order that
keeps lines short; lines around the boxes between their ends. The steps are those of
Sugiyama, Tagawa and Toda (1981), each in its simplest form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width

__all__ = ["Box", "Layout", "Line", "layout"]

# Sizes in pixels; a letter is as wide as in most monospaced fonts.
LETTER = 7.2
LINE = 16.0
PADDING = 8.0
GAP = 18.0
BETWEEN_LAYERS = 34.0
MARGIN = 12.0
# A line longer than so many layers is not drawn: the box says what it would come from,
# and no more than so many of these.
REACH = 24
WRITTEN = 2
# How much a bend counts: within a long line, at its end, between neighbouring boxes.
PULLS = (8.0, 0.25, 1.0)
# Passes over the layers that order them, and that place them.
PASSES = 16


@dataclass
class Box:
    """A node in its place: the middle of its box, and its size."""

    node: int
    lines: list[str]
    x: float
    y: float
    width: float
    height: float


@dataclass
class Line:
    """A line from one layer to the next: down, over between the layers, and down."""

    x0: float
    x1: float
    # Where it starts, where it leaves its layer, where it comes to the next, its end.
    heights: tuple[float, float, float, float]
    ends_in_box: bool


@dataclass
class Layout:
    """A picture: boxes, and the lines between them."""

    boxes: list[Box]
    lines: list[Line]
    width: float
    height: float


# --- Layers ---------------------------------------------------------------------------


def _layers(operands: Sequence[Sequence[int]]) -> list[int]:
    """Put each node below its operands, and what has none just above its first user."""
    layer = [0] * len(operands)
    for node, inputs in enumerate(operands):
        layer[node] = max((layer[x] + 1 for x in inputs), default=0)
    first_user: dict[int, int] = {}
    for node, inputs in enumerate(operands):
        for x in inputs:
            first_user[x] = min(first_user.get(x, layer[node]), layer[node])
    for node, inputs in enumerate(operands):
        if not inputs and node in first_user:
            layer[node] = first_user[node] - 1
    return layer


class _Grid:
    """Places in layers: one for each node, and for each layer that a line crosses."""

    def __init__(self, operands: Sequence[Sequence[int]]) -> None:
        layer = _layers(operands)
        # Of each place: its layer, its node or None, and the places above it.
        self.layer = list(layer)
        self.node: list[int | None] = list(range(len(operands)))
        self.above: list[list[int]] = [[] for _ in operands]
        self.written: list[list[int]] = [[] for _ in operands]
        # Lines from one node share their way down.
        trunk: dict[int, list[int]] = {}
        for node, inputs in enumerate(operands):
            for x in dict.fromkeys(inputs):
                span = layer[node] - layer[x]
                if span > REACH:
                    self.written[node].append(x)
                    continue
                way = trunk.setdefault(x, [x])
                while len(way) < span:
                    way.append(self._cross(way[-1]))
                self.above[node].append(way[span - 1])
        self.below: list[list[int]] = [[] for _ in self.layer]
        for place, above in enumerate(self.above):
            for x in above:
                self.below[x].append(place)
        self.rows: list[list[int]] = [
            [] for _ in range(max(self.layer, default=-1) + 1)
        ]
        for place in self._walk():
            self.rows[self.layer[place]].append(place)

    def _cross(self, place: int) -> int:
        self.layer.append(self.layer[place] + 1)
        self.node.append(None)
        self.above.append([place])
        return len(self.layer) - 1

    def _walk(self) -> list[int]:
        """List the places so that what belongs together is together."""
        seen = [False] * len(self.layer)
        order: list[int] = []
        for root in range(len(self.layer)):
            stack = [root]
            while stack:
                place = stack.pop()
                if not seen[place]:
                    seen[place] = True
                    order.append(place)
                    stack.extend(reversed(self.above[place] + self.below[place]))
        return order

    def order(self) -> None:
        """Sort each row by where its neighbours are, downwards and upwards in turn."""
        position = [0.0] * len(self.layer)
        for row in self.rows:
            for k, place in enumerate(row):
                position[place] = float(k)

        def mean(place: int) -> float:
            around = near[place] or [place]
            return sum(position[x] for x in around) / len(around)

        for k in range(PASSES):
            down = k % 2 == 0
            near = self.above if down else self.below
            for row in self.rows if down else reversed(self.rows):
                row.sort(key=mean)
                for at, place in enumerate(row):
                    position[place] = float(at)


# --- Places ---------------------------------------------------------------------------


def _settle(
    wanted: Sequence[float], widths: Sequence[float], weights: Sequence[float]
) -> list[float]:
    """Give the middles nearest to those wanted that keep the order and overlap nowhere.

    Nearest in the weighted sum of squares. Less the room that the earlier ones need,
    the middles must not descend, so they are the isotonic regression, which pooling
    neighbours that are in the wrong order finds in one pass.
    """
    room, rooms = 0.0, []
    for k, width in enumerate(widths):
        room += (widths[k - 1] + width) / 2 + GAP if k else 0.0
        rooms.append(room)
    # Pools of neighbours: their mean, weight and number.
    pools: list[tuple[float, float, int]] = []
    for want, offset, weight in zip(wanted, rooms, weights, strict=True):
        mean, count = want - offset, 1
        while pools and pools[-1][0] > mean:
            other, heavy, more = pools.pop()
            mean = (mean * weight + other * heavy) / (weight + heavy)
            weight, count = weight + heavy, count + more
        pools.append((mean, weight, count))
    means = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, rooms, strict=True)]


def _columns(grid: _Grid, widths: Sequence[float]) -> list[float]:
    """Give the middle of each place: near its neighbours, straight where lines are."""
    x = [0.0] * len(widths)
    for row in grid.rows:
        # From the left, so that a long chain starts straight.
        zeros, ones = [0.0] * len(row), [1.0] * len(row)
        packed = _settle(zeros, [widths[p] for p in row], ones)
        for place, at in zip(row, packed, strict=True):
            x[place] = at - packed[0]

    def pull(place: int, other: int) -> float:
        boxes = (grid.node[place] is not None) + (grid.node[other] is not None)
        return PULLS[boxes]

    for k in range(PASSES):
        for row in grid.rows if k % 2 == 0 else reversed(grid.rows):
            wanted, weights = [], []
            for place in row:
                near = grid.above[place] + grid.below[place] or [place]
                pulls = [pull(place, other) for other in near]
                total = sum(a * x[other] for a, other in zip(pulls, near, strict=True))
                weights.append(sum(pulls))
                wanted.append(total / weights[-1])
            settled = _settle(wanted, [widths[p] for p in row], weights)
            for place, at in zip(row, settled, strict=True):
                x[place] = at
    return x


def _texts(grid: _Grid, lines: Sequence[list[str]]) -> list[list[str]]:
    """Give the lines of text at each place; there are none where a line crosses."""
    texts: list[list[str]] = []
    for node in grid.node:
        text = [] if node is None else list(lines[node])
        far = [] if node is None else [lines[x][0] for x in grid.written[node]]
        if len(far) > WRITTEN:
            far[WRITTEN:] = [f"{len(far) - WRITTEN} more"]
        if far:
            text.insert(1, "of " + ", ".join(far))
        texts.append(text)
    return texts


def _width(text: Sequence[str]) -> float:
    """Give the width of a box; Chinese and Japanese signs are two letters wide."""
    letters = [sum(1 + (east_asian_width(c) in "WF") for c in line) for line in text]
    return max(letters) * LETTER + 2 * PADDING if letters else 0.0


def layout(lines: Sequence[list[str]], operands: Sequence[Sequence[int]]) -> Layout:
    """Place boxes with these lines of text, each below those of its operands."""
    grid = _Grid(operands)
    grid.order()
    texts = _texts(grid, lines)
    widths = [_width(text) for text in texts]
    heights = [len(t) * LINE + PADDING if t else 0.0 for t in texts]
    x = _columns(grid, widths)
    sides = [
        (at - width / 2, at + width / 2) for at, width in zip(x, widths, strict=True)
    ]
    left = min((side[0] for side in sides), default=0.0) - MARGIN
    right = max((side[1] for side in sides), default=0.0) + MARGIN
    top, tops, bottoms = MARGIN, [], []
    for row in grid.rows:
        tops.append(top)
        bottoms.append(top + max(heights[place] for place in row))
        top = bottoms[-1] + BETWEEN_LAYERS
    picture = Layout([], [], right - left, top - BETWEEN_LAYERS + MARGIN)
    # The upper and lower ends of each place; a line crosses its layer from the top.
    ends = []
    for place, box in enumerate(grid.node):
        upper, lower = tops[grid.layer[place]], bottoms[grid.layer[place]]
        if box is None:
            ends.append((upper, upper))
            continue
        y, height = (upper + lower) / 2, heights[place]
        at, width = x[place] - left, widths[place]
        picture.boxes.append(Box(box, texts[place], at, y, width, height))
        ends.append((y - height / 2, y + height / 2))
    for place, above in enumerate(grid.above):
        for other in above:
            between = bottoms[grid.layer[other]], tops[grid.layer[place]]
            picture.lines.append(
                Line(
                    x[other] - left,
                    x[place] - left,
                    (ends[other][1], *between, ends[place][0]),
                    grid.node[place] is not None,
                )
            )
    return picture
