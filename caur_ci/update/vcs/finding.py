"""Finds the tips of many places at the same time, each by the cheapest way that leads there."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from caur_ci.errors import InputError
from caur_ci.update.fetching import FetchProblem
from caur_ci.update.remote_ref import RemoteRef
from caur_ci.update.vcs.github import GitHub, batches
from caur_ci.update.vcs.lanes import Lanes
from caur_ci.update.vcs.pktline import HEAD, HEADS
from caur_ci.update.vcs.smart_http import AGENT, NeedsGitError, SmartHttp, absence
from caur_ci.update.vcs.tip import Tip, TipError, TipProblem, TipTrouble
from caur_ci.update.vcs.tools import tip_by_tool
from caur_ci.web import WebPool

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from caur_ci.update.fetching import Fetcher
    from caur_ci.update.recording import Outside
    from caur_ci.update.vcs.entries import Place

_log = logging.getLogger(__name__)

# An answer is small, and what takes time is the way.
_REQUESTS_EACH = 4
_TIMEOUT = 20.0
_SECONDS = 90.0
_TOOLS_AT_ONCE = 2

Found = dict["Place", "Tip | TipProblem"]


class TipFinder:
    """Finds tips.

    `parallel` is how many packages are looked at side by side; of each server a few times as many
    answers are awaited at once. `token` opens GitHub's API, `timeout` is the patience with a
    server's silence and `seconds` that with all of them.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        outside: Outside,
        *,
        parallel: int,
        token: str = "",
        timeout: float = _TIMEOUT,
        seconds: float = _SECONDS,
    ) -> None:
        self._fetcher = fetcher
        self._outside = outside
        self._per_server = _REQUESTS_EACH * parallel
        self._seconds = seconds
        self._token = token
        self._timeout = timeout

    def tips(self, places: Iterable[Place], *, counted: Collection[Place] = ()) -> Found:
        """Return what is at each place, or why nothing is known.

        Of those in `counted`, Tip.total is found out where that is cheap.
        """
        wanted = sorted(set(places))
        by_web = [it for it in wanted if it.tool == "git" and _is_web(it)]
        by_git = [it for it in wanted if it.tool == "git" and not _is_web(it)]
        by_tool = [it for it in wanted if it.tool != "git"]
        with ThreadPoolExecutor(3, thread_name_prefix="vcs") as pool:
            web = pool.submit(self._by_web, by_web, counted) if by_web else None
            git = pool.submit(self._by_git, by_git) if by_git else None
            tool = pool.submit(self._by_tool, by_tool) if by_tool else None
            parts = [part.result() for part in (web, git, tool) if part]
        return {place: tip for part in parts for place, tip in part.items()}

    def _by_web(self, places: list[Place], counted: Collection[Place]) -> Found:
        web = WebPool(
            connections=self._per_server,
            timeout=self._timeout,
            agent=AGENT,
            adapter=self._outside.web_adapter,
        )
        try:
            found = self._by_github(web, places, counted)
            rest = [place for place in places if place not in found]
            answers = self._by_smart_http(web, rest)
        finally:
            web.close()
        found |= {place: answer for place, answer in answers.items() if answer is not None}
        return found | self._by_git([place for place in rest if answers[place] is None])

    def _by_smart_http(
        self, web: WebPool, places: list[Place]
    ) -> dict[Place, Tip | TipProblem | None]:
        """Return what servers say of each place, None where only git understands them."""
        smart = SmartHttp(web)

        def ask(place: Place) -> Tip | None:
            try:
                return smart.tip(place)
            except NeedsGitError:
                return None

        lanes = Lanes(
            ask, lambda place: place.host, per_server=self._per_server, seconds=self._seconds
        )
        return lanes.answers(places)

    def _by_github(self, web: WebPool, places: list[Place], counted: Collection[Place]) -> Found:
        """Return what GitHub says of its own; what it does not say is asked in another way."""
        if not self._outside.fact("github-token", lambda: bool(self._token)):
            return {}
        github = GitHub(web, self._token, counted=counted)
        lanes: Lanes[tuple[Place, ...], Found] = Lanes(
            github.tips, lambda _: "GitHub", per_server=self._per_server, seconds=self._seconds
        )
        found: Found = {}
        for answer in lanes.answers(batches(places)).values():
            if isinstance(answer, TipProblem):
                _log.warning("%s; its repositories are asked one by one", answer.reason)
            else:
                found |= answer
        return found

    def _by_git(self, places: list[Place]) -> Found:
        """Ask `git ls-remote`."""
        found: Found = {}
        refs: dict[Place, RemoteRef] = {}
        for place in places:
            try:
                name = f"{HEADS}{place.branch}" if place.branch else HEAD
                refs[place] = RemoteRef(place.url, name)
            except InputError as error:
                found[place] = TipProblem(error.message, TipTrouble.UNUSABLE)
        tips = self._fetcher.tips(refs.values())
        for place, ref in refs.items():
            found[place] = _translated(place, tips[ref])
        return found

    def _by_tool(self, places: list[Place]) -> Found:
        lanes = Lanes(
            self._ask_tool,
            lambda place: place.host,
            per_server=_TOOLS_AT_ONCE,
            seconds=self._seconds,
        )
        return dict(lanes.answers(places))

    def _ask_tool(self, place: Place) -> Tip:
        def ask() -> dict[str, Any]:
            try:
                tip = tip_by_tool(place)
            except TipError as error:
                return {"problem": error.problem.reason, "trouble": error.problem.trouble.value}
            return {"revision": tip.commit}

        said = self._outside.fact(f"tip of {place}", ask)
        if "problem" in said:
            raise TipError(said["problem"], TipTrouble(said["trouble"]))
        return Tip(said["revision"], place.branch)


def _is_web(place: Place) -> bool:
    return urlsplit(place.url).scheme.lower() in {"http", "https"}


def _translated(place: Place, tip: str | FetchProblem) -> Tip | TipProblem:
    if isinstance(tip, FetchProblem):
        trouble = TipTrouble.ABSENT if tip.is_absent else TipTrouble.UNREACHABLE
        return TipProblem(tip.reason, trouble)
    if not tip:
        return TipProblem(absence(place, ""), TipTrouble.ABSENT)
    return Tip(tip, place.branch)
