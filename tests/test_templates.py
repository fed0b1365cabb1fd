"""The pipeline templates: valid for the forges, and calling commands that exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from caur_ci.cli.app import app
from caur_ci.cli.main import run
from caur_ci.cli.session import Session

TEMPLATES = Path(__file__).parent.parent / "templates"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("gitlab-ci.yml", ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"]),
        ("github-workflow.yml", ["vendor.github-workflows"]),
    ],
)
def test_a_template_fits_the_schema_of_its_forge(name: str, options: list[str]) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *options]
    done = subprocess.run([*command, TEMPLATES / name], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.parametrize("name", ["gitlab-ci.yml", "github-workflow.yml"])
def test_the_commands_in_a_template_exist(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    calls = re.findall(r"^\s*- (?:run: )?caur-ci ([a-z-]+)((?: --[a-z-]+)*)", text, re.MULTILINE)
    assert len(calls) == 3
    for command, options in calls:
        assert command in {info.name for info in app.registered_commands}
        run([command, "--help"], Session())
        shown = capsys.readouterr().out
        assert all(option in shown for option in options.split())
