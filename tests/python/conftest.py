from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import wengert

from tests.python import generated


@pytest.fixture
def rec() -> wengert.ComputationRecord:
    return wengert.ComputationRecord()


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Random numbers that are the same whenever this test runs."""
    return generated.rng_of(request.node.name)


@pytest.fixture(autouse=True)
def _numpy_errors() -> Iterator[None]:
    # Special points are tested on purpose.
    with np.errstate(all="ignore"):
        yield


def pytest_report_header() -> str:
    return f"generated cases: WENGERT_TEST_SEED={generated.BASE}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    kinds = sorted(generated.counts.items())
    parts = ", ".join(f"{cases:,} {kind}" for kind, cases in kinds)
    total = sum(generated.counts.values())
    terminalreporter.write_line(f"generated cases: {total:,} ({parts})")
