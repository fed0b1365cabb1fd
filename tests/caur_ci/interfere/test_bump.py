"""The bump gives a package another pkgrel, for the version that it was meant for."""

from __future__ import annotations

import pytest

from caur_ci.config import load_package_config
from caur_ci.interfere import InterfereError, bumped_pkgrel


def bumped(config: str, version: str) -> str:
    return bumped_pkgrel(load_package_config(config.encode(), origin="x").config, version)


@pytest.mark.parametrize(
    ("config", "version", "pkgrel"),
    [
        ("", "2.3-1", "1"),
        ("CI_PACKAGE_BUMP=0", "2.3-1", "1"),
        ("CI_PACKAGE_BUMP=2", "2.3-1", "1.2"),
        ("CI_PACKAGE_BUMP=2", "7:2.3-14", "14.2"),
        ("CI_PACKAGE_BUMP=2.3-1/2", "2.3-1", "1.2"),
        ("CI_PACKAGE_BUMP=2.3-1", "2.3-1", "1.1"),
        ("CI_PACKAGE_BUMP=2.3-1/0", "2.3-1", "1"),
        # for another version
        ("CI_PACKAGE_BUMP=2.3-1/2", "2.3-2", "2"),
        ("CI_PACKAGE_BUMP=2.3-1/2", "2.4-1", "1"),
        # epochs: a zero is none, and otherwise they have to be the same
        ("CI_PACKAGE_BUMP=0:2.3-1/2", "2.3-1", "1.2"),
        ("CI_PACKAGE_BUMP=1:2.3-1/2", "1:2.3-1", "1.2"),
        ("CI_PACKAGE_BUMP=1:2.3-1/2", "2.3-1", "1"),
        ("CI_PACKAGE_BUMP=2.3-1/2", "1:2.3-1", "1"),
        # what vercmp takes for the same
        ("CI_PACKAGE_BUMP=2.03-1/2", "2.3-1", "1.2"),
        # a pkgrel that nobody else could bump stays as it is
        ("CI_PACKAGE_BUMP=2.3-1/2", "2.3-1.5", "1.5"),
        # the old name
        ("CI_PKGREL=3", "2.3-1", "1.3"),
        ("CI_PKGREL=3\nCI_PACKAGE_BUMP=2", "2.3-1", "1.2"),
        # the package is pushed to the AUR as it is
        ("CI_MANAGE_AUR=true\nCI_PACKAGE_BUMP=2", "2.3-1", "1"),
        ("CI_MANAGE_AUR=true\nCI_PKGREL=2", "2.3-1", "1"),
    ],
)
def test_the_pkgrel_after_the_bump(config: str, version: str, pkgrel: str) -> None:
    assert bumped(config, version) == pkgrel


@pytest.mark.parametrize("config", ["CI_PACKAGE_BUMP=2", "CI_PACKAGE_BUMP=2.3-1.5/2"])
def test_a_pkgrel_has_one_point_at_most(config: str) -> None:
    with pytest.raises(InterfereError, match=r"cannot be bumped to 1\.5\.2"):
        bumped(config, "2.3-1.5")


def test_a_version_that_is_none_is_told() -> None:
    with pytest.raises(InterfereError, match="the version of the package"):
        bumped("CI_PACKAGE_BUMP=2", "no version")
