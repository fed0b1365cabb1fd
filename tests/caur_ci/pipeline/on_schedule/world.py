"""A package repository with what it follows, and runs of on-schedule in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.git import GitRepository
from caur_ci.pipeline.on_schedule.journey import on_schedule
from caur_ci.pipeline.on_schedule.options import OnScheduleOptions, OnScheduleResult
from caur_ci.pipeline.on_schedule.trigger import on_trigger
from caur_ci.pipeline.shared.memory.branch import Memory
from tests.support.git import Checkout, git

if TYPE_CHECKING:
    from pathlib import Path

    from caur_ci.pipeline.on_schedule.plan import ScheduleAction
    from tests.support.upstream import Upstream


@dataclass
class ScheduleWorld:
    """The checkout in which runs happen, and the world outside."""

    checkout: Checkout
    outside: Upstream

    def begin(self, versions: dict[str, str], *, config: str = "", **more: str) -> None:
        """Commit AUR packages that are there in these versions, and schedule them.

        `more` are further files, with `__` for slashes.
        """
        self.outside.push(versions)
        files: dict[str, str | bytes | None] = {
            ".ci/config": f"BUILD_REPO=source\nREPO_NAME=target\n{self.outside.settings}{config}",
            ".gitignore": ".ci/schedule*\n.ci/deptree.txt\n.state/\n",
        }
        for name, version in versions.items():
            for path, text in self.outside.files(name, version).items():
                files[f"{name}/{path}"] = text
            files[f"{name}/.CI/config"] = "CI_PKGBUILD_SOURCE=aur\n"
        files |= {path.replace("__", "/"): text for path, text in more.items()}
        self.checkout.commit("feat: begin", files)
        self.checkout.schedule_here()

    def commit(self, message: str, files: dict[str, str | bytes | None]) -> None:
        """Push a commit that on-commit has dealt with."""
        self.checkout.commit(message, files)
        self.checkout.schedule_here()

    def run(self, **options: object) -> OnScheduleResult:
        return on_schedule(self._options(**options))

    def trigger(self, trigger: str, **options: object) -> OnScheduleResult:
        return on_trigger(self._options(**options), trigger)

    def _options(self, **options: object) -> OnScheduleOptions:
        return OnScheduleOptions(repo=self.checkout.folder, **options)  # type: ignore[arg-type]

    @property
    def remote(self) -> Path:
        return self.checkout.remote

    def file(self, path: str, branch: str = "main") -> str:
        """Return a file on a branch of the remote."""
        return git(self.remote, "show", f"refs/heads/{branch}:{path}")

    def tip(self, branch: str = "main") -> str:
        return self.checkout.remote_ref(f"refs/heads/{branch}")

    def subjects(self, count: int = 1) -> list[str]:
        """Return the first lines of the latest messages on main."""
        return git(self.remote, "log", f"-{count}", "--format=%s", "main").splitlines()

    def memory(self) -> Memory:
        remote = GitRepository.open(self.remote)
        return Memory.read(remote, remote.resolve("refs/heads/caur"))

    def asked(self) -> list[tuple[str, ...]]:
        """Return the packages of each request in the outbox."""
        requests = self.memory().outbox.requests
        return [tuple(package.pkgbase for package in request.packages) for request in requests]

    def tag_is_at_tip(self) -> bool:
        return git(self.remote, "rev-parse", "refs/tags/scheduled") == self.tip()


def actions(result: OnScheduleResult) -> dict[str, ScheduleAction]:
    """Return what was decided about each package, other than nothing."""
    return {decision.package: decision.action for decision in result.plan.reportable}


def reasons(result: OnScheduleResult) -> dict[str, str]:
    return {decision.package: decision.account for decision in result.plan.reportable}
