#!/bin/sh
# Usage: pip-install.sh PYTHON GROUP...   (groups as tools/requirements.py has them)
set -eu

python=$1
shift
requirements=$(mktemp)
trap 'rm -f "$requirements"' EXIT
"$python" tools/requirements.py "$@" > "$requirements"
"$python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
