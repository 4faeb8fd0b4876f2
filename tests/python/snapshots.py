"""Long texts, compared with files; `WENGERT_SNAPSHOTS=write` writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "snapshots"


def expect(name: str, text: str) -> None:
    path = FOLDER / f"{name}.txt"
    if os.environ.get("WENGERT_SNAPSHOTS") == "write":
        path.write_text(text + "\n", encoding="utf-8")
    assert text + "\n" == path.read_text(encoding="utf-8")
