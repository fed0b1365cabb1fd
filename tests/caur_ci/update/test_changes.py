"""Which changes are quiet, and which are for people to see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.git import GitRepository, TreeEntry
from caur_ci.git.repository import FILE_MODE
from caur_ci.update.changes import review_reasons
from tests.support.git import git as run_git

if TYPE_CHECKING:
    from pathlib import Path

SUM, OTHER_SUM = "a1" * 32, "b2" * 32
PKGBUILD = f"""\
# Maintainer: somebody
pkgname=tool
pkgver=1.2.0
pkgrel=1
arch=('x86_64')
depends=('glibc' "libfoo>=$pkgver")
source=("https://example.org/tool-$pkgver.tar.gz"
        'fix.patch')
sha256sums=('{SUM}'
            'SKIP')

build() {{
  make VERSION="$pkgver"
}}
"""
SRCINFO = f"""\
pkgbase = tool
\tpkgver = 1.2.0
\tpkgrel = 1
\tarch = x86_64
\tdepends = glibc
\tdepends = libfoo>=1.2.0
\tsource = https://example.org/tool-1.2.0.tar.gz
\tsource = fix.patch
\tsha256sums = {SUM}
\tsha256sums = SKIP

pkgname = tool
"""
FILES = {"PKGBUILD": PKGBUILD, ".SRCINFO": SRCINFO, "fix.patch": "--- a\n"}


class UpdatePlanner:
    """Compares the package above with one in which something is replaced."""

    def __init__(self, folder: Path) -> None:
        run_git(folder, "init", "--quiet", "--bare")
        self.git = GitRepository(folder, bare=True)

    def tree(self, files: dict[str, str], mode: str = FILE_MODE) -> str:
        blobs = self.git.write_blobs([text.encode() for text in files.values()])
        entries = zip(files, blobs, strict=True)
        return self.git.write_tree([TreeEntry(mode, blob, name) for name, blob in entries])

    def files(self, **changed: str) -> tuple[str, ...]:
        names = {"pkgbuild": "PKGBUILD", "srcinfo": ".SRCINFO", "patch": "fix.patch"}
        new = FILES | {names[key]: text for key, text in changed.items()}
        return review_reasons(self.git, self.tree(FILES), self.tree(new))


@pytest.fixture
def judge(tmp_path: Path) -> UpdatePlanner:
    return UpdatePlanner(tmp_path)


def test_a_new_version_with_new_sums_is_quiet(judge: UpdatePlanner) -> None:
    pkgbuild = PKGBUILD.replace("1.2.0", "1.3.0").replace(SUM, OTHER_SUM)
    srcinfo = SRCINFO.replace("1.2.0", "1.3.0").replace(SUM, OTHER_SUM)

    assert judge.files(pkgbuild=pkgbuild, srcinfo=srcinfo) == ()


def test_a_new_release_is_quiet(judge: UpdatePlanner) -> None:
    pkgbuild = PKGBUILD.replace("pkgrel=1", "pkgrel=2")

    assert judge.files(pkgbuild=pkgbuild, srcinfo=SRCINFO.replace("pkgrel = 1", "pkgrel = 2")) == ()


def test_other_quotes_around_the_same_kind_of_value_are_quiet(judge: UpdatePlanner) -> None:
    assert judge.files(pkgbuild=PKGBUILD.replace("pkgver=1.2.0", "pkgver='1.3.0'")) == ()


def test_nothing_changed_is_quiet(judge: UpdatePlanner) -> None:
    assert judge.files() == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"'{SUM}'", "'SKIP'"),  # weaker
        (f"'{SUM}'", f"'{SUM[:32]}'"),  # of another kind
        (f"('{SUM}'", "("),  # fewer
        ("sha256sums=(", "md5sums=("),
        ("pkgver=1.2.0", "pkgver=$(curl example.org)"),
        ("pkgver=1.2.0", 'pkgver="$(id)"'),
        ("pkgver=1.2.0", "pkgver=1.3.0; id"),
        ("pkgver=1.2.0", "pkgver=1.3.0 id"),
        ("pkgver=1.2.0", "pkgver=`id`"),
        ("pkgver=1.2.0", "pkgver+=1"),
        ("pkgver=1.2.0", "pkgver=1.3.0\nepoch=1"),
        ("pkgver=1.2.0", "pkgver=1.3.0\npkgver=1.3.0"),
        (f"'{SUM}'", f"'{SUM}' $(id)"),
        (f"'{SUM}'", f"$'{SUM}'"),
        ("example.org", "example.com"),
        ('make VERSION="$pkgver"', 'make VERSION="$pkgver" && id'),
        ("# Maintainer: somebody", "# Maintainer: somebody else"),
        ("'fix.patch'", "'fix2.patch'"),
        ("build()", "package()"),
    ],
)
def test_any_other_change_of_the_pkgbuild_is_for_review(
    judge: UpdatePlanner, old: str, new: str
) -> None:
    assert old in PKGBUILD

    (reason,) = judge.files(pkgbuild=PKGBUILD.replace(old, new))
    assert reason == "the PKGBUILD was changed in more than its version and checksums"


def test_a_version_that_goes_back_is_for_review(judge: UpdatePlanner) -> None:
    (reason,) = judge.files(pkgbuild=PKGBUILD.replace("pkgver=1.2.0", "pkgver=1.1.9"))

    assert reason == "the PKGBUILD goes back from version 1.2.0 to 1.1.9"


def test_a_version_inside_a_function_is_code(judge: UpdatePlanner) -> None:
    pkgbuild = PKGBUILD.replace("  make", "  pkgver=1\n  make")

    assert judge.files(pkgbuild=pkgbuild)


@pytest.mark.parametrize("damage", ["pkgname=(", "\0", "build() {"])
def test_a_pkgbuild_that_is_not_understood_is_for_review(judge: UpdatePlanner, damage: str) -> None:
    (reason,) = judge.files(pkgbuild=PKGBUILD + damage)

    assert "not understood" in reason or "NUL" in reason


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("depends = glibc", "depends = evil", "in more than its version"),
        ("pkgname = tool", "pkgname = linux", "in more than its version"),
        (f"sha256sums = {SUM}", "sha256sums = SKIP", "in more than its version"),
        ("\tarch = x86_64", "\tarch = x86_64\n\tinstall = tool.install", "in more than"),
        ("pkgver = 1.2.0", "pkgver = 1.1.0", "goes back from 1.2.0-1 to 1.1.0-1"),
        ("pkgbase = tool", "pkgbase =", "cannot be read"),
    ],
)
def test_what_the_srcinfo_says_beside_the_version_is_for_review(
    judge: UpdatePlanner, old: str, new: str, message: str
) -> None:
    assert old in SRCINFO

    assert any(message in reason for reason in judge.files(srcinfo=SRCINFO.replace(old, new)))


def test_other_files_are_for_review(judge: UpdatePlanner) -> None:
    assert judge.files(patch="--- b\n") == ("fix.patch was changed",)

    more = judge.tree({**FILES, "tool.install": "post_install() { id; }\n"})
    assert review_reasons(judge.git, judge.tree(FILES), more) == ("tool.install is new",)
    assert review_reasons(judge.git, more, judge.tree(FILES)) == ("tool.install was removed",)


def test_a_file_that_becomes_executable_is_for_review(judge: UpdatePlanner) -> None:
    reasons = review_reasons(judge.git, judge.tree(FILES), judge.tree(FILES, "100755"))

    assert "PKGBUILD is another kind of file" in reasons
