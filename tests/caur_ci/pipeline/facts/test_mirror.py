"""The copy of the branches that tell about packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import InputError, TemporaryError
from caur_ci.pipeline.facts import Mirror
from caur_ci.pipeline.facts.mirror import Tips
from caur_ci.pipeline.shared.memory.branch import MEMORY_BRANCH
from tests.support.git import git
from tests.support.packages_world import PackagesWorld

if TYPE_CHECKING:
    from pathlib import Path


def test_it_follows_all_three_branches(tmp_path: Path) -> None:
    world = PackagesWorld.create(tmp_path / "world")
    world.package("a")
    first = world.commit()
    mirror = Mirror(tmp_path / "facts", "source", world.url)
    assert mirror.tips() is None

    assert mirror.renew() == Tips(first)

    world.held("a")
    second = world.commit()
    world.state({"a": "CI_GIT_COMMIT=1\n"})
    tips = mirror.renew()
    assert (tips.packages, mirror.git.resolve(str(tips.memory))) == (second, tips.memory)
    assert mirror.git.parents(second) == [first]
    assert tips.state is not None
    assert mirror.tips() == tips == Mirror(tmp_path / "facts", "source", world.url).tips()

    git(world.store.folder, "update-ref", "-d", MEMORY_BRANCH)
    assert mirror.renew().memory is None


def test_a_repository_out_of_reach_shows_no_password(tmp_path: Path) -> None:
    mirror = Mirror(tmp_path, "source", "http://me:hush-hush@127.0.0.1:9/x.git")

    with pytest.raises(TemporaryError, match="source cannot be fetched") as error:
        mirror.renew()

    assert "hush" not in str(error.value)
    assert error.value.__cause__ is None


def test_a_repository_without_commits_is_told(tmp_path: Path) -> None:
    world = PackagesWorld.create(tmp_path / "world")

    with pytest.raises(TemporaryError, match="source has no commit yet"):
        Mirror(tmp_path / "facts", "source", world.url).renew()


def test_a_name_is_no_path(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        Mirror(tmp_path, "../elsewhere", "file:///")
