"""Dependencies in containers: real pacman, repositories, keys."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import ConfigError, InputError
from scheduler.database.keyfile import publish_key
from scheduler.settings import ExtraRepository, TargetRepository
from scheduler.worker.executors.protocol import GuestError, StepResult
from tests.scheduler.worker.executors.builds import Recorder, bash, make_order, makepkg
from tests.scheduler.worker.executors.repository import Repository
from tests.support.packages import SigningKey, make_package, pkgbuild, signing_key

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.worker.executors.container.executor import ContainerExecutor
    from scheduler.worker.users import BuildUser


def test_a_package_is_built_with_one_that_was_published_before(
    shared: Path, user: BuildUser, container_executor: ContainerExecutor, repository: Repository
) -> None:
    text = pkgbuild(
        "tool", head="makedepends=('measure>=2' git)", build="cat /usr/share/a; pacman -Qi a"
    )
    order = make_order(shared / "one", user, {"PKGBUILD": text}, target=repository.target())
    watch = Recorder()
    with container_executor.guest(order, watch) as guest:
        assert guest.published(Recorder()) == {"a-1-1-any.pkg.tar.zst"}
        assert guest.install(["measure>=2", "git"], watch) == StepResult(0), watch.text
        again = Recorder()
        assert guest.install(["measure>=2"], again) == StepResult(0)
        ending, built = makepkg(guest, network=False)

    assert "installing measure>=2\n" in watch.text  # git is there already
    assert "installing" not in again.text
    assert ending == StepResult(0), built.text
    assert "of a" in built.text
    assert "Installed as a dependency" in built.text
    assert "Validated By    : SHA-256 Sum  Signature" in built.text or ("Signature" in built.text)


def test_a_flavour_is_built_with_what_there_is_of_it_and_of_its_base(
    shared: Path, user: BuildUser, container_executor: ContainerExecutor, repository: Repository
) -> None:
    flavour = Repository(shared / "repos", repository.key, version="2-1", arch="x86_64_v3")
    flavour.publish(make_package(flavour.place, "b", arch="x86_64"))
    target = repository.target()
    # A repository of others has packages for the base, in a folder that $arch stands for.
    server = f"{(shared / 'repos').as_uri()}/$repo/$arch"
    others = Repository(shared / "repos", repository.key, name="others", arch="x86_64")
    others.publish(make_package(others.place, "c", arch="x86_64"))
    extra = ExtraRepository(name="others", servers=(server,), sig_level="Required")
    target = replace(target, extra_repos=(*target.extra_repos, extra))
    order = replace(
        make_order(shared / "one", user, target=target), arch="x86_64_v3", shared_with=("x86_64",)
    )
    watch = Recorder()
    with container_executor.guest(order, watch) as guest:
        assert guest.install(["a>=2", "b", "c"], watch) == StepResult(0), watch.text
        # Only what both have; there is no such file in both.
        assert guest.published(Recorder()) == frozenset()
        ending, shown = bash(guest, "pacman -Qi a b c | grep ^Arch; echo $CARCH")

    assert ending == StepResult(0)
    assert shown.text.split().count("x86_64_v3") == 1
    assert shown.text.split().count("x86_64") == 3


def test_what_is_staged_in_the_group_goes_before_what_is_published(
    shared: Path,
    user: BuildUser,
    container_executor: ContainerExecutor,
    repository: Repository,
    key: SigningKey,
) -> None:
    target = repository.target()
    made = make_order(shared / "one", user, target=target)
    order = replace(made, staging=target.staging("libx-1", "x86_64"), needs_staged=True)
    # Without it, the package would be built with what is to be replaced.
    with (
        pytest.raises(GuestError, match="what the package needs is staged there"),
        container_executor.guest(order, Recorder()),
    ):
        pass

    place = repository.folder / "repo" / ".staging"
    Repository(place, key, name="staging-libx-1", version="2-1", content="of what is staged")
    again = make_order(shared / "two", user, target=target)
    watch = Recorder()
    with container_executor.guest(replace(order, folder=again.folder), watch) as guest:
        assert guest.install(["measure"], watch) == StepResult(0), watch.text
        ending, shown = bash(guest, "pacman -Q a; cat /usr/share/a")
    assert ending == StepResult(0), shown.text
    assert shown.lines() == ["a 2-1", "of what is staged"]


def test_a_dependency_that_nothing_provides_is_told(
    shared: Path, user: BuildUser, container_executor: ContainerExecutor, repository: Repository
) -> None:
    order = make_order(shared / "one", user, target=repository.target())
    watch = Recorder()
    with container_executor.guest(order, watch) as guest:
        missing = guest.install(["measure>=3"], watch)
        unknown = guest.install(["nothing-of-this-name"], watch)
        none = guest.install([], watch)
        with pytest.raises(InputError, match="not a dependency"):
            guest.install(["--root=/tmp"], watch)

    assert missing.code != 0
    assert unknown.code != 0
    assert none == StepResult(0)
    assert "target not found: measure>=3" in watch.text
    assert "target not found: nothing-of-this-name" in watch.text


def test_what_is_signed_by_a_key_that_is_not_trusted_is_not_installed(
    shared: Path, user: BuildUser, container_executor: ContainerExecutor, repository: Repository
) -> None:
    order = make_order(shared / "one", user, target=repository.target(keys=()))
    watch = Recorder()
    with (
        pytest.raises(GuestError, match="is the key of the repository repo missing") as caught,
        container_executor.guest(order, watch),
    ):
        pass
    assert "(PGP signature)" in watch.text
    assert "PACKAGE_TARGET_REPOS" in caught.value.message


def test_the_key_that_lies_beside_the_repository_is_known_without_being_named(
    shared: Path, user: BuildUser, container_executor: ContainerExecutor, repository: Repository
) -> None:
    publish_key(repository.folder, "repo", repository.key.public.read_bytes())
    order = make_order(shared / "one", user, target=repository.target(keys=()))
    watch = Recorder()
    with container_executor.guest(order, watch) as guest:
        assert guest.install(["measure>=2"], watch) == StepResult(0), watch.text


def test_where_a_key_is_named_no_other_one_is_asked_for(
    shared: Path, user: BuildUser, container_executor: ContainerExecutor, repository: Repository
) -> None:
    publish_key(repository.folder, "repo", repository.key.public.read_bytes())
    with signing_key() as other:
        target = repository.target(keys=(other.public,))
        with (
            pytest.raises(GuestError, match="pacman could not be set up"),
            container_executor.guest(make_order(shared / "one", user, target=target), Recorder()),
        ):
            pass


def test_a_package_whose_signature_is_of_something_else_is_not_installed(
    shared: Path, user: BuildUser, container_executor: ContainerExecutor, repository: Repository
) -> None:
    forged = make_package(repository.place, "b")
    signature = repository.place / "a-1-1-any.pkg.tar.zst.sig"
    shutil.copyfile(signature, repository.place / "b-1-1-any.pkg.tar.zst.sig")
    repository.add(forged)
    order = make_order(shared / "one", user, target=repository.target())
    watch = Recorder()
    with container_executor.guest(order, watch) as guest:
        ending = guest.install(["b"], watch)

    assert ending.code != 0
    assert "invalid or corrupted package" in watch.text


def test_a_repository_without_database_is_left_out_only_if_it_is_the_target(
    shared: Path, user: BuildUser, container_executor: ContainerExecutor, repository: Repository
) -> None:
    for path in repository.place.glob("repo.*"):
        path.unlink()
    target = repository.target()
    watch = Recorder()
    with container_executor.guest(make_order(shared / "one", user, target=target), watch) as guest:
        assert guest.published(watch) == frozenset()
    assert "repo has no database yet, and is left out" in watch.text

    other = TargetRepository(name="other", extra_repos=target.extra_repos, keys=target.keys)
    with (
        pytest.raises(GuestError),
        container_executor.guest(make_order(shared / "two", user, target=other), watch),
    ):
        pass


def test_a_target_that_cannot_be_reached_is_not_taken_for_a_new_one(
    shared: Path, user: BuildUser, container_executor: ContainerExecutor
) -> None:
    # Nothing listens there.
    extra = ExtraRepository(name="repo", servers=("http://127.0.0.1:9/$repo/$arch",))
    target = TargetRepository(name="repo", extra_repos=(extra,))
    order = make_order(shared / "one", user, target=target)
    with pytest.raises(GuestError), container_executor.guest(order, Recorder()):
        pass


def test_keyrings_are_packages_that_are_installed_first(
    shared: Path, user: BuildUser, container_executor: ContainerExecutor, repository: Repository
) -> None:
    keyring = make_package(shared, "some-keyring")
    order = make_order(
        shared / "one", user, target=repository.target(extra_keyrings=(str(keyring),))
    )
    with container_executor.guest(order, Recorder()) as guest:
        _, watch = bash(guest, 'pacman -Q some-keyring; echo "$EXTRA_PACMAN_KEYRINGS"')

    assert watch.lines() == ["some-keyring 1-1", str(keyring)]

    target = TargetRepository(name="repo", extra_keyrings=("http://example.org/k.pkg.tar.zst",))
    order = make_order(shared / "two", user, target=target)
    with (
        pytest.raises(ConfigError, match="over an open line"),
        container_executor.guest(order, Recorder()),
    ):
        pass


def test_the_environment_tells_of_the_repositories(
    shared: Path, user: BuildUser, container_executor: ContainerExecutor, repository: Repository
) -> None:
    order = make_order(
        shared / "one", user, target=repository.target(), environment={"CI_CODE_SKIP": "123"}
    )
    with container_executor.guest(order, Recorder()) as guest:
        _, watch = bash(guest, 'echo "$PACMAN_REPO $CI_CODE_SKIP"; echo "$EXTRA_PACMAN_REPOS"')

    server = f"{repository.folder.as_uri()}/repo/x86_64"
    assert watch.lines() == [
        "repo 123",
        "[repo]",
        "SigLevel = Required",
        f"Server = {server}",
    ]
