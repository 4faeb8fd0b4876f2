"""What messages call a place in a test."""

from __future__ import annotations

import sys
from pathlib import Path


def line_of(offset: int = 0) -> str:
    """Give the caller's file and line as messages show them."""
    frame = sys._getframe(1)
    path = Path(frame.f_code.co_filename)
    if path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return f"{path}:{frame.f_lineno + offset}"
