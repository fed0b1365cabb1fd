#!/usr/bin/env bash
#
# Writes namcap's report on the PKGBUILD and the packages that were built, where namcap is.
#
#     namcap.sh COPY OUTPUT REPORT

set -euo pipefail
shopt -s nullglob

ulimit -f 8192 2>/dev/null || : # KiB: it is about packages that somebody else made
if type -P namcap >/dev/null; then
    cd -- "$1"
    namcap PKGBUILD "$2"/*.pkg.tar* >"$3" 2>&1
fi
