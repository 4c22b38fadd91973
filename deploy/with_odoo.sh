#!/bin/bash
# Run a command with ODOO_URL, ODOO_DB, ODOO_LOGIN, ODOO_PASSWORD and ODOO_KEY set: as they are, or to an Odoo 19 that
# is started for the command and stopped after it. With ODOO_COPIES=2 a second one, for a second worker, is named by ODOO_2_URL
# and so on. One that is started here begins from its demo data, since a run that was killed may have left anything behind.
# Where none can be started the command runs without, and says what it skips.
set -uo pipefail
cd "$(dirname "$0")/.."
odoo19=(.venv/bin/python deploy/odoo19.py)

if [[ -z ${ODOO_URL:-} ]]; then
    started=()
    trap 'for number in "${started[@]}"; do CONTROLTOWER_ODOO_NUMBER=$number "${odoo19[@]}" down; done' EXIT
    for number in $(seq "${ODOO_COPIES:-1}"); do
        export CONTROLTOWER_ODOO_NUMBER=$number
        if ! "${odoo19[@]}" is-up; then
            started+=("$number")
            "${odoo19[@]}" reset
        fi
        if settings=$("${odoo19[@]}" up) && key=$("${odoo19[@]}" key); then
            settings+=$'\n'"export ODOO_KEY=$key"
            ((number == 1)) || settings=${settings//ODOO_/ODOO_${number}_}
            eval "$settings"
        elif ((number == 1)); then
            echo "!!! No Odoo 19 could be started: the tests that need one will be skipped." >&2
            break
        else
            exit 1
        fi
    done
    unset CONTROLTOWER_ODOO_NUMBER
fi
"$@"
