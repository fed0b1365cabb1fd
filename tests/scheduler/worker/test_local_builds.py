"""Builds without a queue: what is built later has what was built before."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from scheduler.job import JobSpec, Outcome
from scheduler.settings import ExecutorKind, WorkerSettings
from scheduler.worker import service
from scheduler.worker.local import LocalLog, local_builds
from tests.support.containers import need_containers
from tests.support.packages import pkgbuild, srcinfo_of
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from scheduler.settings import SourceRepository
    from tests.support.git import Checkout

LIB = pkgbuild("lib", package='echo of lib >"$pkgdir/usr/share/lib/text"')
APP = pkgbuild("app", head="makedepends=(lib)", build="cat /usr/share/lib/text; pacman -Q lib")


def test_a_dependency_that_was_built_before(
    checkout: Checkout,
    source: SourceRepository,
    shared: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    need_tools("repo-add")
    container = need_containers(monkeypatch).settings()
    monkeypatch.setattr(service, "hide_this_process", lambda: None)
    needs = srcinfo_of(APP, "app").replace("\npkgname", "\n\tmakedepends = lib\npkgname", 1)
    files: dict[str, str | bytes | None] = {"lib/PKGBUILD": LIB, "app/PKGBUILD": APP}
    files |= {"lib/.SRCINFO": srcinfo_of(LIB, "lib"), "app/.SRCINFO": needs}
    commit = checkout.commit("packages", files)
    checkout.push()
    settings = WorkerSettings(
        source_repos={source.name: source},
        landing_zone=tmp_path / "none",
        shared=shared,
        key=tmp_path / "key",
        name="here",
        executor=ExecutorKind.CONTAINER,
        container=container,
        min_free=0,
    )

    with local_builds(settings, None, threading.Event(), arch="x86_64") as builds:
        for name in ("lib", "app"):
            spec = JobSpec(pkgbase=name, target_repo="repo", source_repo=source.name, commit=commit)
            with LocalLog(tmp_path / f"{name}.log", lambda _: None) as log:
                result = builds.build(spec, log, tmp_path, state="a commit")
            assert result.job.outcome is Outcome.SUCCESS, log.path.read_text()
            builds.provide(result)

    assert result.packages == (tmp_path / "app-1-1-any.pkg.tar.zst",)
    assert "\nof lib\nlib 1-1\n" in (tmp_path / "app.log").read_text()
    assert list((shared / "builds").iterdir()) == []
