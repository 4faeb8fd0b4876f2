"""Reports of a run that never was."""

from __future__ import annotations

import re
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

import pytest

from benches.python.harness import rust
from benches.python.report.headline import headline
from benches.python.report.markdown import document
from benches.python.report.numbers import quantity, ratio
from benches.python.report.targets import TARGETS, outcomes
from benches.python.results import Figures, Results, read
from benches.python.work import SUBJECTS, cases
from tests.python import snapshots
from tools import results as tool

# Written by hand: round numbers.
RUN = Path(__file__).parent / "run.json"


@pytest.fixture
def results() -> Results:
    return read(RUN)


def test_the_report(results: Results) -> None:
    snapshots.expect("bench", document(results))


def test_the_headline(results: Results) -> None:
    text = headline(results, "benches/results/2030-01-02.md")
    assert text.startswith(
        "One thread of Some CPU (family 1, model 2), Python 3.99.0, "
    )
    assert "wengert 9.9.9, NumPy 2.99.0, PyTorch 2.99.0; JAX compiled" in text
    assert "| `x + y` on 16 numbers | 50.0 ns | 200 ns | – | – | – |" in text
    assert "| the memory of such a node | 30.0 bytes | – | – | – | – |" in text
    # What was not measured has no row.
    assert "mixture" not in text


def test_outcomes(results: Results) -> None:
    found = {
        (o.target.work, o.target.against): o for o in outcomes(results, 1) if o.measured
    }
    op = found["op on 1 to 256 elements, from Python", ("numpy",)]
    assert (op.met, op.worst) == (1, "op/exp/256")
    assert found["chain, 16 elements", ("torch",)].met == 0
    # At the bound is met.
    assert found["chain, 16 elements", ("jax",)].met == 1
    unary = found["exp, log, tanh, sigmoid, sin", ("numpy", "torch", "jax")]
    # The fastest of those that were measured.
    assert unary.measured == {
        "unary/exp/float32/1000": 0.8,
        "unary/sin/float32/1000": 3,
    }
    assert found["wheel", ()].met == 1
    assert not any(o.target.work.startswith("two threads") for o in found.values())
    two = [o for o in outcomes(results, 2) if o.measured]
    assert {o.target.work for o in two} == {
        "two threads, product",
        "two threads, anything",
    }


def test_every_target_is_for_some_case() -> None:
    """A pattern that fits nothing would never be missed."""
    names = [case.name for subject in SUBJECTS for case in cases(subject)]
    names += ["package/import", "package/wheel", "rust/chain/16"]
    for target in TARGETS:
        assert any(fnmatch(name, target.cases) for name in names), target.cases


def test_runs_are_added_up(results: Results) -> None:
    again = replace(results.rows[0], per="new")
    later = replace(results, date="2030-01-03", rows=[again], left_out=["torch: x"])
    added = later.added_to(results)
    assert len(added.rows) == len(results.rows)
    assert added.find("op/plus/16", "time") == again
    assert added.left_out == ["jax: not installed", "torch: x"]
    other = replace(later, commit="another")
    with pytest.raises(ValueError, match="commit was 0123456789, and now is another"):
        other.added_to(results)


def test_results_survive_their_file(results: Results, tmp_path: Path) -> None:
    results.write(tmp_path / "run.json")
    assert read(tmp_path / "run.json") == results


@pytest.mark.parametrize(
    ("number", "unit", "wanted"),
    [
        (0.0034, "ns", "0.00340 ns"),
        (0, "ns", "0 ns"),
        (52.34, "ns", "52.3 ns"),
        (999.6, "ns", "1000 ns"),
        (4410, "ns", "4.41 µs"),
        (1.39e6, "ns", "1.39 ms"),
        (2.5e9, "ns", "2.50 s"),
        (30.4, "bytes", "30.4 bytes"),
        (1_500_000, "bytes", "1.50 MB"),
        (1.5, "times", "1.50 ×"),
    ],
)
def test_quantities(number: float, unit: str, wanted: str) -> None:
    assert quantity(number, unit) == wanted


def test_ratios() -> None:
    assert [ratio(x) for x in (0.0123, 0.5, 1.04, 12.3)] == [
        "0.012",
        "0.50",
        "1.04",
        "12",
    ]


def test_what_the_rust_program_prints() -> None:
    samples = rust.parsed("16 wengert 200.00 210.00\n16 candle 1900.00 2000.00\n")
    assert list(samples) == ["rust/chain/16"]
    assert samples["rust/chain/16"]["candle"]["gradient"] == [1900.0, 2000.0]


# --- Generated files ------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path, results: Results) -> Path:
    """Make a checkout with a run and a README."""
    folder = tmp_path / "benches" / "results"
    folder.mkdir(parents=True)
    results.write(folder / "2030-01-02.json")
    text = f"before\n{tool.FIRST}old\n{tool.LAST}after\n"
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    return tmp_path


def test_stale_files_are_found(tree: Path) -> None:
    texts = tool.generated(tree)
    names = {"2030-01-02.md", "README.md"}
    assert {path.name for path in tool.stale(texts)} == names
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    assert tool.stale(tool.generated(tree)) == []
    readme = (tree / "README.md").read_text(encoding="utf-8")
    assert re.match(r"before\n<!-- [^>]*-->\nOne thread of .*\n", readme)
    assert readme.endswith("|\n<!-- until here -->\nafter\n")
    assert "(benches/results/2030-01-02.md)" in readme


def test_the_readme_has_the_latest_run(tree: Path, results: Results) -> None:
    faster = replace(results.rows[0], figures={"wengert": Figures(1.0, 1.0, 1.0)})
    later = replace(results, rows=[faster])
    later.write(tree / "benches" / "results" / "2030-01-03.json")
    assert "| 1.00 ns |" in tool.generated(tree)[tree / "README.md"]


def test_the_files_of_this_checkout_are_as_generated() -> None:
    assert tool.stale(tool.generated(tool.ROOT)) == []
