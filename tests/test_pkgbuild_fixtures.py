"""The packages that tests and the demonstration share: what they are, and that they are exact."""

from __future__ import annotations

import os
import shutil
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caur_ci.demo.packages import FAILS, LAST_OF_CHAIN, RETIRED, Fixtures
from caur_ci.process import run
from caur_ci.srcinfo import SrcinfoFields, parse_fields
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = "65534"
FIXTURES = Fixtures.find()


def fields_of(name: str) -> SrcinfoFields:
    data = (FIXTURES.pkgbuilds / name / ".SRCINFO").read_bytes()
    return parse_fields(data, origin=name)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user can get to, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="caur-ci-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", FIXTURES.names)
def test_srcinfo_is_what_makepkg_prints(name: str, open_folder: Path) -> None:
    need_tools("makepkg", "setpriv")
    folder = open_folder / name
    shutil.copytree(FIXTURES.pkgbuilds / name, folder)
    as_nobody = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]
    if os.geteuid() == 0:
        shutil.chown(folder, int(NOBODY), int(NOBODY))

    done = run(
        [*(as_nobody if os.geteuid() == 0 else ()), "makepkg", "--printsrcinfo"],
        cwd=folder,
        environment={"HOME": str(open_folder)},
    )

    assert done.stdout.decode() == (folder / ".SRCINFO").read_text()


def test_the_kinds_of_package_that_go_wrong_elsewhere_are_all_there() -> None:
    packages = {name: fields_of(name) for name in FIXTURES.names}

    assert len(packages) >= 8
    assert all(name == fields.pkgbase for name, fields in packages.items())
    assert any("+" in name for name in packages)
    assert any("." in name for name in packages)
    assert any(name.endswith("-git") for name in packages)
    assert any(fields.epoch for fields in packages.values())
    assert any(
        len(fields.pkgnames) > 1 and name not in fields.pkgnames
        for name, fields in packages.items()
    )
    assert {arch for fields in packages.values() for arch in fields.arch} == {"any", "x86_64"}
    assert {FAILS, RETIRED, LAST_OF_CHAIN} <= set(packages)


def test_the_chain_has_three_links() -> None:
    assert fields_of("recipe-scale").depends == ("measure", "libmeasure")
    assert fields_of("measure").depends == ("libmeasure>=1.4",)
    assert fields_of("libmeasure").depends == ()


def test_pacman_finds_every_dependency_among_the_fixtures() -> None:
    packages = [package for name in FIXTURES.names for package in fields_of(name).packages]
    names = {package.pkgname for package in packages}
    provided = {text.split("=")[0] for package in packages for text in package.provides}
    needed = {text.split(">")[0].split("=")[0] for package in packages for text in package.depends}

    assert needed <= names | provided
    # Nothing that is left in the repository may need what the demonstration does not publish.
    assert not needed & {FAILS, RETIRED}


def test_placing_the_git_package_names_its_repository(tmp_path: Path) -> None:
    FIXTURES.place(["plumbline-git", "sundial"], tmp_path, upstream_url="file:///somewhere/else")

    source = "plumbline::git+file:///somewhere/else"
    assert f"source=('{source}')" in (tmp_path / "plumbline-git" / "PKGBUILD").read_text()
    assert f"\tsource = {source}\n" in (tmp_path / "plumbline-git" / ".SRCINFO").read_text()
    for path in (FIXTURES.pkgbuilds / "sundial").iterdir():
        assert (tmp_path / "sundial" / path.name).read_bytes() == path.read_bytes()


def test_an_installed_caur_ci_brings_them_along() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())

    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]

    for name in ("pkgbuilds", "upstream"):
        target = "caur_ci/demo/fixtures"
        assert included[f"tests/fixtures/{name}"] == f"{target}/{name}"
