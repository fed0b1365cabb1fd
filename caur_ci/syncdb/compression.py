"""Takes the compression off a database, whichever it has, in a process beside this one.

It runs for as long as somebody reads, so `caur_ci.process.run` is not for it.
"""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from caur_ci.environment import child_environment
from caur_ci.process import missing_tool
from caur_ci.syncdb.errors import SyncDatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterator

# A database is called `core.db` whatever it is compressed with, so its first bytes have to tell.
_PROGRAMS = {b"\x1f\x8b": "gzip", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_TAR_MAGIC = slice(257, 262)
_UNPACK = ("-d", "-c", "-q")
# How much is needed is up to whoever compressed the file.
_MEMORY = 1024**3
_BUFFER = 1024 * 1024


@contextmanager
def unpacked(source: Path | bytes) -> Iterator[IO[bytes]]:
    """Provide the content of a file, or of what one holds, without its compression.

    It has to be read to its end: raises SyncDatabaseError then, for what is damaged or cut off.
    Raises it at once for what is no archive, ProcessError where a program is missing, and OSError
    where the file cannot be read.
    """
    with _opened(source) as stream:
        head = os.pread(stream.fileno(), 512, 0)
        program = next((name for magic, name in _PROGRAMS.items() if head.startswith(magic)), None)
        if program is not None:
            with _running(program, stream) as content:
                yield content
        elif head[_TAR_MAGIC] == b"ustar":
            yield stream
        else:
            raise SyncDatabaseError("it is no archive with gzip, xz, zstd or no compression")


@contextmanager
def _opened(source: Path | bytes) -> Iterator[IO[bytes]]:
    if isinstance(source, Path):
        with source.open("rb") as stream:
            yield stream
        return
    with tempfile.TemporaryFile() as stream:
        stream.write(source)
        stream.seek(0)
        yield stream


@contextmanager
def _running(program: str, stream: IO[bytes]) -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as words:
        try:
            process = subprocess.Popen(
                [program, *_UNPACK],
                bufsize=_BUFFER,
                stdin=stream,
                stdout=subprocess.PIPE,
                stderr=words,
                env=child_environment(),
            )
        except FileNotFoundError as error:
            raise missing_tool(program) from error
        with process:
            with suppress(ProcessLookupError):  # it has ended already
                resource.prlimit(process.pid, resource.RLIMIT_AS, (_MEMORY, _MEMORY))
            assert process.stdout is not None  # noqa: S101 - a pipe was asked for
            try:
                yield process.stdout
                process.stdout.close()
                code = process.wait()
            finally:
                process.kill()  # where the reader has given up
        if code != 0:
            words.seek(0)
            said = words.read(500).decode(errors="replace").strip()
            raise SyncDatabaseError(f"{program} ended with exit code {code}: {said}")
