"""Runs the jobs of a workflow as GitHub does: what they say to, with the environment they name.

It knows only what the templates use, and fails on everything else.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

# Whatever an expression may come to.
Value: TypeAlias = Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<name>[a-zA-Z_][\w.-]*)|(?P<sign>&&|\|\||[=!]=|[!(),]))"
)
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
_ALWAYS = re.compile(r"\b(?:always|failure|cancelled)\(")


class _Parser:
    """Evaluates one expression, from left to right."""

    def __init__(self, text: str, contexts: Mapping[str, Any]) -> None:
        self._contexts = contexts
        self._tokens: list[tuple[str, str]] = []
        position = 0
        text = text.strip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            assert match is not None, f"not known here: {text[position:]}"
            assert match.lastgroup is not None
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()

    def value(self) -> Value:
        value = self._either()
        assert not self._tokens, self._tokens
        return value

    def _take(self, sign: str) -> bool:
        if self._tokens and self._tokens[0] == ("sign", sign):
            self._tokens.pop(0)
            return True
        return False

    def _either(self) -> Value:
        value = self._both()
        while self._take("||"):
            other = self._both()
            value = value or other
        return value

    def _both(self) -> Value:
        value = self._compared()
        while self._take("&&"):
            other = self._compared()
            value = value and other
        return value

    def _compared(self) -> Value:
        value = self._single()
        if self._take("=="):
            return _text(value) == _text(self._single())
        if self._take("!="):
            return _text(value) != _text(self._single())
        return value

    def _single(self) -> Value:
        if self._take("!"):
            return not self._single()
        if self._take("("):
            value = self._either()
            assert self._take(")")
            return value
        kind, token = self._tokens.pop(0)
        if kind == "text":
            return token[1:-1].replace("''", "'")
        assert kind == "name", token
        if self._take("("):
            arguments = []
            while not self._take(")"):
                arguments.append(self._either())
                self._take(",")
            return self._call(token, arguments)
        return self._looked_up(token)

    def _call(self, name: str, arguments: list[Value]) -> Value:
        match name, arguments:
            case "fromJSON", [text]:
                return json.loads(text)
            case "contains", [items, item]:
                return _text(item) in items
            case "format", [text, *values]:
                return text.format(*values)
            case "failure" | "cancelled", []:
                return False
            case "always", []:
                return True
        raise AssertionError(f"not known here: {name}({arguments})")

    def _looked_up(self, name: str) -> Value:
        value: Any = self._contexts
        for part in name.split("."):
            value = value.get(part, "") if isinstance(value, dict) else ""
        return value


def _text(value: Value) -> str:
    if isinstance(value, str):
        return value
    return {True: "true", False: "false"}.get(value, "")


@dataclass
class Workflow:
    """A workflow, what it is run for, and what came of it.

    `runner` is what the runner's owner has set for all jobs, `machine` makes the command that runs
    one in a machine of the job's own. `seen` has for each job the secrets
    that its steps were given.
    """

    file: Path
    remote: Path
    base: Path
    programs: str
    contexts: dict[str, Any]
    runner: Mapping[str, str] = field(default_factory=dict)
    machine: Callable[[Sequence[str]], Sequence[str | Path]] = list
    seen: dict[str, set[str]] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Run all jobs whose conditions hold, after those that they need."""
        parsed = YAML(typ="safe").load(self.file.read_text(encoding="utf-8"))
        left = dict(parsed["jobs"])
        while left:
            name = next(
                name for name, job in left.items() if not set(job.get("needs", ())) & left.keys()
            )
            job = left.pop(name)
            wanted = self.evaluated(str(job.get("if", "true")))
            self.results[name] = (
                self._job(name, job, parsed.get("env", {})) if wanted else "skipped"
            )

    def evaluated(self, text: str) -> Value:
        """Return the value of a condition, with or without its braces."""
        inner = _EXPRESSION.fullmatch(text.strip())
        values = {"true": True, "false": False}
        return _Parser(inner[1] if inner else text, {**values, **self.contexts}).value()

    def _job(self, name: str, job: dict[str, Any], variables: Mapping[str, str]) -> str:
        workspace = self.base / name
        workspace.mkdir()
        (self.base / "temp").mkdir(exist_ok=True)
        files = {
            f"GITHUB_{kind}": self.base / f"{name}-{kind}"
            for kind in ("OUTPUT", "ENV", "PATH", "STEP_SUMMARY")
        }
        for file in files.values():
            file.touch()
        self.seen[name] = set()
        failed = False
        for step in job["steps"]:
            if failed and not _ALWAYS.search(str(step.get("if", ""))):
                continue
            if "uses" in step:
                self._use(step, workspace)
                continue
            environment = {
                **self.runner,
                **self._surroundings(workspace),
                **{key: str(path) for key, path in files.items()},
                **self._filled(name, variables),
                **self._filled(name, job.get("env", {})),
                **self._filled(name, step.get("env", {})),
            }
            shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
            done = subprocess.run(
                self.machine(shell),
                cwd=workspace,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
            with (self.base / f"{name}.log").open("a") as log:
                log.write(done.stdout + done.stderr)
            failed = failed or (done.returncode != 0 and not step.get("continue-on-error"))
        return "failure" if failed else "success"

    def _use(self, step: dict[str, Any], workspace: Path) -> None:
        action, _, commit = step["uses"].partition("@")
        assert re.fullmatch(r"[0-9a-f]{40}", commit), step["uses"]
        if action.endswith("actions/checkout"):
            assert step["with"]["persist-credentials"] is False
            depth = int(step["with"].get("fetch-depth", 1))
            limit = [f"--depth={depth}"] if depth else []
            subprocess.run(
                ["git", "clone", "--quiet", *limit, f"file://{self.remote}", workspace], check=True
            )
        else:
            assert action.endswith(("actions/setup-python", "actions/upload-artifact")), action

    def _filled(self, job: str, variables: Mapping[str, Any]) -> dict[str, str]:
        filled = {}
        for key, value in variables.items():
            text = str(value)
            names = re.findall(r"secrets\.(\w+)", text)
            filled[key] = _EXPRESSION.sub(lambda found: _text(self.evaluated(found[0])), text)
            self.seen[job] |= {name for name in names if self.contexts["secrets"].get(name)}
        return filled

    def _surroundings(self, workspace: Path) -> dict[str, str]:
        github = self.contexts["github"]
        return {
            "HOME": os.environ["HOME"],
            "GIT_CONFIG_NOSYSTEM": "1",
            "PATH": self.programs,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(workspace),
            "GITHUB_SHA": github["sha"],
            "GITHUB_RUN_ID": "77",
            "GITHUB_REF_NAME": "main",
            "GITHUB_REF_TYPE": "branch",
            "GITHUB_ACTOR": "somebody",
            "RUNNER_TEMP": str(self.base / "temp"),
        }
