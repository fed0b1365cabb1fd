"""`caur-ci repo`, on a repository with some history."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from scheduler.database.signing import Signer
from tests.support.packages import SigningKey, signing_key
from tests.support.shelf import Shelf
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def key() -> Iterator[SigningKey]:
    need_tools("gpg", "repo-add", "bsdtar", "zstd")
    with signing_key() as key:
        yield key


@pytest.fixture
def shelf(tmp_path: Path, key: SigningKey, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    shelf = Shelf(tmp_path, Signer(key.home))
    shelf.publish(("tool", "1-1"))
    shelf.publish(("tool", "2-1"), ("doc", "1-1"))
    monkeypatch.setenv("REPO_PATH", str(shelf.layout.root))
    monkeypatch.setenv("GPG_PATH", str(key.home))
    return shelf


def repo(*arguments: str) -> int:
    return run(["repo", *arguments], Session())


@pytest.mark.usefixtures("shelf")
def test_the_history_is_for_people_and_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert repo("history") == ExitCode.OK
    assert "updated tool" in capsys.readouterr().out
    assert repo("history", "--json") == ExitCode.OK
    newest, oldest = json.loads(capsys.readouterr().out)
    assert (newest["number"], newest["kind"], newest["packages"]) == (2, "published", 2)
    assert newest["updated"] == {"tool": "2-1"}
    assert oldest["added"] == {"tool": "1-1"}


def test_a_state_is_brought_back_and_that_is_undone(
    shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    assert repo("rollback", "1") == ExitCode.OK
    assert shelf.versions() == {"tool": "1-1"}
    assert "is published as generation 3: updated tool, removed doc" in capsys.readouterr().out
    assert repo("rollback", "2") == ExitCode.OK
    assert shelf.versions() == {"tool": "2-1", "doc": "1-1"}
    assert repo("verify") == ExitCode.OK


@pytest.mark.usefixtures("shelf")
def test_what_cannot_be_brought_back_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert repo("rollback", "7") == ExitCode.FAILED
    assert "there is no generation 7; kept are 1, 2" in capsys.readouterr().err


def test_what_is_wrong_is_a_table_and_an_exit_code(
    shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    assert repo("verify") == ExitCode.OK
    assert "repo/x86_64: all is well" in capsys.readouterr().out
    (shelf.folder / "tool-2-1-any.pkg.tar.zst").write_bytes(b"")

    assert repo("verify") == ExitCode.FAILED
    assert "has 0 bytes" in capsys.readouterr().out
    assert repo("verify", "--json") == ExitCode.FAILED
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["target_repo"], found["arch"]) == ("repo", "x86_64")
    assert {finding["file"] for finding in found["findings"]} == {
        "tool-2-1-any.pkg.tar.zst",
        "tool-2-1-any.pkg.tar.zst.sig",
    }


def test_of_several_repositories_one_has_to_be_named(
    shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Shelf(tmp_path, shelf.signer, arch="aarch64").publish(("tool", "1-1"))

    assert repo("history") == ExitCode.FAILED
    assert "several repositories" in capsys.readouterr().err
    assert repo("history", "--arch=aarch64", "--target-repo=repo") == ExitCode.OK
    assert repo("history", "--arch=riscv64") == ExitCode.FAILED
    capsys.readouterr()
    assert repo("verify") == ExitCode.OK
    assert capsys.readouterr().out.count("all is well") == 2


def test_the_folders_may_come_from_options_or_a_file(
    shelf: Shelf, key: SigningKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REPO_PATH")
    monkeypatch.delenv("GPG_PATH")
    root = str(shelf.layout.root)
    assert repo("verify") == ExitCode.FAILED
    assert repo("verify", "--repo-path", root, "--gpg-path", str(key.home)) == ExitCode.OK
    file = tmp_path / "settings.toml"
    file.write_text(f'[database]\nrepo_path = "{root}"\ngpg_path = "{key.home}"\n')
    assert repo("verify", "--config", str(file)) == ExitCode.OK


def test_what_is_lost_is_brought_back_or_named(
    shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    assert repo("repair") == ExitCode.OK
    assert "nothing had to be repaired" in capsys.readouterr().out
    (shelf.folder / "doc-1-1-any.pkg.tar.zst.sig").unlink()
    assert repo("repair") == ExitCode.OK
    assert "brought back from the signing key" in capsys.readouterr().out
    (shelf.folder / "doc-1-1-any.pkg.tar.zst").unlink()
    assert repo("repair") == ExitCode.FAILED
    assert "queue retry doc" in capsys.readouterr().out.replace("\n", " ")
    (shelf.folder / "repo.db.tar.zst").unlink()
    assert repo("repair") == ExitCode.FAILED
    assert "generation 2" in capsys.readouterr().out


def test_packages_are_looked_into(shelf: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    assert repo("index") == ExitCode.OK
    assert "repo/x86_64: 2 packages were looked into" in capsys.readouterr().out
    assert repo("index") == ExitCode.OK
    assert "repo/x86_64: 0 packages" in capsys.readouterr().out
    (shelf.folder / "tool-2-1-any.pkg.tar.zst").unlink()
    (shelf.folder / "repo.linkage.jsonl.zst").unlink()

    assert repo("index") == ExitCode.PARTIAL
    assert "tool-2-1-any.pkg.tar.zst: the file is not there" in capsys.readouterr().err


def test_what_is_published_is_uploaded_and_picked_up_elsewhere(
    shelf: Shelf,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PUBLISH_TO", str(tmp_path / "hosted"))
    assert repo("upload") == ExitCode.OK
    assert " files uploaded, 0 removed" in capsys.readouterr().out
    assert repo("upload") == ExitCode.OK
    assert "nothing has changed" in capsys.readouterr().out

    elsewhere = tmp_path / "elsewhere"
    monkeypatch.setenv("REPO_PATH", str(elsewhere))
    assert repo("pick-up", "--target-repo", "repo") == ExitCode.OK
    assert repo("history", "--json") == ExitCode.OK
    # The packages themselves stay where they are, and nothing says that they are lost.
    assert not list(elsewhere.rglob("*.pkg.tar*"))
    repo("verify")
    assert "cannot be read" not in capsys.readouterr().out


@pytest.mark.usefixtures("shelf")
def test_where_to_publish_has_to_be_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert repo("upload") == ExitCode.FAILED
    assert "PUBLISH_TO" in capsys.readouterr().err
    assert repo("upload", "--publish-to", "ftp://host/x") == ExitCode.FAILED
    assert "'ftp://host/x' is no publishing target" in capsys.readouterr().err
