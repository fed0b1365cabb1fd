"""`caur-ci on-schedule` and very many rebuilds at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from tests.caur_ci.pipeline.on_schedule.world import ScheduleWorld
from tests.support.git import Checkout
from tests.support.sync_databases import database
from tests.support.upstream import files_of, upstream

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_they_wait_until_somebody_says_so(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    redis_url: str,
) -> None:
    libraries = tmp_path / "core.db"
    libraries.write_bytes(database({"icu": "1-1"}))
    config = "CI_REBUILD_TRIGGERS=icu\n"
    files = {
        f"p{number}__{path.replace('/', '__')}": text
        for number in range(11)
        for path, text in {**files_of(f"p{number}", "1-1"), ".CI/config": config}.items()
    }
    with upstream(tmp_path / "upstream") as outside:
        world = ScheduleWorld(Checkout.create(tmp_path / "world"), outside)
        world.begin({}, config=f"CI_LIB_DB={libraries.as_uri()}\n", **files)
        world.run()
    libraries.write_bytes(database({"icu": "2-1"}))
    monkeypatch.chdir(world.checkout.folder)

    assert run(["on-schedule", "--dry-run"], Session()) == ExitCode.OK
    shown = capsys.readouterr()
    assert "11 held; dry run" in shown.err
    assert "CONFIRM_BUMPS=true" in shown.out.replace("\n", " ")

    assert run(["on-schedule", "--dry-run", "--confirm-bumps"], Session()) == ExitCode.OK
    assert "11 bumped; dry run" in capsys.readouterr().err
    monkeypatch.setenv("CONFIRM_BUMPS", "true")
    assert run(["on-schedule"], Session()) == ExitCode.OK
    assert "11 bumped; published" in capsys.readouterr().err
    assert run(["why", "p1", "--redis", redis_url], Session()) == ExitCode.OK
    assert "triggered by icu 1-1 → 2-1" in capsys.readouterr().out.replace("\n", " ")
