"""Pages of a program's own, out of the sources of two versions."""

from __future__ import annotations

import pytest

from caur_ci.review.upstream import upstream_pages

HUB = "https://github.com/o/r"
LAB = "https://gitlab.gnome.org/g/sub/r"
BERG = "https://codeberg.org/o/r"


def srcinfo(*sources: str) -> str:
    return "".join(f"\tsource = {source}\n" for source in sources)


@pytest.mark.parametrize(
    ("source", "tag", "compare"),
    [
        (f"{HUB}/archive/refs/tags/v{{}}.tar.gz", f"{HUB}/tree/v2", f"{HUB}/compare/v1...v2"),
        (f"x-2.tgz::{HUB}/archive/v{{}}.tar.gz", f"{HUB}/tree/v2", f"{HUB}/compare/v1...v2"),
        (f"{HUB}/releases/download/{{}}/x.deb", f"{HUB}/tree/2", f"{HUB}/compare/1...2"),
        (f"x::git+{HUB}.git#tag={{}}?signed", f"{HUB}/tree/2", f"{HUB}/compare/1...2"),
        (f"{LAB}/-/archive/{{}}/x.tar.gz", f"{LAB}/-/tree/2", f"{LAB}/-/compare/1...2"),
        (f"{BERG}/archive/{{}}.zip", f"{BERG}/src/tag/2", f"{BERG}/compare/1...2"),
    ],
)
def test_tag_comparison_and_releases(source: str, tag: str, compare: str) -> None:
    root = compare.partition("/compare")[0]
    old, new = (srcinfo("x.patch", source.format(version)) for version in (1, 2))

    pages = (("tag", tag), ("what changed upstream", compare), ("releases", f"{root}/releases"))
    assert upstream_pages(old, new) == pages


def test_another_place_is_not_compared() -> None:
    old = srcinfo("https://github.com/other/r/archive/v1.tar.gz")

    labels = [label for label, _ in upstream_pages(old, srcinfo(f"{HUB}/archive/v2.tar.gz"))]

    assert labels == ["tag", "releases"]


@pytest.mark.parametrize(
    "source",
    [
        "https://example.org/x-2.tar.gz",
        "http://github.com/o/r/archive/v2.tar.gz",
        "https://github.com.evil.org/o/r/archive/v2.tar.gz",
        "https://github.com/o/r/archive/../../x",
        "https://user@github.com/o/r/archive/v2.tar.gz",
        "git+https://github.com/o/r#branch=main",
    ],
)
def test_no_page(source: str) -> None:
    assert upstream_pages("", srcinfo(source)) == ()
