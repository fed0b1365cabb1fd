"""What requests bring along: JSON, within limits."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NoReturn

from scheduler.web.answers import AnswerError, bad_request

if TYPE_CHECKING:
    from starlette.requests import Request

# A request for all packages of a large repository, with all that they depend on.
LARGEST_BODY = 8 * 1024 * 1024
_SECONDS = 30.0
_JSON_TYPE = "application/json"


async def json_of(request: Request) -> dict[str, Any]:
    """Return the JSON object that a request brings along. Raises AnswerError."""
    kind = request.headers.get("content-type", _JSON_TYPE).partition(";")[0].strip().lower()
    if kind != _JSON_TYPE:
        raise AnswerError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"the request brings {kind[:100]!r}",
            hint=f"It has to be {_JSON_TYPE}.",
        )
    try:
        data = json.loads(await _read(request), parse_constant=_refuse)
        # What cannot be encoded would fail later, and elsewhere.
        json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise bad_request(
            "the request is no JSON that can be used", hint=str(error)[:200]
        ) from error
    if not isinstance(data, dict):
        raise bad_request("the request is no JSON object", hint='It looks like {"packages": […]}.')
    return data


async def _read(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > LARGEST_BODY:
                    raise AnswerError(
                        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                        "the request is too large",
                        hint=f"{LARGEST_BODY} bytes are allowed; ask for some at a time.",
                    )
    except TimeoutError:
        raise AnswerError(
            HTTPStatus.REQUEST_TIMEOUT,
            "the request did not arrive in time",
            hint=f"All of it has to be there within {_SECONDS:.0f} seconds.",
        ) from None
    return bytes(body)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
