#!/usr/bin/env bash
#
# Runs a command with the variables that prepare.sh has left, and puts what it prints on standard
# output into a file where one is named.
#
#     run.sh VARIABLES OUTPUT|- COMMAND…

set -euo pipefail

variables=$1
output=$2
shift 2

if [[ -f $variables ]]; then
    while IFS= read -r -d '' entry; do
        if [[ $entry =~ ^[A-Za-z_][A-Za-z0-9_]*= ]]; then
            export "${entry?}"
        fi
    done <"$variables"
fi
if [[ $output != - ]]; then
    ulimit -f 8192 2>/dev/null || : # KiB
    exec >"$output"
fi
exec -- "$@"
