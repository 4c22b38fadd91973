#!/bin/bash
# Install what package-lock.json pins into node_modules. Node of the machine is used where it is recent enough; otherwise
# one is installed into .venv, from a package whose hashes requirements-node.txt pins, which needs no rights on the machine.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"

OLDEST=20
is_recent() { command -v npm >/dev/null && node -e "process.exit(process.versions.node.split('.')[0] < $OLDEST)" 2>/dev/null; }

is_recent || deploy/venv.sh requirements-node.txt
echo "Installing package-lock.json with Node $(node --version)"
npm ci --silent
