#!/usr/bin/env bash
#
# Sources the interfere script of a package, as root, and then runs the commands that it pushed.
# Which variables they have exported is left for the steps that follow.
#
#     prepare.sh SOURCE COPY VARIABLES

set -euo pipefail

caur_script=$1/.CI/prepare
[[ -f $caur_script ]] || caur_script=$1/.CI/prepare.sh
caur_copy=$2
caur_variables=$3

# Where a build is and who builds is nothing for a package to decide.
declare -A caur_known=()
for caur_name in _ BUILDDIR CAUR_PUSH HOME LOGDEST LOGNAME OLDPWD PKGDEST PKGEXT PWD SHELLOPTS \
    SHLVL SRCDEST SRCPKGDEST USER; do
    caur_known[$caur_name]=kept
done
while IFS= read -r -d '' caur_entry; do
    caur_name=${caur_entry%%=*}
    caur_known[$caur_name]=${caur_known[$caur_name]:-$caur_entry}
done < <(env -0)

# A file, so that commands pushed from a subshell count too.
caur_pushed=$(mktemp)
trap 'rm -f -- "$caur_pushed"' EXIT
caur_push() {
    printf '%s\0' "$*" >>"$caur_pushed"
}

cd -- "$caur_copy"
export BUILDDIR=$caur_copy
# shellcheck disable=SC2034 # for the script
CAUR_PUSH=caur_push

# Scripts of packages do not expect more than this.
set +u +o pipefail
# shellcheck disable=SC1090 # the package's own
source "$caur_script"

# What is a failure there, is none here: what is sourced was not written for it.
set +e
mapfile -d '' -t caur_commands <"$caur_pushed"
for caur_command in "${caur_commands[@]}"; do
    printf '==> caur-ci: pushed command: %s\n' "$caur_command"
    eval "$caur_command"
    caur_code=$?
    if ((caur_code != 0)); then
        printf '==> caur-ci: the pushed command ended with exit code %d\n' "$caur_code"
        exit "$caur_code"
    fi
done
set -e

while IFS= read -r -d '' caur_entry; do
    caur_name=${caur_entry%%=*}
    caur_before=${caur_known[$caur_name]:-}
    if [[ $caur_before != kept && $caur_before != "$caur_entry" ]]; then
        printf '%s\0' "$caur_entry"
    fi
done < <(env -0) >"$caur_variables"
chmod 644 -- "$caur_variables"
