"""The gate of instruction counts, with counts that are made up."""

from __future__ import annotations

import json

import pytest

from benches.python.instructions import gate
from benches.python.instructions.counted import PATHS


def test_a_total_is_read() -> None:
    assert gate.total("version: 1\nsummary: 12\ntotals: 12345\n") == 12345
    with pytest.raises(ValueError, match="no totals"):
        gate.total("version: 1\n")


def test_starting_up_cancels() -> None:
    totals = [
        ("x + y", 500, 9_000_000 + 500 * 2000),
        ("x + y", 1000, 9_000_000 + 1000 * 2000),
        ("sweep of scalars, a node", 6, 100 + 6 * 1000 * 40),
        ("sweep of scalars, a node", 3, 100 + 3 * 1000 * 40),
    ]
    assert gate.differences(totals) == {"x + y": 2000, "sweep of scalars, a node": 40}


def test_comparison() -> None:
    expected = {"op": 1000.0, "sweep": 40.0}
    assert gate.compare(expected, {"op": 1029.0, "sweep": 20.0}) == []
    assert gate.compare(expected, {"op": 1031.0, "sweep": 41.3}) == [
        "op: 1031.0 instead of 1000.0 (+3.1%)",
        "sweep: 41.3 instead of 40.0 (+3.2%)",
    ]
    assert gate.compare(expected, {"op": 1000.0, "new": 1.0}) == [
        "new: no count is expected",
        "sweep: expected, and not counted",
    ]


def test_every_path_has_an_expected_count() -> None:
    expected = json.loads(gate.EXPECTED.read_text(encoding="utf-8"))
    assert set(expected["instructions"]) == set(PATHS)
    assert {"Python", "libc", "rustc", "valgrind"} <= set(expected["versions"])


@pytest.mark.parametrize("name", PATHS)
def test_paths_run(name: str) -> None:
    PATHS[name].run(2)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Give what the gate finds: what is expected, until a test changes it."""
    expected = json.loads(gate.EXPECTED.read_text(encoding="utf-8"))
    monkeypatch.setattr(gate, "versions", lambda: expected["versions"])
    monkeypatch.setattr("shutil.which", lambda name: name)
    found = dict(expected["instructions"])
    monkeypatch.setattr(gate, "counts", lambda: found)
    monkeypatch.setattr("sys.argv", ["gate.py"])
    return found


def test_the_gate_passes_and_fails(
    found: dict[str, float], capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate.main() == 0
    found["x + y"] *= 1.04
    assert gate.main() == 1
    said = capsys.readouterr()
    assert "x + y" in said.err
    assert "(+4.0%)" in said.err
    assert "make instructions-update" in said.err


def test_other_versions_are_not_compared(
    found: dict[str, float],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found["x + y"] *= 2
    monkeypatch.setattr(gate, "versions", lambda: {"Python": "4"})
    assert gate.main() == 0
    assert "not compared: counted with {'Python': '3." in capsys.readouterr().out
