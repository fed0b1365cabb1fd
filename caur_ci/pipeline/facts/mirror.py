"""A copy of the branches that tell about packages: that of the packages, `state` and `caur`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.credentials import without_credentials_in
from caur_ci.errors import CaurError, GitError, TemporaryError
from caur_ci.git import GitRepository
from caur_ci.git.settings import as_environment
from caur_ci.locks import locked
from caur_ci.names import check_repository_name
from caur_ci.pipeline.shared.memory.branch import MEMORY_BRANCH
from caur_ci.pipeline.shared.state_branch import STATE_BRANCH
from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_REMOTE = "source"
_TIP, _STATE, _MEMORY = "refs/caur/tip", "refs/caur/state", "refs/caur/memory"
_HEAD = "HEAD"
# What there is, by its name there, and what it is called here.
_FOLLOWED = {_HEAD: _TIP, STATE_BRANCH: _STATE, MEMORY_BRANCH: _MEMORY}
# So far back commits of a folder are told.
_DEPTH = 500
_ASK_TIMEOUT, _FETCH_TIMEOUT = 60.0, 900.0


@dataclass(frozen=True, slots=True)
class Tips:
    """The commits of the branches; None for a branch that is not there."""

    packages: str
    state: str | None = None
    memory: str | None = None


class Mirror:
    """A bare copy below `folder` of the repository called `name`. The URL is never shown.

    Raises NameNotAllowedError for a name that cannot be that of a repository.
    """

    def __init__(self, folder: Path, name: str, url: str) -> None:
        self.name = check_repository_name(name)
        self._folder = folder
        self._url = url
        self.git = GitRepository(folder / f"{name}.git", bare=True)

    def tips(self) -> Tips | None:
        """Return the commits that were fetched last, None if that never was."""
        if not (self.git.folder / "HEAD").is_file():
            return None
        refs = self.git.refs("refs/caur/")
        packages = refs.get(_TIP)
        return Tips(packages, refs.get(_STATE), refs.get(_MEMORY)) if packages else None

    def renew(self) -> Tips:
        """Fetch what is new. Raises TemporaryError where the repository is out of reach."""
        there = self._ask()
        packages = there.get(_HEAD)
        if packages is None:
            raise TemporaryError(f"the repository {self.name} has no commit yet")
        wanted = Tips(packages, there.get(STATE_BRANCH), there.get(MEMORY_BRANCH))
        self._folder.mkdir(parents=True, exist_ok=True)
        with locked(self._folder / f"{self.name}.lock"):
            self._ensure(len(packages))
            known = self.tips()
            if known != wanted:
                self._fetch(known or Tips(""), wanted)
            return self.tips() or wanted

    def _ask(self) -> dict[str, str]:
        arguments = ["git", "-C", "/", "ls-remote", "--", _REMOTE, *_FOLLOWED]
        try:
            told = run(arguments, environment=self._environment(), timeout=_ASK_TIMEOUT).stdout
        except CaurError as error:
            raise self._out_of_reach(error) from None  # the cause may show credentials
        pairs = (line.split("\t", 1) for line in told.decode("utf-8", "replace").splitlines())
        return {ref: object_id for object_id, ref in pairs if ref in _FOLLOWED}

    def _ensure(self, length: int) -> None:
        if not (self.git.folder / "HEAD").is_file():
            kind = "sha256" if length == 64 else "sha1"
            init = ["git", "init", "--quiet", "--bare", f"--object-format={kind}"]
            run([*init, "--", self.git.folder])

    def _fetch(self, known: Tips, wanted: Tips) -> None:
        """Bring each branch here that moved, and forget those that are gone."""
        try:
            if known.packages != wanted.packages:
                depth = [] if known.packages else [f"--depth={_DEPTH}"]
                self._run_fetch(*depth, f"+{_HEAD}:{_TIP}")
            others = (
                (STATE_BRANCH, _STATE, known.state, wanted.state),
                (MEMORY_BRANCH, _MEMORY, known.memory, wanted.memory),
            )
            for branch, ref, before, now in others:
                if now is None and before is not None:
                    self.git.git("update-ref", "-d", ref)
                elif now != before:
                    self._run_fetch("--depth=1", f"+{branch}:{ref}")
        except GitError as error:
            raise self._out_of_reach(error) from None  # the cause may show credentials

    def _run_fetch(self, *arguments: str) -> None:
        options = [argument for argument in arguments if argument.startswith("--")]
        refspecs = [argument for argument in arguments if not argument.startswith("--")]
        self.git.git(
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--update-shallow"),
            *(*options, "--", _REMOTE, *refspecs),
            environment=self._environment(),
            timeout=_FETCH_TIMEOUT,
        )

    def _environment(self) -> Mapping[str, str]:
        # The URL may hold credentials: it goes neither into an argument nor into a configuration.
        settings = [(f"remote.{_REMOTE}.url", self._url), ("gc.autoDetach", "false")]
        environment = {**as_environment(settings), "GIT_TERMINAL_PROMPT": "0"}
        if "GIT_SSH_COMMAND" not in os.environ:
            environment["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes"
        return environment

    def _out_of_reach(self, error: CaurError) -> TemporaryError:
        told = without_credentials_in(error.message, known=[self._url])
        return TemporaryError(f"the repository {self.name} cannot be fetched: {told}")
