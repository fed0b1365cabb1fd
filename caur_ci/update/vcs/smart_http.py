"""Asks git servers over HTTP for the tips of branches, without git: one request for each, mostly.

A server that knows protocol 2 answers a command without having been greeted, because it keeps
nothing between two requests. Where that fails, it is greeted as git does, redirects are followed as
git does, and servers of the older protocol are understood.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from caur_ci.plaintext import one_line
from caur_ci.update.vcs.pktline import (
    HEAD,
    HEADS,
    AdvertisedRefs,
    ProtocolError,
    ls_refs_request,
    read_advertisement,
    read_ls_refs,
)
from caur_ci.update.vcs.tip import Tip, TipError, TipTrouble
from caur_ci.web import WebError, shown_url

if TYPE_CHECKING:
    from caur_ci.update.vcs.entries import Place
    from caur_ci.web import WebPool, WebResponse

# Some servers look at the first word before they speak git.
AGENT = "git/2.40"
_GREETING = "/info/refs?service=git-upload-pack"
_LARGEST_ANSWER = 4 * 1024**2
_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ABSENT = {
    401: "no such repository, or it needs a password",
    404: "no such repository",
    410: "no such repository",
}
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_PROTOCOL = {"Git-Protocol": "version=2", "Accept-Encoding": "identity"}
_COMMAND = {
    **_PROTOCOL,
    "Content-Type": "application/x-git-upload-pack-request",
    "Accept": "application/x-git-upload-pack-result",
}


class NeedsGitError(Exception):
    """The server has files only; git itself can read them."""


class SmartHttp:
    """Asks about one place at a time; for several threads at once."""

    def __init__(self, web: WebPool) -> None:
        self._web = web

    def tip(self, place: Place) -> Tip:
        """Return what is at a place. Raises TipError, and NeedsGitError."""
        base = place.url.rstrip("/")
        prefixes = _prefixes(place)
        try:
            refs = self._refs_at_once(base, prefixes)
            if refs is None:
                refs = self._refs_after_greeting(base, prefixes)
        except WebError as error:
            reason = error.message.replace("/git-upload-pack", "").replace("/info/refs", "")
            raise TipError(reason, TipTrouble.UNREACHABLE) from None
        except ProtocolError as error:
            raise TipError(f"{place}: {error}", _trouble_of(error)) from None
        return tip_of(place, refs)

    def _refs_at_once(self, base: str, prefixes: list[str]) -> AdvertisedRefs | None:
        """Ask without a greeting; None where the server has to be greeted."""
        answer = self._command(base, prefixes)
        if answer.status in _BUSY:
            raise WebError(_status(base, answer), status=answer.status)
        if answer.status != 200:
            return None
        try:
            return read_ls_refs(answer.content)
        except ProtocolError:
            return None

    def _refs_after_greeting(self, base: str, prefixes: list[str]) -> AdvertisedRefs:
        base, greeting = self._greeted(base)
        if not greeting.headers.get("content-type", "").startswith("application/x-git-"):
            raise NeedsGitError
        advertised = read_advertisement(greeting.content)
        if advertised is not None:
            return advertised
        answer = self._command(base, prefixes)
        if answer.status != 200:
            raise WebError(_status(base, answer), status=answer.status)
        return read_ls_refs(answer.content)

    def _command(self, base: str, prefixes: list[str]) -> WebResponse:
        return self._web.send(
            "POST",
            f"{base}/git-upload-pack",
            headers=_COMMAND,
            body=ls_refs_request(prefixes),
            largest=_LARGEST_ANSWER,
        )

    def _greeted(self, base: str) -> tuple[str, WebResponse]:
        """Return where the repository is, and what is said there first."""
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._web.send(
                "GET", f"{base}{_GREETING}", headers=_PROTOCOL, largest=_LARGEST_ANSWER
            )
            if answer.status in _REDIRECTS:
                base = _redirected(base, answer)
            elif answer.status in _ABSENT:
                reason = f"{shown_url(base)}: {_ABSENT[answer.status]}"
                raise TipError(reason, TipTrouble.ABSENT)
            elif answer.status in _BUSY:
                raise WebError(_status(base, answer), status=answer.status)
            elif answer.status != 200:
                raise TipError(_status(base, answer), TipTrouble.UNUSABLE)
            else:
                return base, answer
        raise TipError(f"{shown_url(base)}: too many redirects", TipTrouble.UNUSABLE)


def tip_of(place: Place, refs: AdvertisedRefs) -> Tip:
    """Return the tip of a place among the refs of its repository. Raises TipError."""
    default = refs.head.removeprefix(HEADS)
    commit = refs.ids.get(f"{HEADS}{place.branch}" if place.branch else HEAD, "")
    if not commit:
        raise TipError(absence(place, default, is_empty=not refs.ids), TipTrouble.ABSENT)
    return Tip(commit, place.branch or default)


def absence(place: Place, default: str, *, is_empty: bool = False) -> str:
    """Return the words for a place that is not there; `default` is the branch that is."""
    if not place.branch:
        return f"{place}: there is nothing in it" if is_empty else f"{place}: it has no HEAD"
    branch = one_line(default)[:100]
    there = f"; its default branch is {branch}" if branch and default != place.branch else ""
    return f"{place}: there is no such branch{there}"


def _prefixes(place: Place) -> list[str]:
    return [HEAD, f"{HEADS}{place.branch}"] if place.branch else [HEAD]


def _redirected(base: str, answer: WebResponse) -> str:
    """Return where the repository is instead. Raises TipError for what git would not follow."""
    target = urljoin(f"{base}{_GREETING}", answer.headers.get("location", ""))
    parts = urlsplit(target)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and base.startswith("http://"))
    if not is_safe or not target.endswith(_GREETING) or "@" in parts.netloc or not parts.hostname:
        shown = one_line(shown_url(target))[:200]
        raise TipError(
            f"{shown_url(base)}: it redirects to {shown}, where no repository is followed to",
            TipTrouble.UNUSABLE,
        )
    return target.removesuffix(_GREETING)


def _status(base: str, answer: WebResponse) -> str:
    if answer.status == 429:
        return f"{shown_url(base)}: the server wants fewer requests (status 429)"
    return f"{shown_url(base)} answered with status {answer.status}"


def _trouble_of(error: ProtocolError) -> TipTrouble:
    said = error.says.lower()
    is_absent = "not found" in said or "not exist" in said
    return TipTrouble.ABSENT if is_absent else TipTrouble.UNUSABLE
