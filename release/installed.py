"""The wheel in a virtual environment of its own, as pipx and uv put it into one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from caur_ci import process
from caur_ci.errors import ProcessError

if TYPE_CHECKING:
    from pathlib import Path

# Long enough for an index that is slow, in seconds.
_LONGEST = 1200
_TYPED = (
    "import importlib.resources as r; "
    "assert all((r.files(p) / 'py.typed').is_file() for p in ('caur_ci', 'scheduler'))"
)


def problems(wheel: Path, folder: Path, version: str) -> list[str]:
    """Install the wheel and have it begin a repository, outside of the checkout."""
    environment, repository = folder / "environment", folder / "repository"
    program, python = environment / "bin" / "caur-ci", environment / "bin" / "python"
    commands: list[list[str | Path]] = [
        [sys.executable, "-m", "venv", environment],
        [python, "-m", "pip", "install", "--quiet", wheel],
        [python, "-m", "pip", "check"],
        [python, "-I", "-c", _TYPED],
        [program, "--help"],
        [program, "init", repository, "--forge", "gitlab"],
        [program, "validate", "--repo", repository],
    ]
    try:
        for command in commands:
            process.run(command, cwd=folder, timeout=_LONGEST)
        said = process.run([program, "--version"], cwd=folder).stdout.decode()
    except ProcessError as error:
        return [str(error)]
    return [] if version in said else [f"caur-ci --version says {said.strip()}, not {version}"]


def documents_problems(root: Path) -> list[str]:
    """Run the tests that hold the documents to the commands there are."""
    command = [sys.executable, "-m", "pytest", "-q", "tests/documentation"]
    try:
        process.run(command, cwd=root, timeout=_LONGEST)
    except ProcessError as error:
        return [str(error)]
    return []
