"""Whether what the AUR has is an older state of ours: the existing system's pushes, for one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from caur_ci.aur_repository.belonging import LEFT_THERE
from caur_ci.srcinfo import SRCINFO

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from caur_ci.git import GitRepository
    from caur_ci.git.trees import TreeFile
    from caur_ci.pipeline.shared.context import RunContext

_FEW = 4
_LARGEST = 512 * 1024**2
_TIMEOUT = 900.0


class OwnHistory:
    """Every file that some package folders ever had up to a commit.

    History is read once, when somebody asks; in a shallow clone, all of it is fetched if the part
    that is here does not tell.
    """

    def __init__(self, context: RunContext, commit: str, packages: Iterable[str]) -> None:
        self._context = context
        self._commit = commit
        self._packages = frozenset(packages)
        self._lock = threading.Lock()
        self._known: frozenset[tuple[str, str]] | None = None

    def has_had(self, package: str, files: Sequence[TreeFile], *, any_srcinfo: bool) -> bool:
        """Tell whether the folder of `package` once had each of `files`, though not all at a time.

        With `any_srcinfo`, the `.SRCINFO` may be any: the folder has none of its own.
        """
        wanted = {
            (f"{package}/{file.path}", file.object_id)
            for file in files
            if file.path not in LEFT_THERE and not (any_srcinfo and file.path == SRCINFO)
        }
        with self._lock:
            if self._known is None:
                self._known = self._read()
            if not wanted <= self._known and self._fetch_all():
                self._known = self._read()
            return bool(wanted) and wanted <= self._known

    def _fetch_all(self) -> bool:
        git, remote = self._context.git, self._context.shared.remote
        if remote is None or not git.is_shallow():
            return False
        remote.deepen(self._context.branch, by=None)
        return True

    def _read(self) -> frozenset[tuple[str, str]]:
        return frozenset(_files_ever(self._context.git, self._commit, self._packages))


def _files_ever(
    git: GitRepository, commit: str, folders: Collection[str]
) -> Iterable[tuple[str, str]]:
    """Yield path and blob of every file that some folders had at any commit up to this one."""
    # To tell git many folders takes it longer than to show all that ever changed.
    limits = folders if len(folders) <= _FEW else ()
    output = git.git(
        *("--literal-pathspecs", "log", "--format=", "--raw", "-r", "-z", "--no-abbrev", "-m"),
        *(
            "--root",
            "--full-history",
            "--no-renames",
            "--no-ext-diff",
            "--no-show-signature",
            commit,
            "--",
            *limits,
        ),
        timeout=_TIMEOUT,
        largest_output=_LARGEST,
    )
    fields = iter(output.decode("utf-8", "surrogateescape").split("\0"))
    for field in fields:
        if field.lstrip("\n").startswith(":"):
            blob, path = field.split(" ")[3], next(fields)
            if path.partition("/")[0] in folders:
                yield path, blob
