"""Going on from what is at a target: what others left there, what was damaged, what was forged."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from caur_ci.process import run
from scheduler.database.signing import Keyring, Signer
from scheduler.hosting.folder import FolderTarget
from scheduler.hosting.picking_up import pick_up
from scheduler.hosting.protocol import TargetError
from scheduler.hosting.uploading import upload
from tests.support.packages import signing_key
from tests.support.shelf import Shelf

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.packages import SigningKey

HOME = "repo/x86_64"
LEFT = ["app-2-1-any.pkg.tar.zst", "tool-1-1-any.pkg.tar.zst"]


@pytest.fixture
def web(tmp_path: Path) -> Path:
    return tmp_path / "web"


@pytest.fixture
def target(web: Path) -> FolderTarget:
    return FolderTarget(web)


def test_a_repository_that_others_have_brought_there_goes_on(
    web: Path, target: FolderTarget, shelf: Shelf, key: SigningKey, keyring: Keyring, tmp_path: Path
) -> None:
    shelf.publish(("tool", "1-1"), ("app", "1-1"))
    folder = web / HOME
    shutil.copytree(shelf.folder, folder, ignore=shutil.ignore_patterns("repo.*"))
    run(["repo-add", folder / "repo.db.tar.gz", *folder.glob("*.zst")])
    for name in ("repo.db.tar.gz", "repo.files.tar.gz"):
        run(["gpg", "--homedir", key.home, "--batch", "--detach-sign", folder / name])
    other = Shelf(tmp_path / "other", shelf.signer)
    pick_up(target, other.layout.root, "repo", keyring)
    assert other.versions() == {"tool": "1-1", "app": "1-1"}
    assert {"repo.db", "repo.files"} <= {path.name for path in other.folder.iterdir()}
    other.publish(("app", "2-1"))
    upload(target, other.layout.root, "repo", grace=0)
    assert _names(folder, ".gz") == []
    assert _names(folder, ".pkg.tar.zst") == LEFT
    assert _names(folder, ".pkg.tar.zst.sig") == [f"{name}.sig" for name in LEFT]

    third = Shelf(tmp_path / "third", shelf.signer)
    pick_up(target, third.layout.root, "repo", keyring)
    assert third.versions() == {"tool": "1-1", "app": "2-1"}
    third.remove("tool")
    upload(target, third.layout.root, "repo", grace=0)
    assert _names(folder, ".pkg.tar.zst") == LEFT[:1]
    assert _names(folder, ".pkg.tar.zst.sig") == [f"{LEFT[0]}.sig"]


def test_of_two_forms_of_a_database_ours_counts(
    web: Path, target: FolderTarget, shelf: Shelf, keyring: Keyring, tmp_path: Path
) -> None:
    shelf.publish(("tool", "1-1"))
    upload(target, shelf.layout.root, "repo", grace=0)
    for suffix in ("", ".sig"):
        name = f"{HOME}/repo.db.tar"
        shutil.copyfile(web / f"{name}.zst{suffix}", web / f"{name}.gz{suffix}")
    shelf.publish(("tool", "2-1"))
    upload(target, shelf.layout.root, "repo", grace=0)

    other = Shelf(tmp_path / "other", shelf.signer)
    pick_up(target, other.layout.root, "repo", keyring)
    assert other.versions() == {"tool": "2-1"}


@pytest.mark.parametrize("kind", ["db", "files"])
@pytest.mark.parametrize("missing", [".tar.zst", ".tar.zst.sig", "", ".sig"])
def test_while_a_database_is_being_replaced_the_other_copy_is_taken(
    kind: str,
    missing: str,
    web: Path,
    target: FolderTarget,
    shelf: Shelf,
    keyring: Keyring,
    tmp_path: Path,
) -> None:
    shelf.publish(("tool", "1-1"), ("app", "1-1"))
    upload(target, shelf.layout.root, "repo", grace=0)
    (web / HOME / f"repo.{kind}{missing}").unlink()
    other = Shelf(tmp_path / "other", shelf.signer)

    assert pick_up(target, other.layout.root, "repo", keyring)
    other.publish(("app", "2-1"))
    assert other.versions() == {"tool": "1-1", "app": "2-1"}
    files = run(["bsdtar", "-tf", other.folder / "repo.files.tar.zst"]).stdout.decode().split()
    assert {"app-2-1/files", "tool-1-1/files"} <= set(files)


def test_lists_of_files_by_somebody_else_are_not_signed_anew(
    web: Path, target: FolderTarget, shelf: Shelf, keyring: Keyring, tmp_path: Path
) -> None:
    shelf.publish(("tool", "1-1"))
    upload(target, shelf.layout.root, "repo", grace=0)
    for name in ("repo.files.tar.zst", "repo.files"):
        shutil.copyfile(web / HOME / "repo.db", web / HOME / name)
    other = Shelf(tmp_path / "other", shelf.signer)

    with pytest.raises(TargetError, match=r"repo.files.tar.zst is not a good signature"):
        pick_up(target, other.layout.root, "repo", keyring)
    assert not other.folder.exists()


def test_somebody_whose_public_key_is_there_is_not_us(
    web: Path, target: FolderTarget, shelf: Shelf, key: SigningKey, tmp_path: Path
) -> None:
    shelf.publish(("tool", "1-1"))
    upload(target, shelf.layout.root, "repo", grace=0)
    with signing_key() as ours:
        run(["gpg", "--homedir", ours.home, "--batch", "--import", key.public])
        other = Shelf(tmp_path / "other", shelf.signer)

        with pytest.raises(TargetError, match=f"is by {key.fingerprint}, which is no secret key"):
            pick_up(target, other.layout.root, "repo", Keyring(ours.home))


@pytest.mark.parametrize(
    "content", ["{", '{"files": {"x86_64/a": {"size": "many", "sha256": ""}}}', '{"files": []}']
)
def test_a_list_that_cannot_be_read_is_named_by_where_it_is(
    content: str, web: Path, target: FolderTarget, shelf: Shelf, keyring: Keyring, tmp_path: Path
) -> None:
    shelf.publish(("tool", "1-1"))
    upload(target, shelf.layout.root, "repo", grace=0)
    (web / "repo/hosted.json").write_text(content)
    other = Shelf(tmp_path / "other", shelf.signer)
    with pytest.raises(TargetError, match=r"/web: repo/hosted.json is no list"):
        pick_up(target, other.layout.root, "repo", keyring)

    (web / "repo/hosted.json").unlink()
    pick_up(target, other.layout.root, "repo", keyring)
    upload(target, other.layout.root, "repo", grace=0)


def _names(folder: Path, ending: str) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(ending))


def test_a_repository_may_be_called_as_an_architecture_is(
    web: Path, target: FolderTarget, tmp_path: Path, key: SigningKey
) -> None:
    shelf = Shelf(tmp_path, Signer(key.home), name="x86_64")
    for version in ("1-1", "2-1"):
        shelf.publish(("tool", version))
        upload(target, shelf.layout.root, "x86_64", grace=0)
    assert _names(web / "x86_64/x86_64", ".pkg.tar.zst") == ["tool-2-1-any.pkg.tar.zst"]
