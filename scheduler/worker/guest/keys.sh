#!/usr/bin/env bash
#
# Gives the user that builds the keys that a package ships for checking its sources.
#
#     keys.sh SOURCE

set -euo pipefail

for key in "$1"/keys/pgp/*.asc; do
    gpg --batch --quiet --import -- "$key"
done
