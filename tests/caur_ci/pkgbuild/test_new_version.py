"""Another version goes into a PKGBUILD with all that depends on it, or surely not at all."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caur_ci.confined import Confined
from caur_ci.errors import InputError
from caur_ci.pkgbuild import evaluate, parse
from caur_ci.pkgbuild.new_version import NewVersion, WantedSum, with_new_version, with_sums

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD, NEW, OTHER = "a" * 40, "b" * 40, "c" * 40
ORIGIN = "tool/PKGBUILD"
FIXTURES = Path(__file__).parents[2] / "fixtures" / "pkgbuilds"
HEAD = "# Maintainer: <é> pkgver=1.0\npkgname=tool\n"
TAIL = "build() { make VERSION=1.0; }\n"


@pytest.fixture(scope="module")
def confined() -> Iterator[Confined]:
    with Confined() as made:
        yield made


def pkgbuild(body: str, *, version: str = "pkgver=1.0\npkgrel=3\n") -> str:
    return f"{HEAD}{version}arch=(any)\n{body}{TAIL}"


def renewed(confined: Confined, text: str, new: NewVersion) -> str:
    return with_new_version(confined, text.encode(), new, origin=ORIGIN).pkgbuild.decode()


def wanted(confined: Confined, text: str, new: NewVersion) -> list[WantedSum]:
    return list(with_new_version(confined, text.encode(), new, origin=ORIGIN).wanted)


def test_version_and_release_change_and_nothing_else(confined: Confined) -> None:
    text = pkgbuild("source=(https://x.org/$pkgver.tgz)\nsha256sums=(aa)\n")

    found = with_new_version(confined, text.encode(), NewVersion(version="1.1"), origin=ORIGIN)

    assert found.pkgbuild.decode() == text.replace("pkgver=1.0\npkgrel=3", "pkgver=1.1\npkgrel=1")
    assert found.wanted == (WantedSum("sha256sums", 0, "https://x.org/1.1.tgz"),)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"https://x.org/tool-1.0.tar.gz"', '"https://x.org/tool-1.1.tar.gz"'),
        ("https://x.org/v1.0/tool.deb", "https://x.org/v1.1/tool.deb"),
        ("'t.tgz::https://x.org/1.0.0/$pkgver-1.0'", ""),  # not expanded, and another 1.0
        ('"https://x.org/${pkgname}/1.0/1.0.1/x"', '"https://x.org/${pkgname}/1.1/1.0.1/x"'),
        ("https://x.org/11.0/21.0/1.0/", "https://x.org/11.0/21.0/1.1/"),
    ],
)
def test_the_old_version_in_a_source_is_exchanged(
    confined: Confined, before: str, after: str
) -> None:
    text = pkgbuild(f"source=({before})\nsha256sums=(SKIP)\n")
    expected = text.replace(before, after).replace("pkgver=1.0\npkgrel=3", "pkgver=1.1\npkgrel=1")
    if not after:
        assert "1.0.0/$pkgver-1.1'" in renewed(confined, text, NewVersion(version="1.1"))
        return
    assert renewed(confined, text, NewVersion(version="1.1")) == expected


def test_variables_of_its_own_go_with_it(confined: Confined) -> None:
    text = pkgbuild(
        f"_commit='{OLD}'\nsource=(\"git+https://x.org/t.git#commit=$_commit\")\nb2sums=(SKIP)\n",
        version="_tag=v1.0-rc1\n_pkgver=1.0rc1\npkgver=$_pkgver\npkgrel=2\n",
    )
    new = NewVersion(
        version="1.0rc10", tag="v1.0-rc10", commit=NEW, old_tag="v1.0-rc1", old_commits=(OLD,)
    )

    assert renewed(confined, text, new) == (
        text.replace("v1.0-rc1", "v1.0-rc10")
        .replace("1.0rc1\n", "1.0rc10\n")
        .replace("pkgrel=2", "pkgrel=1")
        .replace(OLD, NEW)
    )


def test_what_has_the_same_number_by_chance_stays(confined: Confined) -> None:
    text = pkgbuild(
        "_electronver=30\n_pkgver=30\nsource=(https://x.org/30/$pkgver.tgz)\nb2sums=(SKIP)\n",
        version="pkgver=30\npkgrel=2\n",
    )

    found = renewed(confined, text, NewVersion(version="31"))

    assert found == text.replace("pkgver=30\npkgrel=2", "pkgver=31\npkgrel=1").replace(
        "_pkgver=30", "_pkgver=31"
    )


def test_a_commit_of_something_else_stays(confined: Confined) -> None:
    text = pkgbuild(
        f"source=('git+https://x.org/g/t.git#commit={OLD}' 'https://y.org/z/commit/{OTHER}.patch')\n"
        "b2sums=(SKIP ff)\n"
    )

    found = renewed(confined, text, NewVersion(version="1.1", commit=NEW, place="x.org/g/t"))

    assert NEW in found
    assert OLD not in found
    assert OTHER in found


def test_a_checkout_at_a_tag_has_a_sum(confined: Confined) -> None:
    text = pkgbuild('source=("t::git+https://x.org/t.git#tag=v$pkgver")\nb2sums=(aa)\n')
    assert wanted(confined, text, NewVersion(version="1.1")) == [
        WantedSum("b2sums", 0, "t::git+https://x.org/t.git#tag=v1.1")
    ]


def test_only_the_sums_of_what_changed_are_wanted(confined: Confined) -> None:
    text = (
        f"{HEAD}pkgver=1.0\npkgrel=3\narch=(x86_64 aarch64)\n"
        "source=(https://x.org/$pkgver.tgz{,.sig} fix.patch)\n"
        "sha256sums=(aa SKIP bb)\nb2sums=(cc SKIP dd)\n"
        "source_aarch64=(https://x.org/$CARCH-$pkgver)\nmd5sums_aarch64=(ee)\n"
    )

    assert wanted(confined, text, NewVersion(version="1.1")) == [
        WantedSum("sha256sums", 0, "https://x.org/1.1.tgz"),
        WantedSum("b2sums", 0, "https://x.org/1.1.tgz"),
        WantedSum("md5sums_aarch64", 0, "https://x.org/aarch64-1.1"),
    ]


@pytest.mark.parametrize(
    ("body", "version", "why"),
    [
        ("source=(https://x.org/latest.tgz)\nb2sums=(SKIP)\n", "1.1", "no source changes"),
        ("source=(https://x.org/$pkgver)\n", "1.1", "no checksums"),
        ("source=(https://x.org/$pkgver)\nb2sums=(a b)\n", "1.1", "does not fit"),
        ("source=(https://x.org/$pkgver)\ncksums=(1)\n", "1.1", "cksums"),
        ("source=(hg+https://x.org/a#tag=$pkgver)\nb2sums=(aa)\n", "1.1", "checkout"),
        ("source=(git+https://x.org/a#branch=$pkgver)\nb2sums=(aa)\n", "1.1", "checkout"),
        (f"source=(git+https://x.org/a#commit={OLD})\nb2sums=(SKIP)\n", "1.1", "at the commit"),
        (f"source=(https://x.org/archive/{OLD}.tgz)\nb2sums=(aa)\n", "1.1", "at the commit"),
        ("source=(https://x.org/$(id))\nb2sums=(aa)\n", "1.1", "source is not sure"),
        ("pkgver=2\nsource=()\n", "1.1", "exactly once"),
        ("if true; then pkgver=2; fi\n", "1.1", "exactly once"),
        ("printf -v pkgver %s 2\nsource=(https://x.org/$pkgver)\nb2sums=(a)\n", "1.1", "again"),
        ("for pkgrel in 4; do :; done\n", "1.1", "pkgrel is changed again"),
        ("source=(\n", "1.1", "not understood"),
        ("eval $x\n", "1.1", ORIGIN),
        ("", "1.1-1", "cannot be a pkgver"),
        ("", "1.1$(id)", "cannot be a pkgver"),
        ("", "../1", "cannot be a pkgver"),
        ("", "", "cannot be a pkgver"),
    ],
)
def test_what_is_not_sure_is_refused(confined: Confined, body: str, version: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        renewed(confined, pkgbuild(body), NewVersion(version=version))


def test_a_computed_version_is_refused(confined: Confined) -> None:
    text = pkgbuild("", version="_a=2\npkgver=${_a}.0\npkgrel=1\n")
    with pytest.raises(InputError, match=r"is no plain text|not set exactly once"):
        renewed(confined, text, NewVersion(version="1.1"))


def test_a_tag_is_no_program(confined: Confined) -> None:
    text = pkgbuild("_tag=v1.0\nsource=(https://x.org/$_tag)\nb2sums=(SKIP)\n")
    with pytest.raises(InputError, match="cannot be written"):
        renewed(confined, text, NewVersion(version="1.1", tag="v1$(id)", old_tag="v1.0"))


def test_a_source_that_follows_a_branch_needs_no_change(confined: Confined) -> None:
    text = pkgbuild("source=(git+https://x.org/t.git)\nb2sums=(SKIP)\n")
    assert "pkgver=1.1\n" in renewed(confined, text, NewVersion(version="1.1"))


def test_sums_are_written_in_their_places(confined: Confined) -> None:
    text = pkgbuild("source=(a b)\nsha256sums=('aa'  # one\n  \"bb\")\nb2sums=(cc SKIP)\n")
    news = {WantedSum("sha256sums", 1, "b"): "dd", WantedSum("b2sums", 0, "a"): "ee"}

    found = with_sums(confined, text.encode(), news, origin=ORIGIN)

    assert found.decode() == text.replace('"bb"', '"dd"').replace("(cc", "(ee")
    assert evaluate(parse(found)).elements("b2sums") == ("ee", "SKIP")


def test_sums_that_are_computed_are_refused(confined: Confined) -> None:
    text = pkgbuild('_sum=aa\nsource=(b)\nb2sums=("$_sum")\n')
    with pytest.raises(InputError, match="no plain text"):
        with_sums(confined, text.encode(), {WantedSum("b2sums", 0, "b"): "dd"}, origin=ORIGIN)


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*/PKGBUILD")), ids=lambda it: it.parent.name)
def test_whole_packages_change_in_these_lines_only(confined: Confined, path: Path) -> None:
    before = path.read_bytes()
    try:
        found = with_new_version(confined, before, NewVersion(version="987.6"), origin=str(path))
    except InputError:
        return  # not sure, which is an answer
    lines = zip(before.splitlines(), found.pkgbuild.splitlines(), strict=True)
    changed = [old for old, new in lines if old != new]

    assert evaluate(parse(found.pkgbuild)).value("pkgver") == "987.6"
    assert all(re.match(rb"\s*(_?pkgver|pkgrel)=|.*://", line) for line in changed)
