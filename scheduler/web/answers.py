"""How the server answers: JSON, text, and what went wrong."""

from __future__ import annotations

import hashlib
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from caur_ci.errors import CaurError, InputError, TemporaryError
from scheduler.web.shapes import as_data

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

JSON_TYPE = "application/json"
TEXT_TYPE = "text/plain; charset=utf-8"
_RETRY_AFTER = "10"


class AnswerError(CaurError):
    """A request that is answered with a status of 400 and above."""

    def __init__(
        self, status: int, message: str, *, hint: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.headers = dict(headers or {})


def not_found(message: str, *, hint: str = "") -> AnswerError:
    """Return the error for what is not there."""
    return AnswerError(HTTPStatus.NOT_FOUND, message, hint=hint)


def bad_request(message: str, *, hint: str = "") -> AnswerError:
    """Return the error for what cannot be understood."""
    return AnswerError(HTTPStatus.BAD_REQUEST, message, hint=hint)


def json_answer(
    request: Request, value: object, *, status: int = 200, media_type: str = JSON_TYPE
) -> Response:
    """Return `value` as JSON; that it is still the same, to those who have it already."""
    text = json.dumps(as_data(value), ensure_ascii=False, separators=(",", ":")) + "\n"
    body = text.encode("utf-8", "replace")
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if status == HTTPStatus.OK and _has(request, tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, status_code=status, media_type=media_type, headers=headers)


def problem_of(error: Exception) -> AnswerError:
    """Return what an error is for the one who asked; nothing about the program's inside."""
    match error:
        case AnswerError():
            return error
        case HTTPException():
            return AnswerError(error.status_code, str(error.detail), headers=error.headers)
        case InputError():
            return AnswerError(HTTPStatus.BAD_REQUEST, error.message, hint=error.hint)
        case TemporaryError():
            return AnswerError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "what is needed for this is out of reach now",
                hint="Try again in a while.",
                headers={"Retry-After": _RETRY_AFTER},
            )
        case CaurError():
            return AnswerError(HTTPStatus.CONFLICT, error.message, hint=error.hint)
        case _:
            return AnswerError(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "this went wrong because of a mistake in the program",
                hint="The log of the server says more.",
            )


def problem_data(problem: AnswerError) -> dict[str, Any]:
    """Return what JSON says of a problem."""
    return {"error": problem.message, "hint": problem.hint}


def _has(request: Request, tag: str) -> bool:
    known = request.headers.get("if-none-match", "")
    tags = {word.strip().removeprefix("W/") for word in known.split(",")}
    return bool(tags & {tag, "*"})
