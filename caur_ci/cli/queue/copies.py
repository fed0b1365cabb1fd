"""`caur-ci queue backup` and `restore`."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from caur_ci.cli import streams
from caur_ci.cli.options import AsJson, Redis
from caur_ci.cli.session import session_of
from caur_ci.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

_STANDARD = "-"
# The last line of a backup, which says how many documents there are.
_END = "end"


def backup(
    context: typer.Context,
    *,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Where to, `-` for standard output.")
    ] = _STANDARD,
    redis: Redis = None,
    as_json: AsJson = False,
) -> None:
    """Write what is in the queue to a file, one JSON document per line.

    All jobs that have not ended, those in quarantine, removals and remembered requests; neither
    results nor logs. Where there are many jobs, others wait while they are read. A file is
    replaced only once all is written. With `--json` a summary of what was written follows for FILE.
    """
    from caur_ci.cli.queue_connection import open_queue  # noqa: PLC0415 - slow to import

    session = session_of(context)
    if as_json and file == _STANDARD:
        as_json = False  # what goes to standard output is JSON already
    queue = open_queue(session, redis)
    count = 0
    with _written(file) as stream:
        for document in queue.backup():
            stream.write(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")
            count += 1
        stream.write(json.dumps({"kind": _END, "documents": count}) + "\n")
    if as_json:
        session.print_plain(json.dumps({"file": file, "documents": count}))
    elif file != _STANDARD:
        session.out.print(f"{count} documents were written to {file}", markup=False)


def restore(
    context: typer.Context,
    *,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="The backup, `-` for standard input.")
    ],
    incomplete: Annotated[
        bool,
        typer.Option(
            "--incomplete", help="Take a backup whose end is missing, with what is there of it."
        ),
    ] = False,
    redis: Redis = None,
    as_json: AsJson = False,
) -> None:
    """Bring a backup back into an empty queue, all of it or nothing.

    A backup that was cut off is refused. Jobs that were being built then are built again, at their
    old turn. Refused where the queue holds jobs; `caur-ci queue reset` empties it.
    """
    from caur_ci.cli.queue_connection import open_queue  # noqa: PLC0415 - slow to import

    session = session_of(context)
    with _read(file) as stream:
        restored = open_queue(session, redis, begin=True).restore(
            _documents(stream, file, whole=not incomplete)
        )
    if as_json:
        session.print_plain(json.dumps(asdict(restored), indent=2))
        return
    counts = {
        "jobs": restored.jobs,
        "in quarantine": restored.quarantined,
        "removals": restored.removals,
        "remembered requests": restored.requests,
        "left out for newer ones": restored.superseded,
    }
    session.out.print(
        ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        or "the backup was empty"
    )


@contextmanager
def _written(file: str) -> Iterator[TextIO]:
    """Provide a stream whose content is at `file` once everything has gone well."""
    if file == _STANDARD:
        yield sys.stdout
        if lost := streams.lost_output(also_unread=True):
            raise InputError(f"standard output cannot be written: {lost}")
        return
    path = Path(file).absolute()
    if path.exists() and not path.is_file():  # such as /dev/null, or a pipe
        with _opened(file, "w") as stream:
            yield stream
        return
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror}") from error
    try:
        with open(descriptor, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a descriptor
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror}") from error
    finally:
        with suppress(FileNotFoundError):  # it has its name by now
            Path(temporary).unlink()


@contextmanager
def _read(file: str) -> Iterator[TextIO]:
    if file == _STANDARD:
        yield sys.stdin
        return
    with _opened(file, "r") as stream:
        yield stream


@contextmanager
def _opened(file: str, mode: Literal["r", "w"]) -> Iterator[TextIO]:
    try:
        with Path(file).open(mode, encoding="utf-8") as stream:
            yield stream
    except OSError as error:
        done = "read" if mode == "r" else "written"
        raise InputError(f"{file} cannot be {done}: {error.strerror}") from error


def _documents(stream: TextIO, file: str, *, whole: bool) -> Iterator[dict[str, Any]]:
    """Yield the documents of a backup.

    Raises InputError naming the line, and with `whole` where it does not end as `backup` does.
    """
    origin = "standard input" if file == _STANDARD else file
    count, told = 0, None
    try:
        for number, line in enumerate(stream, start=1):
            try:
                document = json.loads(line)
            except ValueError as error:
                raise InputError(f"{origin}, line {number} is not JSON: {error}") from error
            if not isinstance(document, dict):
                raise InputError(f"{origin}, line {number} is not of a backup")
            if document.get("kind") == _END:
                told = document.get("documents")
                continue
            count += 1
            yield document
    except UnicodeDecodeError as error:
        raise InputError(f"{origin} is no text: {error}") from error
    if whole and told != count:
        raise InputError(
            f"{origin} is no whole backup: it has {count} documents, "
            f"{'and its end is missing' if told is None else f'{told} were written'}",
            hint="Nothing was restored. --incomplete takes what is there.",
        )
