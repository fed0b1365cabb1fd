"""What holds for publishing targets of every kind."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import CaurError
from caur_ci.locks import try_lock
from caur_ci.process import run
from scheduler.hosting.folder import FolderTarget
from scheduler.hosting.picking_up import pick_up
from scheduler.hosting.protocol import (
    BusyTargetError,
    Change,
    TargetError,
    Upload,
    Uploader,
    nothing_to_check,
)
from scheduler.hosting.uploader import one_uploader
from scheduler.hosting.uploading import upload
from tests.support.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scheduler.database.signing import Keyring
    from scheduler.hosting.protocol import Check
    from tests.support.publishing_targets import Place

GRACE = 3600.0
HOME = "repo/x86_64"


def test_a_target_is_empty_at_first_and_has_what_it_was_given(place: Place, tmp_path: Path) -> None:
    assert dict(place.target.listing("repo")) == {}
    files = _files(tmp_path, {f"{HOME}/one-1-1-any.pkg.tar.zst": b"one", "repo/repo.asc": b"key"})
    place.target.apply(Change(stages=(files,)))

    assert place.target.listing("repo") == {
        f"{HOME}/one-1-1-any.pkg.tar.zst": 3,
        "repo/repo.asc": 3,
    }
    place.target.fetch([f"{HOME}/one-1-1-any.pkg.tar.zst"], tmp_path / "fetched")
    assert (tmp_path / "fetched" / HOME / "one-1-1-any.pkg.tar.zst").read_bytes() == b"one"


def test_a_change_replaces_and_removes_and_may_be_repeated(place: Place, tmp_path: Path) -> None:
    first = _files(tmp_path, {f"{HOME}/a.pkg": b"a", f"{HOME}/repo.db": b"old"})
    place.target.apply(Change(stages=(first,)))
    second = _files(tmp_path / "second", {f"{HOME}/repo.db": b"newer"})
    change = Change(stages=((), second), removals=(f"{HOME}/a.pkg",))

    for _ in range(2):
        place.target.apply(change)
        assert place.target.listing("repo") == {f"{HOME}/repo.db": 5}
        assert place.read(f"{HOME}/repo.db") == b"newer"


def test_repositories_do_not_see_each_other(near_place: Place, tmp_path: Path) -> None:
    near_place.target.apply(Change(stages=(_files(tmp_path, {"repo-testing/x86_64/a": b"a"}),)))

    assert dict(near_place.target.listing("repo")) == {}
    assert list(near_place.target.listing("repo-testing")) == ["repo-testing/x86_64/a"]


def test_what_is_not_there_cannot_be_fetched(place: Place, tmp_path: Path) -> None:
    place.target.apply(Change(stages=(_files(tmp_path, {f"{HOME}/a": b"a"}),)))

    with pytest.raises(CaurError):
        place.target.fetch([f"{HOME}/missing"], tmp_path / "fetched")
    assert not (tmp_path / "fetched" / HOME / "missing").exists()


def test_what_is_published_here_is_published_there(near_place: Place, shelf: Shelf) -> None:
    shelf.publish(("tool", "1-1"), ("app", "2-1"))
    done = upload(near_place.target, _root(shelf), "repo", grace=GRACE)

    assert not done.is_empty
    for name in (*shelf.files(), "repo.db", "repo.db.sig", "repo.files", "repo.db.tar.zst"):
        assert near_place.read(f"{HOME}/{name}") == (shelf.folder / name).read_bytes(), name
    assert upload(near_place.target, _root(shelf), "repo", grace=GRACE).is_empty


def test_only_what_differs_is_uploaded_and_old_files_stay_for_their_time(
    near_place: Place, shelf: Shelf
) -> None:
    place = near_place
    shelf.publish(("tool", "1-1"), ("app", "2-1"))
    upload(place.target, _root(shelf), "repo", grace=GRACE)
    shelf.publish(("tool", "3-1"))
    done = upload(place.target, _root(shelf), "repo", grace=GRACE)

    assert [each.path for each in done.change.stages[0]] == [
        f"{HOME}/tool-3-1-any.pkg.tar.zst.sig",
        f"{HOME}/tool-3-1-any.pkg.tar.zst",
    ]
    assert place.read(f"{HOME}/tool-1-1-any.pkg.tar.zst")
    shelf.sweep(grace=0)
    done = upload(place.target, _root(shelf), "repo", grace=0)
    assert sorted(done.change.removals) == [
        f"{HOME}/tool-1-1-any.pkg.tar.zst",
        f"{HOME}/tool-1-1-any.pkg.tar.zst.sig",
    ]
    assert place.read(f"{HOME}/tool-1-1-any.pkg.tar.zst") is None
    assert place.read(f"{HOME}/tool-3-1-any.pkg.tar.zst")


def test_another_machine_goes_on_without_the_packages(
    near_place: Place, shelf: Shelf, keyring: Keyring, tmp_path: Path
) -> None:
    shelf.publish(("tool", "1-1"), ("app", "2-1"))
    upload(near_place.target, _root(shelf), "repo", grace=GRACE)
    other = Shelf(tmp_path / "other", shelf.signer)
    found = pick_up(near_place.target, _root(other), "repo", keyring)

    assert [layout.arch for layout in found] == ["x86_64"]
    assert other.versions() == {"tool": "1-1", "app": "2-1"}
    assert other.files() == []
    other.publish(("app", "3-1"))
    other.remove("tool")
    done = upload(near_place.target, _root(other), "repo", grace=GRACE)
    assert [Path(each.path).name for each in done.change.stages[0]] == [
        "app-3-1-any.pkg.tar.zst.sig",
        "app-3-1-any.pkg.tar.zst",
    ]
    third = Shelf(tmp_path / "third", shelf.signer)
    pick_up(near_place.target, _root(third), "repo", keyring)
    assert third.versions() == {"app": "3-1"}


def test_what_was_published_but_not_uploaded_is_kept(
    near_place: Place, shelf: Shelf, keyring: Keyring, tmp_path: Path
) -> None:
    shelf.publish(("tool", "1-1"))
    upload(near_place.target, _root(shelf), "repo", grace=GRACE)
    other = Shelf(tmp_path / "other", shelf.signer)
    pick_up(near_place.target, _root(other), "repo", keyring)
    other.publish(("tool", "2-1"))  # and then it is killed

    pick_up(near_place.target, _root(other), "repo", keyring)
    assert other.versions() == {"tool": "2-1"}
    upload(near_place.target, _root(other), "repo", grace=GRACE)
    shelf.publish(("tool", "1.5-1"))
    pick_up(near_place.target, _root(shelf), "repo", keyring)
    assert shelf.versions() == {"tool": "2-1"}


def test_whenever_an_upload_is_killed_another_machine_goes_on(
    shelf: Shelf, keyring: Keyring, tmp_path: Path
) -> None:
    web = tmp_path / "web"
    target = FolderTarget(web)
    shelf.publish(("tool", "1-1"))
    upload(target, _root(shelf), "repo", grace=GRACE)
    shutil.copytree(web, tmp_path / "before")
    shelf.publish(("tool", "2-1"))
    seen = []
    for steps in itertools.count():
        shutil.rmtree(web)
        shutil.copytree(tmp_path / "before", web)
        with suppress(_KilledError):
            upload(_Killed(web, steps), _root(shelf), "repo", grace=GRACE)
            break
        other = Shelf(tmp_path / f"other-{steps}", shelf.signer)
        pick_up(target, _root(other), "repo", keyring)
        upload(target, _root(other), "repo", grace=GRACE)
        assert upload(target, _root(other), "repo", grace=GRACE).is_empty
        seen.append(other.versions()["tool"])

    assert seen == sorted(seen)
    assert set(seen) == {"1-1", "2-1"}


def test_a_database_of_somebody_else_is_not_signed_anew(
    near_place: Place, shelf: Shelf, keyring: Keyring, tmp_path: Path
) -> None:
    shelf.publish(("tool", "1-1"))
    upload(near_place.target, _root(shelf), "repo", grace=GRACE)
    names = ("repo.db.tar.zst", "repo.db")
    forged = _files(tmp_path, {f"{HOME}/{name}": _other_database(tmp_path) for name in names})
    near_place.target.apply(Change(stages=(forged,)))
    other = Shelf(tmp_path / "other", shelf.signer)

    with pytest.raises(TargetError, match="is not a good signature"):
        pick_up(near_place.target, _root(other), "repo", keyring)
    assert not (other.folder / "repo.db.tar.zst").exists()


def test_a_listed_package_that_is_lost_stops_the_upload(near_place: Place, shelf: Shelf) -> None:
    shelf.publish(("tool", "1-1"))
    upload(near_place.target, _root(shelf), "repo", grace=GRACE)
    before = dict(near_place.target.listing("repo"))
    shelf.publish(("tool", "2-1"))
    (shelf.folder / "tool-2-1-any.pkg.tar.zst").unlink()

    with pytest.raises(TargetError, match="neither here nor at"):
        upload(near_place.target, _root(shelf), "repo", grace=GRACE)
    assert near_place.target.listing("repo") == before


@pytest.mark.parametrize("kind", ["s3", "releases"])
def test_while_another_upload_goes_on_nothing_is_changed(
    kind: str, place_of: Callable[[str], Place], shelf: Shelf
) -> None:
    place = place_of(kind)
    shelf.publish(("tool", "1-1"))
    with place.open().held("repo", Uploader(id="other", who="the other one")):
        with pytest.raises(BusyTargetError, match="is under way: the other one"):
            upload(place.target, _root(shelf), "repo", grace=GRACE)
        assert not place.target.listing("repo")

    # A process of ours that was killed is no other one.
    with one_uploader(_root(shelf), "repo", "") as uploader:
        killed = place.open().held("repo", uploader)
        killed.__enter__()
    assert not upload(place.target, _root(shelf), "repo", grace=GRACE).is_empty
    killed.__exit__(None, None, None)


def test_whoever_uploads_to_a_folder_has_it_locked(tmp_path: Path) -> None:
    lock = tmp_path / "web/.caur-upload/lock"
    with FolderTarget(tmp_path / "web").held("repo", Uploader(id="us", who="us")):
        assert try_lock(lock) is None
    free = try_lock(lock)
    assert free is not None
    os.close(free)


def test_a_disk_that_is_full_is_told_and_nothing_is_left_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: Path) -> None:
        target.write_bytes(b"a part of it")
        raise OSError(errno.ENOSPC, "No space left on device", str(source), None, str(target))

    monkeypatch.setattr(shutil, "copyfile", full)
    files = _files(tmp_path, {f"{HOME}/a.pkg": b"all of it"})

    with pytest.raises(CaurError, match="/web: No space left on device") as caught:
        FolderTarget(tmp_path / "web").apply(Change(stages=(files,)))
    assert "Make room" in caught.value.hint
    assert not [path for path in (tmp_path / "web").rglob("*") if path.is_file()]


def test_a_copy_of_a_repository_is_another_uploader(tmp_path: Path) -> None:
    def uploader(root: str) -> Uploader:
        with one_uploader(tmp_path / root, "repo", "us") as uploader:
            return uploader

    ours = uploader("one")
    shutil.copytree(tmp_path / "one", tmp_path / "copy")
    assert uploader("one") == ours
    assert uploader("copy").id != ours.id


def test_pages_that_somebody_else_has_changed_are_left_alone(
    place_of: Callable[[str], Place], tmp_path: Path
) -> None:
    place = place_of("pages")
    first = Change(stages=(_files(tmp_path, {f"{HOME}/repo.db": b"ours"}),))
    second = Change(stages=(_files(tmp_path / "other", {f"{HOME}/repo.db": b"theirs"}),))
    with place.target.held("repo", Uploader(id="us", who="us")):
        place.open().apply(second)
        with pytest.raises(BusyTargetError, match="somebody else is changing"):
            place.target.apply(first)
    assert place.read(f"{HOME}/repo.db") == b"theirs"


def test_names_that_github_would_change_are_refused_before_anything_is_changed(
    releases: Place, shelf: Shelf
) -> None:
    shelf.publish(("tool", "1:2-1"), ("app", "1-1"))

    with pytest.raises(TargetError, match="tool-1:2-1-any") as caught:
        upload(releases.target, _root(shelf), "repo", grace=GRACE)
    assert "REPO_PORTABLE_NAMES" in caught.value.hint
    assert releases.releases is not None
    assert not releases.releases.releases


class _KilledError(Exception):
    """Stands for the end of the process."""


class _Killed(FolderTarget):
    """A folder whose user is killed after `steps` files."""

    def __init__(self, root: Path, steps: int) -> None:
        super().__init__(root)
        self._steps = steps

    def apply(self, change: Change, check: Check = nothing_to_check) -> None:
        for each in (each for stage in change.stages for each in stage):
            if self._steps == 0:
                raise _KilledError
            self._steps -= 1
            super().apply(Change(stages=((each,),)), check)
        super().apply(Change(removals=change.removals))


def _files(folder: Path, contents: Mapping[str, bytes]) -> tuple[Upload, ...]:
    uploads = []
    for path, content in contents.items():
        source = folder / "sources" / path
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_bytes(content)
        uploads.append(Upload(path=path, source=source))
    return tuple(uploads)


def _root(shelf: Shelf) -> Path:
    return shelf.layout.root


def _other_database(tmp_path: Path) -> bytes:
    folder = tmp_path / "forged"
    (folder / "evil-1-1").mkdir(parents=True, exist_ok=True)
    (folder / "evil-1-1" / "desc").write_text("%NAME%\nevil\n")
    path = tmp_path / "forged.tar.zst"
    run(["bsdtar", "--zstd", "-cf", path, "-C", folder, "evil-1-1"])
    return path.read_bytes()
