"""`.PKGINFO` and `.MTREE`: taking out what packages here must not have."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import zlib

from scheduler.result.errors import BadPackageError

PKGINFO, MTREE = b".PKGINFO", b".MTREE"
MAX_PKGINFO = 1024 * 1024
MAX_MTREE = 32 * 1024 * 1024
_MAX_MTREE_TEXT = 128 * 1024 * 1024

# With them a package can put itself in the place of any other one.
_PROHIBITED = frozenset({b"replaces", b"group"})
_PKGINFO_LINE = re.compile(rb"^\./\.PKGINFO( [^\n]*)?$", re.MULTILINE)
_DIGESTS = {
    b"md5": "md5",
    b"md5digest": "md5",
    b"sha1": "sha1",
    b"sha1digest": "sha1",
    b"sha256": "sha256",
    b"sha256digest": "sha256",
    b"sha384": "sha384",
    b"sha384digest": "sha384",
    b"sha512": "sha512",
    b"sha512digest": "sha512",
}
_KEPT_KEYWORDS = frozenset(
    {b"time", b"type", b"uid", b"gid", b"uname", b"gname", b"mode", b"nlink"}
)


def without_prohibited(pkginfo: bytes) -> tuple[bytes, list[str]]:
    """Return a `.PKGINFO` without the fields that are not allowed, and the lines that went."""
    kept, gone = [], []
    for line in pkginfo.split(b"\n"):
        if line.partition(b"=")[0].strip() in _PROHIBITED:
            gone.append(line.decode(errors="backslashreplace").strip())
        else:
            kept.append(line)
    return b"\n".join(kept), gone


def with_pkginfo(mtree: bytes, pkginfo: bytes) -> bytes:
    """Return the `.MTREE` with what it says of `.PKGINFO` changed to fit this one.

    Raises BadPackageError.
    """
    text = _text_of(mtree)
    found = _PKGINFO_LINE.findall(text)
    if len(found) != 1:
        raise BadPackageError("its .MTREE does not describe .PKGINFO as makepkg does")
    line = b" ".join([b"./.PKGINFO", *_keywords(found[0].split(), pkginfo)])
    changed = _PKGINFO_LINE.sub(lambda _: line, text)
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, filename="") as stream:
        stream.write(changed)
    return packed.getvalue()


def _keywords(words: list[bytes], pkginfo: bytes) -> list[bytes]:
    fresh = []
    for word in words:
        key = word.partition(b"=")[0]
        if key == b"size":
            fresh.append(b"size=%d" % len(pkginfo))
        elif key in _DIGESTS:
            digest = hashlib.new(_DIGESTS[key], pkginfo, usedforsecurity=False)
            fresh.append(b"%s=%s" % (key, digest.hexdigest().encode()))
        elif key in _KEPT_KEYWORDS:
            fresh.append(word)
        # Any other would be about the old content, and nobody has to have it.
    return fresh


def _text_of(mtree: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(mtree)) as stream:
            text = stream.read(_MAX_MTREE_TEXT + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise BadPackageError(f"its .MTREE cannot be read: {error}") from error
    if len(text) > _MAX_MTREE_TEXT:
        raise BadPackageError("its .MTREE is too large")
    return text
