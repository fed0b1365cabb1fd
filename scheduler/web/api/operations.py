"""Each thing that can be asked: where, by which function, with what, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from scheduler.job import Outcome
from scheduler.web.parameters import DEFAULT_LIMIT, LARGEST_LIMIT, LONGEST_PATTERN

if TYPE_CHECKING:
    from collections.abc import Callable

_JOB_ID = {"type": "integer", "minimum": -(10**15), "maximum": 10**15}
_NOT_NEGATIVE = {"type": "integer", "minimum": 0, "maximum": 10**15}
_REPOSITORY = {"type": "string", "maxLength": 255, "pattern": r"^[A-Za-z0-9_][A-Za-z0-9@._+-]*$"}
_PACKAGE = {"type": "string", "maxLength": 255, "pattern": r"^[A-Za-z0-9@_+][A-Za-z0-9@._+-]*$"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a request says besides its path; `place` is where."""

    name: str
    summary: str
    schema: dict[str, Any]
    place: str = "query"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """An answer that is no JSON, of that media type."""

    media_type: str = "text/plain"
    is_partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Something that can be asked.

    `answer` is the type of what comes as JSON, in `media_type`. `problems` are the statuses of
    what may go wrong, beside 400 and 503. `body` is the JSON Schema of what a request has to say.
    With `secured` it takes the token. `unmet` is the status of an answer of the same type that says
    that nothing was done, 0 where there is none.
    """

    path: str
    name: str
    summary: str
    handler: Callable[..., Any]
    answer: Any
    method: str = "GET"
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[int, ...] = ()
    body: dict[str, Any] | None = None
    media_type: str = "application/json"
    secured: bool = False
    unmet: int = 0

    def route(self) -> Route:
        """Return the route to it."""
        return Route(self.path, self.handler, methods=[self.method], name=self.name)


PATH_PARAMETERS = {
    "job": Parameter("job", "The id of a job.", _JOB_ID, "path"),
    "attempt": Parameter(
        "attempt", "Which attempt at it, from 1.", {**_NOT_NEGATIVE, "maximum": 10**6}, "path"
    ),
    "target_repo": Parameter("target_repo", "The target repository.", _REPOSITORY, "path"),
    "arch": Parameter(
        "arch",
        "The architecture.",
        {"type": "string", "maxLength": 255, "pattern": "^[a-z0-9_]+$"},
        "path",
    ),
    "pkgbase": Parameter("pkgbase", "The name of the package.", _PACKAGE, "path"),
}
LIMIT = Parameter(
    "limit",
    "How many at the most.",
    {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT},
)
CURSOR = Parameter("cursor", "`next_cursor` of the page before.", _JOB_ID)
PATTERN = Parameter(
    "pattern",
    "What names look like, with `*`, `?` and `[…]` as in a shell.",
    {"type": "string", "maxLength": LONGEST_PATTERN},
)
OUTCOME = Parameter(
    "outcome",
    "How they ended; several with commas in between.",
    {"type": "array", "items": {"type": "string", "enum": list(Outcome.__members__)}},
)
DAYS = Parameter(
    "days",
    "How many days.",
    {"type": "integer", "minimum": 1, "maximum": 366, "default": 30},
)
OFFSET = Parameter("offset", "From which byte on.", {**_NOT_NEGATIVE, "default": 0})
BYTES = Parameter("limit", "How many bytes at the most.", {**_NOT_NEGATIVE, "minimum": 1})
FOLLOW = Parameter(
    "follow",
    "Whether the answer goes on for as long as the log grows.",
    {"type": "boolean", "default": False},
)
AFTER = Parameter(
    "after",
    "The id of an event; those after it are told. Default: from now on.",
    {"type": "string", "pattern": "^[0-9]{1,16}(-[0-9]{1,16})?$"},
)
