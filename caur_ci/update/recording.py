"""Keeps every answer of the outside world for one run, so that the run can be repeated without it.

A recording is a folder: `answers.jsonl` with a line for each question, `bodies` with what web
servers sent, and `packs` with what git servers sent. It holds nothing secret: of requests it has
the address without credentials, and a digest of the rest.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from caur_ci.credentials import without_credentials
from caur_ci.update.recorded_web import RecordingAdapter, ReplayingAdapter
from caur_ci.update.recording_files import RecordingError, RecordingReader, RecordingWriter
from caur_ci.update.transport import Fetched, TransportError, TransportErrorKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from requests.adapters import BaseAdapter

    from caur_ci.git import GitRepository
    from caur_ci.update.transport import Transport

_PACKS_OF_A_REPOSITORY = "objects/pack"

T = TypeVar("T")


class Outside(Protocol):
    """The outside world, as far as a run depends on it."""

    @property
    def web_adapter(self) -> BaseAdapter | None:
        """What carries requests over HTTP, None for the network."""
        ...

    def transport(self, inner: Transport) -> Transport:
        """Return the way to git servers; `inner` is the real one."""
        ...

    def fact(self, name: str, compute: Callable[[], T]) -> T:
        """Return what `compute` finds, a value that JSON can hold."""
        ...

    def keep(self, git: GitRepository, commits: Iterable[str | None]) -> None:
        """See that `commits` (and tag objects) are in `git` when this run is repeated."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for something outside."""
        ...


@contextmanager
def opened_outside(
    head: str, *, record: Path | None = None, replay: Path | None = None
) -> Iterator[Outside]:
    """Provide the outside world for a run at the commit `head`.

    `record` is a new folder to keep its answers in; `replay` is one to take them from, and then
    nothing is asked of the network. Raises RecordingError where the folder cannot serve.
    """
    if record is not None and replay is not None:
        raise RecordingError("a run cannot be recorded and replayed at once")
    if record is not None:
        with RecordingWriter.create(record, head) as log:
            yield Recorder(log, head)
    elif replay is not None:
        yield Replayer(RecordingReader.read(replay, head))
    else:
        yield Live()


class Live:
    """The outside world itself."""

    @property
    def web_adapter(self) -> BaseAdapter | None:
        """The network."""
        return None

    def transport(self, inner: Transport) -> Transport:
        """Return the real way."""
        return inner

    def fact(self, name: str, compute: Callable[[], T]) -> T:  # noqa: ARG002
        """Return what `compute` finds."""
        return compute()

    def keep(self, git: GitRepository, commits: Iterable[str | None]) -> None:
        """Do nothing: they are there."""

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Recorder(Live):
    """The outside world, whose every answer is kept in `log`."""

    def __init__(self, log: RecordingWriter, head: str) -> None:
        self._log = log
        self._head = head

    @property
    def web_adapter(self) -> BaseAdapter | None:
        """The network, with somebody who writes down what comes."""
        return RecordingAdapter(self._log)

    def transport(self, inner: Transport) -> Transport:
        """Return the real way, with somebody who writes down what comes."""
        return _RecordingTransport(inner, self._log)

    def fact(self, name: str, compute: Callable[[], T]) -> T:
        """Return what `compute` finds."""
        value = compute()
        self._log.add({"fact": name}, {"value": value})
        return value

    def keep(self, git: GitRepository, commits: Iterable[str | None]) -> None:
        """Keep commits, with all that is not in the history of HEAD, which a replay has as well."""
        wanted = sorted({commit for commit in commits if commit})
        request = "".join(f"{commit}\n" for commit in wanted).encode()
        checked = git.git("cat-file", "--batch-check", stdin=request).decode().splitlines()
        there = [one for one, line in zip(wanted, checked, strict=True) if "missing" not in line]
        revisions = "".join(f"{revision}\n" for revision in (*there, f"^{self._head}"))
        made = git.git(
            *("pack-objects", "--revs", "--non-empty", "--quiet"),
            str(self._log.packs / "pack"),
            stdin=revisions.encode(),
        )
        names = [f"pack-{name}" for name in made.decode().split()]
        self._log.add({"commits": wanted}, {"packs": names})


class Replayer:
    """The outside world as it was when the recording was made."""

    def __init__(self, answers: RecordingReader) -> None:
        self._answers = answers

    @property
    def web_adapter(self) -> BaseAdapter | None:
        """What leads into the recording."""
        return ReplayingAdapter(self._answers)

    def transport(self, inner: Transport) -> Transport:  # noqa: ARG002
        """Return a way that leads nowhere but into the recording."""
        return _ReplayingTransport(self._answers)

    def fact(self, name: str, compute: Callable[[], T]) -> T:  # noqa: ARG002
        """Return what was found."""
        value: T = self._answers.next({"fact": name})["value"]
        return value

    def keep(self, git: GitRepository, commits: Iterable[str | None]) -> None:
        """Bring commits here."""
        wanted = sorted({commit for commit in commits if commit})
        packs = self._answers.next({"commits": wanted})["packs"]
        path = git.git("rev-parse", "--path-format=absolute", "--git-path", "objects/pack")
        self._answers.copy_packs(packs, Path(os.fsdecode(path).rstrip("\n")))

    def sleep(self, seconds: float) -> None:
        """Go on: there is nobody to wait for."""


class _RecordingTransport:
    """Asks git servers, and keeps what they answer."""

    def __init__(self, inner: Transport, log: RecordingWriter) -> None:
        self._inner = inner
        self._log = log

    def tips(self, url: str, refs: Sequence[str], repository: Path) -> Mapping[str, str]:
        """Return what the real way returns."""
        with self._noting_problems(question := _question("tips", url, refs)):
            found = self._inner.tips(url, refs, repository)
        self._log.add(question, {"found": dict(found)})
        return found

    def tags(self, url: str, repository: Path) -> Mapping[str, str]:
        """Return what the real way returns."""
        with self._noting_problems(question := _question("tags", url, ())):
            found = self._inner.tags(url, repository)
        self._log.add(question, {"found": dict(found)})
        return found

    def fetch(self, url: str, refs: Sequence[str], repository: Path) -> Mapping[str, Fetched]:
        """Return what the real way returns."""
        with self._noting_problems(question := _question("fetch", url, refs)):
            found = self._inner.fetch(url, refs, repository)
        packs = self._log.add_packs(repository / _PACKS_OF_A_REPOSITORY)
        commits = {ref: [fetched.commit, fetched.tree] for ref, fetched in found.items()}
        self._log.add(question, {"found": commits, "packs": packs})
        return found

    @contextmanager
    def _noting_problems(self, question: Mapping[str, Any]) -> Iterator[None]:
        try:
            yield
        except TransportError as error:
            self._log.add(question, {"problem": error.message, "trouble": error.trouble})
            raise


class _ReplayingTransport:
    """RecordingReader as git servers did."""

    def __init__(self, answers: RecordingReader) -> None:
        self._answers = answers

    def tips(self, url: str, refs: Sequence[str], repository: Path) -> Mapping[str, str]:  # noqa: ARG002
        """Return what was found, or raise the TransportError."""
        found: Mapping[str, str] = self._next("tips", url, refs)["found"]
        return found

    def tags(self, url: str, repository: Path) -> Mapping[str, str]:  # noqa: ARG002
        """Return what was found, or raise the TransportError."""
        found: Mapping[str, str] = self._next("tags", url, ())["found"]
        return found

    def fetch(self, url: str, refs: Sequence[str], repository: Path) -> Mapping[str, Fetched]:
        """Put what was fetched into `repository`, or raise the TransportError."""
        answer = self._next("fetch", url, refs)
        self._answers.copy_packs(answer["packs"], repository / _PACKS_OF_A_REPOSITORY)
        return {ref: Fetched(commit, tree) for ref, (commit, tree) in answer["found"].items()}

    def _next(self, what: str, url: str, refs: Sequence[str]) -> Mapping[str, Any]:
        answer = self._answers.next(_question(what, url, refs))
        if "problem" in answer:
            raise TransportError(answer["problem"], TransportErrorKind(answer["trouble"]))
        return answer


def _question(what: str, url: str, refs: Sequence[str]) -> dict[str, Any]:
    return {what: without_credentials(url), "refs": list(refs)}
