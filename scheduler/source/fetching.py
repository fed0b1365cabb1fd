"""What git does to keep the copies of source repositories up with them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from caur_ci.credentials import without_credentials_in
from caur_ci.errors import CaurError, GitError, ProcessError, TemporaryError
from caur_ci.git.settings import as_environment
from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.git import GitRepository
    from scheduler.settings import SourceRepository

# Commits that stay in a cache although no job has asked for them lately.
_KEPT_COMMITS = 100
_FETCH_TIMEOUT = 1800.0
_REMOTE = "source"
_COMMIT_REFS = "refs/caur/commits"
_TIP = "refs/caur/tip"
_SHA1, _SHA256 = "sha1", "sha256"
_ENDINGS = {_SHA1: "git", _SHA256: "git-sha256"}


class SourceMissingError(CaurError):
    """What a job is to build is not in its source repository. Trying again will not help."""


def folder_name(name: str, object_format: str) -> str:
    """Return the name of the folder that has the copy of the repository called `name`."""
    return f"{name}.{_ENDINGS[object_format]}"


def ensure(repository: GitRepository) -> None:
    """Make the copy, if there is none yet, an empty one."""
    if not (repository.folder / "HEAD").is_file():
        # What this machine makes by default may be another format than the source has.
        object_format = _SHA256 if repository.folder.name.endswith(_ENDINGS[_SHA256]) else _SHA1
        init = ["git", "init", "--quiet", "--bare", f"--object-format={object_format}"]
        run([*init, "--", repository.folder])


def object_format_of(source: SourceRepository) -> str:
    """Ask the source repository what its object ids are like; raises TemporaryError."""
    return format_of(id_of_ref(source, "HEAD"))


def format_of(object_id: str) -> str:
    """Return what git calls the kind of an object id."""
    return _SHA256 if len(object_id) == 64 else _SHA1


def id_of_ref(source: SourceRepository, ref: str) -> str:
    """Return the id that a ref of the source repository has, "" where there is none.

    Raises TemporaryError when it is out of reach.
    """
    environment = _fetch_environment(source.url)
    try:
        told = run(
            ["git", "-C", "/", "ls-remote", "--", _REMOTE, ref],
            environment=environment,
            timeout=_FETCH_TIMEOUT,
        ).stdout
    except ProcessError as error:
        raise _out_of_reach(source, error) from None  # the cause may show credentials
    return told.partition(b"\t")[0].decode("ascii", "replace")


def has_commit(repository: GitRepository, commit: str) -> bool:
    """Tell whether a commit is in the copy."""
    try:
        return repository.resolve(commit) is not None
    except GitError:
        return False  # another worker is just making the cache


def fetch_commit(repository: GitRepository, source: SourceRepository, commit: str) -> None:
    """Get a commit. Raises SourceMissingError where there is none, and TemporaryError."""
    try:
        _run_fetch(repository, source, "--depth=1", f"+{commit}:{_COMMIT_REFS}/{commit}")
    except GitError:
        # A server may refuse to hand out a commit by its id; then it must be below some name.
        _fetch_all(repository, source)
    if not has_commit(repository, commit):
        raise SourceMissingError(
            f"commit {commit} is in no branch or tag of the source repository {source.name}",
            hint="Was the branch rewritten after the package was scheduled? Schedule it again.",
        )
    _forget_old_commits(repository, keep=commit)


def fetch_tip(repository: GitRepository, source: SourceRepository) -> str:
    """Get what HEAD leads to, and return its id. Raises TemporaryError."""
    fetch_ref(repository, source, f"+HEAD:{_TIP}")
    return repository.commit_id(_TIP)


def fetch_ref(repository: GitRepository, source: SourceRepository, refspec: str) -> None:
    """Get one ref, without what came before it. Raises TemporaryError."""
    try:
        _run_fetch(repository, source, "--depth=1", refspec)
    except GitError as error:
        raise _out_of_reach(source, error) from None  # the cause may show credentials


def _fetch_all(repository: GitRepository, source: SourceRepository) -> None:
    history = ["--unshallow"] if repository.is_shallow() else []
    try:
        _run_fetch(
            repository,
            source,
            "--prune",
            *history,
            "+refs/heads/*:refs/caur/heads/*",
            "+refs/tags/*:refs/caur/tags/*",
        )
    except GitError as error:
        raise _out_of_reach(source, error) from None  # the cause may show credentials


def _out_of_reach(source: SourceRepository, error: CaurError) -> TemporaryError:
    return TemporaryError(
        f"the source repository {source.name} cannot be fetched: "
        f"{without_credentials_in(error.message, known=[source.url])}",
        hint="Check its URL in PACKAGE_REPOS, the network and the rights of this machine.",
    )


def _run_fetch(repository: GitRepository, source: SourceRepository, *arguments: str) -> None:
    options = [argument for argument in arguments if argument.startswith("--")]
    refspecs = [argument for argument in arguments if not argument.startswith("--")]
    quietly = ("--quiet", "--no-tags", "--no-write-fetch-head")
    repository.git(
        *("fetch", *quietly, *options, "--", _REMOTE, *refspecs),
        environment=_fetch_environment(source.url),
        timeout=_FETCH_TIMEOUT,
    )


def _fetch_environment(url: str) -> Mapping[str, str]:
    # The URL may hold credentials: it goes neither into an argument nor into the cache's config.
    settings = [(f"remote.{_REMOTE}.url", url), ("gc.autoDetach", "false")]
    environment = {**as_environment(settings), "GIT_TERMINAL_PROMPT": "0"}
    if "GIT_SSH_COMMAND" not in os.environ:
        environment["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes"
    return environment


def _forget_old_commits(repository: GitRepository, *, keep: str) -> None:
    # git itself removes the objects, weeks after the last name of them has gone.
    output = repository.git(
        "for-each-ref", "--sort=-committerdate", "--format=%(refname)", _COMMIT_REFS
    )
    for name in output.decode().splitlines()[_KEPT_COMMITS:]:
        if not name.endswith(keep):
            repository.git("update-ref", "-d", name)
