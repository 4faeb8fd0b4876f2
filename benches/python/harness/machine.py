"""What the figures were measured with."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

from benches.python import ROOT

# What the figures depend on.
ENGINE = ("src", "python", "Cargo.toml", "Cargo.lock")


def cpu_fields() -> dict[str, str]:
    """Give what the system says of its first processor."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return {}
    lines = (line.partition(":") for line in text.split("\n\n")[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}


def machine() -> dict[str, str]:
    """Describe the machine."""
    cpu = cpu_fields()
    family = ", ".join(
        f"{name} {cpu[key]}"
        for name, key in (("family", "cpu family"), ("model", "model"))
        if key in cpu
    )
    name = cpu.get("model name", platform.processor() or "unknown")
    return {
        "CPU": f"{name} ({family})" if family else name,
        "cores": str(len(os.sched_getaffinity(0))),
        "system": f"{platform.system()} {platform.machine()}",
        "libc": " ".join(platform.libc_ver()),
        "Python": platform.python_version(),
    }


def has_avx512() -> bool:
    """Say whether the processor has the 512-bit instructions."""
    return "avx512f" in cpu_fields().get("flags", "").split()


def commit() -> str:
    """Name the commit that the engine is from, and say if it was changed since."""
    try:
        name = git("log", "-1", "--format=%h", "--abbrev=10", "--", *ENGINE)
        changed = git("status", "--porcelain", "--", *ENGINE)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{name}, changed" if changed else name


def git(*arguments: str) -> str:
    """Ask git."""
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
