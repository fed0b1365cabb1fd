# The system tools: which are needed, what brings them, and how to install it.
# shellcheck shell=bash

# Elsewhere in tests only.
system_root=${BOOTSTRAP_SYSTEM_ROOT:-}

# command, Debian/Ubuntu package, Arch package
#
# redis stands for any program of key_value_program. On Debian and Ubuntu the package redis-server
# would only add a system service and the name redis-server for a program that is in redis-tools:
# without it, nothing is started now or at boot.
system_tools() {
    cat <<'TABLE'
makepkg     makepkg                 pacman
pacman      pacman-package-manager  pacman
repo-add    pacman-package-manager  pacman
vercmp      pacman-package-manager  pacman
bsdtar      libarchive-tools        libarchive
gpg         gnupg                   gnupg
fakeroot    fakeroot                fakeroot
zstd        zstd                    zstd
strip       binutils                binutils
ssh         openssh-client          openssh
redis       redis-tools             valkey
bwrap       bubblewrap              bubblewrap
patch       patch                   patch
curl        curl                    curl
file        file                    file
TABLE
    [[ $tools_for != demo ]] || return 0
    cat <<'TABLE'
podman      podman                  podman
runc        runc                    runc
mmdebstrap  mmdebstrap              pacman
TABLE
    [[ $tools_for == test ]] || return 0
    cat <<'TABLE'
sshd        openssh-server          openssh
openssl     openssl                 openssl
rsync       rsync                   rsync
xz          xz-utils                xz
bzip2       bzip2                   bzip2
lz4         lz4                     lz4
shfmt       shfmt                   shfmt
g++         g++                     gcc
chromium    chromium                chromium
kubectl     kubernetes-client       kubectl
groff       groff                   groff
node        nodejs                  nodejs
npm         npm                     npm
systemd-analyze systemd             systemd
TABLE
}

# $1 is what is needed: those of the `demo`, those of builds in `container`s, or those of the
# `test`s, each more than the one before.
need_system_tools() {
    local tools_for=$1
    local missing
    missing=$(missing_tools)
    [[ -n $missing ]] || return 0

    local manager
    manager=$(package_manager)
    [[ -n $manager ]] || stop "these programs are missing: ${missing//$'\n'/ }" \
        "This is neither Debian, Ubuntu nor Arch, so install them by hand:" \
        "makepkg, pacman, repo-add and vercmp come with pacman; bsdtar with libarchive;" \
        "the rest go by their own names, or are gnupg, binutils, openssh, bubblewrap," \
        "and valkey or redis."

    local packages
    packages=$(packages_for "$manager" "$missing")
    say "missing: ${missing//$'\n'/ }"
    "install_with_$manager" "$packages"

    missing=$(missing_tools)
    [[ -z $missing ]] || stop "still missing after the installation: ${missing//$'\n'/ }" \
        "The packages ${packages//$'\n'/ } were installed; is their folder on PATH?"
}

# The names of the tools that are not there, one per line.
missing_tools() {
    local tool
    while read -r tool _; do
        have_tool "$tool" || printf '%s\n' "$tool"
    done < <(system_tools)
}

have_tool() {
    case $1 in
    # Debian has a game of the same name.
    pacman) have pacman && [[ $(pacman --version 2>/dev/null) == *libalpm* ]] ;;
    redis) key_value_program >/dev/null ;;
    # Not on the PATH of ordinary users everywhere.
    sshd | runc) have "$1" || [[ -x $system_root/usr/sbin/$1 ]] ;;
    # Arch can make an image of itself by pacman.
    mmdebstrap) have "$1" || [[ $(package_manager) == pacman ]] ;;
    *) have "$1" ;;
    esac
}

package_manager() {
    local family=''
    if [[ -r $system_root/etc/os-release ]]; then
        # shellcheck disable=SC1091 # the file differs from machine to machine
        family=$(. "$system_root/etc/os-release" && printf '%s %s' "${ID:-}" "${ID_LIKE:-}")
    fi
    # Each exists as a mere package on other systems, pacman even among what is installed here.
    if [[ $family == *arch* ]] && have pacman; then
        printf 'pacman\n'
    elif [[ $family != *arch* ]] && have apt-get; then
        printf 'apt\n'
    fi
}

# Packages for the manager $1 that bring the tools in $2 (one per line); sorted, each once.
packages_for() {
    local tool debian arch
    while read -r tool debian arch; do
        [[ $'\n'$2$'\n' == *$'\n'$tool$'\n'* ]] || continue
        if [[ $1 == apt ]]; then printf '%s\n' "$debian"; else printf '%s\n' "$arch"; fi
    done < <(system_tools) | sort -u
}

install_with_apt() {
    local packages=$1
    local -a names
    as_root_or_stop "apt-get update" \
        "apt-get install --no-install-recommends ${packages//$'\n'/ }"

    say "apt-get update"
    # One unreachable third-party source must not stop us; the installation shows what matters.
    run_apt update ||
        say "apt-get update failed; going on with the package lists that are there"
    mapfile -t names <<<"$packages"
    [[ " ${names[*]} " != *' openssh-server '* ]] || keep_sshd_from_running
    say "apt-get install ${names[*]}"
    run_apt install --yes --no-install-recommends "${names[@]}" ||
        stop "apt-get could not install ${names[*]}" \
            "Its messages stand above. On Ubuntu the component universe has to be enabled:" \
            "sudo add-apt-repository universe"
}

# The tests start an sshd of their own on loopback. Debian and Ubuntu would run theirs for all the
# world as soon as it is installed, unless they find this file.
keep_sshd_from_running() {
    local mark=$system_root/etc/ssh/sshd_not_to_be_run
    "${as_root[@]}" mkdir -p "${mark%/*}"
    "${as_root[@]}" touch "$mark"
    say "the tests need sshd; $mark keeps it from running as a service (remove it to have one)"
}

run_apt() {
    quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 --quiet "$@"
}

install_with_pacman() {
    local -a names
    mapfile -t names <<<"$1"
    as_root_or_stop "pacman -S --needed ${names[*]}"

    local refresh=()
    if ! compgen -G "$system_root/var/lib/pacman/sync/*.db" >/dev/null; then
        refresh=(--refresh) # a fresh container image has no package lists
    fi
    say "pacman -S --needed ${names[*]}"
    quietly "${as_root[@]}" \
        pacman --sync "${refresh[@]}" --needed --noconfirm "${names[@]}" ||
        stop "pacman could not install ${names[*]}" \
            "Its messages stand above. If a file was not found, bring the system up to date:" \
            "sudo pacman -Syu"
}

# Sets the array as_root to the words to put before a command, or ends with what to do: to run
# each argument as root.
as_root_or_stop() {
    as_root=()
    [[ $(id -u) == 0 ]] && return
    if have sudo && sudo --non-interactive true 2>/dev/null; then
        as_root=(sudo --non-interactive)
        return
    fi
    stop "system packages are missing, and this user may not install them without a password" \
        "Run this, then try again:" \
        "${@/#/    sudo }"
}

# Prints the program that can run as the Redis of the demo and the tests. The one that the extra
# `embedded` puts into .venv is left out: it is older than what systems have, and has no TLS.
key_value_program() {
    local name
    for name in valkey-server redis-server; do
        command -v "$name" && return
    done
    # One program under several names: what it does is decided by the name it is called by.
    for name in valkey-check-rdb redis-check-rdb; do
        command -v "$name" && return
    done
    return 1
}

# Gives the program of key_value_program its server name, where only another name is installed.
need_key_value_server() {
    local program
    program=$(key_value_program) || stop "neither valkey-server nor redis-server is there"
    local name=${program##*/}
    [[ $name == *-check-rdb ]] || return 0

    local link="$checkout/.venv/system/${name%-check-rdb}-server"
    [[ ! -x $link ]] || return 0
    mkdir -p "${link%/*}"
    ln -sfn -- "$program" "$link"
    if ! "$link" --version >/dev/null 2>&1; then
        rm -f -- "$link"
        stop "$program does not work as a server here" "Install valkey or redis, then try again."
    fi
}
