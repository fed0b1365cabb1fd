"""The action: its steps, with the environment files that runners give them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ACTION: dict[str, Any] = YAML(typ="safe").load(Path(__file__).parents[1] / "action.yml")
INSTALL, RUN = ACTION["runs"]["steps"]
_PROGRAM = """\
#!/bin/sh
printf '<%s>' "$@"
exit {code}
"""


def step(
    step: dict[str, Any], base: Path, environment: dict[str, str]
) -> tuple[int, str, dict[str, str]]:
    """Run a step, and return its exit code, what it printed, and its outputs."""
    files = {name: base / name for name in ("GITHUB_OUTPUT", "GITHUB_PATH")}
    for file in files.values():
        file.write_text("")
    assert step["shell"] == "bash"
    assert environment.keys() == step["env"].keys()
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env={
            "PATH": os.environ["PATH"],
            "RUNNER_TEMP": str(base / "temp"),
            **{name: str(file) for name, file in files.items()},
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    lines = files["GITHUB_OUTPUT"].read_text().splitlines()
    outputs = dict(line.split("=", 1) for line in lines)
    return done.returncode, done.stdout, outputs


@pytest.mark.parametrize(
    ("code", "partial", "ends"), [(0, "false", 0), (3, "false", 0), (3, "true", 3), (1, "false", 1)]
)
def test_it_runs_a_command_and_tells_how_it_ended(
    tmp_path: Path, code: int, partial: str, ends: int
) -> None:
    program = tmp_path / "caur-ci"
    program.write_text(_PROGRAM.format(code=code))
    program.chmod(0o755)
    given = {
        "PROGRAM": str(program),
        "COMMAND": "validate",
        "ARGUMENTS": "--range\na b..$(touch hacked)\n\n",
        "FAIL_ON_PARTIAL": partial,
    }

    ended, printed, outputs = step(RUN, tmp_path, given)

    assert (ended, outputs) == (ends, {"exit-code": str(code)})
    assert printed == "<validate><--range><a b..$(touch hacked)>"


@pytest.mark.parametrize(("extras", "asked"), [("", ""), ("s3,nvchecker", "[s3,nvchecker]")])
def test_it_installs_a_version_where_later_steps_find_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extras: str, asked: str
) -> None:
    # A Python that makes environments whose pip only tells what it is asked for.
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python3"
    python.write_text(
        '#!/bin/sh\nmkdir -p "$3/bin"\n'
        """printf '#!/bin/sh\\necho "$@"\\n' >"$3/bin/pip"\nchmod +x "$3/bin/pip"\n"""
    )
    python.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")

    ended, printed, outputs = step(INSTALL, tmp_path, {"VERSION": "1.2.3", "EXTRAS": extras})

    assert (ended, printed) == (0, f"install --quiet caur-ci{asked}==1.2.3\n")
    folder = tmp_path / "temp" / "caur-ci-bin"
    assert outputs == {"program": str(folder / "caur-ci")}
    assert (tmp_path / "GITHUB_PATH").read_text() == f"{folder}\n"
    # Nothing but this program comes before what is installed on the runner.
    assert [path.name for path in folder.iterdir()] == ["caur-ci"]


def test_inputs_reach_scripts_as_variables_only() -> None:
    assert all("${{" not in step["run"] for step in (INSTALL, RUN))
    values = [value for step in (INSTALL, RUN) for value in step["env"].values()]
    used = {value.removeprefix("${{ inputs.").removesuffix(" }}") for value in values}
    assert used - {"${{ steps.install.outputs.program"} == set(ACTION["inputs"])
