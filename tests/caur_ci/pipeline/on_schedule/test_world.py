"""Half-hours in the life of a repository, against a simple model of what should happen.

Every change of files leads to exactly one update and one build, and so does every move of a branch
that a package is built from, whatever is out of reach meanwhile; both at once are one build.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import pytest

from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from tests.caur_ci.pipeline.on_schedule.world import ScheduleWorld, actions
from tests.support.aur_server import Fault
from tests.support.git import Checkout
from tests.support.git_mirror import Trouble
from tests.support.upstream import files_of, pkgbuild, upstream
from tests.support.upstreams import Upstreams, upstreams

if TYPE_CHECKING:
    from pathlib import Path

# `CAUR_LONG=1` makes it longer.
LONG = bool(os.environ.get("CAUR_LONG"))
PACKAGES, FROM_URLS = (200, 20) if LONG else (50, 8)
HALF_HOURS = 50 if LONG else 16
VCS, OWN_VCS = (20, 10) if LONG else (8, 4)  # of the AUR's packages, and others


@dataclass
class Model:
    """What is upstream, and which changes have not been built yet. Knows nothing of how.

    `moved` are packages whose branch has moved since they were built.
    """

    versions: dict[str, str]
    waiting: set[str] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)
    built: dict[str, int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)

    def change(self, name: str) -> str:
        """Let a package change upstream; a change on top of one that waits is the same one."""
        number = int(self.versions[name].partition("-")[0]) + 1
        self.versions[name] = f"{number}-1"
        if name not in self.waiting:
            self.changes[name] = self.changes.get(name, 0) + 1
        self.waiting.add(name)
        return self.versions[name]

    def build(self, name: str) -> None:
        self.waiting.discard(name)
        self.built[name] = self.built.get(name, 0) + 1


class Weather:
    """What goes wrong in a half-hour."""

    def __init__(
        self, chance: random.Random, world: ScheduleWorld, repositories: Upstreams
    ) -> None:
        self.aur_is_down = chance.random() < 0.15
        self.mirror_lags = chance.random() < 0.15
        self.mirror_is_down = chance.random() < 0.1
        self.upstream_is_down = chance.random() < 0.15
        self._world = world
        self._repositories = repositories
        self._mirror = world.outside.mirror

    @property
    def troubles(self) -> set[str]:
        happens = {
            "aur is down": self.aur_is_down,
            "mirror lags": self.mirror_lags,
            "mirror is down": self.mirror_is_down,
        }
        return {name for name, does in happens.items() if does}

    def __enter__(self) -> Self:
        if self.aur_is_down:
            self._world.outside.aur.faults.extend([Fault(404)] * 20)
        if self.mirror_is_down:
            self._mirror.rename(self._mirror.with_suffix(".away"))
        if self.upstream_is_down:
            self._repositories.troubles.append(Trouble(status=503))
        return self

    def __exit__(self, *_: object) -> None:
        self._world.outside.aur.faults.clear()
        self._repositories.troubles.clear()
        if self.mirror_is_down:
            self._mirror.with_suffix(".away").rename(self._mirror)


@pytest.mark.timeout(600)
def test_every_change_is_taken_over_and_built_once(tmp_path: Path) -> None:
    chance = random.Random(20_261_124)
    vcs = [f"v{number:03d}-git" for number in range(VCS)]
    aur = [*vcs, *(f"p{number:03d}" for number in range(PACKAGES - FROM_URLS - VCS))]
    urls = [f"u{number:03d}" for number in range(FROM_URLS)]
    own = [f"o{number:03d}-git" for number in range(OWN_VCS)]
    model = Model(dict.fromkeys([*aur, *urls], "1-1"))
    with upstream(tmp_path / "upstream") as outside, upstreams() as repositories:
        world = ScheduleWorld(Checkout.create(tmp_path / "world"), outside)
        files: dict[str, str] = {}
        for name in [*vcs, *own]:
            repositories.push(f"/{name}")
            outside.sources[name] = f"git+{repositories.url}/{name}"
        for name in own:
            files |= {f"{name}__{path}": t for path, t in outside.files(name, "1-1").items()}
        for name in urls:
            outside.url_push(name, files_of(name, "1-1"))
            files |= {f"{name}__{path}": text for path, text in files_of(name, "1-1").items()}
            files[f"{name}__.CI__config"] = f"CI_PKGBUILD_SOURCE={outside.url_of(name)}\n"
        world.begin(dict.fromkeys(aur, "1-1"), **files)
        assert actions(world.run()) == {}
        behind: dict[str, str] = {}  # what the mirror does not have yet
        troubles: set[str] = set()
        for _ in range(HALF_HOURS):
            weather = Weather(chance, world, repositories)
            troubles |= weather.troubles
            if not weather.mirror_lags:
                outside.mirror_push({name: outside.files(name, v) for name, v in behind.items()})
                behind.clear()
            # A mirror that is half-way is taken as it is, which the model does not know of.
            may = [it for it in aur if it not in model.waiting] if weather.mirror_lags else aur
            changed = {name: model.change(name) for name in chance.sample(may, chance.randrange(6))}
            outside.push(changed, mirrored=not weather.mirror_lags)
            behind |= changed if weather.mirror_lags else {}
            for name in chance.sample(urls, chance.randrange(2)):
                outside.url_push(name, files_of(name, model.change(name)))
            for name in chance.sample([*vcs, *own], chance.randrange(4)):
                repositories.push(f"/{name}")
                model.moved.add(name)
            reachable = {
                name
                for name in model.waiting
                if name in urls
                or not (weather.aur_is_down or weather.mirror_is_down or name in behind)
            }
            moved = set() if weather.upstream_is_down else set(model.moved)
            with weather:
                result = world.run()
            updated = {
                n for n, action in actions(result).items() if action is ScheduleAction.UPDATE
            }
            assert updated == reachable
            assert {d.package for d in result.plan.decisions if d.builds} == reachable | moved
            for name in updated:
                assert (
                    world.file(f"{name}/PKGBUILD") == pkgbuild(name, model.versions[name]).strip()
                )
                model.build(name)
            model.moved -= moved
            assert world.tag_is_at_tip()
        outside.mirror_push({name: outside.files(name, v) for name, v in behind.items()})
        for name in {n for n, a in actions(world.run()).items() if a is ScheduleAction.UPDATE}:
            model.build(name)
        assert actions(world.run()) == {}
    assert len(troubles) == 3
    assert model.waiting == set()
    assert model.built == model.changes
