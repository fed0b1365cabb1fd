"""The `.SRCINFO` is, to the byte, what the installed makepkg prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.pkgbuild import doubts, evaluate, parse, render_srcinfo
from caur_ci.pkgbuild.makepkg import printed_srcinfo
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """\
pkgname=tool
pkgver=1.2.3
pkgrel=1
arch=(x86_64)
"""
QUOTING = (
    HEAD
    + r"""
pkgdesc="It's \"a\" \$5 tool \\ with   blanks	and \z"
url='https://example.org/a"b'
license=('GPL-3.0-or-later' "MIT" Apache\ 2 $'tab\tand\x41\u00e9' "don""'t" pre'fix'"ed"$'\'' "")
optdepends=("a: one
two"   # a comment with 'quotes
  'b: #no comment' c++
  \
  'e: last')
groups=(é#x ü"ß" '#y' x#)
backup=(etc/{a,b{1,2}}.conf etc/{01..03} etc/{c..a} {x} {} a{,z})
noextract=("${pkgname}"_"$pkgver".{tar,zip} "$pkgname"'-$pkgver')
"""
)
EXPANSIONS = (
    HEAD
    + r"""
_v=v1.2.3-rc4
_empty=
_list=(one 'two words' three)
_parts=(${_list[@]})
pkgdesc="${_v#v} ${_v##*.} ${_v%-*} ${_v%%.*} ${_v/./_} ${_v//[.-]/_} ${_v/#v/V} ${_v/%4/5}"
url="https://${_empty:-example}.org/${_empty-none}${unset-none}/${_v:+yes}${_empty:+no}/${#_v}"
license=("${_v:1}" "${_v:1:3}" "${_v: -3}" "${_v:0:-4}" "${_v^}" "${_v^^}" ${_v,,} "${_v/1/<&>}")
groups=("${_list[@]}" "${#_list[@]}" "${_list[*]}" "${_list[1]}" "${_list[-1]}" "${!_list[@]}")
depends=("${_list[@]/%/-git}" "${_list[@]#t}" "${_list[@]:1}" "${_list[@]:0:1}" ${#_parts[@]})
depends=("${depends[@]// /-}")
_name=_v
provides=("tool=${!_name//-/.}" "sum=$((1 + 2 * 3 - 0x10 / 4 ** 2))" "t=$(( 2 > 1 ? 7 : 8 ))")
: ${_set:=given} "${_other:=$_set}"
conflicts=("$_set" "$_other" "$(echo "$_v" | sed 's/-/./')" "$(tr a-z A-Z <<< "$_v")")
replaces=("$(printf '%s_%02d' "$pkgver" 7)")
replaces=("${replaces[0]}" "$(cut -d. -f1-2 <<< "$pkgver")" `echo back`)
"""
)
STATEMENTS = (
    HEAD
    + r"""
_build=release
if [[ $CARCH == x86_64 && -n "$_build" ]]; then
  depends=(glibc)
elif [ "$_build" = debug ]; then
  depends=(wrong)
else
  depends=(wrong)
fi
case "$_build" in
  deb*|dbg) depends+=(wrong) ;;
  rel*) depends+=(gcc-libs);;
  *) depends+=(wrong)
esac
for _m in core "extra bits" {a,b}; do
  makedepends+=("mod-${_m// /-}")
  [[ $_m == a ]] && continue
  source+=("https://example.org/$_m.tar")
  sha256sums+=(SKIP)
done
_n=0
while (( _n < 2 )); do
  groups+=("g$_n"); _n=$((_n + 1))
done
[[ $_build != debug ]] && options=(!strip) || options=(strip)
_add() {
  local what=$1 n
  shift
  for n in "$@"; do provides+=("$what-$n=$pkgver"); done
}
_add lib a b
declare -a _x=(p q)
export _y=exported
readonly _z=constant
conflicts=("${_x[@]}" "$_y" "$_z")
unset _y
replaces=("none$_y")
license[0]=MIT
license[2]=BSD
true || pkgdesc=no
pkgdesc=${pkgdesc:-yes}; { epoch=2; }; ( epoch=3 )
! false && url=https://example.org
_later() { pkgdesc=never; }
if ! [ -z "$pkgver" -o -z "$pkgrel" ]; then install=tool.install; fi
"""
)
SPLIT = """\
pkgbase=suite
pkgname=(suite suite-libs "suite-docs")
pkgver=1
pkgrel=1
arch=(x86_64 aarch64)
license=(MIT)
depends=(glibc)
depends_x86_64=(fast)
source=(a)
source_aarch64=(b)
sha256sums=(SKIP)
sha256sums_aarch64=(SKIP)
optdepends=('x: y')
_common="common $pkgbase"
pkgver() { echo 2; }
package_suite() {
  pkgdesc="$_common of $pkgname"
  depends+=(suite-libs=$pkgver-$pkgrel)
  depends_x86_64=()
  local nothing=x
  if [[ $CARCH == other ]]; then
    optdepends=()
  fi
  cat > x <<EOF
pkgdesc=not this
EOF
}
package_suite-libs() {
  pkgdesc='Libraries'
  arch=('any')
  provides=("lib${pkgname#suite-}.so" "x$nothing")
  conflicts=(${pkgname[@]})
  license=() url=
  options=(!strip
    # with a comment
    docs)
  install=; true
}
package_suite-docs() { backup=(etc/x); groups=(a) && true; }
"""
SPLIT = SPLIT.replace("  license=() url=\n", "  license=()\n").replace(
    "groups=(a) && true; ", "true && groups=(a); "
)
GENERATED = """\
pkgbase=linux-test
pkgname=("$pkgbase" "$pkgbase-headers")
pkgver=6.1
pkgrel=1
arch=(x86_64)
_package() {
  pkgdesc="The $pkgdesc kernel and modules"
  depends=(coreutils kmod)
}
_package-headers() {
  pkgdesc="Headers for $pkgname"
  depends=(pahole)
}
for _p in "${pkgname[@]}"; do
  eval "package_$_p() {
    $(declare -f "_package${_p#$pkgbase}")
    _package${_p#$pkgbase}
  }"
done
"""
SINGLE = (
    HEAD
    + """
depends=(a b)
pkgdesc='outer'
package() {
  pkgdesc+=" and $pkgname $pkgver"
  depends=("${depends[@]}" c)
  provides+=(p)
}
"""
)
ARCHITECTURES = """\
pkgname=tool-bin
pkgver=1
pkgrel=1.2
epoch=3
arch=('x86_64' "aarch64")
url=https://example.org
source=("$pkgname-$CARCH")
for _a in "${arch[@]}"; do :; done
source_x86_64=("$url/${pkgname%-bin}-$pkgver-x64.deb")
source_aarch64=("$url/${pkgname%-bin}-$pkgver-arm64.deb")
md5sums=(SKIP)
b2sums_x86_64=('0a')
sha512sums_aarch64=('0b')
depends_aarch64=(x)
makedepends_x86_64=(y)
validpgpkeys=('ABCDEF' # somebody
)
changelog=log
"""
ALL = {
    "quoting": QUOTING,
    "expansions": EXPANSIONS,
    "statements": STATEMENTS,
    "split": SPLIT,
    "generated": GENERATED,
    "single": SINGLE,
    "architectures": ARCHITECTURES,
}


@pytest.mark.parametrize("name", ALL)
def test_the_srcinfo_is_that_of_makepkg(tmp_path: Path, name: str) -> None:
    need_tools("makepkg", "bwrap")
    folder = tmp_path / name
    folder.mkdir()
    for file, text in (("PKGBUILD", ALL[name]), ("tool.install", ""), ("log", "")):
        (folder / file).write_text(text)
    evaluation = evaluate(parse(ALL[name].encode()), files=["PKGBUILD", "tool.install", "log"])
    assert doubts(evaluation) == []
    assert render_srcinfo(evaluation).decode() == printed_srcinfo(folder).decode()


REFUSED = {
    "pkgver": HEAD.replace("1.2.3", "1:2-3"),
    "pkgrel": HEAD.replace("pkgrel=1", "pkgrel=one"),
    "epoch": HEAD + "epoch=x\n",
    "pkgname": HEAD.replace("pkgname=tool", "pkgname=-tool"),
    "an array for text": HEAD + "pkgdesc=(a b)\n",
    "text for an array": HEAD + "depends=glibc\n",
    "text for an array of one architecture": HEAD + "depends_x86_64=glibc\n",
    "any beside another": HEAD.replace("(x86_64)", "(any x86_64)"),
    "a function that is missing": HEAD + "build() { :; }\n",
    "a function too much": HEAD.replace("=tool", "=(tool b)") + "package() { :; }\n",
    "a field that no package function may set": HEAD + "package() { makedepends=(a); }\n",
    "an option that is none": HEAD + "options=(fast)\n",
    "a backup with a slash": HEAD + "backup=(/etc/x)\n",
    "a last command that fails": HEAD + "[[ a == b ]] && :\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_makepkg_refuses_is_not_sure(name: str) -> None:
    assert doubts(evaluate(parse(REFUSED[name].encode())))
