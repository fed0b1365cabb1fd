"""Gets what many packages need out of other people's git repositories, with few requests.

What is wanted of one repository is asked for together. Nobody pays for somebody else: where one ref
spoils a request, the others are had all the same, and where a server does not answer, only its own
packages have to wait.
"""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar

from caur_ci.errors import CaurError, GitError, ProcessError
from caur_ci.update.quarantine import Quarantine
from caur_ci.update.remote_ref import RemoteRef
from caur_ci.update.transport import Fetched, GitTransport, TransportError, TransportErrorKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType

    from caur_ci.git import GitRepository
    from caur_ci.update.transport import Transport

_REFS_PER_FETCH = 500
_PAUSE = 3.0  # between two tries, in seconds
# One bad ref of 500 is found with 9 failures; where it takes so many, all of them are bad.
_MOST_FAILURES = 64

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FetchProblem:
    """Why something could not be had. `reason` names the place and holds no credentials.

    `is_absent`: the server says that it has no such repository.
    """

    reason: str
    is_absent: bool = False

    @classmethod
    def of(cls, error: TransportError) -> Self:
        return cls(error.message, is_absent=error.trouble is TransportErrorKind.ABSENT)


class Fetcher:
    """Fetches into the objects of `git`, and changes nothing else there that would be noticed.

    `delay` is the pause between two fetches from one server, in seconds. What was fetched is kept
    from garbage collection until the block ends. For several threads at once.
    """

    def __init__(
        self,
        git: GitRepository,
        *,
        parallel: int,
        delay: float,
        tries: int = 2,
        transport: Transport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.git = git
        self._parallel = parallel
        self._tries = tries
        self._transport = transport or GitTransport()
        self._sleep = sleep
        self._turns = _HostRateLimiter(delay, sleep)
        self._slots = threading.BoundedSemaphore(parallel)  # of all who use it at once
        self._lock = threading.Lock()
        self._opened_quarantine: Quarantine | None = None
        self._trees: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        opened, self._opened_quarantine = self._opened_quarantine, None
        if opened is not None:
            opened.close()

    def tips(self, wanted: Iterable[RemoteRef]) -> dict[RemoteRef, str | FetchProblem]:
        """Return the commits that the refs are at, empty where there is no such ref (any more)."""

        def ask(url: str, refs: Sequence[str]) -> dict[str, str | FetchProblem]:
            found = self._with_retries(lambda: self._tips_once(url, refs))
            return {ref: found.get(ref, "") for ref in refs}

        return self._per_repository(wanted, ask)

    def tags(self, urls: Iterable[str]) -> dict[str, Mapping[str, str] | FetchProblem]:
        """Return for each repository the commits behind its tags, by the tags' names."""
        found: dict[str, Mapping[str, str]] = {}

        def ask(url: str, refs: Sequence[str]) -> dict[str, str | FetchProblem]:
            found[url] = self._with_retries(lambda: self._tags_once(url))
            return dict.fromkeys(refs, "")

        asked = self._per_repository((RemoteRef(url) for url in urls), ask)
        return {
            place.url: found[place.url] if isinstance(answer, str) else answer
            for place, answer in asked.items()
        }

    def fetch(self, wanted: Iterable[RemoteRef]) -> dict[RemoteRef, str | FetchProblem]:
        """Get the commits that the refs are at, without their history, and return their ids.

        Empty where there is no such ref (any more).
        """
        found = self._per_repository(wanted, self._fetch_all)
        commits = {commit for commit in found.values() if commit and isinstance(commit, str)}
        if commits:
            self._quarantine().keep(self._trees[commit] for commit in commits)
        return found

    def tree(self, commit: str) -> str:
        """Return the tree of a commit that was fetched."""
        return self._trees[commit]

    def _per_repository(
        self,
        wanted: Iterable[RemoteRef],
        work: Callable[[str, Sequence[str]], dict[str, str | FetchProblem]],
    ) -> dict[RemoteRef, str | FetchProblem]:
        """Do `work` for each repository, some of them side by side."""
        refs: defaultdict[str, list[str]] = defaultdict(list)
        for remote_ref in sorted(set(wanted)):
            refs[remote_ref.url].append(remote_ref.ref)

        def work_safely(url: str) -> dict[str, str | FetchProblem]:
            try:
                with self._slots:
                    return work(url, refs[url])
            except TransportError as error:
                problem = FetchProblem.of(error)
            except (GitError, ProcessError) as error:  # of this machine: a full disk, for one
                problem = FetchProblem(f"{RemoteRef(url)} could not be fetched: {error.message}")
            except OSError as error:
                problem = FetchProblem(
                    f"{RemoteRef(url)} could not be fetched: {error.strerror or error}"
                )
            except CaurError:  # of the run as a whole: a recording without this answer
                raise
            except Exception as error:  # noqa: BLE001 - whatever a server does to us is its own
                problem = FetchProblem(f"{RemoteRef(url)} could not be fetched: {error!r}")
            return dict.fromkeys(refs[url], problem)

        # Never in the same order: where a server tires, it must not always be of the same ones.
        urls = random.sample(list(refs), len(refs))
        with ThreadPoolExecutor(self._parallel, thread_name_prefix="fetch") as threads:
            results = dict(zip(urls, threads.map(work_safely, urls), strict=True))
        return {
            RemoteRef(url, ref): outcome for url in refs for ref, outcome in results[url].items()
        }

    def _fetch_all(self, url: str, refs: Sequence[str]) -> dict[str, str | FetchProblem]:
        self._turns.wait(url)
        found: dict[str, str | FetchProblem] = {}
        for start in range(0, len(refs), _REFS_PER_FETCH):
            found |= self._fetch_part(url, refs[start : start + _REFS_PER_FETCH])
        return found

    def _fetch_part(self, url: str, refs: Sequence[str]) -> Mapping[str, str | FetchProblem]:
        try:
            return self._with_retries(lambda: self._fetch_once(url, refs))
        except TransportError as error:
            if error.trouble is TransportErrorKind.MISSING:
                return self._fetch_existing(url, refs)
            if error.trouble is TransportErrorKind.UNUSABLE and len(refs) > 1:
                return self._fetch_in_halves(url, refs)
            return dict.fromkeys(refs, FetchProblem.of(error))

    def _fetch_existing(self, url: str, refs: Sequence[str]) -> dict[str, str | FetchProblem]:
        """Fetch what there is, where git refused because not all of it is there."""
        if len(refs) == 1:
            return {refs[0]: ""}
        tips = self._with_retries(lambda: self._tips_once(url, refs))
        existing = [ref for ref in refs if ref in tips]
        found: dict[str, str | FetchProblem] = dict.fromkeys(refs, "")
        if len(existing) == len(refs):  # it has come just now
            existing = []
            found = dict.fromkeys(refs, FetchProblem(f"{RemoteRef(url)} changes all the time"))
        return found | (dict(self._fetch_part(url, existing)) if existing else {})

    def _fetch_in_halves(self, url: str, refs: Sequence[str]) -> dict[str, str | FetchProblem]:
        """Fetch all but those that cannot be had, which are found by halving."""
        found: dict[str, str | FetchProblem] = {}
        waiting = _halves(refs)
        failures = 0
        while waiting:
            part = waiting.pop()
            try:
                found |= self._fetch_once(url, part)
            except TransportError as error:
                failures += 1
                if (
                    error.trouble is TransportErrorKind.UNUSABLE
                    and len(part) > 1
                    and failures < _MOST_FAILURES
                ):
                    waiting += _halves(part)
                else:
                    found |= dict.fromkeys(part, FetchProblem.of(error))
        return found

    def _with_retries(self, request: Callable[[], T]) -> T:
        """Try a request again where that may help. Raises TransportError."""
        for more_tries in reversed(range(self._tries)):
            try:
                return request()
            except TransportError as error:
                if (
                    error.trouble
                    in {
                        TransportErrorKind.MISSING,
                        TransportErrorKind.REFUSED,
                        TransportErrorKind.ABSENT,
                    }
                    or not more_tries
                ):
                    raise
                self._sleep(_PAUSE)
        raise AssertionError  # the last turn returns or raises

    def _tips_once(self, url: str, refs: Sequence[str]) -> Mapping[str, str]:
        with self._quarantine().repository() as repository:
            return self._transport.tips(url, refs, repository)

    def _tags_once(self, url: str) -> Mapping[str, str]:
        with self._quarantine().repository() as repository:
            return self._transport.tags(url, repository)

    def _fetch_once(self, url: str, refs: Sequence[str]) -> dict[str, str | FetchProblem]:
        quarantine = self._quarantine()
        with quarantine.repository() as repository:
            found: Mapping[str, Fetched] = self._transport.fetch(url, refs, repository)
            quarantine.take_over(repository)
        self._trees.update({fetched.commit: fetched.tree for fetched in found.values()})
        return {ref: fetched.commit for ref, fetched in found.items()}

    def _quarantine(self) -> Quarantine:
        # Made when it is needed first: mostly, nothing has changed anywhere.
        with self._lock:
            if self._opened_quarantine is None:
                self._opened_quarantine = Quarantine(self.git)
            return self._opened_quarantine


class _HostRateLimiter:
    """Keeps requests to one server apart."""

    def __init__(self, delay: float, sleep: Callable[[float], None]) -> None:
        self._delay = delay
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}

    def wait(self, url: str) -> None:
        host = RemoteRef(url).host
        if not self._delay or not host:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next.get(host, now))
            self._next[host] = turn + self._delay
        if turn > now:
            self._sleep(turn - now)


def _halves(refs: Sequence[str]) -> list[Sequence[str]]:
    middle = len(refs) // 2
    return [refs[:middle], refs[middle:]]
