"""The landing zone of `deploy/`: an sshd without root's rights takes what builders deliver."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scheduler.landing import landing_at
from scheduler.landing.greeting import Greeting
from scheduler.settings import WorkerSettings
from scheduler.workerkeys import WorkerKey
from tests.deploy.conftest import DEPLOY
from tests.support.queue import eventually
from tests.support.redis_server import free_port, listens
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def place(secrets: Path) -> Iterator[Path]:
    """Return a folder of the user that sshd runs as, with its secrets."""
    with tempfile.TemporaryDirectory(prefix="caur-landing-") as folder:
        place = Path(folder)
        shutil.copytree(secrets / "landing", place / "secrets")
        (place / "landing").mkdir()
        for path in (place, *place.rglob("*")):
            os.chown(path, user().pw_uid, user().pw_gid)
        yield place


def user() -> pwd.struct_passwd:
    return pwd.getpwnam("daemon") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


@pytest.fixture
def port(place: Path) -> Iterator[int]:
    need_tools("sshd|/usr/sbin/sshd", "setpriv", "sftp")
    port = free_port()
    text = (DEPLOY / "kubernetes" / "sshd_config").read_text(encoding="utf-8")
    text = text.replace("/run/secrets/caur-ci", str(place / "secrets"))
    text = text.replace("/landing", str(place / "landing"))
    config = place / "sshd_config"
    config.write_text(text.replace("Port 2222", f"ListenAddress 127.0.0.1\nPort {port}"))
    who = user()
    words = ["setpriv", f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups"]
    sshd = shutil.which("sshd") or "/usr/sbin/sshd"
    command = [*(words if os.geteuid() == 0 else []), sshd, "-D", "-e", "-f", str(config)]
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log)
    try:
        eventually(lambda: process.poll() is not None or listens(port))
        assert process.poll() is None, (place / "log").read_text()
        yield port
    finally:
        process.terminate()
        process.wait()


def test_a_builder_gets_in_with_its_keys_and_can_do_nothing_else(
    place: Path, port: int, secrets: Path, tmp_path: Path
) -> None:
    known = (secrets / "builder" / "known_hosts").read_text()
    (tmp_path / "known_hosts").write_text(
        known.replace("[landing.caur-ci.svc]:2222", f"[127.0.0.1]:{port}")
    )
    environ = {
        "CAUR_CONFIG": str(DEPLOY / "kubernetes" / "settings.toml"),
        "LANDING_ZONE_PATH": str(place / "landing"),
        "DATABASE_HOST": "127.0.0.1",
        "DATABASE_PORT": str(port),
        "DATABASE_USER": user().pw_name,
        "DATABASE_KEY": str(secrets / "builder" / "deliver-key"),
        "DATABASE_KNOWN_HOSTS": str(tmp_path / "known_hosts"),
    }
    settings = WorkerSettings.from_environment(environ, state_dir=tmp_path)
    landing = landing_at(settings.landing_zone)
    landing.check()
    key = WorkerKey.ensure(secrets / "builder" / "worker-key")
    landing.greet(Greeting.sign("builder-small-abc12-x9z8y", key))
    assert len(list((place / "landing").iterdir())) == 1

    login = f"{user().pw_name}@127.0.0.1"
    keys = ["-i", environ["DATABASE_KEY"], "-o", f"UserKnownHostsFile={tmp_path}/known_hosts"]
    shell = ["ssh", "-F", "none", "-o", "BatchMode=yes", *keys, "-p", str(port), login]
    said = subprocess.run([*shell, "id"], capture_output=True, text=True, timeout=60, check=False)
    assert "uid=" not in said.stdout
