"""Runs GitLab's pipelines with gitlab-ci-local: by its rules and scopes of variables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_PROGRAM = Path(__file__).parents[2] / ".venv/node/node_modules/.bin/gitlab-ci-local"
# Installs what is installed already, if it is asked for the right thing.
_INSTALL = """\
#!/bin/sh
case $* in
'install --quiet caur-ci=={version}' | 'install caur-ci[s3]=={version}') ;;
*) echo "not known: $*" >&2; exit 1 ;;
esac
cp {base}/tell {base}/programs/caur-ci
"""
# Tells which secrets a job has, and is caur-ci.
_TELL = """\
#!/bin/sh
for name in {secrets}; do
    if printenv "$name" >/dev/null; then echo "$CI_JOB_NAME $name" >>{base}/seen; fi
done
echo "$CI_JOB_NAME: $*" >>{base}/calls
exec {program} "$@"
"""


@dataclass
class GitLabPipelines:
    """Pipelines of a checkout, for a project with CI/CD variables.

    A variable is a value, or values by the environments that it is for. `machine` makes the command
    that runs one in a machine of the jobs' own.
    """

    checkout: Path
    base: Path
    variables: Mapping[str, str | dict[str, str]]
    machine: Callable[[Sequence[str]], Sequence[str | Path]] = list

    def prepare(self, version: str, program: Path | None = None) -> None:
        """Write what stands in for the images of the jobs, with another caur-ci if there is one."""
        need_tools("node")
        if not _PROGRAM.exists():
            reason = "gitlab-ci-local is not installed: scripts/bootstrap test"
            (pytest.fail if os.environ.get("CAUR_TEST_REQUIRE") else pytest.skip)(reason)
        programs = self.base / "programs"
        programs.mkdir(parents=True)
        texts = {
            programs / "pip": _INSTALL.format(version=version, base=self.base),
            programs / "pipx": _INSTALL.format(version=version, base=self.base),
            programs / "apt-get": "#!/bin/sh\n",
            programs / "pacman": f'#!/bin/sh\n[ "$1" = -Syu ] || exec {which("pacman")} "$@"\n',
            self.base / "tell": _TELL.format(
                secrets=" ".join(self.variables),
                base=self.base,
                program=program or Path(sys.executable).with_name("caur-ci"),
            ),
        }
        for file, text in texts.items():
            file.write_text(text, encoding="utf-8")
            file.chmod(0o755)
        scoped = {
            name: {"type": "variable", "values": value if isinstance(value, dict) else {"*": value}}
            for name, value in self.variables.items()
        }
        (self.base / "variables.yml").write_text(json.dumps(scoped), encoding="utf-8")

    def run(self, source: str, **variables: str) -> str:
        """Run the pipeline that a source starts, and return what it printed.

        No server answers as GitLab.
        """
        for name in ("seen", "calls"):
            (self.base / name).write_text("")
        given = {
            "CI_PIPELINE_SOURCE": source,
            "CI_SERVER_URL": "http://127.0.0.1:1",
            "GITLAB_CI": "true",
            "GITLAB_USER_LOGIN": "somebody",
            **variables,
        }
        command = ["node", str(_PROGRAM), "--force-shell-executor", "--no-color"]
        command += ["--variables-file", os.path.relpath(self.base / "variables.yml", self.checkout)]
        command += ["--state-dir", os.path.relpath(self.base / "state", self.checkout)]
        command += ["--home", str(self.base), "--no-json-schema-validation"]
        for name, value in given.items():
            command += ["--variable", f"{name}={value}"]
        done = subprocess.run(
            self.machine(command),
            cwd=self.checkout,
            env={**os.environ, "PATH": f"{self.base / 'programs'}:{os.environ['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        return f"{done.stdout}\nexit code {done.returncode}"

    @property
    def calls(self) -> list[str]:
        """The commands of the last pipeline, after the names of their jobs."""
        return (self.base / "calls").read_text().splitlines()

    def jobs_with(self, variable: str) -> set[str]:
        """Return the jobs of the last pipeline that had a variable."""
        lines = (self.base / "seen").read_text().splitlines()
        return {job for job, _, name in (line.partition(" ") for line in lines) if name == variable}
