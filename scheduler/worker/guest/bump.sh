#!/usr/bin/env bash
#
# Gives the PKGBUILD another pkgrel.
#
#     bump.sh COPY PKGREL

set -euo pipefail

cd -- "$1"
if grep -q '^pkgrel=' PKGBUILD; then
    sed -i --follow-symlinks -e "s/^pkgrel=[^[:space:];#]*/pkgrel=$2/" PKGBUILD
else
    printf '\npkgrel=%s\n' "$2" >>PKGBUILD
fi
