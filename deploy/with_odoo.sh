#!/bin/bash
# Run a command with ODOO_URL, ODOO_DB, ODOO_LOGIN, ODOO_PASSWORD and ODOO_KEY set: as they are, or to an Odoo 19 that
# is started for the command and stopped after it. One that is started here begins from its demo data, since a run that
# was killed may have left anything behind. Where none can be started the command runs without, and says what it skips.
set -uo pipefail
cd "$(dirname "$0")/.."

if [[ -z ${ODOO_URL:-} ]]; then
    was_up=$(.venv/bin/python deploy/odoo19.py is-up && echo yes)
    if [[ ! $was_up ]]; then
        trap '.venv/bin/python deploy/odoo19.py down' EXIT
        .venv/bin/python deploy/odoo19.py reset
    fi
    if settings=$(.venv/bin/python deploy/odoo19.py up); then
        eval "$settings"
        ODOO_KEY=$(.venv/bin/python deploy/odoo19.py key) && export ODOO_KEY
    else
        echo "!!! No Odoo 19 could be started: the tests that need one will be skipped." >&2
    fi
fi
"$@"
