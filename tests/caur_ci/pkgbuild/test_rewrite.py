"""Values are changed in place, everything else stays to the byte."""

from __future__ import annotations

import pytest

from caur_ci.errors import InputError
from caur_ci.pkgbuild import evaluate, parse
from caur_ci.pkgbuild.rewrite import set_elements, set_text
from caur_ci.pkgbuild.values import Array

PKGBUILD = """\
# Maintainer: pkgver=0 <é>
pkgname=tool
pkgver=1.0   # pkgver=9
pkgrel='3'; epoch=
_commit="abc"  arch=(any)
source=("a-$pkgver" b)
sha256sums=('aa'  # the first
            "SKIP")
url=$pkgname
package() { pkgdesc=x; license=a; }
license=(b)
"""


@pytest.mark.parametrize(
    ("name", "value", "old", "new"),
    [
        ("pkgver", "1.1.r2+g3", "pkgver=1.0 ", "pkgver=1.1.r2+g3 "),
        ("pkgrel", "1", "pkgrel='3'", "pkgrel='1'"),
        ("epoch", "2", "epoch=", "epoch=2"),
        ("_commit", "def0", '"abc"', '"def0"'),
    ],
)
def test_a_value_keeps_its_quotes(name: str, value: str, old: str, new: str) -> None:
    tree = set_text(parse(PKGBUILD.encode()), name, value)
    assert tree.data.decode() == PKGBUILD.replace(old, new, 1)
    assert evaluate(tree).value(name) == value


def test_sums_keep_their_layout() -> None:
    tree = set_elements(parse(PKGBUILD.encode()), "sha256sums", ["cc", "dd"])
    assert tree.data.decode() == PKGBUILD.replace("'aa'", "'cc'").replace("SKIP", "dd")
    assert evaluate(tree).value("sha256sums") == Array.of(["cc", "dd"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pkgver", "1$(id)"),
        ("pkgver", "1 2"),
        ("pkgver", "1'"),
        ("pkgver", "1\n"),
        ("url", "a"),  # what is there expands
        ("license", "a"),  # set twice, one of them in a function
        ("arch", "a"),  # an array
        ("pkgbase", "a"),  # not set
    ],
)
def test_what_is_not_plain_is_refused(name: str, value: str) -> None:
    with pytest.raises(InputError):
        set_text(parse(PKGBUILD.encode()), name, value)


@pytest.mark.parametrize("values", [["a"], ["a", "b", "c"], ["a", "b c"]])
def test_elements_that_do_not_fit_are_refused(values: list[str]) -> None:
    with pytest.raises(InputError):
        set_elements(parse(PKGBUILD.encode()), "sha256sums", values)


def test_elements_that_expand_are_refused() -> None:
    with pytest.raises(InputError, match="line 6"):
        set_elements(parse(PKGBUILD.encode()), "source", ["a", "b"])
