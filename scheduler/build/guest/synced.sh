#!/usr/bin/env bash
#
# Prints the file names of the packages that a repository has, as pacman knows it here.
#
#     synced.sh REPOSITORY

set -euo pipefail

database=/var/lib/pacman/sync/$1.db
[[ -e $database ]] || exit 0
bsdtar --extract --to-stdout --file "$database" '*/desc' |
    awk 'wanted { print; wanted = 0 } $0 == "%FILENAME%" { wanted = 1 }'
