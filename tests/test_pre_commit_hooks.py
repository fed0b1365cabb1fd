"""The hooks that pre-commit takes from this repository."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from tests.caur_ci.validation.worlds import package
from tests.support.git import Checkout

FILE = Path(__file__).parents[1] / ".pre-commit-hooks.yaml"
HOOKS: list[dict[str, Any]] = YAML(typ="safe").load(FILE)
# What pre-commit demands of a hook, and where it is from.
NEEDED = {"id", "name", "entry", "language", "files"}


@pytest.mark.parametrize("hook", HOOKS, ids=lambda it: it["id"])
def test_a_hook_runs_for_the_files_of_packages(
    hook: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = Checkout.create(tmp_path / "world")
    files = {".ci/config": "REPO_NAME=x\n", "page.md": "x", ".github/x.yml": "x", **package()}
    checkout.commit("x", files)  # type: ignore[arg-type]
    monkeypatch.chdir(checkout.folder)
    meant = [path for path in files if re.search(hook["files"], path)]
    program, *arguments = shlex.split(hook["entry"])

    assert hook.keys() >= NEEDED
    assert meant == [".ci/config", "tool/PKGBUILD", "tool/.SRCINFO"]
    assert (program, hook["language"]) == ("caur-ci", "python")
    assert run([*arguments, *meant], Session()) == ExitCode.OK
    (checkout.folder / "tool" / ".SRCINFO").unlink()
    mends = "--fix" in arguments
    assert run([*arguments, "tool/PKGBUILD"], Session()) == (
        ExitCode.OK if mends else ExitCode.FAILED
    )
    assert (checkout.folder / "tool" / ".SRCINFO").exists() is mends
