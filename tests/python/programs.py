"""Programs that some tests need: without one they are skipped, but not in CI."""

from __future__ import annotations

import os
import shutil

import pytest

# Set by .ci/run: then a test runs in any case, and fails without its program.
REQUIRED = "WENGERT_TEST_PROGRAMS"


def needed(program: str, title: str) -> pytest.MarkDecorator:
    """Mark a test that needs a program."""
    missing = shutil.which(program) is None and not os.environ.get(REQUIRED)
    return pytest.mark.skipif(missing, reason=f"{title} ({program}) is not installed")
