"""What kind of file a content is, by its first bytes and by its name."""

from __future__ import annotations

import re
from enum import Enum


class Kind(Enum):
    """What the first bytes of a file say that it is."""

    PROGRAM = "program"
    ARCHIVE = "archive"
    PICTURE = "picture"
    FONT = "font"
    DOCUMENT = "document"
    SCRIPT = "script"
    TEXT = "text"
    BINARY = "binary"


_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"\x7fELF", Kind.PROGRAM),
    (b"MZ", Kind.PROGRAM),
    *(
        (magic, Kind.PROGRAM)
        for magic in (b"\xfe\xed\xfa", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
    ),
    (b"\x00asm", Kind.PROGRAM),
    (b"dex\n", Kind.PROGRAM),
    *(
        (magic, Kind.ARCHIVE)
        for magic in (b"\x1f\x8b", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"BZh")
    ),
    *((magic, Kind.ARCHIVE) for magic in (b"PK\x03\x04", b"7z\xbc\xaf", b"Rar!", b"!<arch>\n")),
    *((magic, Kind.ARCHIVE) for magic in (b"hsqs", b"070701", b"\x04\x22\x4d\x18", b"LZIP")),
    *((magic, Kind.PICTURE) for magic in (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"\0\0\1\0")),
    *((magic, Kind.PICTURE) for magic in (b"RIFF", b"BM", b"icns", b"II*\0", b"MM\0*")),
    *((magic, Kind.FONT) for magic in (b"\0\1\0\0", b"OTTO", b"wOFF", b"wOF2", b"ttcf", b"true")),
    (b"%PDF-", Kind.DOCUMENT),
    (b"#!", Kind.SCRIPT),
)
_SUFFIXES: dict[Kind, frozenset[str]] = {
    Kind.PICTURE: frozenset(
        {"png", "jpg", "jpeg", "gif", "ico", "bmp", "webp", "icns", "tif", "tiff"}
    ),
    Kind.FONT: frozenset({"ttf", "otf", "woff", "woff2", "ttc"}),
    Kind.DOCUMENT: frozenset({"pdf"}),
    Kind.ARCHIVE: frozenset(
        {
            *(
                "gz",
                "xz",
                "zst",
                "bz2",
                "zip",
                "7z",
                "rar",
                "tar",
                "tgz",
                "txz",
                "jar",
                "deb",
                "rpm",
            ),
            *("lz4", "lz", "cpio", "apk", "whl", "crx", "xpi"),
        }
    ),
    Kind.TEXT: frozenset(
        {
            *("patch", "diff", "txt", "conf", "desktop", "service", "timer", "socket", "install"),
            *(
                "md",
                "json",
                "toml",
                "yaml",
                "yml",
                "ini",
                "cfg",
                "hook",
                "rules",
                "sysusers",
                "xml",
            ),
            *("tmpfiles", "preset", "svg", "html", "css", "asc", "cmake", "c", "h", "policy"),
        }
    ),
}
# As text these may begin with `#!` as well.
_PLAIN = frozenset({Kind.TEXT, Kind.SCRIPT})
_INTERPRETER = re.compile(rb"#!\s*(?:/usr/bin/env\s+(?:-S\s+)?)?(?:[\w/.-]*/)?([\w.+-]+)")
_SHELLS = frozenset({"sh", "bash", "dash", "ksh", "zsh", "ash"})
_SHELL_SUFFIXES = (".sh", ".bash", ".install")


def kind_of(data: bytes) -> Kind:
    """Return what a file's content says that it is."""
    for magic, kind in _MAGIC:
        if data.startswith(magic) and (
            len(magic) > 2 or kind is not Kind.PICTURE or _is_binary(data)
        ):
            return kind if magic != b"MZ" or _is_binary(data) else Kind.TEXT
    if data[257:262] == b"ustar":
        return Kind.ARCHIVE
    return Kind.BINARY if _is_binary(data) else Kind.TEXT


def has_false_suffix(path: str, kind: Kind) -> bool:
    """Tell whether a file's name claims another kind than its content has."""
    suffix = path.rpartition(".")[2].lower()
    claimed = next((it for it, suffixes in _SUFFIXES.items() if suffix in suffixes), None)
    if claimed is None or claimed is kind:
        return False
    return not (claimed in _PLAIN and kind in _PLAIN)


def is_shell(path: str, data: bytes) -> bool:
    """Tell whether bash, or another shell, reads a file."""
    match = _INTERPRETER.match(data)
    if match is not None:
        return match[1].decode() in _SHELLS
    return path.endswith(_SHELL_SUFFIXES)


def interpreter(data: bytes) -> str:
    """Return the program that the first line of a script names, empty where there is none."""
    match = _INTERPRETER.match(data)
    return match[1].decode() if match else ""


def _is_binary(data: bytes) -> bool:
    return b"\0" in data[:8192]
