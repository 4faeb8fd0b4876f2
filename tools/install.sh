#!/bin/sh
# Usage: install.sh VENV   Build the wheel into VENV/wheel and install it there.
set -eu

venv=$1
# Cargo's progress bar is for people; elsewhere it would be a line a crate.
if [ -t 2 ]; then quiet=; else quiet=--quiet; fi

# Another version's wheel must not be installed beside this one.
rm -rf "$venv/wheel"
"$venv/bin/maturin" build --release --compression-level 9 $quiet \
    --interpreter "$venv/bin/python" --out "$venv/wheel"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --force-reinstall --no-deps "$venv/wheel/"*.whl
