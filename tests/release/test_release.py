"""What `make release-check` looks at that needs no build: versions, and our own package."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from caur_ci import __version__
from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from release import versions
from tests.documentation.command_lines import ROOT
from tests.support.git import Checkout

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_there_is_one_version() -> None:
    assert versions.of_project(ROOT) == __version__
    assert versions.problems(ROOT, __version__) == []


def test_another_version_is_found(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.yml").write_text('env:\n  CAUR_CI_VERSION: "0.0.9"\n')
    (tmp_path / "CHANGELOG.md").write_text("# Changes\n")

    found = versions.problems(tmp_path, "0.1.0")
    assert "templates/a.yml names version 0.0.9, pyproject.toml 0.1.0" in found
    assert "CHANGELOG.md has no heading for 0.1.0" in found


def test_our_own_package_is_one_that_we_would_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout = Checkout.create(tmp_path / "origin")
    shutil.copytree(ROOT / "packaging" / "arch", checkout.folder / "caur-ci")
    # It is made of the checkout.
    (checkout.folder / "caur-ci" / f"caur_ci-{__version__}.tar.gz").touch()
    checkout.commit("feat: caur-ci", {".ci/config": "REPO_NAME=target\nBUILD_REPO=source\n"})
    monkeypatch.chdir(checkout.folder)

    assert run(["srcinfo", "--check"], Session()) == ExitCode.OK
    assert run(["validate", "--strict"], Session()) == ExitCode.OK, capsys.readouterr().out
