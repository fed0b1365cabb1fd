"""The pacman client against a small signed repository, made with the real tools."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from caur_ci.demo import setup
from caur_ci.demo.client import PacmanClient, repository_section
from caur_ci.errors import ProcessError
from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PKGINFO = """\
pkgname = {name}
pkgbase = {name}
pkgver = 1-1
pkgdesc = for a test
url = https://example.org
builddate = 1700000000
packager = somebody
size = 10
arch = any
license = none
"""


@pytest.fixture
def made(tmp_path: Path) -> Iterator[setup.DemoFolders]:
    made = setup.DemoFolders(work=tmp_path / "work", output=tmp_path / "out put")
    made.gnupg.mkdir(mode=0o700, parents=True)
    made.published.mkdir(parents=True)
    yield made
    run(["gpgconf", "--homedir", made.gnupg, "--kill", "all"])


def publish(made: setup.DemoFolders, name: str, *, depends: str = "") -> Path:
    """Add a signed package to the signed repository."""
    folder = made.work / f"{name}.d"
    (folder / "usr" / "share").mkdir(parents=True)
    (folder / "usr" / "share" / name).write_text("content\n")
    extra = f"depend = {depends}\n" if depends else ""
    (folder / ".PKGINFO").write_text(PKGINFO.format(name=name) + extra)
    package = made.published / f"{name}-1-1-any.pkg.tar.zst"
    run(["bsdtar", "--zstd", "-cf", package, ".PKGINFO", "usr"], cwd=folder)
    run(["gpg", "--homedir", made.gnupg, "--batch", "--detach-sign", package])
    database = made.published / f"{setup.REPOSITORY}.db.tar.zst"
    run(["repo-add", "--sign", database, package], environment={"GNUPGHOME": str(made.gnupg)})
    return package


def client_of(made: setup.DemoFolders, folder: str = "client") -> PacmanClient:
    return PacmanClient(made.work / folder, repository=setup.REPOSITORY, published=made.published)


def test_a_package_comes_with_what_it_needs_and_nothing_else(made: setup.DemoFolders) -> None:
    fingerprint = setup.make_key(made)
    publish(made, "base")
    publish(made, "other")
    package = publish(made, "tool", depends="base")
    client = client_of(made)
    client.trust(made.public_key, fingerprint)

    client.refresh()
    assert client.available() == {"base": "1-1", "other": "1-1", "tool": "1-1"}
    assert client.installed() == {}
    client.install("tool")

    assert client.installed() == {"base": "1-1", "tool": "1-1"}
    assert (client.root / "usr" / "share" / "tool").read_text() == "content\n"
    assert client.has_good_signature(package)


def test_a_package_with_the_signature_of_another_one_is_refused(made: setup.DemoFolders) -> None:
    fingerprint = setup.make_key(made)
    package, other = publish(made, "tool"), publish(made, "other")
    shutil.copyfile(f"{other}.sig", f"{package}.sig")
    client = client_of(made)
    client.trust(made.public_key, fingerprint)

    with pytest.raises(ProcessError, match="invalid or corrupted package"):
        client.install_file(package)

    assert client.installed() == {}
    assert not client.has_good_signature(package)
    assert client.has_good_signature(other)
    client.install_file(other)
    assert client.installed() == {"other": "1-1"}


def test_a_database_without_its_signature_is_refused(made: setup.DemoFolders) -> None:
    fingerprint = setup.make_key(made)
    publish(made, "tool")
    (made.published / f"{setup.REPOSITORY}.db.sig").unlink()
    client = client_of(made)
    client.trust(made.public_key, fingerprint)

    with pytest.raises(ProcessError):
        client.refresh()


def test_a_good_signature_of_a_key_that_is_not_trusted_is_not_good(made: setup.DemoFolders) -> None:
    setup.make_key(made)
    package = publish(made, "tool")
    client = client_of(made)

    assert not client.has_good_signature(package)


def test_the_section_for_pacman_conf_names_any_architecture(tmp_path: Path) -> None:
    section = repository_section("mine", tmp_path / "a b" / "mine" / "x86_64")

    assert section == (
        f"[mine]\nSigLevel = Required\nServer = file://{tmp_path}/a%20b/$repo/$arch\n"
    )
