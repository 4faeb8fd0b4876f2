"""How the benchmark compares and times, with libraries that are made up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benches.python.harness.measure import (
    Asked,
    Disagreement,
    Effort,
    disagreement,
    measure,
)
from benches.python.harness.process import Refused
from benches.python.libraries import Array, Arrays
from benches.python.results import figures_of, rows_of

EFFORT = Effort(block=0.01, case=1.0, least_rounds=3, most_rounds=5)


def outputs(**changes: Array) -> Arrays:
    """Give a value and a gradient, some of them changed."""
    right = {
        "value": np.array(2.0),
        "gradient of x": np.array([1.0, -3.0, 0.0]),
        "gradient of w": np.array([0.5], np.float32),
    }
    return {**right, **{k.replace("_", " "): v for k, v in changes.items()}}


class Made:
    """A library that notes what it is asked, and takes the times that it is given."""

    def __init__(self, log: list[str], name: str, spent: float, **changes: Any) -> None:
        self.log, self.name, self.spent = log, name, spent
        self.results = outputs(**changes)

    def ask(self, method: str, *arguments: Any) -> Any:
        self.log.append(f"{self.name} {method}")
        if method == "prepare":
            return self.results
        if method == "calibrate":
            return 4, 0.05
        assert (method, arguments) == ("block", (4,))
        return {"forward": self.spent, "gradient": 3 * self.spent}


def test_equal_results_agree() -> None:
    assert disagreement(outputs(), outputs()) is None
    # Some have no gradient.
    assert disagreement(outputs(), {"value": np.array(2.0 + 1e-12)}) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"gradient_of_x": np.array([1.0, -3.0, 1e-6])}, "gradient of x: 1e-06 apart"),
        ({"gradient_of_x": np.array([1.0, 3.0, 0.0])}, "gradient of x: 6 apart"),
        ({"gradient_of_w": np.array([0.5001], np.float32)}, "gradient of w: 0.0001"),
        ({"gradient_of_x": np.array([1.0, np.nan, 0.0])}, "gradient of x: nan apart"),
        ({"value": np.array(-2.0)}, "value: 4 apart"),
        ({"value": np.array([2.0])}, "value: float64 () is not float64 (1,)"),
        ({"value": np.float32(2.0)}, "value: float64 () is not float32 ()"),
        ({"more": np.array(0.0)}, "more: we have none"),
    ],
)
def test_other_results_disagree(changes: dict[str, Array], said: str) -> None:
    fault = disagreement(outputs(), outputs(**changes))
    assert fault is not None
    assert said in fault


def test_no_results_disagree() -> None:
    assert disagreement(outputs(), {}) == "nothing to compare"


def test_a_wrong_gradient_is_not_timed() -> None:
    log: list[str] = []
    wrong = Made(log, "wrong", 1.0, gradient_of_x=np.array([1.0, -3.0, 0.01]))
    libraries = {"wengert": Made(log, "ours", 1.0), "wrong": wrong}
    with pytest.raises(Disagreement, match=r"chain: wrong disagrees on gradient of x"):
        measure("chain", libraries, EFFORT)
    assert log == ["ours prepare", "wrong prepare"]


def test_blocks_take_turns() -> None:
    log: list[str] = []
    libraries = {
        "wengert": Made(log, "a", 2.0),
        "numpy": Made(log, "b", 4.0),
        "torch": Made(log, "c", 8.0),
    }
    samples = measure("chain", libraries, EFFORT)
    blocks = [line[0] for line in log if line.endswith("block")]
    assert "".join(blocks) == "abccbaabccbaabc"
    assert log[:6] == [f"{k} {m}" for m in ("prepare", "calibrate") for k in "abc"]
    assert samples["numpy"]["forward"] == [4.0] * 5
    assert samples["torch"]["gradient/forward"] == [3.0] * 5


def test_long_cases_have_few_rounds() -> None:
    log: list[str] = []
    effort = Effort(block=0.01, case=0.1, least_rounds=3, most_rounds=50)
    samples = measure("chain", {"wengert": Made(log, "a", 1.0)}, effort)
    assert len(samples["wengert"]["forward"]) == 3


def test_a_library_may_refuse() -> None:
    class Refusing:
        def ask(self, method: str, *arguments: Any) -> Any:
            raise Refused

    libraries: dict[str, Asked] = {"wengert": Made([], "a", 1.0), "numpy": Refusing()}
    assert list(measure("chain", libraries, EFFORT)) == ["wengert"]


def test_figures() -> None:
    theirs, ours = [10.0, 40.0, 12.0], [2.0, 20.0, 3.0]
    found = figures_of(theirs, ours)
    assert (found.median, found.least) == (12.0, 10.0)
    # Of 0.2, 0.5 and 0.25: not the ratio of the medians, which compares other rounds.
    assert found.ratio == 0.25


def test_rows() -> None:
    samples = {
        "wengert": {"time": [1.0, 3.0, 2.0], "memory": [30.0]},
        "numpy": {"time": [2.0, 2.0, 2.0]},
    }
    time, memory = rows_of("op/exp", "call", 2, samples)
    assert time.key == ("op/exp", "time", 2)
    assert time.figures["wengert"].ratio == 1.0
    assert time.figures["numpy"].ratio == 1.0
    assert list(memory.figures) == ["wengert"]
