"""What the commands of the pages are run in: a repository, a queue, a past, a published state."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scheduler.history import History
from scheduler.job import FailureClass, Outcome
from tests.support.git import Checkout, git, srcinfo
from tests.support.pages_world import FAILED_LOG, fill_history
from tests.support.queue import claimed, job, submit, worker

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scheduler.logs import LogStore
    from scheduler.queue import Queue

# The packages of the world. Pages that show commands speak of these, or of a PACKAGE.
PACKAGES = ("tool", "tool-git", "libfoo", "app", "fails-on-purpose", "tide-clock")
_CONFIG = "REPO_NAME=repo\nBUILD_REPO=source\nGIT_AUTHOR_NAME=ci\nGIT_AUTHOR_EMAIL=ci@example.org\n"
_POLICY = Path(__file__).parents[2] / "docs" / "policy.example.toml"
_IGNORED = ".ci/schedule*\n.ci/deptree.txt\n.state/\n*.git/\n"


@dataclass(frozen=True, slots=True)
class DocumentedWorld:
    """A checkout with a remote. `words` are what stands for the words in capitals of the pages."""

    checkout: Checkout
    words: dict[str, str]

    @classmethod
    def create(cls, base: Path, database: Path) -> DocumentedWorld:
        """Make the repository: two commits, and a branch with an update."""
        checkout = Checkout.create(base)
        checkout.commit("feat: begin", _files(f"{_CONFIG}CI_REPO_DB={database.as_uri()}\n"))
        checkout.commit("fix(tool): the next one", _package("tool", pkgrel=2))
        checkout.schedule_here()
        git(checkout.folder, "branch", "update-tool")
        return cls(checkout, _words(base, checkout.remote))

    def copy(self, base: Path) -> DocumentedWorld:
        """Return another one like it, for the commands of one page."""
        copied = self.checkout.copy(base)
        copied.folder.joinpath("packages.git").symlink_to(copied.remote)
        return DocumentedWorld(copied, _words(base, copied.remote))

    def understood(self, words: Iterable[str]) -> list[str]:
        """Return the words of a command as somebody types them who has read the page."""
        typed = (word.strip("[]…") for word in words)
        return [self.words.get(word, word) for word in typed if word]


def fill(queue: Queue, logs: LogStore, history_folder: Path) -> None:
    """Put a failed build, a running one and waiting ones into the queue, and a past."""
    submit(queue, job("tool"), job("fails-on-purpose"))
    for _ in range(2):
        claim = claimed(queue, worker("tower", 9))
        logs.start(claim.job_id, claim.attempt, claim.identity)
        logs.append(claim.job_id, claim.attempt, FAILED_LOG)
        logs.finish(claim.job_id, claim.attempt)
        queue.finish(claim, Outcome.FAILED, "build() failed", failure=FailureClass.COMPILE)
    submit(queue, job("libfoo"))
    claimed(queue, worker("tower", 9))
    submit(queue, job("app", "libfoo"), job("tide-clock"))
    with History.open(history_folder) as history:
        fill_history(history, time.time(), names=PACKAGES[:2])


def _files(config: str) -> dict[str, str | bytes | None]:
    files: dict[str, str | bytes | None] = {".ci/config": config, ".gitignore": _IGNORED}
    files[".ci/policy.toml"] = _POLICY.read_text(encoding="utf-8")
    for name in PACKAGES:
        files |= _package(name, *(["libfoo"] if name == "app" else []))
    return files


def _package(name: str, *depends: str, pkgrel: int = 1) -> dict[str, str | bytes | None]:
    needs = f"depends=({' '.join(depends)})\n" if depends else ""
    recipe = f"pkgname={name}\npkgver=1\npkgrel={pkgrel}\narch=(any)\n{needs}package() {{ :; }}\n"
    lines = [f"depends = {each}" for each in depends]
    text = srcinfo(name, *lines).replace("pkgrel = 1", f"pkgrel = {pkgrel}")
    return {f"{name}/PKGBUILD": recipe, f"{name}/.SRCINFO": text}


def _words(base: Path, remote: Path) -> dict[str, str]:
    return {
        **dict.fromkeys(("PACKAGE", "NAME"), "tool"),
        **dict.fromkeys(("NUMBER", "N", "ID", "SECONDS", "ATTEMPT"), "1"),
        "TEXT": "because",
        "OLD": "HEAD~1:tool",
        "NEW": "HEAD:tool",
        "REV": "HEAD",
        "COMMIT": "HEAD",
        "A..B": "HEAD~1..HEAD",
        "R": "repo",
        "WORKER": "tower",
        "REPO": str(remote),
        "FILE": ".ci/policy.toml",
        "docs/policy.example.toml": str(_POLICY),
        "FOLDER": str(base / "folder"),
    }
