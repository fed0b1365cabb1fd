"""What requests name in their paths and queries, checked before it is used."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from caur_ci.names import check_architecture, check_package_name, check_repository_name
from scheduler.job import Outcome
from scheduler.web.answers import bad_request

if TYPE_CHECKING:
    from starlette.requests import Request

    from scheduler.queue import QueueSnapshot
    from scheduler.settings import WebSettings
    from scheduler.web.services import WebServices
    from scheduler.web.snapshots import Snapshots
    from scheduler.web.streaming.streams import Streams

DEFAULT_LIMIT, LARGEST_LIMIT = 50, 500
LONGEST_PATTERN = 255

_WHOLE = re.compile(r"-?[0-9]{1,15}", re.ASCII)


def services_of(request: Request) -> WebServices:
    """Return what is shown."""
    return cast("WebServices", request.app.state.services)


def settings_of(request: Request) -> WebSettings:
    """Return the settings of the server."""
    return cast("WebSettings", request.app.state.settings)


def streams_of(request: Request) -> Streams:
    """Return the streams of the server."""
    return cast("Streams", request.app.state.streams)


def snapshot_of(request: Request, limit: int) -> QueueSnapshot:
    """Return the queue as it was a moment ago, at most `limit` jobs of each kind."""
    return cast("Snapshots", request.app.state.snapshots).get(limit)


def number(text: str, name: str, *, least: int = 0, most: int = 10**15) -> int:
    """Return a whole number. Raises AnswerError."""
    if not _WHOLE.fullmatch(text) or not least <= int(text) <= most:
        raise bad_request(
            f"{name}={text[:100]!r} does not fit",
            hint=f"It is a whole number from {least} to {most}.",
        )
    return int(text)


def query_number(
    request: Request, name: str, default: int, *, least: int = 0, most: int = 10**15
) -> int:
    """Return a number of the query. Raises AnswerError."""
    text = request.query_params.get(name)
    return default if text is None else number(text, name, least=least, most=most)


def limit_of(request: Request) -> int:
    """Return how many entries of a list are wanted. Raises AnswerError."""
    return query_number(request, "limit", DEFAULT_LIMIT, least=1, most=LARGEST_LIMIT)


def cursor_of(request: Request) -> int | None:
    """Return where a list goes on: the id of a job. Raises AnswerError."""
    text = request.query_params.get("cursor")
    return None if text is None else number(text, "cursor", least=-(10**15))


def job_of(request: Request) -> int:
    """Return the id of a job in the path. Raises AnswerError."""
    return number(request.path_params["job"], "job", least=-(10**15))


def attempt_of(request: Request) -> int:
    """Return the attempt in the path. Raises AnswerError."""
    return number(request.path_params["attempt"], "attempt", most=10**6)


def identity_of(request: Request) -> str:
    """Return the package in the path. Raises NameNotAllowedError."""
    values = request.path_params
    return checked_identity(values["target_repo"], values["arch"], values["pkgbase"])


def checked_identity(target_repo: str, arch: str, pkgbase: str) -> str:
    """Return `target_repo/arch/pkgbase`. Raises NameNotAllowedError."""
    check_repository_name(target_repo)
    check_architecture(arch)
    check_package_name(pkgbase)
    return f"{target_repo}/{arch}/{pkgbase}"


def outcomes_of(request: Request) -> list[Outcome] | None:
    """Return the outcomes that are wanted, None for all. Raises AnswerError."""
    names = [name for text in request.query_params.getlist("outcome") for name in text.split(",")]
    unknown = [name for name in names if name not in Outcome.__members__]
    if unknown:
        raise bad_request(
            f"outcome={unknown[0][:100]!r} is not known",
            hint=f"There are {', '.join(Outcome.__members__)}.",
        )
    return [Outcome[name] for name in names] or None


def pattern_of(request: Request) -> str:
    """Return what names of packages are to look like, empty for any. Raises AnswerError."""
    pattern = request.query_params.get("pattern", "")
    if len(pattern) > LONGEST_PATTERN or not pattern.isprintable():
        raise bad_request(
            "the pattern does not fit",
            hint=f"It has at most {LONGEST_PATTERN} characters; * ? and […] work as in a shell.",
        )
    return pattern


def wants(request: Request, name: str) -> bool:
    """Tell whether a switch of the query is on. Raises AnswerError."""
    text = request.query_params.get(name, "false").lower()
    if text not in {"", "0", "1", "false", "true"}:
        raise bad_request(f"{name}={text[:100]!r} does not fit", hint="It is true or false.")
    return text in {"", "1", "true"}
