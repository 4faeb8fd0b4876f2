"""The processes of the benchmark, and whole runs of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benches.python import ROOT, run
from benches.python.harness.process import Contestant, Process, ProcessError, Refused
from benches.python.results import read

CORE = max(os.sched_getaffinity(0))


def state(process: Process) -> str:
    """Give the state of a process as the system shows it."""
    text = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8")
    return text.rpartition(")")[2].split()[0]


def test_a_process_answers() -> None:
    with Process(Contestant("numpy", "numpy", 1), [CORE]) as process:
        assert "NumPy" in process.ask("describe")
        assert state(process) == "T", "it is stopped while it is not asked"
        outputs = process.ask("prepare", "op/plus/16")
        assert outputs["value"].shape == (16,)
        times, seconds = process.ask("calibrate", 0.001)
        assert times >= 1
        assert 0 < seconds < 10
        assert process.ask("block", 2)["time"] > 0
        assert os.sched_getaffinity(process.pid) == {CORE}
        with pytest.raises(Refused):
            process.ask("prepare", "scalars/1000000")
        with pytest.raises(ProcessError, match=r"(?s)numpy: prepare failed.*StopIter"):
            process.ask("prepare", "op/no such thing")
        pid = process.pid
    assert not Path(f"/proc/{pid}").exists()


def test_a_process_that_ends_is_told() -> None:
    with (
        Process(Contestant("nobody", "nobody", 1), [CORE]) as process,
        pytest.raises(ProcessError, match="nobody: the process ended with status 1"),
    ):
        process.ask("describe")


def test_the_environment_of_a_contestant() -> None:
    wide = Contestant("wide", "numpy", 2, (("OPENBLAS_CORETYPE", "SkylakeX"),))
    variables = wide.variables()
    assert variables["OPENBLAS_NUM_THREADS"] == "2"
    assert variables["WENGERT_NUM_THREADS"] == "2"
    assert variables["OPENBLAS_CORETYPE"] == "SkylakeX"


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "benches/python/run.py", "--quick", *arguments],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_run(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    done = bench("--peers", "numpy", "--only", "op/plus/1", "--json", str(path))
    assert "| plus/1 | time / call |" in done.stdout
    assert "op/plus/1 time, 1 thread: wengert" in done.stderr
    first = read(path)
    assert [row.case for row in first.rows] == ["op/plus/1"]
    assert set(first.rows[0].figures) == {"wengert", "numpy"}
    assert first.libraries["numpy"]["NumPy"]
    assert first.machine["CPU"]

    wheel = tmp_path / "some.whl"
    wheel.write_bytes(bytes(1234))
    more = ("--peers", "", "--only", "package/wheel", "--wheel", str(wheel))
    bench(*more, "--json", str(path), "--add")
    added = read(path)
    assert [row.case for row in added.rows] == ["op/plus/1", "package/wheel"]
    assert added.rows[1].figures["wengert"].median == 1234


def test_a_peer_that_is_not_there_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "installed", lambda name: name != "torch")
    options = run.parse(["--peers", "numpy,torch", "--only", "nothing"])
    results, agreed = run.run(options)
    assert agreed
    assert results.left_out == ["torch: not installed"]
    assert "left out: torch: not installed" in capsys.readouterr().err


def test_more_threads_than_cores_are_left_out() -> None:
    cores = len(os.sched_getaffinity(0))
    options = run.parse(["--threads", str(cores + 1), "--only", "nothing"])
    results, _ = run.run(options)
    assert f"{cores + 1} threads: there are {cores} cores" in results.left_out


def test_unknown_peers_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run.parse(["--peers", "numpy,tensorflow"])
    assert "no 'tensorflow' among numpy,autograd,jax,torch" in capsys.readouterr().err
