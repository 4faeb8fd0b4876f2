"""The cases of the benchmark: what they are called, and that they compute one thing."""

from __future__ import annotations

import pytest

from benches.python import libraries
from benches.python.harness.measure import disagreement
from benches.python.work import SMALL, SUBJECTS, Case, cases, chosen, find, groups

EVERY = {case.name: case for subject in SUBJECTS for case in cases(subject)}
# Larger ones take their time, and are other sizes of the same.
MOST_ELEMENTS = 100_000


def test_names_are_whole() -> None:
    assert len(EVERY) > 100
    assert all(find(name) is case for name, case in EVERY.items())
    assert {name.split("/")[0] for name in EVERY} == set(SUBJECTS)


def test_chosen() -> None:
    assert [case.name for case in chosen(["op/exp/16"])] == ["op/exp/16"]
    sines = chosen(["unary/sin", "op/plus"])
    assert len(sines) == 8 + 4
    assert [c.name for c in chosen(["unary/sin/*/1000"])] == [
        "unary/sin/float32/1000",
        "unary/sin/float64/1000",
    ]
    assert len(chosen([])) == len(EVERY)
    assert chosen(["un"]) == []


def test_each_large_size_has_fresh_processes() -> None:
    found = groups(list(EVERY.values()))
    assert sum(map(len, found)) == len(EVERY)
    for group in found:
        sizes = {case.size for case in group}
        subjects = {case.name.split("/")[0] for case in group}
        if max(sizes) > SMALL:
            assert len(sizes) == 1
            assert len(subjects) == 1
    assert sum(max(case.size for case in group) <= SMALL for group in found) == 1


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=name)
        for name, case in EVERY.items()
        if case.size <= MOST_ELEMENTS and not name.startswith("threads/")
    ],
)
def test_a_case_agrees_with_numpy(case: Case) -> None:
    ours = case.task(libraries.load("wengert"))
    found = ours.outputs()
    assert found
    try:
        theirs = case.task(libraries.load("numpy")).outputs()
    except NotImplementedError:
        # Its peers are others.
        assert "numpy" not in case.peers
    else:
        assert disagreement(found, theirs) is None
    assert all(figure > 0 for figure in ours.block(1).values())
    # What was timed has not changed what it computes, but for a model that is trained.
    if not case.name.startswith("training/"):
        assert disagreement(found, ours.outputs()) is None
