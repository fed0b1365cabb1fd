#!/usr/bin/env bash
#
# Installs what is missing of the named dependencies, in a build container and as root in it.
#
#     dependencies.sh RELATION…

set -euo pipefail

# 127 says that something is missing, and prints what.
listing=$(pacman --deptest -- "$@") || (($? == 127))
[[ -n $listing ]] || exit 0
mapfile -t missing <<<"$listing"
printf '==> caur-ci: installing %s\n' "${missing[*]}"
exec pacman --sync --needed --asdeps --noconfirm -- "${missing[@]}"
