"""Which repositories of PKGBUILDs the web server tells about."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.web_facts import repository_facts
from caur_ci.errors import ConfigError, GitError
from tests.support.packages_world import PackagesWorld
from tests.support.queue import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.git import Checkout


def test_those_of_the_settings(tmp_path: Path) -> None:
    sources = {}
    for name in ("one", "two"):
        world = PackagesWorld.create(tmp_path / name, f"REPO_NAME={name}\n")
        world.package(f"of-{name}")
        world.commit()
        sources[name] = {"url": world.url}

    with repository_facts({"PACKAGE_REPOS": json.dumps(sources)}) as facts:
        assert facts is not None
        known = facts
        eventually(lambda: [it.pkgbase for it in known.packages()] == ["of-one", "of-two"])
        assert [it.target_repo for it in known.packages()] == ["one", "two"]


def test_the_one_of_a_clone(checkout: Checkout) -> None:
    with repository_facts({"PACKAGE_REPOS": "{}"}, repo=checkout.folder / "a") as facts:
        assert facts is not None
        known = facts
        eventually(lambda: bool(known.packages()))
        assert {it.source_repo for it in known.packages()} == {"source"}


def test_there_may_be_none(tmp_path: Path) -> None:
    with repository_facts({}) as facts:
        assert facts is None
    with pytest.raises(GitError), repository_facts({}, repo=tmp_path):
        pass
    with pytest.raises(ConfigError), repository_facts({"PACKAGE_REPOS": "["}):
        pass
