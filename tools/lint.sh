#!/bin/sh
# Usage: lint.sh PART PYTHON
# PART is `source`, what reads the sources alone, or `installed`, what needs the
# compiled module in PYTHON's environment.
set -eu

part=$1
python=$2

step() {
    line="$*"
    line=${line#"$python "}
    echo "-- ${line#-m }"
    "$@"
}

component() {
    if ! cargo "$1" --version >/dev/null 2>&1; then
        echo "error: no cargo $1: rustup component add $2" >&2
        exit 1
    fi
}

lint_source() {
    component fmt rustfmt
    component clippy clippy
    # The feature `python` is compiled against this interpreter.
    export PYO3_PYTHON="$python"

    step cargo fmt --check
    step rustfmt --check --edition 2024 benches/peers/src/main.rs
    step "$python" -m ruff check --quiet
    step "$python" -m ruff format --check --quiet
    step "$python" tools/results.py --check
    step cargo clippy --quiet --all-targets -- -D warnings
    step cargo clippy --quiet --all-targets --features python -- -D warnings
    export RUSTDOCFLAGS="-D warnings"
    step cargo doc --quiet --no-deps

    if ! cargo deny --version >/dev/null 2>&1; then
        echo "-- cargo deny: skipped, cargo-deny is not installed"
    elif cargo deny fetch db >/dev/null 2>&1; then
        step cargo deny --log-level error check
    else
        echo "-- cargo deny: no advisory database in reach," \
            "so advisories and yanked crates are skipped"
        step cargo deny --log-level error check bans licenses sources
    fi
}

# Work in progress on the hand-written half of a stub is no fault: what is there
# after `make gen` is compared with what was there before, not with the commit.
state() { git status --porcelain && git diff; }

lint_installed() {
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        before=$(state)
        step "$python" tools/gen.py
        if [ "$before" != "$(state)" ]; then
            git --no-pager diff --stat
            echo "error: generated files were stale and are now written again:" \
                "look at git status" >&2
            exit 1
        fi
    fi
    step "$python" -m mypy
    step "$python" -m mypy.stubtest wengert._core --mypy-config-file pyproject.toml
}

"lint_$part"
