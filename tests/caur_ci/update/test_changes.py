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
    pkgbuild = PKGBUILD.replace("pkgver=1.2.0", "pkgver='1.3.0'")

    assert judge.files(pkgbuild=pkgbuild, srcinfo=SRCINFO.replace("1.2.0", "1.3.0")) == ()


def test_parts_of_the_version_in_addresses_are_quiet(judge: UpdatePlanner) -> None:
    path = "example.org/1.2/tool_1_2_0-1.2.0.tar.gz"
    srcinfo = SRCINFO.replace("example.org/tool-1.2.0.tar.gz", path)
    old = judge.tree({**FILES, ".SRCINFO": srcinfo})
    srcinfo = srcinfo.replace("1.2.0", "1.3.1").replace("1_2_0", "1_3_1").replace("/1.2/", "/1.3/")
    new = {"PKGBUILD": PKGBUILD.replace("1.2.0", "1.3.1"), ".SRCINFO": srcinfo}

    assert review_reasons(judge.git, old, judge.tree({**FILES, **new})) == ()


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
        ("pkgver=1.2.0", "pkgver=1.3.0\nepoch=1"),
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


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1.2.0", "1.1.9", "the version goes back from 1.2.0-1 to 1.1.9-1"),
        ("1.2.0", "99999999", "from version 1.2.0 to 99999999 is an unusual step"),
        ("1.2.0", "1.2.20240101", "from version 1.2.0 to 1.2.20240101 is an unusual step"),
        ("1.2.0", "9f0123456789abcdef", "the version 9f0123456789abcdef may be the id of a commit"),
        ("1.2.0", "...", "... is an odd version"),
        ("1.2.0", "2.0~+", ""),
        (SUM, OTHER_SUM, "it was changed without another version"),
    ],
)
def test_a_version_that_does_not_rise_as_versions_do_is_for_review(
    judge: UpdatePlanner, old: str, new: str, message: str
) -> None:
    reasons = judge.files(pkgbuild=PKGBUILD.replace(old, new), srcinfo=SRCINFO.replace(old, new))

    assert message in reasons if message else not reasons


def test_sums_follow_the_pkgver(judge: UpdatePlanner) -> None:
    def changed(text: str, equals: str) -> str:
        return text.replace(f"pkgrel{equals}1", f"pkgrel{equals}2").replace(SUM, OTHER_SUM)

    reasons = judge.files(pkgbuild=changed(PKGBUILD, "="), srcinfo=changed(SRCINFO, " = "))
    assert "the checksums were changed without another pkgver" in reasons


def test_the_sum_of_a_source_without_the_version_is_for_review(judge: UpdatePlanner) -> None:
    old = {name: text.replace("SKIP", "c3" * 32) for name, text in FILES.items()}
    new = {n: text.replace("c3", "d4").replace("1.2.0", "1.3.0") for n, text in old.items()}

    assert review_reasons(judge.git, judge.tree(old), judge.tree(new)) == (
        "one of sha256sums was changed, but its source was not",
    )


def test_sums_that_change_places_are_for_review(judge: UpdatePlanner) -> None:
    names = {"fix.patch'": "more-$pkgver.tar.gz'", "fix.patch": "more-1.2.0.tar.gz"}
    old = dict(FILES)
    for name in FILES:
        for before, after in names.items():
            old[name] = old[name].replace(before, after)
        old[name] = old[name].replace("SKIP", OTHER_SUM)
    new = {
        name: text.replace(SUM, "?").replace(OTHER_SUM, SUM).replace("?", OTHER_SUM)
        for name, text in old.items()
    }
    new = {name: text.replace("1.2.0", "1.3.0") for name, text in new.items()}

    reasons = review_reasons(judge.git, judge.tree(old), judge.tree(new))
    assert reasons == ("sha256sums changed places",)


@pytest.mark.parametrize(
    ("pkgbuild", "srcinfo", "key"),
    [
        ("1.3.0", "1.2.0", "pkgver"),
        ("1.3.0", "1.4.0", "pkgver"),
        (OTHER_SUM, "c3" * 32, "sha256sums are others"),
        (OTHER_SUM, SUM, "sha256sums are others"),
    ],
)
def test_a_srcinfo_that_does_not_follow_is_for_review(
    judge: UpdatePlanner, pkgbuild: str, srcinfo: str, key: str
) -> None:
    old = SUM if pkgbuild == OTHER_SUM else "1.2.0"
    reasons = judge.files(
        pkgbuild=PKGBUILD.replace(old, pkgbuild), srcinfo=SRCINFO.replace(old, srcinfo)
    )

    assert any(f"does not follow the PKGBUILD: its {key}" in reason for reason in reasons)


@pytest.mark.parametrize(
    ("before", "old", "new"),
    [
        ("depends = qt1.2.0", "depends = qt1.2.0", "depends = qt1.3.0"),
        ("provides = lib1.2.0", "provides = lib1.2.0", "provides = lib1.3.0"),
        ("", "example.org", "example.com"),
        ("url = https://1.2.0.example.org/", "https://1.2.0.", "https://1.3.0."),
        ("pkgdesc = about 1.2.0", "about 1.2.0", "about 1.3.0"),
        ("", "pkgname = tool", "pkgname = tool2"),
        ("epoch = 1", "epoch = 1", "epoch = 2"),
    ],
)
def test_what_does_not_follow_from_the_version_is_for_review(
    judge: UpdatePlanner, before: str, old: str, new: str
) -> None:
    srcinfo = SRCINFO.replace("\tarch", f"\t{before}\n\tarch" if before else "\tarch")
    assert old in srcinfo
    after = srcinfo.replace(old, new)
    for line in ("pkgver = 1.2.0", "libfoo>=1.2.0", "tool-1.2.0.tar.gz"):
        after = after.replace(line, line.replace("1.2.0", "1.3.0"))
    tree = judge.tree({**FILES, ".SRCINFO": srcinfo})
    changed = {"PKGBUILD": PKGBUILD.replace("1.2.0", "1.3.0"), ".SRCINFO": after}

    (reason,) = review_reasons(judge.git, tree, judge.tree({**FILES, **changed}))
    assert reason == "the .SRCINFO was changed in more than its version and checksums"


@pytest.mark.parametrize(
    "again",
    [
        "pkgver+=.1",
        "package() { pkgver=3; }",
        "export pkgver=3",
        "sha256sums+=('SKIP')",
        "sha256sums[0]=SKIP",
        "pkgrel=1 true",
    ],
)
def test_what_is_set_twice_is_for_review(judge: UpdatePlanner, again: str) -> None:
    old = {**FILES, "PKGBUILD": f"{PKGBUILD}{again}\n"}
    new = {name: text.replace("1.2.0", "1.3.0") for name, text in old.items()}

    (reason,) = review_reasons(judge.git, judge.tree(old), judge.tree(new))
    assert "more than once" in reason


def test_what_is_in_a_comment_is_not_set(judge: UpdatePlanner) -> None:
    old = {**FILES, "PKGBUILD": f"{PKGBUILD}# pkgver=7\n"}
    new = {name: text.replace("1.2.0", "1.3.0") for name, text in old.items()}

    assert review_reasons(judge.git, judge.tree(old), judge.tree(new)) == ()


@pytest.mark.parametrize(("documents", "reason"), [(8000, "too much time"), (80_000, "bytes")])
def test_a_pkgbuild_that_takes_long_to_parse_is_given_up(
    judge: UpdatePlanner, documents: int, reason: str
) -> None:
    names = [f"E{number}" for number in range(documents)]
    slow = f"cat {' '.join(f'<<{name}' for name in names)}\n" + "\n".join(names) + "\n"

    (told,) = judge.files(pkgbuild=PKGBUILD + slow)
    assert reason in told


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
        (f"sha256sums = {SUM}", "sha256sums = SKIP", "its sha256sums are others"),
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
