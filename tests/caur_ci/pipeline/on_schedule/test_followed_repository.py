"""What a run reads of the packages before it looks outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.config import PackageConfig, PkgbuildSource
from caur_ci.errors import ConfigError, InputError
from caur_ci.git import Identity
from caur_ci.pipeline.on_schedule.followed_repository import read_repository
from caur_ci.pipeline.shared.memory.branch import Memory
from caur_ci.pipeline.shared.memory.seen import SeenPackages
from caur_ci.pipeline.shared.refs import RefSnapshot
from caur_ci.update.source import NEVER_SEEN, LastSeen
from tests.caur_ci.pipeline.context import context_in
from tests.support.upstream import files_of

if TYPE_CHECKING:
    from tests.support.objects import ObjectStore

AUR = "CI_PKGBUILD_SOURCE=aur\n"


def files(**configs: str) -> dict[str, str]:
    """Return a repository with these packages, by the content of their `.CI/config`."""
    packages = {
        f"{name}/{path}": text
        for name, config in configs.items()
        for path, text in {**files_of(name, "1-1"), ".CI/config": config}.items()
    }
    return {".ci/config": "REPO_NAME=target\n", ".ci/aur-state": "17\n", **packages}


def test_packages_with_their_configuration_and_folders(store: ObjectStore) -> None:
    content = files(a=AUR, b="")
    del content["b/.CI/config"]
    commit = store.commit(content)

    found = read_repository(store.git, commit)

    assert (found.commit, found.watermark) == (commit, 17)
    assert (found.broken, found.warnings) == ({}, ())
    assert list(found.packages) == ["a", "b"]
    a, b = found.packages.values()
    assert a.config == PackageConfig(source=PkgbuildSource("aur"))
    assert b.config == PackageConfig()
    assert a.tree == store.tree({**files_of("a", "1-1"), ".CI/config": AUR})
    assert a.fields is not None
    assert (a.fields.pkgbase, a.fields.version) == ("a", "1-1")
    assert (a.seen, a.state) == (NEVER_SEEN, {})


def test_equal_configurations_are_parsed_once(store: ObjectStore) -> None:
    found = read_repository(store.git, store.commit(files(a=AUR, b=AUR, c="")))

    assert found.packages["a"].config is found.packages["b"].config
    assert found.packages["c"].config != found.packages["a"].config


def test_a_broken_configuration_costs_no_other_package_its_run(store: ObjectStore) -> None:
    broken = "CI_FORCE_VCS=perhaps\n"

    found = read_repository(store.git, store.commit(files(a=broken, b=AUR, c=broken)))

    assert list(found.packages) == ["b"]
    assert set(found.broken) == {"a", "c"}
    assert found.broken["a"].startswith("a/.CI/config:1: CI_FORCE_VCS='perhaps' does not fit")
    assert found.broken["c"].startswith("c/.CI/config:1: ")


def test_every_odd_thing_is_told_with_its_place(store: ObjectStore) -> None:
    content = files(a="MOOD=good\n", b="MOOD=good\n", c=AUR)
    content |= {".ci/config": "REPO_NAME=target\nCOLOUR=red\n", "c/.SRCINFO": "?", "q!/f": "x"}

    found = read_repository(store.git, store.commit(content))

    told = "\n".join(found.warnings)
    assert len(found.warnings) == 5
    for place in (".ci/config:2: COLOUR", "a/.CI/config:1: MOOD", "b/.CI/config:1: MOOD", "'q!'"):
        assert place in told
    assert "c/.SRCINFO" in told
    assert found.packages["c"].fields is None


def test_only_some_are_followed_and_all_are_known(store: ObjectStore) -> None:
    commit = store.commit(files(a=AUR, b="CI_FORCE_VCS=perhaps\n", c=AUR))

    found = read_repository(store.git, commit, only=("c", "a", "c"))

    assert list(found.packages) == ["a", "c"]
    assert found.broken == {}
    assert found.committed.folders.packages == ("a", "b", "c")


def test_packages_that_do_not_exist_cannot_be_asked_for(store: ObjectStore) -> None:
    commit = store.commit(files(a=AUR))

    with pytest.raises(InputError, match="there is no package x, y in the repository"):
        read_repository(store.git, commit, only=("y", "a", "x"))


def test_a_configuration_of_all_that_cannot_be_used(store: ObjectStore) -> None:
    with pytest.raises(ConfigError, match="CI_MAX_PARALLEL"):
        read_repository(store.git, store.commit({".ci/config": "CI_MAX_PARALLEL=many\n"}))


def test_what_is_remembered_comes_with_the_packages(store: ObjectStore) -> None:
    commit = store.commit(files(a=AUR, b=AUR))
    seen = LastSeen(origin="there", commit="1", modified=7)
    memory = Memory(seen=SeenPackages().updated({"a": seen, "gone": seen}))
    snapshot = RefSnapshot(
        tag=None,
        memory=memory.write(store.git, Identity("Me", "me@example.org")),
        state=store.commit({"b": "K=1\nL='x y'\n", "gone": "K=2\n"}),
    )

    found = read_repository(store.git, commit).with_state(context_in(store), snapshot)

    a, b = found.packages.values()
    assert (a.seen, a.state) == (seen, {})
    assert (b.seen, b.state) == (NEVER_SEEN, {"K": "1", "L": "x y"})
    assert (found.commit, found.watermark) == (commit, 17)


def test_a_first_run_remembers_nothing(store: ObjectStore) -> None:
    found = read_repository(store.git, store.commit(files(a=AUR)))

    again = found.with_state(context_in(store), RefSnapshot(tag=None, memory=None))

    assert again == found
