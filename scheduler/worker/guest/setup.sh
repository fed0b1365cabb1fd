#!/usr/bin/env bash
#
# Prepares a fresh build container, as root in it: the user that builds, and pacman.
#
#     setup.sh UID GID

set -euo pipefail

uid=$1 gid=$2
here=$(dirname -- "${BASH_SOURCE[0]}")

# Not useradd: images that have this user already have it under any id.
name_user() {
    local name=builder home=/home/builder
    touch /etc/passwd /etc/group
    sed -i -e "/^$name:/d" -e "/^[^:]*:[^:]*:$uid:/d" /etc/passwd
    sed -i -e "/^$name:/d" -e "/^[^:]*:[^:]*:$gid:/d" /etc/group
    printf '%s:x:%d:%d::%s:/bin/bash\n' "$name" "$uid" "$gid" "$home" >>/etc/passwd
    printf '%s:x:%d:\n' "$name" "$gid" >>/etc/group
}

name_user
exec bash "$here/pacman.sh" "$here/setup"
