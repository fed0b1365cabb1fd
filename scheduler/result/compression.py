"""Compressed files, read and written through the programs that makepkg itself uses.

They run for as long as somebody reads or writes, so `caur_ci.process.run` is not for them.
"""

from __future__ import annotations

import resource
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, BinaryIO

from caur_ci.environment import child_environment
from caur_ci.errors import CaurError
from caur_ci.process import missing_tool
from scheduler.result.errors import BadPackageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# By what a file name ends with after `.pkg.tar`. What is compressed is the same every time.
_COMPRESSORS: Mapping[str, Sequence[str]] = {
    "": (),
    ".bz2": ("bzip2", "-c"),
    ".gz": ("gzip", "-c", "-n"),
    ".lz4": ("lz4", "-q", "-c"),
    ".xz": ("xz", "-c", "-T1"),
    ".zst": ("zstd", "-q", "-c", "-T0", "-10"),
}
FORMATS = frozenset(_COMPRESSORS)
_UNPACK = ("-d", "-c", "-q")
# What may be needed for a file is up to whoever compressed it.
_UNPACKING_MEMORY = 1024**3
_PATIENCE = 10.0


@contextmanager
def unpacked(stream: BinaryIO, suffix: str) -> Iterator[IO[bytes]]:
    """Provide the content of `stream`, a real file, without its compression.

    It has to be read to its end. Raises BadPackageError then, for what is not compressed that way
    or is cut off.
    """
    command = _COMPRESSORS[suffix]
    if not command:
        yield stream
        return
    with _running([command[0], *_UNPACK], stdin=stream, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101 - for mypy
        yield process.stdout


@contextmanager
def packed(target: BinaryIO, suffix: str) -> Iterator[IO[bytes]]:
    """Provide a stream to write to; what is written arrives in `target`, compressed.

    Raises CaurError when that failed, as on a full disk.
    """
    command = _COMPRESSORS[suffix]
    if not command:
        yield target
        return
    with _running(command, stdin=subprocess.PIPE, stdout=target) as process:
        assert process.stdin is not None  # noqa: S101 - for mypy
        yield process.stdin


@contextmanager
def _running(
    command: Sequence[str], *, stdin: int | IO[bytes], stdout: int | IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program while the block uses its pipe, and see that it ended well."""
    with tempfile.TemporaryFile() as words:
        try:
            process = subprocess.Popen(
                command, stdin=stdin, stdout=stdout, stderr=words, env=child_environment()
            )
        except FileNotFoundError as error:
            raise missing_tool(command[0]) from error
        if process.stdout is not None:
            with suppress(ProcessLookupError):  # it has ended already
                limit = (_UNPACKING_MEMORY, _UNPACKING_MEMORY)
                resource.prlimit(process.pid, resource.RLIMIT_AS, limit)
        pipe = process.stdout or process.stdin
        assert pipe is not None  # noqa: S101 - for mypy
        try:
            yield process
            pipe.close()
            code = process.wait()
        except BrokenPipeError:
            code = process.wait(_PATIENCE)
        finally:
            # After an error nobody is interested in what it has to say.
            process.kill()
            process.wait()
            with suppress(OSError):
                pipe.close()
        if code != 0:
            words.seek(0)
            said = words.read(1000).decode(errors="replace").strip()
            kind = BadPackageError if process.stdout else CaurError
            raise kind(f"{command[0]} ended with exit code {code}: {said}")
