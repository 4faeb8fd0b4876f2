#!/bin/sh
# Usage: sanitize.sh thread|address PYTHON [PYTEST_ARGS...]
#
# thread    under ThreadSanitizer, the Rust tests of the pool and of what may be stopped,
#           then the Python tests that have threads
# address   under AddressSanitizer, the Rust tests and all Python tests
#
# With PYTEST_ARGS, these Python tests alone. PYTHON's environment has NumPy and pytest.
# Needs gcc and the sources of Rust's standard library (`rustup component add rust-src`),
# which is compiled with the sanitizer too. The interpreter and NumPy are not: of what they
# do only calls of the C library are seen, such as locks, allocations and copies.
set -eu
cd "$(dirname "$0")/.."

kind=$1
python=$2
shift 2

host=$(rustc -vV | sed -n 's/^host: //p')
target="${CARGO_TARGET_DIR:-target}/sanitize-$kind"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Sanitizers are options of the nightly compiler, which the stable one has too.
build() {
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=$kind" CARGO_TARGET_DIR="$target" \
        PYO3_PYTHON="$python" cargo "$1" --quiet -Zbuild-std --target "$host" $2
}

# The package beside the extension, as a wheel would lay it out.
package() {
    build build "--lib --features python"
    cp -r python/wengert "$scratch/"
    cp "$target/$host/debug/libwengert.so" "$scratch/wengert/_core.so"
}

# The runtime is loaded before all else in Python, and in what Python starts. Other programs
# may not bear that: the tests find these without it.
programs_without_runtime() {
    mkdir "$scratch/bin"
    for program in cargo chromium dot; do
        path=$(command -v "$program") || continue
        printf '#!/bin/sh\nunset LD_PRELOAD\nexec %s "$@"\n' "$path" \
            >"$scratch/bin/$program"
        chmod +x "$scratch/bin/$program"
    done
}

# Python tests with the runtime and what else is to be loaded.
run_pytest() {
    # Before the first exception of C++, or it is not found in extensions that come later.
    preload="$1 $(gcc -print-file-name=libstdc++.so.6)"
    shift
    programs_without_runtime
    echo "-- Python tests: $*"
    failed=0
    # Reports go to files: pytest would keep them from a process that ends at once.
    # Memory comes from the C library, which the sanitizer watches.
    LD_PRELOAD="$preload" PYTHONMALLOC=malloc PYTHONPATH="$scratch" \
        PATH="$scratch/bin:$PATH" \
        ASAN_OPTIONS="$options:log_path=$scratch/report" \
        TSAN_OPTIONS="$options:log_path=$scratch/report" \
        $fixed "$python" -m pytest -q -p no:cacheprovider "$@" || failed=$?
    # Not every test looks at how a process ended that it started. Without the colon it is
    # a warning that there was no memory.
    if grep -l 'Sanitizer: ' "$scratch"/report.* >"$scratch/found" 2>/dev/null; then
        xargs cat <"$scratch/found"
        failed=66
    fi
    return $failed
}

# Tests ask for more memory than there is.
options="allocator_may_return_null=1"
# Those that cannot run under a sanitizer are among these.
faults="tests/python/test_faults_process.py::test_fault"

case $kind in
thread)
    # Older runtimes do not find room for their shadow where addresses are randomised.
    fixed="setarch $(uname -m) --addr-no-randomize"
    # Glibc frees a thread's variables once the kernel says that it has ended, which the
    # runtime does not see.
    echo 'race:ld-linux' >"$scratch/suppressions"
    options="$options:halt_on_error=1:exitcode=66:die_after_fork=0"
    options="$options:suppressions=$scratch/suppressions:print_suppressions=0"
    if [ $# = 0 ]; then
        echo '-- Rust tests under ThreadSanitizer'
        build test "--lib -- kernels::threads tests::"
        build test "--test rust -- threads::"
        set -- $(grep -l thread tests/python/test_*.py)
    fi
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
    # Cannot run so: products of large matrices, of which each access is looked at, end
    # minutes after they were interrupted; those of a sweep that is tried with 80 amounts
    # of memory take longer than a program is waited for.
    run_pytest "$(gcc -print-file-name=libtsan.so) $scratch/tsan_memory.so" "$@" \
        --deselect "${faults}_13_memory_ends_within_a_sweep" \
        --deselect "${faults}_35_a_fork_within_a_signal_handler" \
        --deselect "${faults}_36_a_handler_that_returns" \
        --deselect "${faults}_36_ctrl_c_that_comes_from_the_system" \
        --deselect "${faults}_36_ctrl_c_within_a_sweep[" \
        --deselect "${faults}_36_ctrl_c_within_an_op[matmul-"
    ;;
address)
    fixed=
    options="$options:allow_addr2line=1"
    if [ $# = 0 ]; then
        echo '-- Rust tests under AddressSanitizer'
        build build --examples
        ASAN_OPTIONS=$options build test "--lib --test rust"
        set -- tests/python
    fi
    # What the interpreter keeps until its end is no leak of ours.
    options="$options:detect_leaks=0"
    package
    # The compiler's runtime, which comes as an archive to be linked with a program. Not
    # GCC's, whose older versions hold no locks over a fork: a child then waits for what
    # threads had that stayed behind.
    cp "$(rustc --print target-libdir)"/librustc-*_rt.asan.a "$scratch/asan.a"
    # What only a program may have.
    ar d "$scratch/asan.a" asan_preinit.cpp.o
    gcc -shared -o "$scratch/asan.so" \
        -Wl,--whole-archive "$scratch/asan.a" -Wl,--no-whole-archive -ldl -lm -lpthread -lrt
    # Cannot run so: where the process may have no more memory, neither has the runtime for
    # its own tables, and ends the process; and it holds back for long what was given back,
    # so a matrix product finds less than it asked for first.
    run_pytest "$scratch/asan.so" "$@" \
        --deselect "${faults}_13_memory_ends_within_a_sweep"
    ;;
*)
    echo "usage: sanitize.sh thread|address PYTHON [PYTEST_ARGS...]" >&2
    exit 2
    ;;
esac
