"""Take the pictures of the guide "reading a record" again, from its own first example.

Needs chromium, the installed package, and Pillow (which matplotlib brings).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

GUIDE = Path(__file__).parent.parent / "docs" / "guide"
# For each picture of the page its size, and what is clicked.
PAGES = {
    "page": ((1280, 720), """document.querySelector("[data-node='9']").click();"""),
    "sweep": (
        (1280, 520),
        """document.getElementById("first").click();
        for (let k = 0; k < 5; k++) document.getElementById("forth").click();""",
    ),
}
DARK = {"sweep"}
COLOURS = 160


def shoot(page: Path, size: tuple[int, int], dark: bool, picture: Path) -> None:
    """Take a picture of a page, with few colours, so that it is small."""
    command = [
        shutil.which("chromium") or "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--window-size={size[0]},{size[1]}",
        f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        f"--screenshot={picture}",
        page.as_uri(),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    colours = Image.open(picture).convert("RGB")
    colours.quantize(COLOURS, Image.Quantize.MAXCOVERAGE).save(picture, optimize=True)
    print(f"{picture.name}: {picture.stat().st_size / 1024:.0f} KiB")


def main() -> None:
    """Run the example and take all pictures."""
    text = (GUIDE / "reading_a_record.md").read_text(encoding="utf-8")
    example = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert example
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "example.py").write_text(example.group(1), encoding="utf-8")
        subprocess.run([sys.executable, "example.py"], cwd=folder, check=True)
        page = (folder / "record.html").read_text(encoding="utf-8")
        for picture, (size, click) in PAGES.items():
            acting = folder / f"{picture}.html"
            acting.write_text(f"{page}<script>{click}</script>", encoding="utf-8")
            shoot(acting, size, picture in DARK, GUIDE / f"{picture}.png")
        svg = folder / "record.svg"
        width, height = re.findall(r'(?:width|height)="(\d+)"', svg.read_text())[:2]
        shoot(svg, (int(width), int(height)), False, GUIDE / "graph.png")


if __name__ == "__main__":
    main()
