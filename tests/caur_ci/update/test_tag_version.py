"""Versions in the names of tags."""

from __future__ import annotations

import pytest

from caur_ci.update.tag_version import Tag, is_prerelease, tagged_versions, version_in


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("1.2", "1.2"),
        ("v1.2.3", "1.2.3"),
        ("V2", "2"),
        ("release-1.0", "1.0"),
        ("release/v1.0", "1.0"),
        ("tool-1.0", "1.0"),
        ("tool-v1.0", "1.0"),
        ("v1.0-rc1", "1.0rc1"),
        ("v1.0-beta.2", "1.0beta.2"),
        ("1.0-1", "1.0_1"),
        ("20260101", "20260101"),
        ("other-1.0", ""),
        ("latest", ""),
        ("v1.0$(id)", ""),
        ("v1.0/../2", ""),
        ("v1 0", ""),
        ("", ""),
        ("1" * 300, ""),
    ],
)
def test_a_tag_names_a_version_or_none(tag: str, version: str) -> None:
    assert version_in(tag, {"tool"}) == version


@pytest.mark.parametrize("version", ["1.0rc1", "2.0.alpha", "1.0b2", "3.0_dev", "1.0-pre", "1a1"])
def test_what_comes_before_a_version(version: str) -> None:
    assert is_prerelease(version)


@pytest.mark.parametrize("version", ["1.0", "1.1.1w", "9.6p1", "1.0.r5.gabcdef1", "2026a", "1.0a"])
def test_what_does_not(version: str) -> None:
    assert not is_prerelease(version)


def test_the_newest_is_the_first_by_pacmans_order() -> None:
    tags = [Tag(name) for name in ("v1.9", "v1.10", "nightly", "v2.0-rc1", "v1.10.1", "x")]

    assert [one.version for one in tagged_versions(tags)] == ["1.10.1", "1.10", "1.9"]
    assert tagged_versions(tags, prereleases=True)[0].tag.name == "v2.0-rc1"
    assert tagged_versions([*tags, Tag("v2.0")], prereleases=True)[0].version == "2.0"
