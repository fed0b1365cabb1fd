"""The next bump of a package, and how its configuration says it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caur_ci.config import Bump, load_package_config
from caur_ci.errors import InputError
from caur_ci.interfere import bumped_pkgrel
from caur_ci.triggers.bumping import bumped_version, next_bump, with_bump
from caur_ci.versions import vercmp


@pytest.mark.parametrize(
    ("config", "version", "published", "expected"),
    [
        ("", "1.2-1", "", Bump(1, "1.2-1")),
        ("", "1:1.2-3", "", Bump(1, "1:1.2-3")),
        ("CI_PACKAGE_BUMP=1.2-1/3", "1.2-1", "", Bump(4, "1.2-1")),
        ("CI_PACKAGE_BUMP=1.2-1", "1.2-1", "", Bump(2, "1.2-1")),
        ("CI_PACKAGE_BUMP=1:1.2-1/3", "1:1.2-1", "1:1.2-1.3", Bump(4, "1:1.2-1")),
        ("CI_PACKAGE_BUMP=1.2-1/3", "1.3-1", "", Bump(1, "1.3-1")),  # for an older version
        ("CI_PACKAGE_BUMP=1.2-1/3", "1:1.2-1", "", Bump(1, "1:1.2-1")),
        # What is published may be further than the file.
        ("", "1.2-1", "1.2-1.5", Bump(6, "1.2-1")),
        ("CI_PACKAGE_BUMP=1.2-1/7", "1.2-1", "1.2-1.5", Bump(8, "1.2-1")),
        ("", "1.3-1", "1.2-1.5", Bump(1, "1.3-1")),
        # The version comes from pkgver(), and the .SRCINFO is old.
        ("", "r90.abc-1", "r100.def-1", Bump(1, "r100.def-1")),
        ("CI_PACKAGE_BUMP=r100.def-1/1", "r90.abc-1", "r100.def-1.1", Bump(2, "r100.def-1")),
        ("CI_PACKAGE_BUMP=r100.def-1/1", "r90.abc-1", "", Bump(2, "r100.def-1")),
        ("CI_PACKAGE_BUMP=1.2-1.5/1", "1.2-1", "", Bump(1, "1.2-1")),  # which no bump can be for
        # A bump for every version stays one.
        ("CI_PACKAGE_BUMP=2", "1.2-1", "", Bump(3)),
        ("CI_PKGREL=2", "1.2-1", "1.2-1.4", Bump(5)),
        ("CI_PACKAGE_BUMP=0", "1.2-1", "", Bump(1, "1.2-1")),
        ("CI_PACKAGE_BUMP=1/1", "1.2-1", "", Bump(1, "1.2-1")),  # no version of any package
    ],
)
def test_the_next_bump(config: str, version: str, published: str, expected: Bump) -> None:
    loaded = load_package_config(config.encode(), origin="a/.CI/config").config

    assert next_bump(loaded, version, published) == expected


@pytest.mark.parametrize(
    ("config", "version", "published", "words"),
    [
        ("", "1.2-1.5", "", "no whole number"),
        ("CI_PACKAGE_BUMP=1.2-1/9999", "1.2-1", "", "more than 9999 times"),
        ("", "", "", "is not a version"),
        ("", "1.2-1", "1 2", "is not a version"),
    ],
)
def test_what_cannot_be_bumped(config: str, version: str, published: str, words: str) -> None:
    loaded = load_package_config(config.encode(), origin="a/.CI/config").config

    with pytest.raises(InputError, match=words):
        next_bump(loaded, version, published)


@pytest.mark.parametrize(
    ("content", "bump", "expected"),
    [
        (b"", Bump(1, "1.2-1"), b"CI_PACKAGE_BUMP=1.2-1/1\n"),
        (b"A=1", Bump(1, "1:1.2-1"), b"A=1\nCI_PACKAGE_BUMP=1:1.2-1/1\n"),
        (
            b"# why\n\nA = 'x'  # c\nCI_PACKAGE_BUMP=1-1/1\nB=\xff\n",
            Bump(2, "1-1"),
            b"# why\n\nA = 'x'  # c\nCI_PACKAGE_BUMP=1-1/2\nB=\xff\n",
        ),
        (
            b'\xef\xbb\xbfCI_PACKAGE_BUMP = "1-1/1"\r\nA=1\r\n',
            Bump(2, "1-1"),
            b'\xef\xbb\xbfCI_PACKAGE_BUMP = "1-1/2"\r\nA=1\r\n',
        ),
        (
            b"CI_PACKAGE_BUMP=0-1/1\nCI_PACKAGE_BUMP=1-1/1\n",
            Bump(2, "1-1"),
            b"CI_PACKAGE_BUMP=0-1/1\nCI_PACKAGE_BUMP=1-1/2\n",
        ),
        (b"CI_PACKAGE_BUMP=2\n", Bump(3), b"CI_PACKAGE_BUMP=3\n"),
        (b"CI_PKGREL=2\n", Bump(3), b"CI_PKGREL=3\n"),
        (b"CI_PKGREL=9\nCI_PACKAGE_BUMP=2\n", Bump(3), b"CI_PKGREL=9\nCI_PACKAGE_BUMP=3\n"),
    ],
)
def test_nothing_else_in_the_file_changes(content: bytes, bump: Bump, expected: bytes) -> None:
    assert with_bump(content, bump, origin="a/.CI/config") == expected


VERSIONS = st.from_regex(r"([1-9]:)?[0-9]{1,2}(\.[0-9a-c]{1,3})?-[1-9]", fullmatch=True)


@settings(max_examples=60, deadline=None)
@given(
    version=VERSIONS,
    old=VERSIONS | st.just(""),
    count=st.integers(1, 20),
    times=st.integers(1, 3),
)
def test_each_bump_makes_a_newer_version_than_the_one_before(
    version: str, old: str, count: int, times: int
) -> None:
    content = f"CI_PACKAGE_BUMP={old or version}/{count}\n".encode()
    loaded = load_package_config(content, origin="x").config
    # With a newer version in the bump, that is what the last build made.
    there = old if old and vercmp(old, version) > 0 else version
    built = f"{there.rpartition('-')[0]}-{bumped_pkgrel(loaded, there)}"

    for _ in range(times):
        bump = next_bump(loaded, version, built)
        content = with_bump(content, bump, origin="x")
        loaded = load_package_config(content, origin="x").config
        newer = f"{there.rpartition('-')[0]}-{bumped_pkgrel(loaded, there)}"
        assert newer == bumped_version(bump, there)
        assert vercmp(newer, built) > 0
        built = newer
