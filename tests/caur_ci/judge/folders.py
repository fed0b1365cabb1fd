"""The package folder that the judge's cases change, and the ways of changing it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from caur_ci.judge import File, PackageContext
from caur_ci.pkgbuild import UnparsableError, doubts, evaluate, parse, render_srcinfo
from caur_ci.pkgbuild.srcinfo import sections

if TYPE_CHECKING:
    from collections.abc import Mapping

SUM, NEXT_SUM = "a1" * 32, "b2" * 32
PATCH_SUM, SCRIPT_SUM = "c3" * 32, "d4" * 32
COMMIT, NEXT_COMMIT = "0123456789abcdef" * 2 + "01234567", "fedcba9876543210" * 2 + "fedcba98"
KEY, OTHER_KEY = "ABCD" * 10, "1234" * 10
PKGBUILD = f"""\
# Maintainer: Alice Example <alice@example.org>
# Contributor: Bob
_name=tool
_commit={COMMIT}
pkgname=$_name
pkgver=1.2.0
pkgrel=1
pkgdesc="A tool for tests"
arch=(x86_64)
url="https://github.com/alice/$_name"
license=(MIT)
depends=(glibc "libfoo>=$pkgver")
makedepends=(cmake git)
optdepends=('bar: for bars')
provides=("$_name-api=$pkgver")
conflicts=(tool-git)
options=(!lto)
backup=(etc/tool.conf)
source=("$pkgname-$pkgver.tar.gz::$url/archive/v$pkgver.tar.gz"
        "$pkgname-$pkgver.tar.gz.sig::$url/releases/download/v$pkgver/$pkgname-$pkgver.tar.gz.sig"
        "data::git+https://github.com/alice/data.git#commit=$_commit?signed"
        "fix.patch"
        "tool.sh")
sha256sums=('{SUM}'
            'SKIP'
            'SKIP'
            '{PATCH_SUM}'
            '{SCRIPT_SUM}')
validpgpkeys=('{KEY}')

pkgver() {{
  cd "$srcdir/data"
  git describe --tags | sed 's/^v//;s/-/./g'
}}

prepare() {{
  cd "$srcdir/$pkgname-$pkgver"
  patch -Np1 -i "$srcdir/fix.patch"
}}

build() {{
  cd "$srcdir/$pkgname-$pkgver"
  cmake -B build -DCMAKE_INSTALL_PREFIX=/usr
  make -C build
}}

package() {{
  cd "$srcdir/$pkgname-$pkgver"
  make -C build DESTDIR="$pkgdir" install
  install -Dm755 "$srcdir/tool.sh" "$pkgdir/usr/bin/tool-sh"
}}
"""
PATCH = """\
--- a/src/main.c
+++ b/src/main.c
@@ -1,2 +1,2 @@
-int answer = 41;
+int answer = 42;
 int main(void) { return answer; }
"""
SCRIPT = """\
#!/bin/sh
# Starts the tool.
exec /usr/lib/tool/tool "$@"
"""
INSTALL = """\
post_install() {
  echo "Read /usr/share/doc/tool before you use it."
}
"""
FILES: dict[str, str] = {"PKGBUILD": PKGBUILD, "fix.patch": PATCH, "tool.sh": SCRIPT}
BUMP = (("pkgver=1.2.0", "pkgver=1.3.0"), (SUM, NEXT_SUM))

Edits = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A change of the folder above.

    `edits` are replacements in the new PKGBUILD, `both` such in the old one as well; `files` are
    files of the new folder (None: not there), `old_files` of the old one, and thereby of the new
    one. With `bump`, it comes along with a new version. The `.SRCINFO` is that of the PKGBUILD
    where there is none among `files`. `code` is what has to be found, empty for the harmless.
    """

    title: str
    code: str = ""
    edits: Edits = ()
    both: Edits = ()
    files: Mapping[str, str | bytes | File | None] = field(default_factory=dict)
    old_files: Mapping[str, str | bytes | File] = field(default_factory=dict)
    bump: bool = True
    package: PackageContext = field(default_factory=lambda: PackageContext(name="tool"))

    def folders(self) -> tuple[dict[str, File], dict[str, File]]:
        """Return the folder before and after."""
        pkgbuild = edited(PKGBUILD, self.both)
        old = {**FILES, "PKGBUILD": pkgbuild, **self.old_files}
        changed = edited(edited(pkgbuild, self.edits), BUMP if self.bump else ())
        new = {**old, "PKGBUILD": changed, **self.files}
        return _folder(old), _folder(new)


def edited(text: str, edits: Edits) -> str:
    """Return a text with replacements; each has to be there."""
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return text


@cache
def srcinfo_of(pkgbuild: bytes) -> bytes:
    """Return the `.SRCINFO` that belongs to a PKGBUILD; as far as it is sure."""
    try:
        evaluation = evaluate(parse(pkgbuild), files=())
    except UnparsableError:
        return b"pkgbase = tool\n"
    if not doubts(evaluation):
        return render_srcinfo(evaluation)
    lines = []
    for section in sections(evaluation):
        lines.append(f"{section.kind} = {section.name}")
        lines += [f"\t{name} = {value}" for name, values in section.fields for value in values]
    return "\n".join([*lines, ""]).encode("utf-8", "surrogateescape")


def _folder(files: Mapping[str, str | bytes | File | None]) -> dict[str, File]:
    folder = {path: _file(content) for path, content in files.items() if content is not None}
    if ".SRCINFO" not in files and "PKGBUILD" in folder:
        folder[".SRCINFO"] = File(srcinfo_of(folder["PKGBUILD"].content))
    return folder


def _file(content: str | bytes | File) -> File:
    if isinstance(content, File):
        return content
    return File(
        content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
    )
