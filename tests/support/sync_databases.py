"""Sync databases for tests, with what one wants in them. Real ones come from repo-add."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
from typing import TYPE_CHECKING

from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def desc(name: str, version: str, *, base: str = "", **fields: Iterable[str]) -> bytes:
    """Return a package's `desc`; `fields` are further ones, such as `provides`."""
    known = {"filename": [f"{name}-{version}-any.pkg.tar.zst"], "name": [name]}
    known |= {"base": [base or name], "version": [version]}
    known |= {heading: list(values) for heading, values in fields.items()}
    parts = (f"%{heading.upper()}%\n" + "\n".join(it) + "\n\n" for heading, it in known.items())
    return "".join(parts).encode()


def archive(files: Mapping[str, bytes] | Iterable[tuple[str, bytes]]) -> bytes:
    """Return an archive without compression of files by path."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in files.items() if hasattr(files, "items") else files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def database(versions: Mapping[str, str]) -> bytes:
    """Return a `.db` of packages, compressed with gzip."""
    return gzip.compress(
        archive({f"{name}-{it}/desc": desc(name, it) for name, it in versions.items()}),
        compresslevel=1,
        mtime=0,
    )


def compressed(content: bytes, program: str) -> bytes:
    """Return something compressed with gzip, xz or zstd, or not at all."""
    if program == "gzip":
        return gzip.compress(content)
    if program == "xz":
        return lzma.compress(content)
    return run(["zstd", "-q", "-c"], stdin=content).stdout if program == "zstd" else content
