"""Package folders as somebody would make them who wants the tools that read them to fall over."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hypothesis import strategies as st

from tests.support.git import git

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FILE, _PROGRAM, _LINK, _SUBMODULE, _FOLDER = "100644", "100755", "120000", "160000", "040000"
_NUMBERS = ["1", "0", "-1", "9" * 5_000, "1e999", "²", "0x10", "1/1", "2/1", "9" * 30 + "/9", ""]
_SOURCES = ["aur", "custom", "https://[::1", "ext::sh -c x", "--upload-pack=x", "file:///nowhere"]
_WORDS = [
    *(b"\0", b"\r\n", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"=\n", b"({[" * 3_000),
    *(b"<<E\n" * 1_200, b"a" * 100_000, b"::stop-commands::x\n", b"[deploy all]\n", b"\x1b[31m"),
    "\u202e\u2028\u0085".encode(),
]
_NAMES = [
    *(b"a\nb", b"-x", b"\xff\xfe", b"a b", b"A", b"a:b", b"x" * 255, b"'q'", b"\\", b"*", b"@"),
    *(b"a..b", b"a.lock", b"HEAD", b"$x", b"\x1b[31m", b"\x01", "\u202ex".encode()),
]


class HostileFile(NamedTuple):
    """An entry of a folder; the content is where a link leads, and nothing for a submodule."""

    mode: str
    content: bytes


def hostile_names() -> st.SearchStrategy[bytes]:
    """Return names of files and folders."""
    odd = st.binary(min_size=1, max_size=20).filter(
        lambda name: not set(name) & {0, 0x2F} and name not in {b".", b".."}
    )
    return st.sampled_from(_NAMES) | odd.filter(lambda name: name.lower() != b".git")


def hostile_folders(name: str) -> st.SearchStrategy[dict[bytes, HostileFile]]:
    """Return contents of the folder of a package `name`, by path; all of them may be missing."""
    srcinfo = (
        f"pkgbase = {name}\n\tpkgver = %s\n\tpkgrel = 1\n\tepoch = %s\n\tarch = any\n"
        f"\tdepends = good>=%s\n\npkgname = {name}\n"
    )
    pkgbuild = f"pkgname={name}\npkgver=%s\npkgrel=$((%s))\nepoch=%s\narch=(any)\n"
    config = "CI_PACKAGE_BUMP=%s\nBUILDER_CLASS=%s\nCI_PKGREL=%s\n"
    source = st.sampled_from(_SOURCES).map(lambda it: f"CI_PKGBUILD_SOURCE={it}\n".encode())
    return st.fixed_dictionaries(
        {},
        optional={
            b"PKGBUILD": _files(_with_numbers(pkgbuild)),
            b".SRCINFO": _files(_with_numbers(srcinfo)),
            b".CI/config": _files(_with_numbers(config) | source),
            b".CI/PKGBUILD.append": _files(_with_numbers("pkgrel=%s\n%s%s\n")),
        },
    ).flatmap(
        lambda files: st.dictionaries(hostile_names(), _files(_junk()), max_size=2).map(
            lambda more: more | files
        )
    )


def _with_numbers(text: str) -> st.SearchStrategy[bytes]:
    numbers = st.tuples(*[st.sampled_from(_NUMBERS)] * 3)
    return numbers.map(lambda values: (text % values).encode())


def _junk() -> st.SearchStrategy[bytes]:
    return st.binary(max_size=300) | st.sampled_from(_WORDS)


def _files(content: st.SearchStrategy[bytes]) -> st.SearchStrategy[HostileFile]:
    spoilt = st.tuples(content, _junk(), st.integers(0, 200)).map(
        lambda parts: parts[0][: parts[2]] + parts[1] + parts[0][parts[2] :]
    )
    modes = st.sampled_from([*[_FILE] * 8, _PROGRAM, _LINK, _SUBMODULE, _FOLDER])
    return st.builds(HostileFile, modes, content | spoilt | _junk())


def write_tree(folder: Path, files: Mapping[bytes, HostileFile]) -> str:
    """Store a folder in the git repository at `folder`, and return its id."""
    entries: dict[bytes, bytes] = {}
    below: dict[bytes, dict[bytes, HostileFile]] = {}
    for path, file in files.items():
        first, slash, rest = path.partition(b"/")
        if slash:
            below.setdefault(first, {})[rest] = file
        else:
            entries[first] = _entry(folder, file)
    for name, inner in below.items():
        entries[name] = f"{_FOLDER} tree {write_tree(folder, inner)}".encode()
    listing = b"".join(b"%s\t%s\0" % (entry, name) for name, entry in entries.items())
    return git(folder, "mktree", "-z", "--missing", stdin=listing)


def _entry(folder: Path, file: HostileFile) -> bytes:
    if file.mode == _SUBMODULE:
        return f"{_SUBMODULE} commit {'1' * 40}".encode()
    if file.mode == _FOLDER:
        inner = {b"x": HostileFile(_FILE, file.content)}
        return f"{_FOLDER} tree {write_tree(folder, inner)}".encode()
    blob = git(folder, "hash-object", "-w", "--stdin", stdin=file.content)
    return f"{file.mode} blob {blob}".encode()
