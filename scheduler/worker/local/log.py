"""A build's log in a file, shown while it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from scheduler.logs import READ_SIZE, LogChunk
from scheduler.worker.masking import Masker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from types import TracebackType


class LocalLog:
    """Writes what a build prints, without secrets, into the new file `path` and to `show`."""

    def __init__(
        self, path: Path, show: Callable[[bytes], None], *, secrets: Iterable[str] = ()
    ) -> None:
        """Mask `secrets`, and what looks like one; see Masker. Raises OSError."""
        self.path = path
        self._show = show
        self._masker = Masker(secrets)
        self._file = path.open("wb", buffering=0)

    def write(self, data: bytes) -> None:
        """Add output as it is. Raises OSError."""
        self._put(self._masker.feed(data))

    def say(self, text: str) -> None:
        """Add a line of our own. Raises OSError."""
        self.write(f"==> caur-ci: {text}\n".encode())

    def tick(self) -> None:
        """Do nothing: what was written is there."""

    def read(
        self, job_id: int, attempt: int, offset: int = 0, *, limit: int = READ_SIZE
    ) -> LogChunk:
        """Return part of the log, whichever attempt is asked for: there is one."""
        del job_id, attempt
        with self.path.open("rb") as stream:
            stream.seek(offset)
            data = stream.read(limit)
        return LogChunk(data=data, next_offset=offset + len(data), ended=not data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._put(self._masker.close())
        finally:
            self._file.close()

    def _put(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self._show(data)
