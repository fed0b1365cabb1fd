"""What `caur-ci worker` and `caur-ci database` do before they work."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from caur_ci.process import run
from scheduler.workerkeys import AllowedWorkers, WorkerKey
from tests.support.tools import need_tools

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


def caur_ci(
    *arguments: str, allowed: tuple[int, ...] = (0,), **variables: str
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-P", "-m", "caur_ci", *arguments]
    return run(command, environment={**os.environ, **variables}, timeout=120, allowed=allowed)


def test_the_key_that_is_printed_lets_deliveries_through(tmp_path: Path) -> None:
    need_tools("ssh-keygen")
    key = tmp_path / "state" / "worker-key"
    done = caur_ci("worker", "--print-key", "--name", "b", CAUR_STATE_DIR=str(tmp_path / "state"))

    (tmp_path / "allowed_workers").write_bytes(done.stdout)
    signature = WorkerKey(key).sign(b"text")
    AllowedWorkers(tmp_path / "allowed_workers").check("b", b"text", signature)
    again = caur_ci("worker", "--print-key", "--key", str(key), BUILDER_HOSTNAME="b")
    assert again.stdout == done.stdout


def test_the_file_says_which_key(tmp_path: Path) -> None:
    need_tools("ssh-keygen")
    config = tmp_path / "caur.toml"
    config.write_text(f'[worker]\nname = "from-file"\nkey = "{tmp_path}/key"\n')

    done = caur_ci("worker", "--print-key", "--config", str(config))

    assert done.stdout.startswith(b'from-file namespaces="caur-ci-delivery" ssh-ed25519 ')
    assert (tmp_path / "key").is_file()


@pytest.mark.parametrize("command", ["worker", "database"])
def test_a_file_that_cannot_be_used_is_told_in_a_line(tmp_path: Path, command: str) -> None:
    config = tmp_path / "caur.toml"
    config.write_text("[worker]\nclas = 9\n")

    done = caur_ci(command, "--config", str(config), allowed=(1, 2))

    assert f"error: {config}: worker.clas is not known" in done.stderr.decode()
    assert "Did you mean worker.class?" in done.stderr.decode()
    assert b"Traceback" not in done.stderr
