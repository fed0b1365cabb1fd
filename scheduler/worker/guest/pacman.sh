#!/usr/bin/env bash
#
# Sets up pacman in a build container, and brings it up to date.
#
#     pacman.sh FOLDER
#
# In FOLDER there may be: `mirrorlist`; `architectures`, those of packages that may be installed, the
# first one that of servers, in place of that of the machine; `keys/`, files of keys to trust; `keyrings`, packages with
# more of them, a URL or path per line; `repositories/`, sections for pacman.conf in their order;
# `target`, the name of the repository that is built for, and `target-servers`, where it is;
# `own-key`, where nobody has named a key for that repository; `staging` and `staging-servers`, the
# same for the repository of a rebuild group, and `needs-staged`, where that has to be there.

set -euo pipefail

folder=$1
keyring=/etc/pacman.d/gnupg

use_mirror() {
    [[ -e $folder/mirrorlist ]] || return 0
    cp -- "$folder/mirrorlist" /etc/pacman.d/mirrorlist
}

accept_architectures() {
    [[ -e $folder/architectures ]] || return 0
    sed -i -E -e '/^[[:space:]]*Architecture[[:space:]]*=/d' \
        -e "/^\[options\]/a Architecture = $(<"$folder/architectures")" /etc/pacman.conf
}

gpg_of_pacman() {
    gpg --homedir "$keyring" --batch --quiet --no-autostart --no-permission-warning "$@"
}

# Trusted as they are: a signature by a key of this machine would need such a key, and images
# come without one, rightly.
trust_keys() {
    local file fingerprint
    (($# > 0)) || return 0
    mkdir -p "$keyring"
    touch "$keyring/pubring.gpg" # gpg's newer format is not what pacman looks for
    for file in "$@"; do
        gpg_of_pacman --import "$file"
        while read -r fingerprint; do
            printf '%s:6:\n' "$fingerprint" | gpg_of_pacman --import-ownertrust
        done < <(fingerprints "$file")
    done
    gpg_of_pacman --check-trustdb
    chmod -R a+rX "$keyring" # pacman downloads as a user of its own
}

# The database runner puts the key of a repository beside its architectures. Only over a line that
# nobody can tamper with.
trust_own_key() {
    local server file code
    [[ -e $folder/own-key ]] || return 0
    file=$(mktemp)
    while read -r server; do
        [[ $server == https://* || $server == file://* ]] || continue
        server=${server%/}
        code=0
        curl --disable --silent --location --proto '=https,file' --fail --max-time 60 \
            --max-filesize 1000000 --output "$file" -- "${server%/*}/$(<"$folder/target").asc" ||
            code=$?
        if [[ $code == 0 ]]; then
            trust_keys "$file"
            break
        fi
    done <"$folder/target-servers"
    rm -f -- "$file"
}

# Of the keys themselves, not of their subkeys.
fingerprints() {
    gpg_of_pacman --with-colons --show-keys "$1" |
        awk -F : '$1 == "pub" { wanted = 1 } $1 == "fpr" && wanted { print $10; wanted = 0 }'
}

# Who named them here vouches for them; they bring the keys that all else is checked with.
install_keyrings() {
    local config
    local -a packages
    [[ -e $folder/keyrings ]] || return 0
    pacman-key --init
    config=$(mktemp)
    printf '%s = %s\n' Architecture auto SigLevel Never LocalFileSigLevel Never \
        RemoteFileSigLevel Never >"$config"
    sed -i "1i [options]\n$(grep '^DisableSandbox' /etc/pacman.conf || :)" "$config"
    mapfile -t packages <"$folder/keyrings"
    pacman --config "$config" --upgrade --noconfirm -- "${packages[@]}"
    rm "$config"
}

add_repositories() {
    local file kind
    for file in "$folder"/repositories/*; do
        [[ -e $file ]] || continue
        kind=$(kind_of "$(head -n 1 "$file")")
        if [[ -n $kind ]] && ! is_published "$kind"; then
            printf '==> caur-ci: %s has no database yet, and is left out\n' "$(<"$folder/$kind")"
            if [[ $kind == staging && -e $folder/needs-staged ]]; then
                printf '==> caur-ci: ERROR: what the package needs is staged there\n'
                return 1
            fi
            continue
        fi
        printf '\n%s\n' "$(<"$file")" >>/etc/pacman.conf
    done
}

# Prints which of the repositories a section is about that may not have a database yet.
kind_of() {
    local kind
    for kind in target staging; do
        if [[ -e $folder/$kind && $1 == "[$(<"$folder/$kind")]" ]]; then
            printf '%s\n' "$kind"
        fi
    done
}

# Fails only where every server says that there is no such file: the first package of a new
# repository has to be built without it.
is_published() {
    local server status code
    while read -r server; do
        code=0
        status=$(curl --silent --location --head --fail --max-time 60 --output /dev/null \
            --write-out '%{http_code}' -- "$server/$(<"$folder/$1").db") || code=$?
        # 37 is a local file that cannot be read.
        [[ $code == 37 || $status == 404 ]] || return 0
    done <"$folder/$1-servers"
    return 1
}

# A system brought up to date in part would not fit together.
update() {
    [[ -n $(pacman-conf --repo-list) ]] || return 0
    if pacman --sync --refresh --sysupgrade --noconfirm; then
        return
    fi
    if [[ -e $folder/own-key ]]; then
        printf '==> caur-ci: ERROR: is the key of the repository %s missing? %s\n' \
            "$(<"$folder/target")" \
            'PACKAGE_TARGET_REPOS names none in its "keys", and none was found beside the database'
    fi
    return 1
}

# The container is one sandbox already, and has no rights to make another.
no_second_sandbox() {
    local version
    version=$(pacman --version | sed -n -E 's/.*Pacman v([0-9]+).*/\1/p')
    ((${version:-0} < 7)) || sed -i '/^\[options\]/a DisableSandbox' /etc/pacman.conf
}

no_second_sandbox
accept_architectures
use_mirror
shopt -s nullglob
trust_keys "$folder"/keys/*
trust_own_key
install_keyrings
add_repositories
update
