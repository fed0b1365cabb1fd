#!/usr/bin/env bash
#
# Applies interfere.patch, PKGBUILD.prepend and PKGBUILD.append to the copy of a package's folder.
#
#     apply.sh SOURCE COPY

set -euo pipefail

files=$1/.CI
copy=$2

cd -- "$copy"
if [[ -f $files/interfere.patch ]]; then
    # Only what is asked for, and nothing left behind: neither questions nor .orig and .rej files.
    patch --unified --forward --strip=1 --batch --no-backup-if-mismatch --reject-file=- \
        --input="$files/interfere.patch"
fi
if [[ -f $files/PKGBUILD.prepend ]]; then
    {
        cat -- "$files/PKGBUILD.prepend"
        printf '\n'
        cat -- PKGBUILD
    } >PKGBUILD.caur-ci
    cat -- PKGBUILD.caur-ci >PKGBUILD
    rm -- PKGBUILD.caur-ci
fi
if [[ -f $files/PKGBUILD.append ]]; then
    {
        printf '\n'
        cat -- "$files/PKGBUILD.append"
    } >>PKGBUILD
fi
