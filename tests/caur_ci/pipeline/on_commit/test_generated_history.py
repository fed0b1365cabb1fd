"""on-commit over a long random history, against a simple model of what must be scheduled.

The model knows nothing of git: it keeps the files of each package in a dictionary, remembers how
they were at the last run, and notes every wish.
"""

from __future__ import annotations

import os
import random
import re
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import InputError
from caur_ci.pipeline.on_commit.journey import OnCommitOptions, OnCommitResult, on_commit
from tests.support.git import Checkout

if TYPE_CHECKING:
    from pathlib import Path

# `CAUR_LONG=1` makes it longer.
COMMITS = 220 if os.environ.get("CAUR_LONG") else 80
NAMES = [*"abcdefgh", "g++", "lib.x", "tool-git", "a@b", "Caps"]
FILES = ["PKGBUILD", ".SRCINFO", "fix.patch", ".CI/config", "deep/er/file", "two words"]

Files = dict[str, str]


@dataclass
class Model:
    """What exists, what existed at the last run, and what was wished for since."""

    packages: dict[str, Files] = field(default_factory=dict)
    at_last_run: dict[str, Files] = field(default_factory=dict)
    wishes: set[str] = field(default_factory=set)
    mistakes: list[str] = field(default_factory=list)

    def to_build(self) -> set[str]:
        """Whatever differs from the last run or was wished for, if it exists and is a package."""
        changed = {n for n, files in self.packages.items() if files != self.at_last_run.get(n)}
        packages = {name for name, files in self.packages.items() if "PKGBUILD" in files}
        return (changed | self.wishes) & packages

    def to_remove(self) -> set[str]:
        return self.at_last_run.keys() - self.packages.keys()

    def run_done(self) -> None:
        self.at_last_run = {name: dict(files) for name, files in self.packages.items()}
        self.wishes.clear()
        self.mistakes.clear()


class History:
    """Makes random commits, in the repository and in the model alike."""

    def __init__(self, checkout: Checkout, rng: random.Random) -> None:
        self.checkout = checkout
        self.rng = rng
        self.model = Model()
        self._undo: tuple[str, str, str | None] | None = None

    def step(self) -> None:
        action = self.rng.choices(
            [self.edit, self.undo, self.add, self.remove, self.rename, self.elsewhere, self.wish],
            [30, 10, 12, 7, 5, 8, 14],
        )[0]
        message = action() or "chore: nothing special"
        self.sync()
        self.checkout.commit(message)

    def _any(self) -> str | None:
        return self.rng.choice(sorted(self.model.packages)) if self.model.packages else None

    def edit(self) -> str:
        name = self._any()
        if name is None:
            return self.add()
        file = self.rng.choice(FILES)
        files = self.model.packages[name]
        self._undo = (name, file, files.get(file))
        if file == ".CI/config":
            files[file] = f"BUILDER_CLASS={self.rng.randint(1, 9)}\n"
        else:
            files[file] = f"{self.rng.random()}\n"
        return f"fix({name}): {file}"

    def undo(self) -> str:
        if self._undo is None or self._undo[0] not in self.model.packages:
            return self.edit()
        name, file, before = self._undo
        if before is None:
            self.model.packages[name].pop(file, None)
            if not self.model.packages[name]:
                del self.model.packages[name]
        else:
            self.model.packages[name][file] = before
        self._undo = None
        return f"revert({name}): {file}"

    def add(self) -> str:
        free = sorted(set(NAMES) - self.model.packages.keys())
        if not free:
            return self.edit()
        name = self.rng.choice(free)
        self.model.packages[name] = {"PKGBUILD": f"{name} {self.rng.randint(0, 3)}\n"}
        return f"feat({name}): init"

    def remove(self) -> str:
        name = self._any()
        if name is not None:
            del self.model.packages[name]
        return "chore(drop): one"

    def rename(self) -> str:
        name = self._any()
        free = sorted(set(NAMES) - self.model.packages.keys())
        if name is None or not free:
            return self.edit()
        self.model.packages[self.rng.choice(free)] = self.model.packages.pop(name)
        return "refactor: rename"

    def elsewhere(self) -> str:
        path = self.checkout.folder / self.rng.choice(["README.md", ".ci/notes", ".github/x/y"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{self.rng.random()}\n", encoding="utf-8")
        return "docs: unrelated"

    def wish(self) -> str:
        kind = self.rng.random()
        existing = sorted(self.model.packages)
        if kind < 0.1:
            self.model.mistakes.append("nosuchpackage")
            return "oops [deploy nosuchpackage]"
        if kind < 0.2:
            self.model.wishes |= self.model.packages.keys()
            return "rebuild [deploy all]"
        chosen = self.rng.sample(existing, min(len(existing), self.rng.randint(1, 3)))
        self.model.wishes |= set(chosen)
        form = self.rng.choice(["[deploy {}]", "[deploy {}/7]"])
        if self.rng.random() < 0.5 or not chosen:
            return "rebuild " + " ".join(form.format(name) for name in chosen)
        return f"rebuild\n\n[deploy {' '.join(chosen)}]"

    def sync(self) -> None:
        """Make the working tree hold exactly the model's packages."""
        folder = self.checkout.folder
        for name in NAMES:
            shutil.rmtree(folder / name, ignore_errors=True)
        for name, files in self.model.packages.items():
            for file, content in files.items():
                path = folder / name / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")


@pytest.mark.parametrize("seed", [20261128])
def test_every_run_schedules_what_the_model_says(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    checkout = Checkout.create(tmp_path / "world")
    checkout.commit("feat: begin", {".ci/config": "REPO_NAME=target\n"})
    checkout.schedule_here()
    history = History(checkout, rng)
    runs = failures = 0
    for number in range(COMMITS):
        history.step()
        if rng.random() < 0.35 or number == COMMITS - 1:
            checkout.push()
            failures += run_and_compare(history)
            runs += 1
    assert runs > COMMITS // 4
    assert failures > 1  # the model's mistakes were met, so that way out was walked as well


def run_and_compare(history: History) -> int:
    """Run on-commit; where the history holds a mistake, see it refused and skip it first."""
    checkout, model = history.checkout, history.model
    refused = 0
    if model.mistakes:
        tag = checkout.remote_ref("refs/tags/scheduled")
        with pytest.raises(InputError) as caught:
            run(checkout)
        assert checkout.remote_ref("refs/tags/scheduled") == tag
        culprits = set(re.findall(r"commit ([0-9a-f]{12})", caught.value.message))
        assert len(culprits) == len(model.mistakes)
        checkout.commit("skip " + " ".join(f"[deploy-skip {sha}]" for sha in culprits))
        checkout.push()
        refused = 1
    result = run(checkout)
    request = result.plan.request
    assert {package.pkgbase for package in request.packages} == model.to_build()
    assert set(request.remove) == model.to_remove()
    assert request.commit == checkout.head()
    assert checkout.remote_ref("refs/tags/scheduled") == checkout.head()
    model.run_done()
    return refused


def run(checkout: Checkout) -> OnCommitResult:
    return on_commit(OnCommitOptions(repo=checkout.folder))
