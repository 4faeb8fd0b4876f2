"""Profiles of records: counts, bytes, lines, and which times there are."""

from __future__ import annotations

import pytest
import wengert as wg
from wengert import ComputationRecord, HandleError, Profile, ProfileRow

from tests.python.places import line_of


def row(rows: list[ProfileRow], name: str) -> ProfileRow:
    return next(x for x in rows if x.name.endswith(name))


def test_counts_and_bytes_by_op_and_by_line() -> None:
    rec = ComputationRecord()
    y = z = x = rec.ones((40, 50))
    with rec.profile() as profile:
        first, second = line_of(2), line_of(3)
        for _ in range(300):
            y = x.T * 2.0
            z = wg.sum(y)
    later = y + z
    assert later.index == len(rec) - 1
    found = {x.name: (x.count, x.bytes) for x in profile.ops}
    assert found == {
        "multiply": (300, 300 * 16000),
        "transpose": (300, 0),
        "sum": (300, 300 * 8),
    }
    assert row(profile.lines, first).count == 600
    assert row(profile.lines, second).bytes == 300 * 8
    assert len(profile.lines) == 2


def test_a_training_loop_by_the_short_way() -> None:
    rec = ComputationRecord()
    steps, links = 40, 50
    with rec.profile() as profile:
        for _ in range(steps):
            y = x = rec.ones(8, "float32")
            s = t = rec.ones(())
            for _ in range(links):
                y = wg.tanh(y * x + 1.0)
                t = t * s - 0.5
            (wg.sum(y) + t).grad()
            rec.clear()
    found = {x.name: x for x in profile.ops}
    counts = {name: x.count for name, x in found.items()}
    each = steps * links
    assert counts == {
        "tensor": 2 * steps,
        "multiply": 2 * each,
        "add": each + steps,
        "tanh": each,
        "subtract": each,
        "sum": steps,
        "cast": steps,
    }
    for name in ("multiply", "add", "tanh", "subtract"):
        assert found[name].forward > 0, name
        assert found[name].sweep > 0, name
    assert found["tanh"].bytes == each * 8 * 4
    times = [x.forward + x.sweep for x in profile.ops]
    assert times == sorted(times, reverse=True)
    assert profile.wall > 0


def test_values_are_those_without_a_profile() -> None:
    def run(rec: ComputationRecord) -> tuple[float, list[float], int]:
        y = x = rec.tensor_from_value([0.5, 0.25])
        for _ in range(2000):
            y = wg.tanh(y * x + 1)
        loss = wg.sum(y)
        return loss.item(), loss.grad().wrt(x).data().tolist(), len(rec)

    plain, profiled = ComputationRecord(), ComputationRecord()
    with profiled.profile():
        found = run(profiled)
    assert found == run(plain)


def test_a_profile_prints_two_tables() -> None:
    rec = ComputationRecord()
    with rec.profile() as profile:
        wg.exp(rec.ones((100, 100)))
        line = line_of(-1)
    lines = str(profile).splitlines()
    assert lines[0].startswith("profile: 2 nodes, ")
    assert lines[2].split() == ["op", "nodes", "bytes", "forward", "sweep", "share"]
    assert lines[3].split()[:4] == ["exp", "1", "78.1", "KiB"]
    assert line in str(profile)
    assert repr(profile) == f"<profile of {repr(rec).strip('<>').partition(':')[0]}>"
    assert repr(profile.ops[0]).startswith("<exp: 1 nodes, 80000 bytes, ")


def test_it_is_read_while_it_runs_and_before() -> None:
    rec = ComputationRecord()
    profile = rec.profile()
    assert isinstance(profile, Profile)
    assert (profile.ops, profile.lines, profile.wall) == ([], [], 0.0)
    with profile:
        x = rec.ones(3)
        assert [x.count for x in profile.ops] == [1]
        y = x + x
        assert sum(x.count for x in profile.ops) == 2
    wall = profile.wall
    assert (y * y).index == 2
    assert sum(x.count for x in profile.ops) == 2
    assert profile.wall == wall
    with profile:
        assert profile.ops == []


def test_one_profile_at_a_time() -> None:
    rec = ComputationRecord()
    with rec.profile() as profile:
        with (
            pytest.raises(HandleError, match="is in use: a profile is running"),
            rec.profile(),
        ):
            pass
        x = rec.ones(2)
    assert x.index == 0
    assert [x.count for x in profile.ops] == [1]


def test_an_error_within_the_block_leaves_it() -> None:
    rec = ComputationRecord()
    profile = rec.profile()
    with pytest.raises(wg.ShapeError), profile:
        rec.ones(2) + rec.ones(3)
    assert [(x.name, x.count) for x in profile.ops] == [("tensor", 2)]
    with rec.profile() as again:
        pass
    assert again.ops == []


def test_checked_records_are_profiled() -> None:
    rec = ComputationRecord(check_finite=True)
    with rec.profile() as profile:
        y = x = rec.ones(2)
        for _ in range(8000):
            y = wg.tanh(y + x)
        wg.sum(y).grad()
    found = {x.name: x for x in profile.ops}
    assert found["tanh"].count == 8000
    assert found["tanh"].forward > 0
    assert found["tanh"].sweep > 0
    with pytest.raises(wg.NonFiniteError):
        wg.log(x - x)
