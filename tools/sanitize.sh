#!/bin/sh
# Usage: sanitize.sh thread|address PYTHON [PYTEST_ARGS...]
#
# thread    under ThreadSanitizer, the Rust tests of the pool and of what may be stopped,
#           then the Python tests of threads, which meet at a record's lock
# address   under AddressSanitizer, the Python tests
#
# PYTHON's environment has NumPy and pytest. Needs gcc, for its sanitizers' runtimes, and
# the sources of Rust's standard library (`rustup component add rust-src`), which is
# compiled with the sanitizer too. The interpreter and NumPy are not: of what they do only
# calls of the C library are seen, such as locks, allocations and copies.
set -eu
cd "$(dirname "$0")/.."

kind=$1
python=$2
shift 2

host=$(rustc -vV | sed -n 's/^host: //p')
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Sanitizers are options of the nightly compiler, which the stable one has too.
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="-Zsanitizer=$kind"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/sanitize-$kind"
export PYO3_PYTHON="$python"
# Without address randomisation: older runtimes do not find room for their shadow.
fixed="setarch $(uname -m) --addr-no-randomize"

build() { cargo "$1" --quiet -Zbuild-std --target "$host" $2; }

# The package beside the extension, as a wheel would lay it out.
package() {
    build build "--lib --features python"
    cp -r python/wengert "$scratch/"
    cp "$CARGO_TARGET_DIR/$host/debug/libwengert.so" "$scratch/wengert/_core.so"
}

# Python tests with the runtime in the interpreter before all else.
run_pytest() {
    runtime=$(gcc -print-file-name="$1.so")
    # Before the first exception of C++, or it is not found in extensions that come later.
    runtime="$runtime $(gcc -print-file-name=libstdc++.so.6) ${more_runtime:-}"
    shift
    echo "-- Python tests with $runtime: $*"
    # Memory comes from the C library, which the sanitizer watches.
    LD_PRELOAD="$runtime" PYTHONMALLOC=malloc PYTHONPATH="$scratch" \
        $fixed "$python" -m pytest -q -p no:cacheprovider "$@"
}

case $kind in
thread)
    export TSAN_OPTIONS="halt_on_error=1 exitcode=66"
    echo '-- Rust tests under ThreadSanitizer'
    build test "--lib -- kernels::threads tests::"
    build test "--test rust -- threads::"
    package
    # What LLVM calls, and GCC's runtime has under the plain names alone.
    echo '#include <string.h>
        void *__tsan_memcpy(void *to, const void *from, size_t n)
        { return memcpy(to, from, n); }
        void *__tsan_memmove(void *to, const void *from, size_t n)
        { return memmove(to, from, n); }
        void *__tsan_memset(void *to, int byte, size_t n)
        { return memset(to, byte, n); }' |
        gcc -shared -fPIC -O1 -fno-builtin -x c - -o "$scratch/tsan_memory.so"
    more_runtime="$scratch/tsan_memory.so"
    [ $# -gt 0 ] || set -- tests/python/test_threads.py
    run_pytest libtsan "$@"
    ;;
address)
    # What the interpreter keeps until its end is no leak of ours.
    export ASAN_OPTIONS="detect_leaks=0 allocator_may_return_null=1"
    package
    [ $# -gt 0 ] || set -- tests/python
    run_pytest libasan "$@"
    ;;
*)
    echo "usage: sanitize.sh thread|address PYTHON [PYTEST_ARGS...]" >&2
    exit 2
    ;;
esac
