"""Users and folders of workers."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import ConfigError
from caur_ci.locks import try_lock
from scheduler.files import remove_tree
from scheduler.worker.users import BuildUser, build_user
from scheduler.worker.workspace import workspace

if TYPE_CHECKING:
    from pathlib import Path

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@as_root
def test_two_workers_build_as_two_users_that_nobody_is() -> None:
    with build_user() as one, build_user() as other:
        assert 0 not in {one.uid, other.uid}
        assert one.uid != other.uid
        assert one.exclusive


@as_root
def test_builds_never_run_as_root_or_as_somebody_unknown() -> None:
    with pytest.raises(ConfigError, match="never run as root"), build_user("root"):
        pass
    with pytest.raises(ConfigError, match="no user 'nobody-here'"), build_user("nobody-here"):
        pass
    with build_user("nobody") as user:
        assert user.uid != 0
        assert not user.exclusive


@as_root
def test_all_processes_of_a_build_user_are_ended_and_no_others() -> None:
    with build_user() as one, build_user() as other:
        running = [
            subprocess.Popen(
                ["sleep", "600"], user=user.uid, group=user.gid, start_new_session=True
            )
            for user in (one, one, other)
        ]
        one.end_processes()
        try:
            assert [process.wait(120) for process in running[:2]] == [-9, -9]
            assert running[2].poll() is None
            one.end_processes()  # nobody there is no error
        finally:
            other.end_processes()
            running[2].wait(120)


@pytest.mark.skipif(os.geteuid() == 0, reason="root does not build as itself")
def test_an_ordinary_user_builds_as_itself() -> None:
    with build_user() as user:
        assert user == BuildUser(os.geteuid(), os.getegid())
        assert not user.is_other


def test_a_build_folder_is_new_and_goes_with_all_that_is_in_it(
    shared: Path,
) -> None:
    with build_user() as user, workspace(shared, "worker-1", user) as place:
        with place.build_folder("1-1") as folder:
            deep = folder.root / "go" / "mod"
            deep.mkdir(parents=True)
            (deep / "file").touch()
            deep.chmod(0o111)
            outside = shared / "outside"
            outside.mkdir(mode=0o750)
            (deep.parent / "link").symlink_to(outside)
            deep.parent.chmod(0o500)
            assert folder.root.is_relative_to(shared)
        assert not folder.root.exists()
        assert outside.stat().st_mode & 0o777 == 0o750
        assert place.folder.exists()
    assert not place.folder.exists()
    assert list((shared / "builds").iterdir()) == []


def test_what_a_dead_worker_left_is_removed_and_a_living_ones_is_not(
    shared: Path,
) -> None:
    with build_user() as user, workspace(shared, "alive", user) as alive:
        dead = shared / "builds" / "dead-1.2"
        (dead / "1-1" / "work").mkdir(parents=True)
        (shared / "builds" / "dead-1.2.lock").touch()
        with workspace(shared, "new", user):
            assert not dead.exists()
            assert alive.folder.exists()
            assert not (shared / "builds" / "dead-1.2.lock").exists()


@as_root
def test_where_the_build_user_cannot_get_to_another_place_is_found(
    shared: Path,
) -> None:
    shared.chmod(0o700)
    with build_user() as user, workspace(shared, "worker-1", user) as place:
        assert not place.folder.is_relative_to(shared)
        assert user.can_reach(place.folder)


def test_a_folder_that_is_not_ours_alone_is_not_built_in(shared: Path) -> None:
    (shared / "builds").mkdir()
    (shared / "builds").chmod(0o777)
    with (
        build_user() as user,
        pytest.raises(ConfigError, match="not a folder of this worker's user alone"),
        workspace(shared, "worker-1", user),
    ):
        pass


def test_a_lock_is_free_again_when_its_holder_is_gone(tmp_path: Path) -> None:
    held = try_lock(tmp_path / "lock")
    assert held is not None
    assert try_lock(tmp_path / "lock") is None
    os.close(held)
    again = try_lock(tmp_path / "lock")
    assert again is not None
    os.close(again)


def test_removing_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    remove_tree(tmp_path / "nothing")
