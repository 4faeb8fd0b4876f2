"""The chain in Rust, beside other crates: `benches/peers`, a program of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import partial

from benches.python import ROOT
from benches.python.harness.measure import Samples

MANIFEST = ROOT / "benches" / "peers" / "Cargo.toml"
PEERS = ("candle", "burn")


class NotBuilt(Exception):
    """The program is not to be had."""


def run(core: int, rounds: int) -> dict[str, Samples]:
    """Build the program, run it, and give its samples by case."""
    cargo = shutil.which("cargo")
    if cargo is None:
        raise NotBuilt("cargo is not installed")
    manifest = ["--quiet", "--release", "--manifest-path", str(MANIFEST)]
    try:
        subprocess.run([cargo, "build", *manifest], check=True)
        done = subprocess.run(
            [cargo, "run", *manifest, "--", str(rounds)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            # Built on all cores, run on one.
            preexec_fn=partial(os.sched_setaffinity, 0, [core]),
        )
    except subprocess.CalledProcessError as error:
        raise NotBuilt(f"cargo ended with status {error.returncode}") from error
    return parsed(done.stdout)


def parsed(text: str) -> dict[str, Samples]:
    """Read lines of the form LENGTH LIBRARY NANOSECONDS..."""
    samples: dict[str, Samples] = {}
    for line in text.splitlines():
        length, library, *spent = line.split()
        found = samples.setdefault(f"rust/chain/{length}", {})
        found[library] = {"gradient": [float(ns) for ns in spent]}
    return samples
