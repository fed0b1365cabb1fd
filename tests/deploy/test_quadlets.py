"""`deploy/quadlets`: what podman 4.4 and later makes units of. Older ones cannot check them."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from caur_ci import __version__
from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from scheduler.worker.executors.container.launcher import RIGHTS
from tests.deploy.conftest import DEPLOY, KNOWN

QUADLETS = sorted((DEPLOY / "quadlets").iterdir())
# What is used here of the keys of podman 4.4 and later.
KEYS = {
    "Container": {
        *("AddCapability", "DropCapability", "Environment", "Exec", "Group", "Image", "Network"),
        *("NoNewPrivileges", "PodmanArgs", "ReadOnly", "Secret", "User", "UserNS", "Volume"),
    },
    "Unit": {"After", "Description"},
    "Service": {"ExecStartPre", "Restart", "RestartSec", "TimeoutStopSec"},
    "Install": {"WantedBy"},
}


def settings_of(path: Path) -> list[tuple[str, str, str]]:
    """Return section, key and value of each line."""
    found, section = [], ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.append((section, key, value))
    return found


@pytest.mark.parametrize("path", QUADLETS, ids=lambda path: path.name)
def test_a_quadlet_says_what_podman_and_caur_ci_know(
    path: Path, secrets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of(path)
    assert all(key in KEYS[section] for section, key, _ in settings)
    values = {
        key: [value for _, other, value in settings if other == key] for _, key, _ in settings
    }
    assert values["Image"][0].endswith(f":{__version__}")
    assert (values["DropCapability"], values["NoNewPrivileges"]) == (["all"], ["true"])
    assert values.get("AddCapability", []) == ([" ".join(RIGHTS)] if "UserNS" in values else [])
    words = [word for value in values["Environment"] for word in shlex.split(value)]
    assert {word.partition("=")[0] for word in words} <= KNOWN
    assert run([*shlex.split(values["Exec"][0])[1:], "--help"], Session()) == 0
    assert "Usage: caur-ci" in capsys.readouterr().out
    mounted = {value.split("target=")[1].split(",")[0] for value in values["Secret"]}
    wanted = {word.partition("=")[2] for word in words if "=/run/secrets/" in word}
    assert wanted == mounted
    made = {file.name for file in secrets.rglob("*")}
    assert {Path(target).name for target in mounted} <= made
