"""`caur-ci queue import`."""

from __future__ import annotations

import re
import sys
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caur_ci.cli.data import to_json
from caur_ci.cli.options import AsJson, Redis, Strict
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import ExitCode, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.queue import Refusal, Submission

_STANDARD = "-"
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


File = Annotated[
    str | None,
    typer.Argument(
        metavar="FILE",
        help="The value of `build-queue`, `-` for standard input.",
        show_default=False,
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="NAME",
        help="Read it from this key of a Redis server; the manager's is `build-queue`.",
        show_default=False,
    ),
]
FromRedis = Annotated[
    str | None,
    typer.Option(
        "--from-redis",
        metavar="URL",
        help="The server with that key. Default: that of --redis.",
        show_default=False,
    ),
]
Commit = Annotated[
    str,
    typer.Option(
        "--commit",
        metavar="SHA",
        help="What those jobs build that name no commit. Without it they are refused.",
        show_default=False,
    ),
]
Again = Annotated[
    bool, typer.Option("--again", help="Also if the same jobs were taken over before.")
]


def import_queue(
    context: typer.Context,
    *,
    file: File = None,
    key: Key = None,
    from_redis: FromRedis = None,
    commit: Commit = "",
    again: Again = False,
    redis: Redis = None,
    strict: Strict = False,
    as_json: AsJson = False,
) -> int:
    """Take over the queue of the existing manager.

    From FILE, or with `--key build-queue` from its Redis server; version 3 of it. Nothing is
    changed there: stop the manager first. Taking the same jobs over twice is harmless.

    Ends with 3 if some jobs were refused, with 1 if all were; each is named.
    """
    from caur_ci.cli.queue_connection import open_durable  # noqa: PLC0415 - slow to import
    from scheduler.legacy_queue import read_legacy_queue  # noqa: PLC0415
    from scheduler.queue import Queue  # noqa: PLC0415

    session = session_of(context)
    if (file is None) == (key is None) or (from_redis and key is None):
        raise InputError(
            "say where the queue is: FILE, or --key NAME and if needed --from-redis URL"
        )
    text, origin = _value(session, file=file, key=key, url=from_redis or redis)
    legacy = read_legacy_queue(text, origin=origin, commit=_checked(commit))
    request_id = f"import-{uuid.uuid4().hex}" if again else legacy.request_id
    with open_durable(session, redis, strict=strict) as client:
        done = Queue(client).submit(request_id, legacy.jobs)
    return _report(session, done, [*legacy.refused, *done.refused], as_json=as_json)


def _value(
    session: Session, *, file: str | None, key: str | None, url: str | None
) -> tuple[bytes, str]:
    """Return the saved queue, and where it is from."""
    if key is not None:
        return _from_key(session, key, url), f"the key {key}"
    if file == _STANDARD:
        return sys.stdin.buffer.read(), "standard input"
    try:
        return Path(file or "").read_bytes(), str(file)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from error


def _from_key(session: Session, key: str, url: str | None) -> bytes:
    from scheduler.connection import connect, redis_errors  # noqa: PLC0415 - slow to import

    with connect(url, secrets=session.secrets, begin=False) as client, redis_errors():
        value: Any = client.get(key) if client.type(key) == b"string" else None
    if value is None:
        raise InputError(
            f"there is no value {key} in that Redis server",
            hint="The manager saves its queue under `build-queue`.",
        )
    return bytes(value)


def _checked(commit: str) -> str:
    if commit and not _COMMIT.fullmatch(commit):
        raise InputError(f"--commit {commit} is not the full id of a commit")
    return commit


def _report(
    session: Session, done: Submission, refused: Sequence[Refusal], *, as_json: bool
) -> int:
    for refusal in refused:
        session.warn(f"{refusal.identity} was refused: {refusal.reason}")
    if as_json:
        session.print_plain(to_json(replace(done, refused=tuple(refused))))
    elif done.known:
        session.out.print(
            f"these jobs were taken over before, as request {done.request_id}; nothing was done"
        )
    else:
        session.out.print(
            f"{len(done.jobs)} jobs were taken over, {len(done.replaced)} of them in the place of "
            f"waiting ones; {len(refused)} were refused"
        )
    if not refused:
        return ExitCode.OK
    return ExitCode.PARTIAL if done.jobs or done.known else ExitCode.FAILED
