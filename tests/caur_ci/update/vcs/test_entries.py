"""Which sources of a package follow upstream commits."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caur_ci.update.vcs.entries import MOST_ENTRIES, Place, followed_sources


def places(*sources: str, pkgbuild: str = "") -> list[str]:
    found = followed_sources(srcinfo(*sources), pkgbuild.encode())
    assert found.refused == ()
    return [f"{place.tool} {place.url} {place.branch}".rstrip() for place in found.places]


def srcinfo(*sources: str) -> bytes:
    lines = "".join(f"\tsource = {source}\n" for source in sources)
    return f"pkgbase = a-git\n\tpkgver = 1\n{lines}\npkgname = a-git\n".encode()


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("git+https://h.org/a.git", "git https://h.org/a.git"),
        ("name::git+https://h.org/a", "git https://h.org/a"),
        ("git://h.org/a", "git git://h.org/a"),
        ("git+git://h.org/a", "git git://h.org/a"),
        ("git+ssh://git@h.org:22/a.git", "git ssh://git@h.org:22/a.git"),
        ("git+https://h.org/a#branch=x/y", "git https://h.org/a x/y"),
        ("git+https://h.org/a?signed", "git https://h.org/a"),
        ("git+https://h.org/a.git?signed#branch=x", "git https://h.org/a.git x"),
        ("git+https://h.org/a#branch=x?signed", "git https://h.org/a x"),
        ("svn+https://h.org/trunk", "svn https://h.org/trunk"),
        ("svn://h.org/trunk", "svn svn://h.org/trunk"),
        ("svn+ssh://h.org/trunk", "svn svn+ssh://h.org/trunk"),
        ("hg+https://h.org/a#branch=stable", "hg https://h.org/a stable"),
        ("bzr+https://h.org/a", "bzr https://h.org/a"),
    ],
)
def test_what_moves_is_followed(source: str, place: str) -> None:
    assert places(source) == [place]


@pytest.mark.parametrize(
    "source",
    [
        "git+https://h.org/a#commit=" + "a" * 40,
        "git+https://h.org/a#tag=v1?signed",
        "hg+https://h.org/a#revision=5",
        "svn+https://h.org/a#revision=5",
        "https://h.org/a.git",
        "a.patch",
        "fossil+https://h.org/a",
        "",
    ],
)
def test_what_does_not_move_is_not(source: str) -> None:
    assert places(source) == []


def test_sources_of_all_architectures_each_once() -> None:
    text = b"\tsource = a::git+https://h.org/a\n\tsource_x86_64 = b::git+https://h.org/b\n"

    found = followed_sources(text + b"\tsource_aarch64 = c::git+https://h.org/a\nsource=\n")

    assert [str(place) for place in found.places] == ["https://h.org/a", "https://h.org/b"]


@pytest.mark.parametrize(
    "source",
    [
        "git+file:///etc",
        "git+ext://sh -c x",
        "git+https://-oProxyCommand=x/a",
        "git+ssh://-oProxyCommand=x/a",
        "git+https://h.org/",
        "git+https://h.org:port/a",
        "git+https://h.org/a#branch=--upload-pack=x",
        "git+https://h.org/a#branch=a..b",
        "git+git@h.org:a/b",
        "git+https://h.org/" + "a" * 600,
        "git+https://h.org/\u202ea",
        "hg+file:///srv",
        "svn+foo://h.org/a",
        "bzr+lp:a",
    ],
)
def test_what_could_do_harm_is_refused(source: str) -> None:
    found = followed_sources(srcinfo(source, "git+https://h.org/a"))

    assert [str(place) for place in found.places] == ["https://h.org/a"]
    assert len(found.refused) == 1
    assert "is not followed" in found.refused[0]
    assert found.refused[0].isascii()


def test_passwords_are_not_shown() -> None:
    (place,) = followed_sources(srcinfo("git+https://me:secret@h.org/a")).places
    (refused,) = followed_sources(srcinfo("git+ftp://me:secret@h.org/a")).refused

    assert str(place) == "https://h.org/a"
    assert place.host == "h.org"
    assert "secret" not in refused


@pytest.mark.parametrize(
    "line",
    [
        'git config submodule.libs/sub.url "$srcdir/sub"',
        'git config "submodule.sub.url" "${srcdir}"/sub',
        "git submodule set-url libs/sub ${srcdir}/sub.git; git status",
        'git -c submodule.sub.url="$srcdir/sub" submodule update',
    ],
)
def test_submodules_are_left_alone(line: str) -> None:
    sources = ("git+https://h.org/a.git", "git+https://h.org/sub.git", "git+https://h.org/b.git")

    assert places(*sources, pkgbuild=f"prepare() {{\n  {line}\n}}\n") == [
        "git https://h.org/a.git",
        "git https://h.org/b.git",
    ]


def test_submodules_whose_names_are_worked_out_leave_the_first() -> None:
    pkgbuild = 'for it in sub b; do\n git config "submodule.$it.url" "$srcdir/$it"\ndone\n'

    assert places("git+https://h.org/a", "git+https://h.org/sub", pkgbuild=pkgbuild) == [
        "git https://h.org/a"
    ]


def test_the_only_source_is_followed_whatever_the_pkgbuild_says() -> None:
    pkgbuild = 'git config submodule.a.url "$srcdir/a"\n'

    assert places("git+https://h.org/a", pkgbuild=pkgbuild) == ["git https://h.org/a"]


def test_very_many_are_cut() -> None:
    found = followed_sources(srcinfo(*(f"git+https://h.org/{n}" for n in range(1000))))

    assert len(found.places) == MOST_ENTRIES
    assert found.places[0] == Place("git", "https://h.org/0")
    assert found.refused == ("it has 1000 upstream repositories: 64 are followed",)


_WORDS = st.sampled_from(
    ["\tsource = ", "source_x86_64=", "git+", "https://", "h.org/a", "#branch=", "?signed", "::",
     "[", "@", ":", "\n", "%", "\u202e", "submodule.x.url ", "$srcdir/", '"', "svn+ssh://"]
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(_WORDS | st.text(max_size=3), max_size=40).map("".join),
    st.binary(max_size=40) | st.lists(_WORDS, max_size=20).map(lambda it: "".join(it).encode()),
)
def test_whatever_is_written_there_only_plain_addresses_come_of_it(
    text: str, pkgbuild: bytes
) -> None:
    found = followed_sources(text.encode("utf-8", "replace"), pkgbuild)

    for place in found.places:
        assert place.url.isascii()
        assert place.url.isprintable()
        assert place.url.partition("://")[0].lower() in {"https", "http", "git", "ssh", "svn",
                                                         "svn+ssh", "bzr", "bzr+ssh"}  # fmt: skip
        assert place.host[0].isalnum()
        assert not place.branch.startswith("-")
