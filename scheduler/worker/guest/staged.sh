#!/usr/bin/env bash
#
# Unpacks all packages of a pacman repository into a folder of their own.
#
#     staged.sh FOLDER NAME SERVER...
#
# Ends with 44 where the repository has no database.

set -euo pipefail

folder=$1 name=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
# Nobody checks signatures here: only over a line that nobody can tamper with.
get() {
    curl --disable --silent --show-error --location --proto '=https,file' --fail --max-time 600 \
        --output "$2" -- "$1"
}

code=0
for server in "$@"; do
    code=0
    get "$server/$name.db" "$work/db" 2>"$work/error" || code=$?
    [[ $code != 0 ]] || break
done
case $code in
0) ;;
# HTTP says that there is no such file, or a local one cannot be read.
22 | 37) exit 44 ;;
*)
    cat -- "$work/error" >&2
    exit 1
    ;;
esac

mkdir -p -- "$folder"
bsdtar --extract --to-stdout --file "$work/db" '*/desc' |
    awk 'file { name = $0; file = 0 } sum { print $0, name; sum = 0 }
        $0 == "%FILENAME%" { file = 1 } $0 == "%SHA256SUM%" { sum = 1 }' >"$work/list"
while read -r sum file; do
    [[ $file != */* && $file != .* ]] || exit 1
    get "$server/$file" "$work/package"
    printf '%s  %s\n' "$sum" "$work/package" | sha256sum --check --quiet
    printf '==> caur-ci: with %s, which is staged\n' "$file"
    bsdtar --extract --file "$work/package" --directory "$folder" --exclude '.[A-Z]*'
done <"$work/list"
