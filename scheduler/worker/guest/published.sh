#!/usr/bin/env bash
#
# Prints the file names of the packages that all of some pacman repositories have.
#
#     published.sh URL…     (of the databases)

set -euo pipefail

# In KiB, and whoever made the database does not have to be trusted.
ulimit -f $((512 * 1024)) 2>/dev/null || :
database=$(mktemp)
trap 'rm -f -- "$database"' EXIT
for url in "$@"; do
    curl --disable --fail --silent --location --max-time 60 --output "$database" -- "$url"
    bsdtar --extract --to-stdout --file "$database" '*/desc' |
        awk 'wanted { print; wanted = 0 } $0 == "%FILENAME%" { wanted = 1 }'
done | awk -v all=$# '++seen[$0] == all'
