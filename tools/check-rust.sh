#!/bin/sh
# Check that cargo is there and that rustc is as new as Cargo.toml asks.
set -eu

need=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

for tool in cargo rustc; do
    if ! command -v $tool >/dev/null 2>&1; then
        echo "error: no $tool found: wengert needs Rust >= $need," \
            "see https://rustup.rs" >&2
        exit 1
    fi
done

# 1.89.0-nightly (…) and 1.89.0 alike give 1 89.
have=$(rustc --version | sed 's/^rustc \([0-9]*\.[0-9]*\).*/\1/')
minor() { echo "${1#*.}" | sed 's/[^0-9].*//'; }
if [ "${have%%.*}" -lt "${need%%.*}" ] || {
    [ "${have%%.*}" -eq "${need%%.*}" ] && [ "$(minor "$have")" -lt "$(minor "$need")" ]
}; then
    echo "error: rustc is $have, and wengert needs Rust >= $need:" \
        "rustup update stable" >&2
    exit 1
fi
