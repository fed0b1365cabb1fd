#!/usr/bin/env bash
#
# Copies the package's folder to where it is built, and takes out of the PKGBUILD what would make
# code for the processor of this one machine only.
#
#     stage.sh SOURCE COPY

set -euo pipefail

source=$1
copy=$2

mkdir -- "$copy"
cp -RP --no-target-directory -- "$source" "$copy"
chmod -R u+rwX -- "$copy"
if grep -q -e '-march=native' -- "$copy/PKGBUILD"; then
    sed -i --follow-symlinks -e 's/-march=native//g' -- "$copy/PKGBUILD"
fi
