"""The logs on disk: a folder of compressed files, and an index of them in the history."""

from __future__ import annotations

import logging
import secrets
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from caur_ci.errors import TemporaryError
from scheduler.files import sync_folder
from scheduler.history.logfile import (
    BLOCK_SIZE,
    LogFileError,
    LogHeading,
    read_block,
    read_heading,
    write_log,
)
from scheduler.history.logtable import KeptLog
from scheduler.private import make_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from scheduler.history.history import History

_log = logging.getLogger(__name__)

FOLDER = "logs"
_ENDING = ".log.zst"
_NEW = ".new"
# How many jobs have their logs in one folder.
_TOGETHER = 1000
# Who has brought index and files together last.
_INDEXED = "logs_indexed_by"
_BLOCKS_KEPT = 8
_DAY = 24 * 3600.0


class LogArchive:
    """The logs in the folder `logs` of a history.

    A log is first a whole file under another name, then under its own, then in the index: whatever
    is killed in between is done again or finished by `recover`.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._folder = history.path / FOLDER
        self._mark = secrets.token_hex(8)
        # Many read the same part of a log at about the same time.
        self._blocks: dict[tuple[str, int, int], tuple[int, bytes]] = {}
        self._guard = threading.Lock()

    def get(self, job_id: int, attempt: int) -> KeptLog | None:
        """Return what is kept of the log of an attempt at a job."""
        return self._history.logs.get(job_id, attempt)

    def read(self, log: KeptLog, offset: int, limit: int) -> bytes:
        """Return what a log has from `offset` on, at most `limit` bytes; nothing at its end.

        Raises FileNotFoundError for one that is gone, LogFileError and OSError.
        """
        name = (log.path, log.size, offset // BLOCK_SIZE)
        with self._guard:
            known = self._blocks.pop(name, None)
        start, block = known or read_block(self._folder / log.path, offset)
        with self._guard:
            # The last one is that which was asked for last.
            self._blocks[name] = start, block
            while len(self._blocks) > _BLOCKS_KEPT:
                del self._blocks[next(iter(self._blocks))]
        return block[offset - start : offset - start + limit]

    def keep(self, heading: LogHeading, read: Callable[[int], bytes], *, least: int = 0) -> KeptLog:
        """Keep a log whose bytes from an offset on `read` returns, nothing at the end.

        It takes the place of what was kept of the same attempt. Raises TemporaryError where the
        disk is full or fails, and where `read` returns fewer than `least` bytes in all.
        """
        path = self._path_of(heading)
        fresh = path.with_name(f"{path.name}{_NEW}")
        try:
            make_private(self._folder, "the logs", hint="HISTORY_PATH says where they are.")
            path.parent.mkdir(mode=0o700, exist_ok=True)
            fresh.unlink(missing_ok=True)
            size = write_log(fresh, heading, read)
            if size < least:
                raise TemporaryError(f"a log of {heading.identity} went while it was read")
            fresh.rename(path)
            sync_folder(path.parent)
            stored = path.stat().st_size
        except OSError as error:
            raise TemporaryError(
                f"the log of {heading.identity} cannot be kept in {self._folder}: {error.strerror}",
                hint="It stays in Redis for now, and is tried again. HISTORY_LOG_SIZE limits what "
                "is kept.",
            ) from error
        finally:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
        return self._register(heading, path, size, stored)

    def recover(self) -> None:
        """Bring index and files together: whoever wrote before may have been killed.

        That is done once, and once more where the index was lost meanwhile. Raises TemporaryError.
        """
        if self._history.recall(_INDEXED) == self._mark:
            return
        known = self._history.logs.paths()
        found = 0
        with _translated(self._folder):
            for path in self._files():
                name = str(path.relative_to(self._folder))
                if path.name.endswith(_NEW):
                    path.unlink(missing_ok=True)
                elif name not in known:
                    found += self._take_in(path)
            gone = [log for name, log in known.items() if not (self._folder / name).exists()]
        self._history.logs.remove(gone)
        self._history.record([], **{_INDEXED: self._mark})
        if found:
            _log.info("%d logs in %s were found again", found, self._folder)

    def prune(self, *, days: int, largest: int, now: float) -> int:
        """Remove logs that are older, and the oldest where all have more than `largest` bytes.

        Returns how many were removed. Raises TemporaryError.
        """
        oldest = now - days * _DAY
        with _translated(self._folder):
            old = self._history.logs.begun_before(oldest)
            self._remove(old)
            beyond = self._history.logs.beyond(largest)
            self._remove(beyond)
            known = self._history.logs.paths()
            for path in self._files():
                if str(path.relative_to(self._folder)) not in known and _is_older(path, oldest):
                    path.unlink(missing_ok=True)
        return len(old) + len(beyond)

    def _register(self, heading: LogHeading, path: Path, size: int, stored: int) -> KeptLog:
        log = KeptLog(
            job_id=heading.job_id,
            attempt=heading.attempt,
            identity=heading.identity,
            started=heading.started,
            size=size,
            stored=stored,
            path=str(path.relative_to(self._folder)),
        )
        self._history.logs.add(log)
        return log

    def _path_of(self, heading: LogHeading) -> Path:
        # Numbers may come again where Redis was lost, but not at the same time.
        name = f"{heading.job_id}-{heading.attempt}-{round(heading.started * 1000)}{_ENDING}"
        return self._folder / str(heading.job_id // _TOGETHER) / name

    def _take_in(self, path: Path) -> bool:
        """Put a file into the index, unless that has a newer one of the same attempt."""
        try:
            heading, size = read_heading(path)
        except (LogFileError, OSError) as error:
            _log.warning("%s is left out: %s", path, error)
            return False
        known = self._history.logs.get(heading.job_id, heading.attempt)
        if known is not None and known.started >= heading.started:
            return False
        self._register(heading, path, size, path.stat().st_size)
        return True

    def _remove(self, logs: Iterable[KeptLog]) -> None:
        logs = list(logs)
        if not logs:
            return
        # Whoever finds one in the index finds the file, but for those that read it just now.
        self._history.logs.remove(logs)
        for log in logs:
            (self._folder / log.path).unlink(missing_ok=True)
            with suppress(OSError):
                (self._folder / log.path).parent.rmdir()

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(f"*/*{_ENDING}*"))


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TemporaryError(f"the logs in {folder} cannot be looked after: {error}") from error


def _is_older(path: Path, time: float) -> bool:
    try:
        return path.stat().st_mtime < time
    except FileNotFoundError:
        return False
