"""`deploy/systemd`: systemd takes the units, and says that they are confined."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.conftest import DEPLOY, KNOWN
from tests.support.tools import need_tools

# What systemd gives a unit of ten points for what it might do; builds need namespaces and users.
EXPOSURE = {"functions": 20, "database": 25, "web": 25, "worker@1": 85, "on-schedule@repo": 60}


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the units with the caur-ci that is there, templates with an instance as well."""
    need_tools("systemd-analyze")
    folder = tmp_path_factory.mktemp("units")
    program = Path(sys.executable).with_name("caur-ci")
    for path in (DEPLOY / "systemd").iterdir():
        text = path.read_text(encoding="utf-8").replace("/usr/bin/caur-ci", str(program))
        (folder / path.name).write_text(text)
    for name, instance in (("worker", "1"), ("on-schedule", "repo")):
        template = folder / f"caur-ci-{name}@.service"
        shutil.copyfile(template, folder / f"caur-ci-{name}@{instance}.service")
    return folder


def test_systemd_takes_every_unit(units: Path) -> None:
    files = sorted(path for path in units.iterdir() if "@." not in path.name)
    assert len(files) >= 6
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize(("name", "most"), EXPOSURE.items())
def test_a_unit_is_confined(units: Path, name: str, most: int) -> None:
    command = ["systemd-analyze", "security", "--offline=true"]
    checked = subprocess.run(
        [*command, f"--threshold={most}", units / f"caur-ci-{name}.service"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout.splitlines()[-1]


def test_variables_are_known_to_caur_ci(units: Path) -> None:
    for path in units.glob("*.service"):
        words = [
            word
            for line in path.read_text().splitlines()
            if line.startswith("Environment=")
            for word in line.removeprefix("Environment=").split()
        ]
        assert {word.partition("=")[0] for word in words} <= KNOWN, path.name
