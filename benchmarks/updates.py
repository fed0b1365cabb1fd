"""on-schedule where half of the packages have changed upstream, with the judge and without."""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import BenchmarkError, Measurement, measure
from benchmarks.queue.rows import QueueRow
from benchmarks.recipes import CHANGES, Recipe
from benchmarks.repositories import git
from tests.support.forges.gitlab_api import GitLabApi
from tests.support.forges.model import Forge
from tests.support.forges.server import TOKEN, serving
from tests.support.upstream import upstream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.upstream import Upstream

_PACKAGES, _CHANGED = 300, 150
_GOAL = 10.0
_CONFIG = "BUILD_REPO=packages\nREPO_NAME=bench\nCI_HUMAN_REVIEW=true\n"
_DRIVER = (sys.executable, "-m", "benchmarks.known_judge")
# What becomes of a change that was seen.
_SEEN = {"update": "updated", "review": "put to review"}


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many packages there are, and how many of them change."""

    packages: int = _PACKAGES
    changed: int = _CHANGED


def updates_rows(repeat: int, sizes: Sizes | None = None) -> Iterator[QueueRow]:
    """Measure the same run with the judge and without, by turns.

    Raises BenchmarkError where a change was overlooked.
    """
    sizes = sizes or Sizes()
    judged, known = [], []
    with _bench(sizes) as bench:
        # Once for the disk cache, and for what the judge says.
        bench.run(bench.answers)
        found = bench.check(bench.answers)
        for _ in range(repeat):
            judged.append(bench.run(bench.plan))
            bench.check(bench.plan)
            known.append(bench.run(bench.plan, answers=bench.answers))
            bench.check(bench.plan)
    yield from _rows(sizes, found, judged, known)


def _rows(
    sizes: Sizes, found: str, judged: list[Measurement], known: list[Measurement]
) -> Iterator[QueueRow]:
    wall = [[run.best for run in runs] for runs in (judged, known)]
    cpu = [[run.cpu for run in runs] for runs in (judged, known)]
    of_goal_size = sizes == Sizes()
    yield QueueRow(
        f"on-schedule, {sizes.packages:,} packages, {sizes.changed:,} changed: {found}",
        f"{statistics.median(wall[0]):.2f} s",
        f"{min(wall[0]):.2f} s",
        goal=f"≤ {_GOAL:g} s" if of_goal_size else "",
        ratio=_ratio(*wall),
        is_met=statistics.median(wall[0]) <= _GOAL,
    )
    yield _seconds("… its processor time", cpu[0], ratio=_ratio(*cpu))
    yield _seconds("the same without judging", wall[1])
    yield _seconds("… its processor time", cpu[1])
    more = statistics.median(cpu[0]) - statistics.median(cpu[1])
    # On a busy machine the difference may drown.
    rate = f"{sizes.changed / more:,.0f}" if more > 0 else "?"
    yield QueueRow("changes judged in a second of the processor", rate, "")


def _seconds(what: str, times: list[float], *, ratio: str = "") -> QueueRow:
    return QueueRow(what, f"{statistics.median(times):.2f} s", f"{min(times):.2f} s", ratio=ratio)


def _ratio(judged: list[float], known: list[float]) -> str:
    turns = (ours / others for ours, others in zip(judged, known, strict=True))
    return f"{statistics.median(turns):.2f}"


@dataclass(frozen=True, slots=True)
class _Bench:
    """A repository `remote.git` below `folder`, of which each run gets a copy of its own."""

    folder: Path
    forge: Forge
    environment: dict[str, str]
    changed: frozenset[str]

    @property
    def answers(self) -> Path:
        """What the first run with the judge printed."""
        return self.folder / "answers.json"

    @property
    def plan(self) -> Path:
        """What the last run printed."""
        return self.folder / "plan.json"

    @property
    def _remote(self) -> Path:
        return self.folder / "run" / "remote.git"

    def run(self, plan: Path, *, answers: Path | None = None) -> Measurement:
        """Run on-schedule in a new clone; without judging where there are `answers`."""
        return measure(
            [*_DRIVER, *([answers] if answers else []), "--", "on-schedule", "--json"],
            cwd=self.folder / "run" / "clone",
            repeat=1,
            prepare=self._begin,
            warm_up=False,
            environment=self.environment,
            output=plan,
        )

    def check(self, plan: Path) -> str:
        """Return what became of the changes, in words.

        Raises BenchmarkError where one was overlooked, or the remote repository and the requests
        are not as the plan says.
        """
        actions: dict[str, set[str]] = {action: set() for action in _SEEN}
        for decision in json.loads(plan.read_bytes())["decisions"]:
            actions.setdefault(decision["action"], set()).add(decision["package"])
        updated, reviewed = (actions[action] for action in _SEEN)
        overlooked = self.changed - updated - reviewed
        if overlooked:
            raise BenchmarkError(f"overlooked: {', '.join(sorted(overlooked))}")
        requested = {one.branch.removeprefix("update-") for one in self.forge.requests}
        if self._pushed() != updated or not (self._branches() == requested == reviewed):
            raise BenchmarkError("what was published is not what was planned")
        return ", ".join(f"{len(actions[action])} {words}" for action, words in _SEEN.items())

    def _begin(self) -> None:
        shutil.rmtree(self.folder / "run", ignore_errors=True)
        shutil.copytree(self.folder / "remote.git", self._remote)
        git(self._remote.parent, "clone", "--quiet", "--no-local", "remote.git", "clone")
        self.forge.requests.clear()

    def _pushed(self) -> set[str]:
        refs = ("refs/before", "refs/heads/main")
        names = git(self._remote, "diff", "--name-only", *refs, "--", ":!.ci")
        return {name.partition("/")[0] for name in names.splitlines()}

    def _branches(self) -> set[str]:
        names = git(
            self._remote, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/update-*"
        )
        return {name.removeprefix("update-") for name in names.splitlines()}


@contextmanager
def _bench(sizes: Sizes) -> Iterator[_Bench]:
    """Provide a repository that has been followed before, and whose sources have moved on."""
    recipes = [Recipe(number) for number in range(sizes.packages)]
    with (
        tempfile.TemporaryDirectory(prefix="caur-bench-") as name,
        upstream(Path(name) / "upstream") as outside,
        serving(GitLabApi, Forge()) as server,
    ):
        folder = Path(name)
        server.forge.person("bot", is_bot=True)
        chosen = recipes[:: sizes.packages // sizes.changed][: sizes.changed]
        bench = _Bench(
            folder,
            server.forge,
            _environment(server.api.url),
            frozenset(recipe.name for recipe in chosen),
        )
        _push(outside, recipes)
        _make_remote(folder, outside, recipes)
        bench.run(bench.plan)
        shutil.rmtree(folder / "remote.git")
        (folder / "run" / "remote.git").rename(folder / "remote.git")
        git(folder / "remote.git", "update-ref", "refs/before", "refs/heads/main")
        for number, recipe in enumerate(chosen):
            recipe.change(CHANGES[number % len(CHANGES)])
        _push(outside, chosen)
        yield bench


def _environment(forge: str) -> dict[str, Any]:
    """Return what a pipeline of GitLab says, and the way to the driver."""
    return {
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "GITLAB_CI": "true",
        "CI_SERVER_URL": forge,
        "CI_PROJECT_ID": "7",
        "CI_COMMIT_BRANCH": "main",
        "ACCESS_TOKEN": TOKEN,
    }


def _push(outside: Upstream, recipes: list[Recipe]) -> None:
    outside.now += 60
    for recipe in recipes:
        outside.aur.add(recipe.name, recipe.version, modified=outside.now)
    outside.mirror_push({recipe.name: recipe.files() for recipe in recipes})


def _make_remote(folder: Path, outside: Upstream, recipes: list[Recipe]) -> None:
    """Commit all packages as they are, and schedule them."""
    work = folder / "work"
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
    git(folder / "remote.git", "config", "receive.advertisePushOptions", "true")
    git(folder, "clone", "--quiet", "remote.git", "work")
    (work / ".ci").mkdir()
    (work / ".ci" / "config").write_text(f"{_CONFIG}{outside.settings}", encoding="utf-8")
    for recipe in recipes:
        (work / recipe.name / ".CI").mkdir(parents=True)
        files = {**recipe.files(), ".CI/config": "CI_PKGBUILD_SOURCE=aur\n"}
        for path, text in files.items():
            (work / recipe.name / path).write_text(text, encoding="utf-8")
    git(work, "add", "--all", "--force")
    git(work, "commit", "--quiet", "--message=feat: begin")
    git(work, "push", "--quiet", "origin", "HEAD:main", "HEAD:refs/tags/scheduled")
