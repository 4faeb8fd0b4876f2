#!/bin/sh
# Print the Python to make the virtual environment from: $PYTHON if it is set,
# else the first under its usual names that is 3.10 or newer and can make one.
set -eu

# Each candidate is run: the shims of version managers answer to names of
# Pythons that are not there.
probe() {
    "$1" -c '
import sys
if sys.version_info < (3, 10):
    sys.exit(3)
try:
    import ensurepip, venv
except ImportError:
    sys.exit(4)
' >/dev/null 2>&1
}

old= bare=
for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python3.10 python}
do
    command -v "$name" >/dev/null 2>&1 || continue
    status=0
    probe "$name" || status=$?
    case $status in
        0) command -v "$name"; exit ;;
        3) old=${old:-$name} ;;
        4) bare=${bare:-$name} ;;
    esac
done

if [ -n "$bare" ]; then
    echo "error: $bare has no venv or no ensurepip: install them" \
        "(Debian, Ubuntu: apt install python3-venv)" >&2
elif [ -n "$old" ]; then
    echo "error: $old is $("$old" -V 2>&1), and wengert needs Python >= 3.10:" \
        "install one, or name it: make PYTHON=/path/to/python3" >&2
elif [ -n "${PYTHON:-}" ]; then
    echo "error: PYTHON=$PYTHON does not run" >&2
else
    echo "error: no Python found: wengert needs Python >= 3.10;" \
        "install one, or name it: make PYTHON=/path/to/python3" >&2
fi
exit 1
