"""The AUR's metadata archive: all packages in one compressed file, made anew every five minutes."""

from __future__ import annotations

import gzip
import io
import json
import os
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.aur.errors import AurError
from caur_ci.aur.package import AurPackage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from caur_ci.web import Web

_NAME = "packages-meta-v1.json.gz"
_GZIP = b"\x1f\x8b"
_LONGEST_LINE = 1024 * 1024
_LARGEST = 4 * 1024**3


@dataclass(frozen=True, slots=True)
class ArchiveCache:
    """The last archive that was fetched, in a folder, with what the server called it."""

    folder: Path

    @property
    def _content(self) -> Path:
        return self.folder / _NAME

    @property
    def _tag(self) -> Path:
        return self.folder / f"{_NAME}.etag"

    def load(self) -> tuple[bytes, str]:
        """Return the archive and its ETag, both empty where there is none."""
        try:
            return self._content.read_bytes(), self._tag.read_text(encoding="utf-8")
        except OSError:
            return b"", ""

    def store(self, content: bytes, tag: str) -> None:
        """Keep an archive in place of the last one. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._tag.unlink(missing_ok=True)  # never the tag of one with the content of another
        for path, data in ((self._content, content), (self._tag, tag.encode())):
            fresh = path.with_name(f"{path.name}.{os.getpid()}")
            fresh.write_bytes(data)
            fresh.replace(path)


def fetch_archive(
    web: Web, url: str, bases: Collection[str], cache: ArchiveCache | None = None
) -> list[AurPackage]:
    """Return all packages of `bases` in the archive of the AUR at `url`.

    With a `cache`, an archive that has not changed is not sent again. Raises AurError for an
    archive that is damaged, WebError when there is no answer.
    """
    kept, tag = cache.load() if cache else (b"", "")
    # The server's own compression would come on top of that of the file.
    headers = {"Accept-Encoding": "identity"} | ({"If-None-Match": tag} if tag else {})
    answer = web.get(f"{url}/{_NAME}", headers=headers)
    if answer.status == 304:
        if not kept:
            raise AurError("the AUR says that its archive has not changed, but none is known")
        return list(_packages(kept, bases))
    packages = list(_packages(answer.content, bases))
    if cache and (new_tag := answer.headers.get("etag", "")):
        cache.store(answer.content, new_tag)
    return packages


def _packages(content: bytes, bases: Collection[str]) -> Iterator[AurPackage]:
    if not content.startswith(_GZIP):
        raise AurError("the AUR's archive is not compressed as it should be")
    try:
        for record in _records(content):
            # Most of a hundred thousand packages are nobody's concern here.
            base = record.get("PackageBase") if isinstance(record, dict) else None
            if isinstance(base, str) and base in bases:
                yield AurPackage.from_record(record)
    except (ValueError, RecursionError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise AurError(f"the AUR's archive is damaged: {error}") from error


def _records(content: bytes) -> Iterator[object]:
    """Yield the elements: one JSON array, with each element on a line of its own."""
    size = 0
    closed = False
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
        while line := stream.readline(_LONGEST_LINE):
            size += len(line)
            if size > _LARGEST:
                raise ValueError(f"it is larger than {_LARGEST} bytes")
            text = line.strip().removesuffix(b",")
            closed = text == b"]"
            if text not in {b"", b"[", b"]"}:
                yield json.loads(text)
    if not closed:
        raise ValueError("it has no end")
