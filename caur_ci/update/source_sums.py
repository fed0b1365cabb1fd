"""Checksums of sources, made from what their servers send. Nothing of it is kept or looked into."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from caur_ci.errors import CaurError, InputError, TemporaryError
from caur_ci.update.public_web import public_session
from caur_ci.web import retry_after, shown_url

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

LARGEST_SOURCE = 1024**3
SECONDS_FOR_A_SOURCE = 300.0
SECONDS_FOR_A_RUN = 900.0
_CHUNK = 1024**2
_TIMEOUT = (10.0, 30.0)
_MOST_REDIRECTS = 10
_TRIES = 2
_PAUSE = 2.0
_LONGEST_PAUSE = 30.0
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ARCHIVES = (".gz", ".tgz", ".xz", ".zst", ".bz2", ".zip", ".deb", ".rpm", ".AppImage", ".jar")
_KINDS = {"b2": "blake2b"}
KINDS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "b2")

Sums = dict[str, str]


class SourceError(TemporaryError):
    """A source is not to be had, now or in this way."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of a source, and seconds for one and for all of a run."""

    size: int = LARGEST_SOURCE
    seconds: float = SECONDS_FOR_A_SOURCE
    seconds_of_run: float = SECONDS_FOR_A_RUN


def digests(kinds: Collection[str], content: bytes) -> Sums:
    """Return the checksums of `kinds` (see `KINDS`) of a file that is here."""
    return {kind: new_hash(kind, content).hexdigest() for kind in kinds}


class SourceSums:
    """Asks servers for sources, for one run. For several threads at once.

    `allow_local` is for servers of private networks.
    """

    def __init__(
        self,
        *,
        allow_local: bool = False,
        limits: Limits | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._allow_local = allow_local
        self._limits = limits or Limits()
        self._sleep = sleep
        self._end = time.monotonic() + self._limits.seconds_of_run

    @property
    def allows_local(self) -> bool:
        """Whether servers of private networks are asked."""
        return self._allow_local

    def of(self, url: str, kinds: Collection[str]) -> Sums:
        """Return the checksums of `kinds` of what is at `url`.

        Raises SourceError where it cannot be had within the limits, InputError for a URL that is
        not asked for.
        """
        end = min(self._end, time.monotonic() + self._limits.seconds)
        for more_tries in reversed(range(_TRIES)):
            with public_session(allow_local=self._allow_local) as session:
                try:
                    return self._once(session, url, kinds, end)
                except _AgainError as error:
                    if not more_tries or time.monotonic() + error.pause >= end:
                        raise SourceError(error.message) from None
                    pause = error.pause
            self._sleep(pause)
        raise AssertionError  # the last turn returns or raises

    def _once(
        self, session: requests.Session, url: str, kinds: Collection[str], end: float
    ) -> Sums:
        shown = shown_url(url)
        try:
            with self._answer(session, url) as answer:
                if answer.status_code != 200:
                    problem = f"{shown} answered with status {answer.status_code}"
                    raise _refusal(problem, answer)
                _check_kind(shown, url, answer)
                return self._read(shown, answer, kinds, end)
        except InputError as error:
            raise InputError(f"{shown}: {error.message}", hint=error.hint) from None
        except (requests.RequestException, HTTPError, OSError) as error:
            raise _AgainError(f"{shown}: {_reason(error)}") from None

    def _answer(self, session: requests.Session, url: str) -> requests.Response:
        # As makepkg gets it: what servers compress for the way would have another checksum.
        headers = {"Accept-Encoding": "identity", "User-Agent": "caur-ci"}
        for _ in range(_MOST_REDIRECTS + 1):
            _check_scheme(url)
            answer = session.get(
                url, headers=headers, timeout=_TIMEOUT, stream=True, allow_redirects=False
            )
            place = answer.headers.get("Location", "")
            if answer.status_code not in _REDIRECTS or not place:
                return answer
            answer.close()
            following = urljoin(url, place)
            if url.lower().startswith("https:") and not following.lower().startswith("https:"):
                raise InputError("it leads from https to a connection that anybody can change")
            url = following
        raise InputError(f"it leads on more than {_MOST_REDIRECTS} times")

    def _read(
        self, shown: str, answer: requests.Response, kinds: Collection[str], end: float
    ) -> Sums:
        hashes = {kind: new_hash(kind) for kind in kinds}
        size = 0
        for chunk in answer.raw.stream(_CHUNK, decode_content=False):
            size += len(chunk)
            if size > self._limits.size:
                raise SourceError(f"{shown} is larger than {self._limits.size} bytes")
            if time.monotonic() > end:
                raise SourceError(f"{shown} did not come in time")
            for one in hashes.values():
                one.update(chunk)
        if not size:
            raise _AgainError(f"{shown} is empty")
        return {kind: one.hexdigest() for kind, one in hashes.items()}


class _AgainError(CaurError):
    """What another try may do better, after `pause` seconds."""

    def __init__(self, message: str, pause: float = _PAUSE) -> None:
        super().__init__(message)
        self.pause = pause


def _refusal(problem: str, answer: requests.Response) -> CaurError:
    if answer.status_code not in _TRY_AGAIN:
        return SourceError(problem)
    told = retry_after(answer.headers)
    pause = _PAUSE if told is None else told
    return SourceError(problem) if pause > _LONGEST_PAUSE else _AgainError(problem, pause)


def _check_scheme(url: str) -> None:
    if urlsplit(url).scheme.lower() not in {"http", "https"}:
        raise InputError("only http and https are asked for sources")


def _check_kind(shown: str, url: str, answer: requests.Response) -> None:
    """Raise SourceError for a page where an archive should be."""
    kind = answer.headers.get("Content-Type", "").lower()
    if kind.startswith("text/html") and urlsplit(url).path.endswith(_ARCHIVES):
        raise SourceError(f"{shown} answered with a page instead of a file")


def _reason(error: Exception) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "the certificate is not accepted"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy cannot be used"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return "the answer broke off"


def new_hash(kind: str, content: bytes = b"") -> hashlib._Hash:
    """Return the hash of a kind of checksum, see `KINDS`."""
    return hashlib.new(_KINDS.get(kind, kind), content, usedforsecurity=False)
