"""Where databases and the index are, and how they come here."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from caur_ci.errors import CaurError
from caur_ci.linkage import IMPORTS, LINKAGE
from caur_ci.rebuild.offers import FilesDatabase
from caur_ci.web import WebError, shown_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from caur_ci.web import Web, WebResponse

_DATABASE = re.compile(r"(?P<name>[^/]+?)\.(?:db|files)(?P<rest>\.tar(?:\.[a-z0-9]+)?)?")
_NOT_MODIFIED = 304
_ETAG, _MODIFIED = "etag", "last-modified"
_LONGEST_TAG = 200
GONE = frozenset({403, 404, 410})


class DatabaseUrlError(CaurError):
    """A URL is not that of a database."""


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """The URL of a database, `…/NAME.db` or likewise."""

    url: str

    @property
    def name(self) -> str:
        """The name of the repository. Raises DatabaseUrlError."""
        return self._match()["name"]

    @property
    def files(self) -> str:
        """The URL of the database with the lists of files as well. Raises DatabaseUrlError."""
        match = self._match()
        return self._beside(f"{match['name']}.files{match['rest'] or ''}")

    @property
    def index(self) -> str:
        """The URL of the index of what its packages need. Raises DatabaseUrlError."""
        return self._beside(LINKAGE.file(self.name))

    @property
    def imports(self) -> str:
        """The URL of the index of the names that its packages take. Raises DatabaseUrlError."""
        return self._beside(IMPORTS.file(self.name))

    def package(self, file: str) -> str:
        """Return the URL of a package file of this repository."""
        return self._beside(quote(file))

    def ahead(self, stage: str) -> DatabaseUrl:
        """Return that of the repository which comes before this one: `core-testing` for `core`.

        The name is in the path as well, as on the mirrors of distributions. Raises
        DatabaseUrlError.
        """
        name, parts = self.name, urlsplit(self.url)
        folders = [
            f"{name}-{stage}" if part == name else part
            for part in posixpath.dirname(parts.path).split("/")
        ]
        file = posixpath.basename(parts.path).replace(name, f"{name}-{stage}", 1)
        return DatabaseUrl(urlunsplit(parts._replace(path="/".join([*folders, file]))))

    def _match(self) -> re.Match[str]:
        match = _DATABASE.fullmatch(posixpath.basename(urlsplit(self.url).path))
        if match is None:
            raise DatabaseUrlError(
                f"{shown_url(self.url)} is not the URL of a database",
                hint="Such a URL ends in NAME.db, NAME.files, or these with .tar.gz and the like.",
            )
        return match

    def _beside(self, file: str) -> str:
        parts = urlsplit(self.url)
        path = posixpath.join(posixpath.dirname(parts.path), file)
        return urlunsplit(parts._replace(path=path))


@dataclass(slots=True)
class Shelf:
    """Fetches files, and asks first whether any has changed.

    `tags` are what servers said of each file when it was read last, by URL as it may be shown;
    those of this time are added.
    """

    web: Web
    tags: dict[str, str] = field(default_factory=dict)
    _fetched: dict[str, bytes] = field(default_factory=dict)

    def unchanged(self, urls: Iterable[str], known: Mapping[str, str]) -> bool:
        """Tell whether all files are as they were when their tags were `known`.

        Raises WebError.
        """
        for url in urls:
            tag = known.get(shown_url(url))
            if not tag:
                return False
            path = _local(url)
            if path is not None:
                if _tag_of_file(path) != tag:
                    return False
            elif self._get(url, _conditions(tag)).status != _NOT_MODIFIED:
                return False
            self.tags[shown_url(url)] = tag
        return True

    def fetch(self, url: str) -> bytes | Path:
        """Return a file, or where it is. Raises WebError."""
        path = _local(url)
        if path is not None:
            self.tags[shown_url(url)] = _tag_of_file(path)
            return path
        if url not in self._fetched:
            self._get(url, {})
        return self._fetched.pop(url)

    def _get(self, url: str, conditions: Mapping[str, str]) -> WebResponse:
        # The server's own compression would come on top of that of the file.
        answer = self.web.get(url, headers={"Accept-Encoding": "identity", **conditions})
        if answer.status != _NOT_MODIFIED:
            self.tags[shown_url(url)] = _tag_of(answer)
            self._fetched[url] = answer.content
        return answer

    def package(self, url: str) -> bytes | Path:
        """Return a package file, or where it is. Raises WebError."""
        path = _local(url)
        if path is not None:
            _tag_of_file(path)
            return path
        return self.web.get(url, headers={"Accept-Encoding": "identity"}).content

    def database(self, url: DatabaseUrl) -> FilesDatabase:
        """Return the `.files` database. Raises WebError and DatabaseUrlError."""
        return FilesDatabase(url.name, self.fetch(url.files))

    def database_if_any(self, url: DatabaseUrl) -> FilesDatabase | None:
        """Return the `.files` database, None where there is none. Raises as `database`."""
        try:
            return self.database(url)
        except WebError as error:
            if error.status in GONE:
                return None
            raise


def _conditions(tag: str) -> dict[str, str]:
    kind, _, value = tag.partition(" ")
    return {"If-None-Match" if kind == _ETAG else "If-Modified-Since": value}


def _tag_of(answer: WebResponse) -> str:
    for kind in (_ETAG, _MODIFIED):
        value = answer.headers.get(kind, "")
        if value and len(value) <= _LONGEST_TAG and value.isprintable():
            return f"{kind} {value}"
    return ""


def _local(url: str) -> Path | None:
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _tag_of_file(path: Path) -> str:
    try:
        status = path.stat()
    except OSError as error:
        raise WebError(f"{path} cannot be read: {error.strerror}", status=404) from error
    return f"{status.st_size}-{status.st_mtime_ns}"
