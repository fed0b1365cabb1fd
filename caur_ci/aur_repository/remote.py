"""One package's repository at the AUR: what is there, and one more commit on top of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.aur_repository.answers import translated
from caur_ci.errors import ProcessError
from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caur_ci.aur_repository.access import AurAccess
    from caur_ci.git import GitRepository

BRANCH = "refs/heads/master"
_TIP = "refs/aur/master"
_TIMEOUT = 300.0
# The AUR limits files, and not how many there are.
_LARGEST_PACK = 64 * 1024**2
# An unknown package looks like one without commits.
_NOTHING_THERE = "couldn't find remote ref"
# What a user's own configuration may hold, and nothing of this is meant by it.
_SETTINGS = (
    *("-c", "push.gpgSign=false", "-c", "push.pushOption="),
    *("-c", "fetch.negotiationAlgorithm=noop"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AurTip:
    """The newest commit of a package at the AUR. `date` is that of the author, as ISO 8601."""

    commit: str
    tree: str
    author: str = ""
    date: str = ""
    subject: str = ""


class AurRemote:
    """The repository of `package` at the AUR, as seen from `scratch`."""

    def __init__(self, scratch: GitRepository, access: AurAccess, package: str) -> None:
        self._scratch = scratch
        self._access = access
        self._package = package

    def fetch(self) -> AurTip | None:
        """Get the newest commit, without its history; None where the AUR has no such package.

        Raises AurWaitingError, AurRefusedError and AurAccountError.
        """
        options = ("--depth=1", "--no-tags", "--no-write-fetch-head", "--quiet")
        address = self._access.address(self._package)
        if not self._network("fetch", *options, "--", address, f"+{BRANCH}:{_TIP}"):
            return None
        commit = self._scratch.commit_id(_TIP)
        shown = self._scratch.git("log", "-1", "--format=%T%x00%an%x00%aI%x00%s", commit)
        tree, author, date, subject = shown.decode(errors="replace").rstrip("\n").split("\0", 3)
        return AurTip(commit=commit, tree=tree, author=author, date=date, subject=subject)

    def push(self, commit: str) -> None:
        """Make `commit`, which is on top of what was fetched, the newest one.

        Raises as `fetch` does, and OvertakenError where another one is there meanwhile.
        """
        options = ("--no-verify", "--no-follow-tags", "--quiet")
        address = self._access.address(self._package)
        self._network("push", *options, "--", address, f"{commit}:{BRANCH}")

    def _network(self, *arguments: str) -> bool:
        """Run a git command, and tell whether there is what it is about."""
        command: Sequence[str] = ("git", f"--git-dir={self._scratch.folder}", *_SETTINGS)
        try:
            run(
                (*command, *arguments),
                environment=self._access.environment,
                timeout=_TIMEOUT,
                largest_file=_LARGEST_PACK,
                inherited=self._access.inherited,
            )
        except ProcessError as error:
            if error.returncode is None and error.hint:  # git is not installed
                raise
            said = error.stderr.decode(errors="replace").strip() or error.message
            if _NOTHING_THERE in said:
                return False
            raise translated(said) from None
        return True
