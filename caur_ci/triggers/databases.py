"""Reads library databases anew, where they are other ones than before."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import reduce
from typing import TYPE_CHECKING, Protocol

from caur_ci.errors import CaurError, ProcessError
from caur_ci.syncdb import SyncDatabaseError, read_packages
from caur_ci.triggers.moves import is_newer
from caur_ci.triggers.snapshots import MAX_LIBRARIES, DatabaseSnapshot
from caur_ci.web import WebError, WebResponse, shown_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

_log = logging.getLogger(__name__)


class GetDatabase(Protocol):
    """Fetches the file at a URL, under conditions that `headers` tell."""

    def __call__(self, url: str, headers: Mapping[str, str]) -> WebResponse:
        """Return the answer, with status 200 or 304. Raises WebError and SyncDatabaseError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseLook:
    """What became of looking at one database.

    `snapshot` is what is known of it now, None where nothing ever was. `names` tells by what names
    its libraries go (package names and what these provide), where it was read anew. `problem` says
    why it could not be, and the snapshot is the old one then.
    """

    url: str
    snapshot: DatabaseSnapshot | None
    names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    provides: Mapping[str, frozenset[str]] = field(default_factory=dict)
    is_fresh: bool = False
    problem: str = ""
    note: str = ""


def look_at_database(url: str, known: DatabaseSnapshot | None, get: GetDatabase) -> DatabaseLook:
    """Read the database at `url`, unless it is what is `known`. Raises nothing for what is outside.

    An answer that is older than what is known is a mirror's that lags, and counts as unchanged.
    """
    shown = shown_url(url)
    try:
        answer = get(url, _conditions(shown, known))
        return _answered(shown, known, answer)
    except (WebError, SyncDatabaseError, ProcessError) as error:
        problem = error.message if shown in error.message else f"{shown}: {error.message}"
    except CaurError:  # of the run as a whole: a recording without this answer
        raise
    except Exception as error:  # noqa: BLE001 - whatever a server sends, all else goes on
        _log.debug("%s", shown, exc_info=True)
        problem = f"{shown}: {error!r}"
    kept = "; its old state is kept" if known else ""
    problem = f"the database of libraries cannot be read: {problem}{kept}"
    return DatabaseLook(url=shown, snapshot=known, problem=problem)


def _answered(shown: str, known: DatabaseSnapshot | None, answer: WebResponse) -> DatabaseLook:
    if answer.status == 304:
        if known is None:
            raise SyncDatabaseError("the server says it has not changed, but none is known")
        return DatabaseLook(url=shown, snapshot=known)
    modified = answer.headers.get("last-modified", "")
    if known is not None and _is_older(modified, known.modified):
        note = f"the database {shown} is from {modified}, older than what was seen: it lags"
        return DatabaseLook(url=shown, snapshot=known, note=note)
    return _read(shown, answer)


def _conditions(shown: str, known: DatabaseSnapshot | None) -> dict[str, str]:
    # The server's own compression would come on top of that of the file.
    headers = {"Accept-Encoding": "identity"}
    if known is not None and known.url == shown:  # other mirrors have other tags
        headers |= {"If-None-Match": known.etag} if known.etag else {}
        headers |= {"If-Modified-Since": known.modified} if known.modified else {}
    return headers


def _read(shown: str, answer: WebResponse) -> DatabaseLook:
    versions: dict[str, list[str]] = {}
    names: dict[str, set[str]] = {}
    provides: dict[str, set[str]] = {}
    for package in read_packages(answer.content):
        versions.setdefault(package.base, []).append(package.version)
        names.setdefault(package.base, {package.base}).add(package.name)
        if package.provides:
            provided = (text.partition("=")[0] for text in package.provides)
            provides.setdefault(package.base, set()).update(provided)
    if len(versions) > MAX_LIBRARIES:
        raise SyncDatabaseError(f"it has more than {MAX_LIBRARIES} packages")
    snapshot = DatabaseSnapshot(
        url=shown,
        etag=_one_line(answer.headers.get("etag", "")),
        modified=_one_line(answer.headers.get("last-modified", "")),
        versions={base: _newest(some) for base, some in versions.items()},
    )
    return DatabaseLook(
        url=shown,
        snapshot=snapshot,
        names={base: frozenset(some) for base, some in names.items()},
        provides={base: frozenset(some) for base, some in provides.items()},
        is_fresh=True,
    )


def _newest(versions: Iterable[str]) -> str:
    return reduce(lambda one, other: other if is_newer(other, one) else one, versions)


def _is_older(modified: str, known: str) -> bool:
    one, other = _time(modified), _time(known)
    return one is not None and other is not None and one < other


def _time(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return found if found.tzinfo else None


def _one_line(text: str) -> str:
    return text if len(text) <= 200 and text.isprintable() else ""
