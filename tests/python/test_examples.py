"""The examples print what they promise, in both languages."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = sorted(path.parent.name for path in ROOT.glob("examples/*/main.py"))
CARGO = shutil.which("cargo")
needs_cargo = pytest.mark.skipif(CARGO is None, reason="cargo is not installed")


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**os.environ, "PYTHONWARNINGS": "error::DeprecationWarning:__main__"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def python(name: str, folder: Path) -> str:
    return run([sys.executable, str(ROOT / "examples" / name / "main.py")], folder)


@cache
def rust(name: str) -> str:
    assert CARGO is not None
    return run([CARGO, "run", "--quiet", "--example", name], ROOT)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder outside the checkout: examples need nothing from where they run."""
    return tmp_path_factory.mktemp("examples")


def test_there_are_examples() -> None:
    assert EXAMPLES == ["design_problem", "digits", "linear"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_python_prints_what_is_expected(name: str, folder: Path) -> None:
    expected = ROOT / "examples" / name / "expected.txt"
    if name == "digits":
        # Its numbers depend on the machine's instruction set.
        assert not expected.exists()
        assert python(name, folder)
        return
    assert python(name, folder) == expected.read_text(encoding="utf-8")


@needs_cargo
@pytest.mark.parametrize("name", EXAMPLES)
def test_rust_prints_the_same(name: str, folder: Path) -> None:
    assert rust(name) == python(name, folder)


def test_the_linear_example_falls_by_0_42(folder: Path) -> None:
    losses = re.findall(r"Loss: NdArray\(\[([\d.]+)\]", python("linear", folder))
    values = [float(x) for x in losses]
    assert len(values) == 5
    for before, after in pairwise(values):
        assert before - after == pytest.approx(0.42, abs=1e-5)


def test_the_design_problem_prints_the_seeds_numbers(folder: Path) -> None:
    numbers = re.findall(r"= ([\d.]+)", python("design_problem", folder))
    assert [float(x) for x in numbers] == [3, 1.7, 3, 1.4, 5.1]


def test_digits_are_learned(folder: Path) -> None:
    lines = python("digits", folder).splitlines()
    found = [re.search(r"loss ([\d.]+) .*accuracy ([\d.]+)", line) for line in lines]
    rows = [(float(m.group(1)), float(m.group(2))) for m in found if m]
    assert len(rows) >= 5
    assert rows[-1][0] < 0.1 < rows[0][0]
    assert rows[-1][1] > 0.95
    # Elsewhere than on a terminal no line is written over.
    assert "\r" not in python("digits", folder)


def test_the_loss_curve_is_a_picture_if_matplotlib_is_installed(folder: Path) -> None:
    python("digits", folder)
    picture = folder / "digits-loss.png"
    if importlib.util.find_spec("matplotlib") is None:
        assert not picture.exists()
    else:
        assert picture.read_bytes().startswith(b"\x89PNG")
