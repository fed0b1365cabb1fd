"""What a build of a package may be called."""

from __future__ import annotations

import pytest

from caur_ci.errors import InputError
from caur_ci.expectation import FILES, Expectation, expected_packages

SRCINFO = """\
pkgbase = a
\tpkgver = 2.3
\tpkgrel = 1
\tepoch = 1
\tarch = x86_64
pkgname = a
pkgname = a-doc
"""


def expectation(srcinfo: str = SRCINFO, **files: str) -> Expectation:
    paths = {"config": ".CI/config", "prepare": ".CI/prepare", "patch": ".CI/interfere.patch"}
    paths |= {"append": ".CI/PKGBUILD.append", "prepend": ".CI/PKGBUILD.prepend"}
    content = {paths.get(name, name): text.encode() for name, text in files.items()}
    assert set(content) <= set(FILES)
    return expected_packages({".SRCINFO": srcinfo.encode()} | content, folder="folder")


def problem(
    expected: Expectation,
    version: str = "1:2.3-1",
    *,
    pkgbase: str = "a",
    pkgname: str = "a",
    arch: str = "x86_64",
) -> str:
    return expected.problem_with(
        pkgbase=pkgbase, pkgname=pkgname, version=version, arch=arch, job_arch="x86_64"
    )


def test_what_the_srcinfo_says_fits() -> None:
    expected = expectation()
    assert not problem(expected)
    assert not problem(expected, pkgname="a-doc", arch="any")
    assert not problem(expected, pkgname="a-debug")


def test_the_pkgbase_is_that_of_the_srcinfo_not_the_folder() -> None:
    assert expectation().pkgbase == "a"
    assert "belongs to pkgbase folder" in problem(expectation(), pkgbase="folder")


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("2.3-1", "epoch 1"),
        ("2:2.3-1", "epoch 1"),
        ("1:2.4-1", "pkgver 2.3"),
        ("1:2.30-1", "pkgver 2.3"),
        ("1:2.3-2", "pkgrel has to be 1"),
        ("1:2.3-1.1", "pkgrel has to be 1"),
        ("1:2.3", "pkgrel has to be 1"),
        ("nothing at all", "is not a version"),
    ],
)
def test_another_version_does_not_fit(version: str, words: str) -> None:
    assert words in problem(expectation(), version)


def test_other_names_and_architectures_do_not_fit() -> None:
    assert "linux is none of the packages of a (a, a-debug, a-doc)" in problem(
        expectation(), pkgname="linux"
    )
    assert problem(expectation(), pkgname="a-doc-debug")
    assert "is for aarch64" in problem(expectation(), arch="aarch64")


def test_a_bump_has_to_be_there() -> None:
    expected = expectation(config="CI_PACKAGE_BUMP=1:2.3-1/2")
    assert not problem(expected, "1:2.3-1.2")
    assert "has to be 1.2" in problem(expected, "1:2.3-1")
    assert not problem(expectation(config="CI_PACKAGE_BUMP=1:2.2-1/2"), "1:2.3-1")


@pytest.mark.parametrize(
    "pkgbuild", ["pkgver() {\n", "  pkgver ( )\n{", "function pkgver {\n", "function pkgver()\n{"]
)
def test_a_pkgver_function_makes_the_pkgver_free(pkgbuild: str) -> None:
    expected = expectation(PKGBUILD=f"pkgver=2.3\n{pkgbuild}")
    assert not problem(expected, "1:r7.abc-1")
    assert "epoch" in problem(expected, "r7.abc-1")
    assert problem(expected, "1:r7.abc-4")
    assert not problem(expectation(), "1:2.3-1")


def test_a_new_pkgver_starts_at_pkgrel_1_or_goes_on() -> None:
    srcinfo = SRCINFO.replace("pkgrel = 1", "pkgrel = 3")
    expected = expectation(srcinfo, PKGBUILD="pkgver() {", config="CI_PACKAGE_BUMP=2")
    for pkgrel in ("1", "3", "3.2"):
        assert not problem(expected, f"1:9-{pkgrel}")
    assert problem(expected, "1:9-2")
    assert problem(expected, "1:2.3-1")
    assert not problem(expected, "1:2.3-3.2")


@pytest.mark.parametrize(
    "files",
    [
        {"append": "pkgver=9\n"},
        {"prepend": "  pkgver=9\n"},
        {"patch": "--- a/PKGBUILD\n+++ b/PKGBUILD\n@@ -1 +1 @@\n-pkgver=2.3\n+pkgver=9\n"},
        {"prepare": "sed -i 's/^pkgver=.*/pkgver=9/' PKGBUILD\n"},
    ],
)
def test_interfere_may_change_the_pkgver_that_it_names(files: dict[str, str]) -> None:
    expected = expectation(**files)
    assert not problem(expected, "1:9-1")
    assert problem(expected, "1:9-2")
    assert problem(expected, "2:9-1")


def test_interfere_that_names_no_version_allows_none() -> None:
    patch = "--- a/PKGBUILD\n+++ b/PKGBUILD\n@@ -1,2 +1,2 @@\n-x\n+y\n pkgver=2.3\n"
    assert problem(expectation(append="build() { :; }\n", patch=patch, prepare=":\n"), "1:9-1")


def test_interfere_may_change_epoch_and_pkgrel() -> None:
    expected = expectation(append="epoch=4\npkgrel=7\n")
    assert not problem(expected, "4:2.3-7")
    assert problem(expected, "4:2.4-7")


def test_interfere_may_add_packages_by_name() -> None:
    expected = expectation(append="pkgname+=('a-extra' \"a-more\")\npackage_a-extra() { :; }\n")
    assert not problem(expected, pkgname="a-extra")
    assert not problem(expected, pkgname="a-more")
    assert problem(expected, pkgname="linux")
    assert "$" not in "".join(expectation(append="pkgname=($x)\n").pkgnames)


def test_without_a_srcinfo_nothing_can_be_expected() -> None:
    with pytest.raises(InputError, match=r"folder has no \.SRCINFO"):
        expected_packages({}, folder="folder")
    with pytest.raises(InputError, match=r"folder/\.SRCINFO"):
        expected_packages({".SRCINFO": b"nonsense"}, folder="folder")
    with pytest.raises(InputError, match=r"folder/\.CI/config"):
        expectation(config="BUILDER_NETWORK=perhaps")
