"""Made-up packages as people write them, and what becomes of them upstream."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from enum import StrEnum

from caur_ci.pkgbuild import evaluate, parse, render_srcinfo

_LIBRARIES = tuple(f"lib{name}" for name in ("alpha", "beta", "gamma", "delta", "omega", "sigma"))
_PATCH = """\
--- a/src/main.c
+++ b/src/main.c
@@ -{line},3 +{line},3 @@
 #include <stdio.h>
-#include <old.h>
+#include <new.h>
 #include <time.h>
"""
_INSTALL = """\
post_install() {
  systemd-sysusers NAME.conf
  gtk-update-icon-cache -q -t -f usr/share/icons/hicolor
}

post_upgrade() {
  post_install
}
"""
_CMAKE = """\
build() {
  cmake -B build -S "$pkgname-$pkgver" \\
    -G Ninja \\
    -DCMAKE_BUILD_TYPE=None \\
    -DCMAKE_INSTALL_PREFIX=/usr \\
    -DBUILD_SHARED_LIBS=ON \\
    -DENABLE_TESTS=ON \\
    -Wno-dev
  cmake --build build
}

check() {
  ctest --test-dir build --output-on-failure
}

package() {
  DESTDIR="$pkgdir" cmake --install build
  install -Dm644 "$pkgname-$pkgver/LICENSE" -t "$pkgdir/usr/share/licenses/$pkgname/"
  install -Dm644 "$pkgname-$pkgver/docs/"*.md -t "$pkgdir/usr/share/doc/$pkgname/"
}
"""
_PYTHON = """\
build() {
  cd "$pkgname-$pkgver"
  python -m build --wheel --no-isolation
}

check() {
  cd "$pkgname-$pkgver"
  local deselected=(--deselect tests/test_network.py --deselect tests/test_slow.py)
  python -m venv --system-site-packages test-env
  test-env/bin/python -m installer dist/*.whl
  test-env/bin/python -m pytest "${deselected[@]}"
}

package() {
  cd "$pkgname-$pkgver"
  python -m installer --destdir="$pkgdir" dist/*.whl
  install -Dm644 LICENSE -t "$pkgdir/usr/share/licenses/$pkgname/"
}
"""
_CARGO = """\
build() {
  cd "$pkgname-$pkgver"
  export RUSTUP_TOOLCHAIN=stable
  export CARGO_TARGET_DIR=target
  cargo build --frozen --release --all-features
}

check() {
  cd "$pkgname-$pkgver"
  cargo test --frozen --all-features
}

package() {
  cd "$pkgname-$pkgver"
  install -Dm755 "target/release/$pkgname" -t "$pkgdir/usr/bin/"
  for size in 16 32 64 128; do
    install -Dm644 "icons/$size.png" "$pkgdir/usr/share/icons/hicolor/${size}x$size/apps/app.png"
  done
  if [[ -d completions ]]; then
    install -Dm644 completions/*.bash -t "$pkgdir/usr/share/bash-completion/completions/"
  fi
}
"""
_FUNCTIONS = ((_CMAKE, ("cmake", "ninja")), (_PYTHON, ("python-build",)), (_CARGO, ("cargo",)))


class Change(StrEnum):
    """What its maintainer changed in a package."""

    VERSION = "version"
    RELEASE = "release"
    COMMAND = "command"  # another one is run while it is built
    HOST = "host"  # the source comes from somewhere else
    DEPENDENCY = "dependency"
    PATCH = "patch"  # and its sum
    SCRIPT = "script"  # and nothing else, neither PKGBUILD nor .SRCINFO


# In turn; those after the first ten are for people. One in fifteen is not to be seen in PKGBUILDs.
CHANGES = (
    *(Change.VERSION,) * 8,
    *(Change.RELEASE,) * 2,
    *(Change.COMMAND, Change.HOST, Change.DEPENDENCY, Change.PATCH, Change.SCRIPT),
)


@dataclass(slots=True)
class Recipe:
    """One package, the same for the same number."""

    number: int
    pkgver: str = "1.4.2"
    pkgrel: int = 1
    host: str = "downloads.example.org"
    depends: list[str] = field(default_factory=list)
    command: str = ""
    patch_line: int = 10
    script: str = _INSTALL

    def __post_init__(self) -> None:
        chance = random.Random(self.number)
        self.depends = ["glibc", *chance.sample(_LIBRARIES, chance.randint(1, 5))]

    @property
    def name(self) -> str:
        """The package's name."""
        return f"sample{self.number}"

    @property
    def version(self) -> str:
        """What the AUR calls its version."""
        return f"{self.pkgver}-{self.pkgrel}"

    def change(self, change: Change) -> None:
        """Change the package as its maintainer would."""
        match change:
            case Change.VERSION:
                self.pkgver, self.pkgrel = "1.5.0", 1
            case Change.RELEASE:
                self.pkgrel += 1
            case Change.COMMAND:
                self.command = "  ./configure --prefix=/usr --with-everything\n"
            case Change.HOST:
                self.host = "mirror.example.net"
            case Change.DEPENDENCY:
                self.depends.append("libnew")
            case Change.PATCH:
                self.patch_line += 5
            case Change.SCRIPT:
                self.script = self.script.replace("gtk-", "update-desktop-database -q\n  gtk-")

    def files(self) -> dict[str, str]:
        """Return the files of its folder, by name."""
        patch = _PATCH.format(line=self.patch_line)
        pkgbuild = self._pkgbuild(hashlib.sha256(patch.encode()).hexdigest())
        return {
            "PKGBUILD": pkgbuild,
            ".SRCINFO": render_srcinfo(evaluate(parse(pkgbuild.encode()))).decode(),
            "build.patch": patch,
            f"{self.name}.install": self.script.replace("NAME", self.name),
        }

    def _pkgbuild(self, sum_of_patch: str) -> str:
        functions, tools = _FUNCTIONS[self.number % len(_FUNCTIONS)]
        needed = " ".join(self.depends)
        released = hashlib.sha256(f"{self.name} {self.pkgver}".encode()).hexdigest()
        return f"""\
# Maintainer: Somebody <somebody@example.org>
# Contributor: Somebody Else <else@example.org>

pkgname={self.name}
pkgver={self.pkgver}
pkgrel={self.pkgrel}
pkgdesc="A package that is made up, of a usual size"
arch=(x86_64 aarch64)
url="https://example.org/$pkgname"
license=(GPL-3.0-or-later)
depends=({needed})
makedepends=(git {" ".join(tools)})
checkdepends=(python-pytest)
optdepends=('libextra: for what few need'
            'python: for its scripts')
provides=("lib$pkgname.so")
conflicts=("$pkgname-git")
install="$pkgname.install"
source=("https://{self.host}/$pkgname/$pkgname-$pkgver.tar.gz"
        build.patch)
sha256sums=('{released}'
            '{sum_of_patch}')

prepare() {{
  cd "$pkgname-$pkgver"
  patch -Np1 -i ../build.patch
  sed -i 's|/usr/local|/usr|g' Makefile.in config.h
{self.command}}}

{functions}"""
