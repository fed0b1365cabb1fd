"""The folder that a run works in."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from caur_ci.process import run
from caur_ci.standalone import workdir
from caur_ci.standalone.system import allow_workers

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("umask", [0, 0o077])
def test_builds_of_another_user_read_what_they_need_and_change_nothing(
    umask: int, tmp_path: Path
) -> None:
    before = os.umask(umask)
    try:
        with workdir.opened(tmp_path / "work") as work:
            allow_workers(work.allowed_workers, {"run-1": work.worker_key("run-1")})
            run(["git", "init", "--quiet", "--bare", work.source])
        assert os.umask(umask) == umask
    finally:
        os.umask(before)

    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in work.folder.rglob("*")}
    assert not {path: mode for path, mode in modes.items() if mode & 0o022}
    assert modes[work.source / "HEAD"] == modes[work.allowed_workers] == 0o644
    assert modes[work.private] == 0o700
