"""Which fields of a committed `.SRCINFO` do not follow from the PKGBUILD."""

from __future__ import annotations

import pytest

from caur_ci.errors import InputError
from caur_ci.pkgbuild import evaluate, parse, render_srcinfo
from caur_ci.pkgbuild.compare import Difference, compare_srcinfo

PKGBUILD = """\
pkgbase=suite
pkgname=(tool tool-docs)
pkgver=1.2
pkgrel=3
arch=(x86_64)
depends=(glibc 'zlib>=1')
source=("https://example.org/$pkgver.tar" fix.patch)
sha256sums=(aa bb)
package_tool() { provides=("libtool=$pkgver"); }
package_tool-docs() { depends=(); }
"""


def compare(committed: str, pkgbuild: str = PKGBUILD) -> list[Difference]:
    return compare_srcinfo(evaluate(parse(pkgbuild.encode())), committed.encode())


def rendered(pkgbuild: str = PKGBUILD) -> str:
    return render_srcinfo(evaluate(parse(pkgbuild.encode()))).decode()


def test_what_is_rendered_follows() -> None:
    assert compare(rendered()) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("pkgbase = suite", "# Generated\n# today\n\npkgbase=suite  "),
        ("\tdepends = glibc\n\tdepends = zlib>=1\n", "\tdepends = zlib>=1\n\tdepends = glibc\n"),
        ("\tpkgver = 1.2\n\tpkgrel = 3\n", "pkgrel = 3\npkgver = 1.2\n"),
        ("pkgbase = suite\n\tpkgver = 1.2\n", "pkgver = 1.2\npkgbase = suite\n"),
        ("\tdepends = \n", "\tdepends =\n"),
        ("pkgbase", "\ufeffpkgbase"),
    ],
)
def test_what_the_aur_accepts_is_no_difference(old: str, new: str) -> None:
    assert old in rendered()
    assert compare(rendered().replace(old, new, 1)) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("pkgrel = 3", "pkgrel = 2", Difference("pkgrel", ("2",), ("3",))),
        ("\tpkgrel = 3\n", "", Difference("pkgrel", (), ("3",))),
        ("pkgrel = 3", "pkgrel = 3\n\tepoch = 1", Difference("epoch", ("1",), ())),
        ("= suite", "= other", Difference("pkgbase", ("other",), ("suite",))),
        (
            "depends = glibc\n",
            "depends = musl\n",
            Difference("depends", ("musl", "zlib>=1"), ("glibc", "zlib>=1")),
        ),
        ("\tdepends = \n", "", Difference("depends", (), ("",), "tool-docs")),
        (
            "libtool=1.2",
            "libtool=1.1",
            Difference("provides", ("libtool=1.1",), ("libtool=1.2",), "tool"),
        ),
        (
            "sha256sums = aa\n\tsha256sums = bb",
            "sha256sums = bb\n\tsha256sums = aa",
            Difference("sha256sums", ("bb", "aa"), ("aa", "bb")),
        ),
        (
            "\npkgname = tool-docs\n\tdepends = \n",
            "",
            Difference("pkgname", ("tool",), ("tool", "tool-docs")),
        ),
    ],
)
def test_a_difference_has_both_values(old: str, new: str, expected: Difference) -> None:
    assert old in rendered()
    assert compare(rendered().replace(old, new, 1)) == [expected]


def test_the_pkgver_may_move_where_there_is_a_function_for_it() -> None:
    moving = PKGBUILD + "pkgver() { git describe; }\n"
    moved = rendered().replace("1.2", "1.2.r5")
    assert compare(moved, moving) == []
    assert [found.field for found in compare(moved)] == ["pkgver", "source", "provides"]
    assert [found.field for found in compare(moved.replace("fix", "other"), moving)] == ["source"]


def test_what_is_not_sure_is_left_out() -> None:
    unsure = PKGBUILD.replace("depends=(glibc", "url=$(cat url)\ndepends=(glibc")
    committed = rendered().replace("pkgrel = 3", "pkgrel = 4\n\turl = https://example.org")
    assert [found.field for found in compare(committed, unsure)] == ["pkgrel"]


def test_a_line_that_is_none_is_told() -> None:
    with pytest.raises(InputError, match=r"\.SRCINFO, line 2: cannot be read: '<<<<<<<'"):
        compare("pkgbase = suite\n<<<<<<<\n")
