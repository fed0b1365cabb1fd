"""Packages as the real makepkg builds them."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caur_ci.process import run
from scheduler.files import remove_tree
from scheduler.worker.users import build_user
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator

_PKGBUILD = """\
pkgbase=thing
pkgname=(thing thing-libs)
pkgver=1.2+r3
pkgrel=1
epoch=1
arch=(any)
license=(none)
groups=(base-devel)
options=(!debug !strip)
build() {
  echo 'int f(void) { return 3; }' > f.c
  gcc -shared -fPIC -Wl,-soname,libthing.so.1 -o libthing.so f.c
  echo 'int f(void); int main(void) { return f() - 3; }' > main.c
  gcc -o thing main.c -L. -lthing
}
package_thing() {
  replaces=(linux 'other<2')
  install -D thing "$pkgdir/usr/bin/thing"
  ln "$pkgdir/usr/bin/thing" "$pkgdir/usr/bin/thing-again"
  install -D -m 4755 main.c "$pkgdir/usr/share/a blank/ünï+:code"
  install -D thing "$pkgdir/usr/lib/debug/usr/bin/thing.debug"
  touch "$pkgdir/usr/share/$(printf 'x%.0s' {1..200})"
}
package_thing-libs() {
  install -D libthing.so "$pkgdir/usr/lib/libthing.so.1.2"
  ln -s libthing.so.1.2 "$pkgdir/usr/lib/libthing.so.1"
}
"""


@pytest.fixture(scope="session")
def built() -> Iterator[Path]:
    """Return a folder with the two packages of a split package that has prohibited fields."""
    need_tools("makepkg", "gcc", "bsdtar", "fakeroot", "zstd", "setpriv")
    folder = Path(tempfile.mkdtemp(prefix="caur-built-"))
    try:
        with build_user() as user:
            (folder / "PKGBUILD").write_text(_PKGBUILD, encoding="utf-8")
            user.give(folder)
            identity = ["--reuid", str(user.uid), "--regid", str(user.gid), "--clear-groups"]
            words = ["setpriv", *identity, "--"] if os.geteuid() == 0 else []
            environment = {"HOME": str(folder), "PKGEXT": ".pkg.tar.zst", "PKGDEST": str(folder)}
            run([*words, "makepkg", "--nodeps"], cwd=folder, environment=environment)
        yield folder
    finally:
        remove_tree(folder)


@pytest.fixture
def output(built: Path, tmp_path: Path) -> Path:
    """Return a copy of those packages, as a build leaves them."""
    folder = tmp_path / "output"
    folder.mkdir()
    for package in built.glob("*.pkg.tar.zst"):
        shutil.copy(package, folder)
    return folder
