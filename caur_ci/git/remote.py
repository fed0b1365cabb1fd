"""The other side of a repository: what is there, getting it, and changing several refs at once."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from caur_ci.credentials import split_login, without_credentials_in
from caur_ci.errors import GitError, TemporaryError
from caur_ci.git.settings import as_environment, stored_login

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from caur_ci.git.repository import GitRepository

_NETWORK_TIMEOUT = 900.0
_FETCH_OPTIONS = ("--no-tags", "--no-write-fetch-head", "--quiet", "--no-recurse-submodules")


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """A user name and token for a remote reached over HTTP."""

    user: str
    token: str


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """A ref to set to `new`, provided that the other side still has `expected` (None: no ref).

    An empty `new` removes the ref.
    """

    ref: str
    new: str
    expected: str | None


class Remote:
    """A remote of `repository`, by its configured name.

    With credentials, a remote reached over HTTP is asked with these instead of what its URL holds;
    they travel in a file that only this user can read, never in an argument or the environment.
    """

    def __init__(
        self, repository: GitRepository, name: str, credentials: Credentials | None = None
    ) -> None:
        self._repository = repository
        self.name = name
        self._credentials = credentials

    def refs(self, *names: str) -> dict[str, str]:
        """Return the ids of those of the full ref names that exist there, tags as they are.

        A name may end in `*`.
        """
        output = self._network("ls-remote", arguments=names)
        pairs = (line.split("\t", 1) for line in output.decode("utf-8", "replace").splitlines())
        # Git itself also takes what ends in one of the names.
        return {
            ref: object_id
            for object_id, ref in pairs
            if any(fnmatchcase(ref, name) for name in names)
        }

    def fetch(self, *names: str) -> None:
        """Get the commits behind refs or commit ids; no local ref is changed.

        Into a shallow clone they come without their history.
        """
        depth = ["--depth=1"] if self._repository.is_shallow() else []
        self._network("fetch", options=[*_FETCH_OPTIONS, *depth], arguments=names)

    def deepen(self, *names: str, by: int | None) -> None:
        """Get `by` more commits of a shallow clone's history behind `names`, None for all of it."""
        depth = "--unshallow" if by is None else f"--deepen={by}"
        self._network("fetch", options=[*_FETCH_OPTIONS, depth], arguments=names)

    def push(self, updates: Sequence[RefUpdate], *, options: Collection[str] = ()) -> bool:
        """Set all refs of `updates` or none; tell whether nobody else had changed them before.

        Push `options` are left out where the server takes none. Raises GitError when the server
        refuses for another reason.
        """
        # No `+`: it would overrule the leases, which allow what is no fast-forward themselves.
        arguments = [f"{update.new}:{update.ref}" for update in updates]
        leases = [f"--force-with-lease={u.ref}:{u.expected or ''}" for u in updates]
        flags = ["--atomic", "--quiet", "--no-verify", "--no-follow-tags", *leases]
        try:
            self._network(
                "push",
                options=[*flags, *(f"--push-option={option}" for option in options)],
                arguments=arguments,
            )
        except GitError as error:
            if options and "does not support push options" in error.message:
                return self.push(updates)
            if self._somebody_was_faster(updates):
                return False
            raise
        return True

    def _somebody_was_faster(self, updates: Sequence[RefUpdate]) -> bool:
        there = self.refs(*(update.ref for update in updates))
        return any(there.get(update.ref) != update.expected for update in updates)

    def _network(
        self, command: str, *, options: Sequence[str] = (), arguments: Sequence[str]
    ) -> bytes:
        with self._address() as (settings, address):
            try:
                return self._repository.git(
                    command,
                    *options,
                    "--",
                    address,
                    *arguments,
                    # Nobody is there to answer a prompt in a pipeline.
                    environment={"GIT_TERMINAL_PROMPT": "0", **settings},
                    timeout=_NETWORK_TIMEOUT,
                )
            except GitError as error:
                raise _translated(error, self.name) from error

    @contextmanager
    def _address(self) -> Iterator[tuple[dict[str, str], str]]:
        """Return the settings, as environment variables, and the address to use git with."""
        credentials = self._credentials
        url = self.url() if credentials else ""
        if credentials is None or not url.lower().startswith(("http://", "https://")):
            yield {}, self.name
            return
        _, address = split_login(url)
        parts = urlsplit(address)
        login = ":".join(quote(it, safe="") for it in (credentials.user, credentials.token))
        with (
            tempfile.TemporaryDirectory(prefix="caur-ci-") as folder,
            stored_login(login, address, Path(folder)) as settings,
        ):
            settings += [
                ("core.hooksPath", "/dev/null"),
                # Job tokens that forges write into the checkout's configuration would come first.
                (f"http.{parts.scheme}://{parts.netloc}/.extraheader", ""),
            ]
            yield as_environment(settings), address

    def url(self) -> str:
        """Return where it is pushed to; it may hold credentials."""
        output = self._repository.git("remote", "get-url", "--push", self.name)
        return output.decode("utf-8", "replace").strip()


def _translated(error: GitError, remote: str) -> GitError | TemporaryError:
    message = without_credentials_in(error.message)
    for sign, hint in _HINTS.items():
        if sign in message:
            return GitError(message, hint=hint)
    if any(sign in message for sign in _OUT_OF_REACH):
        return TemporaryError(f"the remote {remote} is out of reach: {message}")
    return GitError(message, hint=error.hint)


_OUT_OF_REACH = (
    "Could not resolve host",
    "Connection refused",
    "Failed to connect",
    "Connection timed out",
    "Operation timed out",
    "took longer than",
    "The requested URL returned error: 5",
)
_HINTS = {
    "denying non-fast-forward": "The branch `caur` has one commit, which each run replaces: let "
    "the server take that (git config receive.denyNonFastForwards false, or no such rule for it).",
    "cannot lock ref": "Another ref is in the way: git has no branch `caur` beside one called "
    "`caur/…`. Rename or remove that one.",
    "protected branch hook declined": "A rule of the server forbids it: are the tag `scheduled` "
    "and the branches `caur` and `state` protected against this user?",
    "deny updating a hidden ref": "The server hides this ref from pushes (transfer.hideRefs).",
    "shallow update not allowed": "The server takes no pushes from shallow clones "
    "(receive.shallowUpdate); fetch the whole history first.",
    "insufficient permission for adding an object": "The server's user may not write to the "
    "repository's files there.",
    "unpacker error": "The server could not store what was pushed: is its disk full?",
    "terminal prompts disabled": "Set ACCESS_TOKEN to a token that may write to the repository, "
    "or configure git's credentials.",
    "Authentication failed": "Set ACCESS_TOKEN to a token that may write to the repository.",
    "The requested URL returned error: 403": "The token may not write to the repository.",
    "does not support --atomic": "The server must support atomic pushes; every current forge does.",
    "Permission denied (publickey)": "The SSH key is not known to the server.",
    "pre-receive hook declined": "A rule of the server forbids it: are the tag `scheduled` and "
    "the branch `caur` protected against this user?",
}
