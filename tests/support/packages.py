"""PKGBUILDs, package files and signing keys for tests of the build side."""

from __future__ import annotations

import re
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PKGBUILD = """\
pkgname={name}
pkgver={version}
pkgrel=1
arch=(any)
license=(none)
{head}
build() {{
  {build}
}}
package() {{
  install -d "$pkgdir/usr/share/$pkgname"
  {package}
}}
"""


def pkgbuild(
    name: str, *, version: str = "1", head: str = "", build: str = ":", package: str = ":"
) -> str:
    """Return a PKGBUILD that builds in an instant."""
    return _PKGBUILD.format(name=name, version=version, head=head, build=build, package=package)


def srcinfo_of(text: str, pkgbase: str) -> str:
    """Return a `.SRCINFO` for a PKGBUILD that assigns plain values, each at the start of a line."""

    def value(name: str, default: str) -> str:
        found = re.findall(rf"^{name}=\(?([^)\s#;]*(?: [^)#;]*)?)", text, re.MULTILINE)
        return str(found[0]).strip().strip("'\"") if found else default

    epoch = value("epoch", "")
    names = value("pkgname", pkgbase).replace("(", "").split()
    head = [f"pkgbase = {value('pkgbase', names[0])}", *([f"epoch = {epoch}"] if epoch else ())]
    head += [f"{name} = {value(name, '1')}" for name in ("pkgver", "pkgrel")]
    needed = [it.strip("'\"") for it in value("makedepends", "").split()]
    head += [f"makedepends = {it}" for it in needed]
    return "\n".join([*head, *(f"pkgname = {name}" for name in names), ""])


def make_package(
    folder: Path,
    name: str,
    version: str = "1-1",
    *,
    base: str = "",
    arch: str = "any",
    extra: str = "",
    content: str = "content",
    pkginfo: str | None = None,
    filename: str = "",
    files: Iterable[str] = (),
) -> Path:
    """Make a package file in `folder` as makepkg would, or wrong in one way.

    Beside the one that every package has, there are the `files`, by their paths below the root.
    """
    info = pkginfo or (
        f"# made for a test\npkgname = {name}\npkgbase = {base or name}\npkgver = {version}\n"
        f"pkgdesc = for a test\nurl = https://example.org\nbuilddate = 1700000000\n"
        f"packager = somebody\nsize = 10\narch = {arch}\nlicense = none\n{extra}"
    )
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        (root / ".PKGINFO").write_bytes(info.encode())
        (root / "usr/share").mkdir(parents=True)
        (root / "usr/share" / name.replace("/", "_")).write_text(content, encoding="utf-8")
        for each in files:
            (root / each).parent.mkdir(parents=True, exist_ok=True)
            (root / each).write_text(content, encoding="utf-8")
        path = folder / (filename or f"{name}-{version}-{arch}.pkg.tar.zst")
        run(["bsdtar", "--zstd", "-cf", path, ".PKGINFO", "usr"], cwd=root)
    return path


@dataclass(frozen=True)
class SigningKey:
    """A key of its own in a GnuPG folder of its own."""

    home: Path
    fingerprint: str
    public: Path


@contextmanager
def gnupg_folder() -> Iterator[Path]:
    """Provide an empty GnuPG folder, and end the agent that gpg starts for it.

    Its path is short, as the agent's socket demands.
    """
    home = Path(tempfile.mkdtemp(prefix="gpg-"))
    try:
        yield home
    finally:
        run(["gpgconf", "--homedir", home, "--kill", "all"], allowed=(0, 1, 2))
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def signing_key() -> Iterator[SigningKey]:
    """Provide a throw-away key."""
    with gnupg_folder() as home:
        gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet"]
        user = "Test <test@example.org>"
        run([*gpg, "--passphrase", "", "--quick-generate-key", user, "ed25519", "sign", "never"])
        listing = run([*gpg, "--with-colons", "--list-keys"]).stdout.decode().splitlines()
        fingerprint = next(line.split(":")[9] for line in listing if line.startswith("fpr:"))
        public = home / "public.asc"
        run([*gpg, "--armor", "--output", public, "--export", fingerprint])
        yield SigningKey(home, fingerprint, public)
