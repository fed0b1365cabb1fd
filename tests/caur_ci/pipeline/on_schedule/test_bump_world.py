"""Half-hours in the life of a repository and its libraries, against a simple model.

Every move of a library leads to exactly one rebuild of whatever names it, whatever is out of reach
meanwhile, and whoever of the two systems sees it first.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.triggers.snapshots import parse_version_state
from tests.caur_ci.pipeline.on_schedule.world import ScheduleWorld, actions
from tests.support.git import Checkout, git
from tests.support.sync_databases import database
from tests.support.upstream import files_of, upstream

if TYPE_CHECKING:
    from pathlib import Path

HALF_HOURS = 14
LIBRARIES = {"core": ["glibc", "icu"], "extra": ["boost", "opencv", "qt"]}
NAMES = [name for some in LIBRARIES.values() for name in some]


@dataclass
class Model:
    """The libraries, what was last seen of them, and who names them. Knows nothing of how."""

    triggers: dict[str, list[str]]
    versions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 1))
    seen: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 1))
    bumps: Counter[str] = field(default_factory=Counter)

    def look(self, reachable: list[str]) -> set[str]:
        """See the libraries that can be seen; return the packages to be bumped for it."""
        moved = {name for name in reachable if self.versions[name] != self.seen[name]}
        self.seen |= {name: self.versions[name] for name in reachable}
        bumped = {name for name, some in self.triggers.items() if moved.intersection(some)}
        self.bumps.update(bumped)
        return bumped


def write(folder: Path, model: Model, *, without: str = "") -> None:
    for name, libraries in LIBRARIES.items():
        path = folder / f"{name}.db"
        if name == without:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(database({it: f"{model.versions[it]}-1" for it in libraries}))


def other_system(world: ScheduleWorld, model: Model) -> None:
    """Let the existing system take a turn: it bumps, and writes branch `state` anew."""
    files: dict[str, str | bytes | None] = {}
    for name in model.look(NAMES):
        files[f"{name}/.CI/config"] = config_of(model, name)
    git(world.checkout.folder, "pull", "--quiet", "origin", "main")
    world.commit("chore(bump): theirs", files)
    lines = "".join(f"{name}:{model.versions[name]}-1\n" for name in sorted(NAMES))
    blob = git(world.remote, "hash-object", "-w", "--stdin", stdin=lines.encode())
    tree = git(world.remote, "mktree", stdin=f"100644 blob {blob}\t.version-state\n".encode())
    commit = git(world.remote, "commit-tree", tree, stdin=b"chore(state): update state")
    git(world.remote, "update-ref", "refs/heads/state", commit)


def config_of(model: Model, name: str) -> str:
    count = model.bumps[name]
    bump = f"CI_PACKAGE_BUMP=1-1/{count}\n" if count else ""
    return f"CI_REBUILD_TRIGGERS={':'.join(model.triggers[name])}\n{bump}"


def test_every_move_leads_to_one_rebuild(tmp_path: Path) -> None:
    chance = random.Random(20_261_126)
    packages = [f"p{number:02}" for number in range(12)]
    model = Model({name: chance.sample(NAMES, chance.randrange(1, 3)) for name in packages})
    databases = tmp_path / "databases"
    databases.mkdir()
    write(databases, model)
    urls = " ".join((databases / f"{name}.db").as_uri() for name in LIBRARIES)
    with upstream(tmp_path / "upstream") as outside:
        world = ScheduleWorld(Checkout.create(tmp_path / "world"), outside)
        files = {
            f"{name}__{path.replace('/', '__')}": text
            for name in packages
            for path, text in {
                **files_of(name, "1-1"),
                ".CI/config": config_of(model, name),
            }.items()
        }
        world.begin({}, config=f"CI_LIB_DB={urls}\nCI_REBUILD_SHARE=100\n", **files)
        assert actions(world.run()) == {}
        for _ in range(HALF_HOURS):
            for name in chance.sample(NAMES, chance.randrange(3)):
                model.versions[name] += 1
            away = chance.choice(["", "", "core", "extra"])
            write(databases, model)
            if chance.random() < 0.25:
                other_system(world, model)
            write(databases, model, without=away)
            expected = model.look([it for it in NAMES if it not in LIBRARIES.get(away, [])])

            result = world.run()

            assert actions(result) == dict.fromkeys(expected, ScheduleAction.BUMP)
            assert len(result.problems) == bool(away)
            assert parse_version_state(world.file(".version-state", "state").encode()) == {
                name: (f"{version}-1",) for name, version in model.seen.items()
            }
            for name in expected:
                assert world.file(f"{name}/.CI/config") == config_of(model, name).strip()
            assert world.tag_is_at_tip()
    assert sum(model.bumps.values()) > len(packages)
