"""What passes here is taken by the AUR's hook; what it refuses is told with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caur_ci.aur_repository.licences import is_licence_file
from caur_ci.aur_repository.rules import LARGEST_FILE, broken_rules
from caur_ci.git.repository import FILE_MODE
from caur_ci.git.trees import LINK_MODE, SUBMODULE_MODE, TreeFile
from tests.support.aur_hook import refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

SRCINFO = "pkgbase = app\n\tpkgver = 1.0\n\tpkgrel = 1\n\tarch = any\n{}\npkgname = app\n{}"
RECIPE = ("PKGBUILD", ".SRCINFO")


def files(*paths: str, mode: str = FILE_MODE, size: int = 10) -> list[TreeFile]:
    return [
        *(TreeFile(FILE_MODE, "0" * 40, path, 10) for path in RECIPE),
        *(TreeFile(mode, "0" * 40, path, size) for path in paths),
    ]


def srcinfo(base: str = "", package: str = "") -> bytes:
    lines = [f"\t{line}\n" for line in base.split("\n") if line]
    return SRCINFO.format("".join(lines), package).encode()


def told(broken: Iterable[object]) -> str:
    return "\n".join(map(str, broken))


def hook(name: str, content: bytes | None, there: list[TreeFile]) -> str:
    return refusal(name, {file.path: file.size for file in there}, content)


def test_a_package_that_breaks_no_rule() -> None:
    content = srcinfo(
        "epoch = 1\nsource = a.patch\nsource = x::https://e.org/a\nsource_x86_64 = lp:a\n"
        "install = app.install\n"
    )
    there = files("a.patch", "app.install", "keys/pgp/A.asc", "LICENSES/0BSD.txt", "README.md")

    assert broken_rules("app", content, there) == []
    assert hook("app", content, there) == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (srcinfo("source = a.patch"), "source names 'a.patch', and there is no such file"),
        (srcinfo("source_aarch64 = a.patch\narch = aarch64"), "source_aarch64 names 'a.patch'"),
        (srcinfo("source = b::PKGBUILD"), "cannot have another name: write it without ::"),
        (srcinfo("install = app.install"), "install names 'app.install'"),
        (srcinfo("", "\tchangelog = Changes\n"), "changelog names 'Changes'"),
        (srcinfo(f"pkgdesc = {'x' * 256}"), "pkgdesc has 256 characters"),
        (srcinfo(f"url = {'x' * 8001}"), "url has 8001 characters"),
        (srcinfo(f"source = https://e.org/{'x' * 8000}"), "The AUR takes 8000 of them"),
        (srcinfo("epoch = 1a"), "epoch is '1a'"),
        (srcinfo("", "\npkgname = App\n"), "pkgname is 'App'"),
        (srcinfo("", f"\npkgname = {'x' * 256}\n"), "cannot be the name of a package"),
        (srcinfo().replace(b"\tarch = any\n", b""), "arch is missing"),
        (srcinfo().replace(b"pkgbase = app", b"pkgbase = other"), "Call the folder other"),
        (srcinfo().replace(b"\tpkgver = 1.0\n", b""), "has no pkgver"),
        (srcinfo("what is this"), "line 5: cannot be read"),
        (srcinfo("pkgdesc = a\u2028b"), "other ends of lines"),
        (b"\xef\xbb\xbf" + srcinfo(), "byte order mark"),
        (srcinfo("", "pkgbase = app\n"), "pkgbase does not stand once and first"),
        (b"", "is empty"),
        (None, "caur-ci srcinfo --write"),
    ],
    ids=[
        *("source", "arch-source", "renamed-source", "install", "changelog", "pkgdesc", "url"),
        *("long-source", "epoch", "pkgname", "long-pkgname", "arch", "pkgbase", "pkgver", "line"),
        *("separator", "bom", "two-bases", "empty", "missing"),
    ],
)
def test_what_the_hook_refuses_of_a_srcinfo_is_told_here(content: bytes | None, words: str) -> None:
    broken = broken_rules("app", content, files())

    assert words in told(broken)
    assert hook("app", content, files())
    assert all(it.remedy for it in broken)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("patches/a.patch", "it is in a folder"),
        ("keys/a.asc", "it is in a folder"),
        ("keys/pgp/a.gpg", "it is in a folder"),
        ("LICENSES/sub/MIT.txt", "no such file in LICENSES"),
        ("LICENSES/MIT.pdf", "no such file in LICENSES"),
        ("LICENSES/Mine.txt", "Call it after its SPDX identifier"),
        ("keys", "wants a folder where this name is"),
    ],
    ids=[
        "folder",
        "key-place",
        "key-name",
        "licence-place",
        "licence-form",
        "licence-name",
        "file",
    ],
)
def test_what_the_hook_refuses_of_files_is_told_here(path: str, words: str) -> None:
    (broken,) = broken_rules("app", srcinfo(), files(path))

    assert (broken.file, words in str(broken)) == (path, True)
    assert hook("app", srcinfo(), files(path))


def test_a_file_has_a_largest_size() -> None:
    too_large = files("a.bin", size=LARGEST_FILE + 1)

    assert "500,001 bytes" in told(broken_rules("app", srcinfo(), too_large))
    assert hook("app", srcinfo(), too_large)
    assert broken_rules("app", srcinfo(), files("a.bin", size=LARGEST_FILE)) == []


@pytest.mark.parametrize("mode", [LINK_MODE, SUBMODULE_MODE], ids=["link", "submodule"])
def test_only_files_go_there(mode: str) -> None:
    (broken,) = broken_rules("app", srcinfo(), files("a", mode=mode))
    assert broken.remedy == "Commit the file itself."


def test_names_that_the_aur_has_no_repositories_for() -> None:
    content = srcinfo().replace(b"app", b"App")
    broken = broken_rules("App", content, files())

    assert "the AUR has no repositories with names such as App" in told(broken)
    assert hook("App", content, files())


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("GPL-3.0-or-later.txt", True),
        ("Classpath-exception-2.0.md", True),
        ("LicenseRef-custom.txt", True),
        ("gpl-3.0-or-later.txt", False),
        ("MIT OR 0BSD.txt", False),
        ("MIT", False),
    ],
)
def test_files_of_licences_are_called_after_them(name: str, taken: bool) -> None:
    assert is_licence_file(name) is taken


ODD = st.text("ab0.+_-:/= \t\u2028\u00e9\u0085#\\'", max_size=6)
VALUES = st.one_of(
    ODD,
    st.sampled_from(
        ["", "any", "1", "a.patch", "x::a.patch", "https://e.org/a", "app", "keys", "."]
    ),
)
KEYS = st.sampled_from(
    [
        *("pkgbase", "pkgname", "pkgver", "pkgrel", "epoch", "arch", "source", "source_any"),
        *("install", "changelog", "pkgdesc", "url", "license", "sourcex", "x y", ""),
    ]
)
PATHS = st.sampled_from(
    [
        *("a.patch", "keys/pgp/a.asc", "keys/pgp/.asc", "keys/a", "LICENSES/MIT.txt"),
        *("LICENSES/.txt", "LICENSES/LicenseRef-.md", "sub/a.patch", "keys", "b c", "é"),
    ]
)


@settings(max_examples=100)
@given(
    lines=st.lists(st.tuples(KEYS, VALUES), max_size=3),
    at_end=st.booleans(),
    paths=st.sets(PATHS, max_size=3),
    size=st.sampled_from([0, LARGEST_FILE, LARGEST_FILE + 1]),
)
def test_what_passes_here_is_accepted_there(
    lines: list[tuple[str, str]], *, at_end: bool, paths: set[str], size: int
) -> None:
    added = "".join(f"\t{key} = {value}\n" for key, value in lines)
    content = SRCINFO.format(*(("", added) if at_end else (added, ""))).encode()
    there = files(*sorted(paths), size=size)

    if not broken_rules("app", content, there):
        assert hook("app", content, there) == ""
