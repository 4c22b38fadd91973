#!/bin/bash
# Make .venv with Python 3.13 where it is missing, and install the pinned packages of the file $1 into it.
set -euo pipefail
cd "$(dirname "$0")/.."

is_313() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; }

if ! is_313 .venv/bin/python; then
    python=
    for candidate in python3.13 python3 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 /usr/local/bin/python3.13; do
        if is_313 "$candidate"; then python=$candidate; break; fi
    done
    if [[ -z $python ]]; then
        echo "This needs Python 3.13 and found none. Install it (Debian: python3.13, pyenv: pyenv install 3.13)." >&2
        exit 1
    fi
    echo "Making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
fi

echo "Installing $1 (the first time takes about two minutes)"
# uv, where the machine has it, does in seconds what pip does in a minute. Both check every hash.
if command -v uv >/dev/null; then
    uv pip install --quiet --python .venv/bin/python --require-hashes -r "$1"
else
    .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r "$1"
fi
