"""The executor that settings ask for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import ConfigError
from scheduler.settings import WorkerSettings
from scheduler.worker.executors.opening import opened_executor
from tests.scheduler.worker.executors.builds import Recorder, bash, make_order
from tests.support.containers import need_containers
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.worker.users import BuildUser


def settings(shared: Path, **environment: str) -> WorkerSettings:
    values = {
        "PACKAGE_REPOS": json.dumps({"source": {"url": "/nowhere"}}),
        "LANDING_ZONE_PATH": str(shared / "landing"),
        "SHARED_PATH": str(shared / "shared"),
        "BUILDER_KEY": str(shared / "key"),
        "BUILDER_READABLE": str(shared / "readable"),
        **environment,
    }
    return WorkerSettings.from_environment(values, state_dir=shared / "state")


@pytest.mark.parametrize("kind", ["host", "container"])
@pytest.mark.parametrize("name", ["BUILDER_KEY", "LANDING_ZONE_PATH", "SHARED_PATH"])
def test_what_is_readable_must_not_have_what_is_the_workers_in_it(
    shared: Path, kind: str, name: str
) -> None:
    place = str(shared / "readable" / "deep" / "inside")
    wrong = settings(shared, BUILDER_EXECUTOR=kind, **{name: place})
    with pytest.raises(ConfigError, match=f"and with it {place}"), opened_executor(wrong):
        pass


def test_the_host_is_used_where_that_is_asked_for(shared: Path, user: BuildUser) -> None:
    need_tools("bwrap")
    (shared / "readable").mkdir()
    (shared / "readable" / "source").write_text("of the source\n")
    with opened_executor(settings(shared, BUILDER_EXECUTOR="host")) as executor:
        assert executor.name == "host"
        with executor.guest(make_order(shared / "one", user), Recorder()) as guest:
            _, watch = bash(guest, f"cat {shared}/readable/source")

    assert watch.lines() == ["of the source"]


def test_in_a_container_what_is_readable_is_there(
    shared: Path, user: BuildUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = need_containers(monkeypatch).environment
    upstream = shared / "readable"
    upstream.mkdir()
    (upstream / "source").write_text("of the source\n")
    script = f"cat {upstream}/source; echo x > {upstream}/source"
    with opened_executor(settings(shared, **environment)) as executor:
        assert executor.name == "container"
        with executor.guest(make_order(shared / "one", user), Recorder()) as guest:
            _, watch = bash(guest, script, as_root=True)

    assert watch.lines()[0] == "of the source"
    assert "Read-only file system" in watch.text
    assert (upstream / "source").read_text() == "of the source\n"
