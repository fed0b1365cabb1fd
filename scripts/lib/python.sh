# The virtual environment .venv and the packages in it.
# shellcheck shell=bash

oldest_python=3.11
pip_with_groups=25.1

# $1 is what is needed: `runtime`, or `dev` which is more.
need_python_packages() {
    local wanted=$1
    is_prepared "$wanted" && return 0

    mkdir -p .venv
    exec 9>.venv/.bootstrap.lock
    if have flock; then
        flock 9 # another make may be at it
        is_prepared "$wanted" && return 0
    fi

    venv_works || make_venv
    install_python_packages "$wanted"
    printf '%s\n' "$(fingerprint)" >".venv/.prepared-$wanted"
}

# Tells whether .venv was filled from the pyproject.toml of today.
is_prepared() {
    local print
    print=$(fingerprint) || return 1
    local stamp
    for stamp in .venv/.prepared-dev ".venv/.prepared-$1"; do
        [[ -r $stamp && $(<"$stamp") == "$print" ]] && return 0
    done
    return 1
}

fingerprint() {
    [[ -x .venv/bin/python ]] || return 1
    # The link goes to another file when the system's Python moves on.
    { readlink -f .venv/bin/python && printf '%s\n' "$checkout" && cat pyproject.toml; } |
        sha256sum | cut -d ' ' -f 1
}

venv_works() {
    [[ -x .venv/bin/python ]] && .venv/bin/python -m pip --version >/dev/null 2>&1
}

make_venv() {
    local python
    python=$(find_python)
    say "making the virtual environment .venv with $python"
    if ! can_make_venv "$python"; then
        install_venv_module "$python"
    fi
    "$python" -m venv --clear .venv >&2 ||
        stop "$python -m venv failed" "Its messages stand above."
    exec 9>.venv/.bootstrap.lock # --clear took the old one away
}

# Prints the newest Python that will do; one that can make virtual environments comes first.
find_python() {
    local program able='' unable=''
    while read -r program; do
        # Not the one that is about to be replaced, should it be active.
        [[ $program != "$checkout/.venv/"* ]] || continue
        # It has to be run: version managers leave names that start nothing.
        "$program" -c "import sys; sys.exit(sys.version_info < (${oldest_python/./, }))" \
            >/dev/null 2>&1 || continue
        unable=${unable:-$program}
        if can_make_venv "$program"; then
            able=$program
            break
        fi
    done < <(pythons)
    if [[ -z $able && -z $unable ]]; then
        stop "Python $oldest_python or newer is needed, found: $(
            "${PYTHON:-python3}" --version 2>/dev/null || printf 'no %s' "${PYTHON:-python3}"
        )" "Install a newer Python, or name one: PYTHON=/path/to/python make …"
    fi
    printf '%s\n' "${able:-$unable}"
}

# Every Python on PATH, those with the newest names first; or only the one that PYTHON names.
pythons() {
    if [[ -n ${PYTHON:-} ]]; then
        type -aP -- "$PYTHON"
        return
    fi
    local name
    for name in python3.14 python3.13 python3.12 python3.11 python3 python; do
        type -aP "$name"
    done
}

can_make_venv() {
    "$1" -c 'import ensurepip, venv' >/dev/null 2>&1
}

# Debian and Ubuntu keep the module venv in a package of its own.
install_venv_module() {
    local version
    version=$("$1" -c 'import sys; print("{}.{}".format(*sys.version_info))')
    [[ $(package_manager) == apt ]] ||
        stop "$1 cannot make virtual environments: it has no module ensurepip or venv" \
            "Install the part of Python that brings them, or name another Python: PYTHON=…"
    say "$1 cannot make virtual environments yet"
    install_with_apt "python$version-venv"
    can_make_venv "$1" ||
        stop "$1 still cannot make virtual environments" \
            "If it was not installed by apt-get, name another Python: PYTHON=/usr/bin/python3"
}

install_python_packages() {
    local -a what=(--editable .)
    if [[ $1 == dev ]]; then
        what+=(--group dev)
        pip_knows_groups || pip_install "pip>=$pip_with_groups"
        say "installing the project with its development tools into .venv"
    else
        say "installing the project with what it needs into .venv"
    fi
    pip_install "${what[@]}"
}

pip_knows_groups() {
    .venv/bin/python -m pip install --help | grep -q -e '--group'
}

pip_install() {
    PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip install --quiet "$@" >&2 ||
        stop "pip could not install $*" \
            "Its messages stand above. It needs the network, or an index that it can reach:" \
            "PIP_INDEX_URL=https://… make …"
}
