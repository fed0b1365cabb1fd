"""Transactions on a repository on disk, read by the real pacman."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from scheduler.database.packages import read_package
from scheduler.database.signing import Signer, SigningError
from scheduler.database.transaction import RepoToolError
from tests.support.packages import make_package

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.pacman_client import PacmanClient
    from tests.support.shelf import Shelf


def test_pacman_reads_and_installs_what_was_published(shelf: Shelf, pacman: PacmanClient) -> None:
    shelf.publish(("tool", "1-1"), ("tally++", "1:2.0-1"), ("ledger.sh", "3.r1.gabc-1"))
    shelf.publish(("tool", "2-1"))

    pacman.refresh()
    assert pacman.available() == {
        "tool": "2-1",
        "tally++": "1:2.0-1",
        "ledger.sh": "3.r1.gabc-1",
    }
    pacman.install("tally++")
    pacman.install("tool")
    assert pacman.installed() == {"tally++": "1:2.0-1", "tool": "2-1"}
    for name in ("repo.db", "repo.files"):
        link = shelf.folder / name
        assert os.readlink(link) == f"{name}.tar.zst"  # noqa: PTH115 - the text is meant
        assert pacman.has_good_signature(link)
        assert pacman.has_good_signature(shelf.folder / f"{name}.tar.zst")
    for path in shelf.folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o644
        assert not path.name.endswith((".old", ".lck"))


def test_pacman_sees_every_change_however_quickly_they_follow_each_other(
    shelf: Shelf, pacman: PacmanClient
) -> None:
    for version in ("1-1", "2-1", "3-1", "4-1"):
        shelf.publish(("tool", version))
        pacman.refresh()
        assert pacman.available() == {"tool": version}


def test_removed_packages_are_gone_for_pacman_and_later_from_the_disk(
    shelf: Shelf, pacman: PacmanClient
) -> None:
    shelf.publish(("one", "1-1"), ("one-more", "1-1"), ("one-more-time", "1-1"))
    shelf.remove("one", "one-more-time")

    pacman.refresh()
    assert pacman.available() == {"one-more": "1-1"}
    assert len(shelf.files()) == 6
    shelf.sweep(grace=0)
    assert shelf.files() == ["one-more-1-1-any.pkg.tar.zst", "one-more-1-1-any.pkg.tar.zst.sig"]

    shelf.remove("one-more")
    pacman.refresh()
    assert pacman.available() == {}
    shelf.publish(("one", "2-1"))
    assert shelf.versions() == {"one": "2-1"}


def test_a_failing_signature_leaves_everything_as_it_was(shelf: Shelf, keyless: Signer) -> None:
    shelf.publish(("tool", "1-1"))
    before = shelf.state()
    shelf.signer = keyless

    with pytest.raises(SigningError, match="signing failed"):
        shelf.publish(("tool", "2-1"))

    assert shelf.state() == before
    assert not (shelf.layout.private / "staging").exists()


def test_a_refusing_repo_add_leaves_everything_as_it_was(shelf: Shelf) -> None:
    shelf.publish(("tool", "1-1"))
    before = shelf.state()

    with shelf.open() as repository, repository.transaction(shelf.signer) as transaction:
        transaction.remove(["not-there"])
        with pytest.raises(RepoToolError, match="repo-remove"):
            transaction.prepare()

    assert shelf.state() == before


def test_what_died_before_its_commit_leaves_no_trace(shelf: Shelf) -> None:
    shelf.publish(("tool", "1-1"))
    staging = shelf.layout.private / "staging"
    staging.mkdir()
    (staging / "tool-9-1-any.pkg.tar.zst").touch()

    shelf.publish(("tool", "2-1"))

    assert not any("tool-9" in name for name in shelf.files())
    assert not staging.exists()


def test_a_value_that_looks_like_a_field_does_not_confuse(shelf: Shelf) -> None:
    with shelf.open() as repository, repository.transaction(shelf.signer) as transaction:
        odd = {"one": "group = %FILENAME%\ngroup = %NAME%\n", "two": "pkgtype = pkg\n"}
        made = [make_package(transaction.folder, name, extra=text) for name, text in odd.items()]
        transaction.add([read_package(path) for path in made])
        transaction.prepare()
        repository.commit(transaction)

    with shelf.open() as repository:
        entries = repository.entries()
    assert {name: entry.filename for name, entry in entries.items()} == {
        "one": "one-1-1-any.pkg.tar.zst",
        "two": "two-1-1-any.pkg.tar.zst",
    }


def test_a_signer_tells_early_that_it_cannot_sign(tmp_path: Path, signer: Signer) -> None:
    signer.check()
    with pytest.raises(SigningError, match="does not exist"):
        Signer(tmp_path / "nowhere").check()
    with pytest.raises(SigningError, match="signing failed"):
        Signer(signer._home, key="nobody@example.org").check()
