"""The hand-over documents in `.ci/`, which a pipeline passes on to its schedule job."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from caur_ci.errors import CaurError, InputError

if TYPE_CHECKING:
    from types import TracebackType

    from caur_ci.git import GitRepository
    from caur_ci.pipeline.shared.documents.handover import HandoverDocuments

SCHEDULE_PARAMS = "schedule-params.txt"
DEPTREE = "deptree.txt"
SCHEDULE = "schedule.json"


class DocumentFolder:
    """The documents in one folder.

    As a context manager it takes them away again if the body fails, so that a later job never
    finds documents of a run that was not recorded.
    """

    def __init__(self, folder: Path) -> None:
        self._paths = {name: folder / name for name in (SCHEDULE_PARAMS, DEPTREE, SCHEDULE)}

    @classmethod
    def of(cls, git: GitRepository) -> Self:
        """Return the folder `.ci` of a working tree.

        Raises InputError for a bare repository, and for a link in its place.
        """
        if git.bare:
            raise InputError(
                f"{git.folder} is a bare repository: there is no .ci folder to write to",
                hint="Use --dry-run, or run in a clone with a working tree.",
            )
        folder = git.folder / ".ci"
        if folder.is_symlink():
            # A commit can hold one, and it may lead anywhere.
            raise InputError(
                f"{folder} is a link: the documents for the queue are not written behind it",
                hint="Make it a folder, and commit that.",
            )
        return cls(folder)

    def write(self, documents: HandoverDocuments) -> tuple[Path, ...]:
        """Write the documents, and return where. Raises CaurError where that cannot be done."""
        _replace(self._paths[SCHEDULE_PARAMS], documents.schedule_params)
        _replace(self._paths[DEPTREE], f"{documents.deptree}\n")
        _replace(self._paths[SCHEDULE], documents.request.to_json())
        return tuple(self._paths.values())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            for path in self._paths.values():
                # What is in the way of writing is in the way of removing: the error tells of it.
                with suppress(OSError):
                    path.unlink()


def _replace(path: Path, content: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(content)
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CaurError(f"{path} cannot be written: {error.strerror}") from error
