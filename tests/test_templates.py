"""The pipeline templates: valid, calling commands that exist, with what these need."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from caur_ci.cli.app import app
from caur_ci.cli.main import run
from caur_ci.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATES = Path(__file__).parent.parent / "templates"
GITLAB, GITHUB = "gitlab-ci.yml", "github-workflow.yml"
JOBS = {"on-commit", "on-schedule", "do-schedule"}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        (GITLAB, ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"]),
        (GITHUB, ["vendor.github-workflows"]),
    ],
)
def test_a_template_fits_the_schema_of_its_forge(name: str, options: list[str]) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *options]
    done = subprocess.run([*command, TEMPLATES / name], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()


def lines_of_jobs(name: str) -> dict[str, list[str]]:
    """Return what each job of a template runs, in its order."""
    with (TEMPLATES / name).open(encoding="utf-8") as file:
        parsed = YAML().load(file)
    if name == GITHUB:
        jobs = {job: _steps(content) for job, content in parsed["jobs"].items()}
    else:
        jobs = {job: list(_scripts(parsed, job)) for job in JOBS}
    return {
        job: [line for text in texts for line in text.splitlines()] for job, texts in jobs.items()
    }


def _steps(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def _scripts(parsed: dict[str, Any], job: str) -> Iterator[str]:
    for key in ("before_script", "script"):
        holder = job if key in parsed[job] else parsed[job]["extends"]
        for entry in parsed[holder][key]:
            if isinstance(entry, str):
                yield entry
            else:  # !reference [JOB, KEY]
                other, part = entry
                yield from parsed[other][part]


@pytest.mark.parametrize("name", [GITLAB, GITHUB])
def test_the_commands_in_a_template_exist(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = lines_of_jobs(name)
    assert jobs.keys() == JOBS
    for job, lines in jobs.items():
        (call,) = [line for line in lines if line.startswith("caur-ci ")]
        command, options = re.findall(r"caur-ci ([a-z-]+)((?: --[a-z-]+)*)", call)[0]
        assert command == job.replace("do-", "")
        assert command in {info.name for info in app.registered_commands}
        run([command, "--help"], Session())
        shown = capsys.readouterr().out
        assert all(option in shown for option in options.split())


@pytest.mark.parametrize("name", [GITLAB, GITHUB])
@pytest.mark.parametrize("job", sorted(JOBS))
def test_caur_ci_is_installed_before_it_is_called(name: str, job: str) -> None:
    lines = lines_of_jobs(name)[job]
    (installed,) = [at for at, line in enumerate(lines) if line.startswith("pip install")]
    assert lines[installed].endswith('"caur-ci==$CAUR_CI_VERSION"')
    assert installed < [line.startswith("caur-ci ") for line in lines].index(True)


@pytest.mark.parametrize("name", [GITLAB, GITHUB])
@pytest.mark.parametrize("program", ["bubblewrap", "shfmt", "zstd"])
def test_on_schedule_has_the_programs_that_packages_may_ask_for(name: str, program: str) -> None:
    """They are for `.CI/update.sh`, CI_SHFMT and databases of CI_LIB_DB."""
    lines = lines_of_jobs(name)["on-schedule"]
    (installed,) = [at for at, line in enumerate(lines) if program in line.split()]
    words = lines[installed].removeprefix("sudo ").split()
    assert words[:2] == ["apt-get", "install"]
    assert "--yes" in words
    # The lists of packages that come with images are old, or there are none.
    assert any("apt-get update" in line for line in lines[:installed])
    assert installed < [line.startswith("caur-ci ") for line in lines].index(True)


def rules_of(job: str) -> list[str]:
    """Return the conditions under which a job of GitLab's template runs, in one line each."""
    content = YAML().load((TEMPLATES / GITLAB).read_text(encoding="utf-8"))
    return [" ".join(rule["if"].split()) for rule in content[job]["rules"]]


def test_gitlab_looks_at_packages_for_webhooks_and_people_on_the_default_branch_only() -> None:
    (for_packages,) = [rule for rule in rules_of("on-schedule") if "$PACKAGES" in rule]

    asked = r"$CI_PIPELINE_SOURCE =~ /^(trigger|web|api)$/"
    on_branch = "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"
    assert for_packages.split(" && ") == [asked, on_branch, "$PACKAGES"]
    # What was asked for is handed over in the same pipeline.
    assert set(rules_of("on-schedule")) < set(rules_of("do-schedule"))
    assert for_packages not in rules_of("on-commit")


def test_github_takes_packages_from_webhooks_and_people() -> None:
    content = YAML(typ="safe").load((TEMPLATES / GITHUB).read_text(encoding="utf-8"))

    events = content["on"]
    assert events["repository_dispatch"] == {"types": ["upstream-release"]}
    assert events["workflow_dispatch"]["inputs"]["packages"]["type"] == "string"
    (packages,) = [
        step["env"]["PACKAGES"]
        for step in content["jobs"]["on-schedule"]["steps"]
        if "PACKAGES" in step.get("env", {})
    ]
    assert packages == "${{ inputs.packages || github.event.client_payload.packages }}"
    # A release does not take the place of the half-hourly run that waits, nor of another release.
    assert packages in content["jobs"]["on-schedule"]["concurrency"]["group"]


@pytest.mark.parametrize("name", [GITLAB, GITHUB])
def test_what_comes_from_outside_is_never_part_of_a_script(name: str) -> None:
    lines = [line for job in lines_of_jobs(name).values() for line in job]

    assert lines
    assert not [line for line in lines if "${{" in line or "$[[" in line or "PACKAGES" in line]


def test_the_runner_of_github_lets_bubblewrap_make_namespaces() -> None:
    lines = lines_of_jobs(GITHUB)["on-schedule"]
    assert any("apparmor_restrict_unprivileged_userns=0" in line for line in lines)
