# Messages of scripts/bootstrap. All of them go to standard error.
# shellcheck shell=bash

say() {
    printf 'bootstrap: %s\n' "$*" >&2
}

# What is wrong, then lines that say what to do.
stop() {
    printf 'bootstrap: error: %s\n' "$1" >&2
    shift
    for line in "$@"; do
        printf '  %s\n' "$line" >&2
    done
    exit 1
}

have() {
    command -v -- "$1" >/dev/null 2>&1
}

# Runs a command and shows what it printed only where it failed.
quietly() {
    local output status=0
    output=$("$@" 2>&1 </dev/null) || status=$?
    [[ $status == 0 ]] || printf '%s\n' "$output" >&2
    return "$status"
}
