"""Names: pacman's own rule, the existing manager's, and what somebody may have meant."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from alpm import ALPMError
from alpm.alpm_types import PackageRelation
from hypothesis import given
from hypothesis import strategies as st

from caur_ci.errors import NameNotAllowedError
from caur_ci.names import (
    check_architecture,
    check_package_name,
    check_repository_name,
    check_worker_name,
    is_legacy_package_name,
    is_package_name,
    suggestion,
)

near_names = st.text("abcXYZ019@._+- /\n\té", max_size=8)


@given(near_names)
def test_the_rule_for_packages_is_that_of_the_distribution(name: str) -> None:
    try:
        PackageRelation(name)
        allowed = True
    except (ALPMError, ValueError):
        allowed = False
    assert is_package_name(name) is allowed


@pytest.mark.parametrize("name", ["a", "g++", "lib.x", "a@b", "_x", "@x", "+x", "Caps", "9base"])
def test_makepkg_agrees_that_a_name_is_allowed(name: str, tmp_path: Path) -> None:
    assert is_package_name(name)
    assert lints(name, tmp_path)


@pytest.mark.parametrize("name", [".a", "-a", "a b", "a/b", "a:b", "a$b", "é"])
def test_makepkg_agrees_that_a_name_is_not_allowed(name: str, tmp_path: Path) -> None:
    assert not is_package_name(name)
    assert not lints(name, tmp_path)


def lints(name: str, folder: Path) -> bool:
    """Ask makepkg's own check of package names."""
    library = Path("/usr/share/makepkg")
    if not (library / "lint_pkgbuild/pkgname.sh").is_file():
        pytest.skip("makepkg is not installed")
    script = (
        f'LIBRARY={library}; source "$LIBRARY/lint_pkgbuild/pkgname.sh"; '
        "pkgname=(); PKGNAME=$1; pkgname=$1; lint_pkgname"
    )
    done = subprocess.run(
        ["bash", "-c", script, "bash", name], cwd=folder, capture_output=True, check=False
    )
    return done.returncode == 0


@given(near_names)
def test_what_the_manager_accepts_has_no_capitals_and_no_at(name: str) -> None:
    if is_legacy_package_name(name):
        assert name == name.lower()
        assert "@" not in name


@pytest.mark.parametrize(
    "check", [check_package_name, check_repository_name, check_worker_name, check_architecture]
)
@pytest.mark.parametrize("name", ["", "../x", "a/b", "-o", ".x", "a\nb", "a b", "x" * 256])
def test_hostile_names_are_refused_everywhere(check: object, name: str) -> None:
    assert callable(check)
    with pytest.raises(NameNotAllowedError):
        check(name)


def test_the_closest_names_are_suggested() -> None:
    assert suggestion("firefx", ["firefox", "fire", "gimp"]) == "Did you mean firefox or fire?"
    assert suggestion("firefx", ["firefox", "fire"], 1) == "Did you mean firefox?"
    assert suggestion("zzz", ["firefox"]) == ""
