"""Asks other people's git servers, one request at a time, and says in few words what went wrong."""

from __future__ import annotations

import os
import re
import threading
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from caur_ci.credentials import split_login, without_credentials, without_credentials_in
from caur_ci.errors import ProcessError, TemporaryError
from caur_ci.git.settings import as_environment, stored_login
from caur_ci.plaintext import one_line
from caur_ci.process import run
from caur_ci.update.remote_ref import RemoteRef

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

MAX_PACK_SIZE = 256 * 1024**2
_LARGEST_LISTING = 64 * 1024**2
_TIPS_TIMEOUT = 60.0
_FETCH_TIMEOUT = 120.0
_FETCH_TIMEOUT_EACH = 0.5
_MAX_SILENT_REPOSITORIES = 4  # repositories of one server
_FETCHED = "refs/fetched/"
_TAGS = "refs/tags/"
_PROTOCOLS = "https:http:git:ssh:file"
_FETCH_OPTIONS = (
    *("--quiet", "--stdin", "--depth=1", "--no-tags", "--no-write-fetch-head"),
    *("--no-auto-maintenance", "--no-recurse-submodules", "--no-show-forced-updates"),
)
# Who made a commit and when may be written wrongly; what harms is in trees.
_FSCK_IGNORED = (
    *("badDate", "badDateOverflow", "badTimezone", "zeroPaddedDate", "missingSpaceBeforeDate"),
    *("badEmail", "missingEmail", "badName", "missingNameBeforeEmail", "missingSpaceBeforeEmail"),
)
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.askPass=",
    "credential.interactive=false",
    "fetch.fsckObjects=true",
    *(f"fetch.fsck.{problem}=ignore" for problem in _FSCK_IGNORED),
    "fetch.unpackLimit=1",  # one file, whose size can be limited
    "fetch.recurseSubmodules=false",
    "gc.auto=0",
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=45",
    "protocol.version=2",  # the refs that are asked for, not all that a mirror has
)


class TransportErrorKind(StrEnum):
    """What to expect of another try."""

    UNREACHABLE = "out of reach"  # later perhaps; nothing else of that server either
    UNUSABLE = "unusable"  # later perhaps; or one of those asked for spoils it for the others
    REFUSED = "refused"
    ABSENT = "absent"  # the repository: the server says that there is none
    MISSING = "missing"  # one of the refs


class TransportError(TemporaryError):
    """A server did not give what was asked for."""

    def __init__(self, message: str, trouble: TransportErrorKind) -> None:
        super().__init__(message)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Fetched:
    """A commit that was fetched, and its tree."""

    commit: str
    tree: str


class Transport(Protocol):
    """The way to git servers. `repository` is an empty bare one that may be used in between."""

    def tips(self, url: str, refs: Sequence[str], repository: Path) -> Mapping[str, str]:
        """Return the ids of the commits that those of `refs` point to which exist.

        Raises TransportError.
        """
        ...

    def tags(self, url: str, repository: Path) -> Mapping[str, str]:
        """Return the ids of the commits behind all tags, by the tags' names in their order.

        Raises TransportError.
        """
        ...

    def fetch(self, url: str, refs: Sequence[str], repository: Path) -> Mapping[str, Fetched]:
        """Get what all of `refs` point to, without history, as packs of `repository`.

        Raises TransportError.
        """
        ...


class GitTransport:
    """Uses git. `proxies` are those for URLs that begin in a certain way.

    A server that did not answer about several repositories in a row is not asked again.
    """

    def __init__(
        self, *, proxies: Mapping[str, str] | None = None, timeout: float | None = None
    ) -> None:
        self._proxies = dict(proxies or {})
        self._timeout = timeout
        self._silent: defaultdict[str, set[str]] = defaultdict(set)
        self._lock = threading.Lock()

    def tips(self, url: str, refs: Sequence[str], repository: Path) -> dict[str, str]:
        """Return the ids of the commits that those of `refs` point to which exist."""
        kinds = [f"--{kind}" for kind in ("heads", "tags") if _all_below(f"refs/{kind}/", refs)]
        output = self._git(url, repository, "ls-remote", *kinds, "--", timeout=_TIPS_TIMEOUT)
        wanted = set(refs)
        found: dict[str, str] = {}
        for line in output.decode("utf-8", "replace").splitlines():
            object_id, _, name = line.partition("\t")
            # The commit behind an annotated tag follows the tag.
            ref = name.removesuffix("^{}")
            if ref in wanted:
                found[ref] = object_id
        return found

    def tags(self, url: str, repository: Path) -> dict[str, str]:
        """Return the ids of the commits behind all tags, by the tags' names in their order."""
        output = self._git(url, repository, "ls-remote", "--tags", "--", timeout=_TIPS_TIMEOUT)
        found: dict[str, str] = {}
        for line in output.decode("utf-8", "replace").splitlines():
            object_id, _, name = line.partition("\t")
            if name.startswith(_TAGS):
                found[name.removeprefix(_TAGS).removesuffix("^{}")] = object_id
        return found

    def fetch(self, url: str, refs: Sequence[str], repository: Path) -> dict[str, Fetched]:
        """Get what all of `refs` point to, without history, as packs of `repository`."""
        lines = "".join(f"+{ref}:{_FETCHED}{number}\n" for number, ref in enumerate(refs))
        timeout = _FETCH_TIMEOUT + _FETCH_TIMEOUT_EACH * len(refs)
        command = ("fetch", *_FETCH_OPTIONS, "--")
        self._git(url, repository, *command, stdin=lines.encode(), timeout=timeout)
        return _fetched(url, refs, repository)

    def _git(
        self, url: str, repository: Path, *arguments: str, stdin: bytes = b"", timeout: float
    ) -> bytes:
        host = RemoteRef(url).host
        if host and len(self._silent[host] - {url}) >= _MAX_SILENT_REPOSITORIES:
            told = (
                f"{without_credentials(url)}: not asked, because {host} did not answer about others"
            )
            raise TransportError(told, TransportErrorKind.REFUSED)
        settings = [option for setting in _SETTINGS for option in ("-c", setting)]
        with self._address(url, repository) as (address, environment):
            try:
                output = run(
                    ["git", f"--git-dir={repository}", *settings, *arguments, address],
                    stdin=stdin,
                    environment=environment,
                    timeout=self._timeout or timeout,
                    with_children=True,
                    largest_file=MAX_PACK_SIZE,
                    largest_output=_LARGEST_LISTING,
                ).stdout
            except ProcessError as error:
                problem = _translated(url, error)
                self._note(host, url, reached=problem.trouble is not TransportErrorKind.UNREACHABLE)
                raise problem from None
        self._note(host, url, reached=True)
        return output

    def _note(self, host: str, url: str, *, reached: bool) -> None:
        with self._lock:
            self._silent[host] = set() if reached else {*self._silent[host], url}

    @contextmanager
    def _address(self, url: str, repository: Path) -> Iterator[tuple[str, dict[str, str]]]:
        """Return the address and the environment to use git with.

        A password in a URL goes into a file, because arguments can be seen by everybody.
        """
        settings = [(f"http.{start}.proxy", proxy) for start, proxy in self._proxies.items()]
        login, address = split_login(url)
        if not (":" in login and address.lower().startswith(("http://", "https://"))):
            yield url, _environment(settings)
            return
        with stored_login(login, address, repository) as its_settings:
            yield address, _environment([*settings, *its_settings])


def _environment(settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    environment = {
        **as_environment(settings),
        "GIT_ALLOW_PROTOCOL": _PROTOCOLS,
        # Nobody is there to answer.
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
    }
    if "GIT_SSH_COMMAND" not in os.environ:
        options = ("BatchMode=yes", "ConnectTimeout=20", "ServerAliveInterval=15")
        environment["GIT_SSH_COMMAND"] = f"ssh {' '.join(f'-o {option}' for option in options)}"
    return environment


def _all_below(start: str, refs: Sequence[str]) -> bool:
    return all(ref.startswith(start) for ref in refs)


def _fetched(url: str, refs: Sequence[str], repository: Path) -> dict[str, Fetched]:
    fields = "%(objecttype) %(objectname) %(tree) %(*objecttype) %(*objectname) %(*tree)"
    listing = [f"--git-dir={repository}", "for-each-ref", f"--format=%(refname) {fields}", _FETCHED]
    found = {}
    for line in run(["git", *listing]).stdout.decode().splitlines():
        name, *itself, kind, commit, tree = line.split(" ")
        if itself[0] == "commit":
            kind, commit, tree = itself
        if kind == "commit":
            found[refs[int(name.removeprefix(_FETCHED))]] = Fetched(commit, tree)
    for ref in refs:
        if ref not in found:
            raise TransportError(
                f"{without_credentials(url)}: {ref} is no commit", TransportErrorKind.UNUSABLE
            )
    return found


# The first of these that occurs decides. Without words, git's own are good enough.
_SIGNS: tuple[tuple[str, TransportErrorKind, str], ...] = (
    ("couldn't find remote ref", TransportErrorKind.MISSING, "there is no such branch or tag"),
    ("No space left on device", TransportErrorKind.UNUSABLE, "no space is left on this machine"),
    ("took longer than", TransportErrorKind.UNREACHABLE, "no answer in time"),
    ("Operation too slow", TransportErrorKind.UNREACHABLE, "no answer in time"),
    ("timed out", TransportErrorKind.UNREACHABLE, "no answer in time"),
    ("Could not resolve", TransportErrorKind.UNREACHABLE, "there is no such server"),
    ("onnection refused", TransportErrorKind.UNREACHABLE, "no connection"),
    ("Failed to connect", TransportErrorKind.UNREACHABLE, "no connection"),
    ("unreachable", TransportErrorKind.UNREACHABLE, "no connection"),
    ("No route to host", TransportErrorKind.UNREACHABLE, "no connection"),
    ("onnection closed by", TransportErrorKind.UNREACHABLE, "no connection"),
    ("Empty reply from server", TransportErrorKind.UNREACHABLE, "the connection broke off"),
    ("error: 429", TransportErrorKind.UNREACHABLE, "the server wants fewer requests (status 429)"),
    ("HTTP 429", TransportErrorKind.UNREACHABLE, "the server wants fewer requests (status 429)"),
    ("returned error: 404", TransportErrorKind.ABSENT, "no such repository"),
    ("returned error: 410", TransportErrorKind.ABSENT, "no such repository"),
    ("returned error: 5", TransportErrorKind.UNREACHABLE, ""),
    ("RPC failed; HTTP 5", TransportErrorKind.UNREACHABLE, ""),
    (
        "terminal prompts disabled",
        TransportErrorKind.REFUSED,
        "no such repository, or it needs a password",
    ),
    ("Authentication failed", TransportErrorKind.REFUSED, "the password is not accepted"),
    (
        "Host key verification failed",
        TransportErrorKind.REFUSED,
        "the server's SSH key is not known",
    ),
    ("Permission denied", TransportErrorKind.REFUSED, "no such repository, or it is not for us"),
    ("returned error: 4", TransportErrorKind.REFUSED, ""),
    ("not allowed", TransportErrorKind.REFUSED, ""),
    ("does not appear to be a git", TransportErrorKind.ABSENT, "no such repository"),
    ("not found", TransportErrorKind.ABSENT, "no such repository"),
    ("does not exist", TransportErrorKind.ABSENT, "no such repository"),
    ("SSL", TransportErrorKind.REFUSED, "the certificate is not accepted"),
    (
        "dumb http transport",
        TransportErrorKind.REFUSED,
        "the server has files only and does not speak git",
    ),
    ("mismatched algorithms", TransportErrorKind.REFUSED, "it has another kind of object ids"),
)
# Where what stores the pack says nothing, the system has ended it.
_TOO_LARGE = "fetch-pack: invalid index-pack output"
_LAST_WORDS = re.compile(r"^(?:fatal|error): (.*)$", re.MULTILINE)


def _translated(url: str, error: ProcessError) -> TransportError:
    said = error.stderr.decode(errors="replace")
    trouble, words = TransportErrorKind.UNUSABLE, ""
    if _LAST_WORDS.findall(said) == [_TOO_LARGE]:
        words = f"more than {MAX_PACK_SIZE} bytes would come"
    for sign, its_trouble, its_words in _SIGNS:
        if sign in said or sign in error.message:
            trouble, words = its_trouble, its_words
            break
    return TransportError(f"{without_credentials(url)}: {words or _last_words(url, said)}", trouble)


def _last_words(url: str, said: str) -> str:
    """Return what git gave as the reason, fit to be shown: servers can make it say anything."""
    reasons = _LAST_WORDS.findall(said) or said.split("\n")
    return one_line(without_credentials_in(" / ".join(reasons[:2]), known=[url]))[:300]
