"""Count the instructions of the hot paths, and compare them with those expected.

    python benches/python/instructions/gate.py [--update]

Needs valgrind (Debian, Ubuntu: apt install valgrind) and the package installed as
release build. The expected counts are in benches/instructions.json, with the versions
of what they depend on: where these differ, nothing is compared. `--update` writes the
file anew. The AVX2 kernels are counted, for valgrind knows no AVX-512.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

if __name__ == "__main__":  # a script finds only what is in its own folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from benches.python import ROOT
from benches.python.instructions.counted import PATHS

EXPECTED = ROOT / "benches" / "instructions.json"
# How much more than expected is accepted.
TOLERANCE = 0.03
SETTINGS = {
    "WENGERT_ISA": "avx2",
    "WENGERT_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # Places in sets and dicts, and so the work to find them, depend on it.
    "PYTHONHASHSEED": "0",
}

Counts = dict[str, float]


def versions() -> dict[str, str]:
    """Give what the counts depend on beside the sources."""
    return {
        "Python": f"{platform.python_version()}, {platform.python_compiler()}",
        "libc": " ".join(platform.libc_ver()),
        "rustc": version_of("rustc"),
        "valgrind": version_of("valgrind"),
        "machine": platform.machine(),
    }


def version_of(program: str) -> str:
    """Ask a program for its version."""
    done = subprocess.run(
        [program, "--version"], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def counts() -> Counts:
    """Count all paths: instructions a unit."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                "valgrind",
                "--quiet",
                "--tool=callgrind",
                f"--callgrind-out-file={folder}/%p",
                sys.executable,
                "-m",
                "benches.python.instructions.counted",
            ],
            cwd=ROOT,
            env={**os.environ, **SETTINGS},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        children = [line.split(" ", 2) for line in done.stdout.splitlines()]
        totals = [
            (name, int(times), total((Path(folder) / process).read_text("utf-8")))
            for process, times, name in children
        ]
    return differences(totals)


def total(profile: str) -> int:
    """Read how many instructions a process ran from its profile."""
    found = re.search(r"^totals: (\d+)$", profile, re.MULTILINE)
    if found is None:
        raise ValueError("the profile has no totals")
    return int(found[1])


def differences(totals: Iterable[tuple[str, int, int]]) -> Counts:
    """Give instructions a unit, from two counts of each path."""
    found: dict[str, dict[int, int]] = {}
    for name, times, instructions in totals:
        found.setdefault(name, {})[times] = instructions
    result = {}
    for name, by_times in found.items():
        (few, less), (many, more) = sorted(by_times.items())
        units = (many - few) * PATHS[name].units
        result[name] = round((more - less) / units, 1)
    return result


def compare(expected: Mapping[str, float], found: Mapping[str, float]) -> list[str]:
    """List what takes more than is accepted, and what is not in both."""
    faults = [f"{name}: no count is expected" for name in found if name not in expected]
    for name, count in expected.items():
        if name not in found:
            faults.append(f"{name}: expected, and not counted")
        elif found[name] > count * (1 + TOLERANCE):
            more = found[name] / count - 1
            faults.append(f"{name}: {found[name]} instead of {count} ({more:+.1%})")
    return faults


def update() -> int:
    """Write the counts."""
    table = {"versions": versions(), "instructions": counts()}
    EXPECTED.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    print(f"wrote {EXPECTED.relative_to(ROOT)}")
    return 0


def check() -> int:
    """Compare the counts with those expected, if they can be."""
    expected, here = json.loads(EXPECTED.read_text("utf-8")), versions()
    if expected["versions"] != here:
        print(f"not compared: counted with {expected['versions']}, here is {here}")
        return 0
    before, found = expected["instructions"], counts()
    for name, count in found.items():
        change = f"{count / before[name] - 1:+.1%}" if name in before else "new"
        print(f"{name:28}{count:10,.1f} instructions  {change}")
    faults = compare(before, found)
    for fault in faults:
        print(f"error: {fault}", file=sys.stderr)
    if faults:
        print("if it is meant: make instructions-update", file=sys.stderr)
    return 1 if faults else 0


def main() -> int:
    """Check or update."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--update", action="store_true", help="write the counts")
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("error: valgrind is not installed", file=sys.stderr)
        return 2
    return update() if options.update else check()


if __name__ == "__main__":
    sys.exit(main())
