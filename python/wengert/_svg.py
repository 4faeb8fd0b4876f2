"""Records as pictures."""

from __future__ import annotations

from html import escape

from wengert._core import ComputationRecord, Tensor
from wengert._layout import LINE, PADDING, Box, Line, layout

__all__ = ["to_svg"]

STYLE = """
.wengert { font: 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.wengert rect { fill: #fff; stroke: #c3c8d1; }
.wengert text { fill: #5c6470; }
.wengert .head { fill: #1a1d23; font-weight: 600; }
.wengert path { fill: none; stroke: #9aa2af; }
.wengert .tip { fill: #9aa2af; }
.wengert .leaf rect { fill: #e8f0fe; stroke: #7aa2e8; }
.wengert .constant rect { fill: #f3f4f6; stroke-dasharray: 4 3; }
@media (prefers-color-scheme: dark) {
  .wengert rect { fill: #1d2128; stroke: #454c58; }
  .wengert text { fill: #9aa4b2; }
  .wengert .head { fill: #e8eaee; }
  .wengert path { stroke: #5b6472; }
  .wengert .tip { fill: #5b6472; }
  .wengert .leaf rect { fill: #1c2a44; stroke: #4a74c4; }
  .wengert .constant rect { fill: #23272e; }
}
"""


def to_svg(rec: ComputationRecord, of: Tensor | None) -> str:
    """Draw a record, or what a tensor was computed from; see `ComputationRecord`."""
    boxes = rec._boxes(of)
    position = {node: k for k, (node, *_) in enumerate(boxes)}
    picture = layout(
        [lines for _, _, lines, _, _ in boxes],
        [[position[x] for x in operands] for *_, operands in boxes],
    )
    width, height = round(picture.width), round(picture.height)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="wengert" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}">',
        f"<style>{STYLE}</style>",
    ]
    parts.extend(map(_line, picture.lines))
    for box in picture.boxes:
        _, look, _, tip, _ = boxes[box.node]
        parts.append(_box(box, look, tip))
    return "\n".join([*parts, "</svg>\n"])


def _line(line: Line) -> str:
    start, leave, come, end = line.heights
    x0, x1, bend = line.x0, line.x1, (leave + come) / 2
    path = (
        f'<path d="M{x0:.1f} {start:.1f}V{leave:.1f}C{x0:.1f} {bend:.1f} '
        f'{x1:.1f} {bend:.1f} {x1:.1f} {come:.1f}V{end:.1f}"/>'
    )
    if not line.ends_in_box:
        return path
    return f'{path}<path class="tip" d="M{x1 - 3:.1f} {end - 6:.1f}h6l-3 6z"/>'


def _box(box: Box, look: str, tip: str) -> str:
    left, top = box.x - box.width / 2, box.y - box.height / 2
    texts = []
    for k, line in enumerate(box.lines):
        y = top + PADDING / 2 + LINE * (k + 0.75)
        head = ' class="head"' if k == 0 else ""
        texts.append(
            f'<text{head} x="{left + PADDING:.1f}" y="{y:.1f}">{_text(line)}</text>'
        )
    return (
        f'<g class="{look}"><title>{_text(tip)}</title><rect x="{left:.1f}" '
        f'y="{top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="5"/>'
        f"{''.join(texts)}</g>"
    )


def _text(text: str) -> str:
    """Escape a text; what XML has no way to write is replaced."""
    kept = (
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
    return escape("".join(kept))
