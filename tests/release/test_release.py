"""What `make release-check` looks at: versions, distributions, and our own package."""

from __future__ import annotations

import shutil
import zipfile
from typing import TYPE_CHECKING

from caur_ci import __version__
from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from release.__main__ import ROOT
from release.distribution import problems_of_wheel
from release.versions import other_versions
from tests.support.git import Checkout

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_there_is_one_version() -> None:
    assert list(other_versions(ROOT)) == []


def test_another_version_is_found(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.yml").write_text('env:\n  CAUR_CI_VERSION: "0.0.9"\n')

    found = list(other_versions(tmp_path))
    assert any("a.yml has 0.0.9, the code " in line for line in found)
    assert "pyproject.toml is missing" in found


def test_what_a_wheel_lacks_or_has_too_much_is_found(tmp_path: Path) -> None:
    wheel = tmp_path / "caur_ci-0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("caur_ci/py.typed", "")
        archive.writestr("tests/conftest.py", "")
        archive.writestr("caur_ci-0.dist-info/METADATA", "Name: caur-ci\nVersion: 0\n\n")

    found = list(problems_of_wheel(wheel))
    assert "lacks scheduler/py.typed" in found
    assert "has tests/conftest.py" in found
    assert "its metadata has no Summary" in found


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
