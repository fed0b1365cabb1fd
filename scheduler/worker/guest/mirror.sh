#!/usr/bin/env bash
#
# Makes a mirror of a git repository as makepkg does it, or brings one up to date. Run before
# anything of the package is, so that what is there afterwards is the server's.
#
#     mirror.sh MIRROR URL

set -euo pipefail

mirror=$1
url=$2

export GIT_TERMINAL_PROMPT=0 GIT_ALLOW_PROTOCOL=file:git:http:https:ssh

default_branch() {
    git -C "$mirror" ls-remote --quiet --symref origin HEAD |
        sed -n 's/^ref: \(refs\/[^[:space:]]*\)[[:space:]]HEAD$/\1/p'
}

if [[ -d $mirror ]]; then
    git -C "$mirror" fetch --quiet --all --prune
    branch=$(default_branch)
    [[ -z $branch ]] || git -C "$mirror" symbolic-ref HEAD "$branch"
else
    git clone --quiet --mirror -- "$url" "$mirror"
fi
