"""What can be changed by whoever has the token; all of it is told in the queue's events."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from starlette.concurrency import run_in_threadpool

from caur_ci.errors import InputError
from scheduler.queue import JobChange, Submission
from scheduler.web.answers import AnswerError, bad_request, json_answer
from scheduler.web.api.model import Changes, HoldAnswer
from scheduler.web.api.operations import Operation
from scheduler.web.api.requests import (
    build_schema,
    jobs_and_policy,
    legacy_schema,
    read_legacy_request,
    read_request,
)
from scheduler.web.bodies import json_of
from scheduler.web.parameters import checked_identity, services_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from scheduler.queue import JobReference, Queue, Refusal
    from scheduler.web.permission import Doorkeeper

    Wish = Callable[[Queue, Sequence[JobReference], str], Sequence[JobChange]]
    Data = Mapping[str, Any]
    Act = Callable[[Request, Data, str], Response]

_log = logging.getLogger(__name__)

_PACKAGES_AT_MOST = 1000
_REASON_AT_MOST = 500


def _authorized(act: Act) -> Callable[[Request], Any]:
    """Return the handler of what only the holder of the token may do; it gets the JSON, and who."""

    async def handler(request: Request) -> Response:
        doorkeeper = cast("Doorkeeper", request.app.state.doorkeeper)
        who = doorkeeper.check(request)
        data = await json_of(request)
        _log.info("%s by %s", request.url.path, who)
        return await run_in_threadpool(act, request, data, who)

    return handler


def _schedule(request: Request, data: Data, who: str) -> Response:
    wanted = read_request(data)
    jobs, on_running = jobs_and_policy(wanted)
    if not jobs:
        raise bad_request("the request names no packages")
    queue = services_of(request).queue
    taken = queue.submit(wanted.request_id, jobs, on_running=on_running)
    return _submitted(request, taken, who)


def _schedule_legacy(request: Request, data: Data, who: str) -> Response:
    jobs, refused = read_legacy_request(data)
    request_id = f"web-{secrets.token_hex(16)}"
    taken = Submission(request_id=request_id)
    if jobs:
        taken = services_of(request).queue.submit(request_id, jobs)
    return _submitted(request, _with(taken, refused), who)


def _with(taken: Submission, refused: Iterable[Refusal]) -> Submission:
    return replace(taken, refused=(*taken.refused, *refused))


def _submitted(request: Request, taken: Submission, who: str) -> Response:
    nothing = not (taken.jobs or taken.known)
    if not nothing:
        services_of(request).queue.record_wish(
            "schedule", who, request_id=taken.request_id, reason=f"{len(taken.jobs)} jobs"
        )
    status = HTTPStatus.UNPROCESSABLE_ENTITY if nothing else HTTPStatus.OK
    return json_answer(request, taken, status=status)


def _wish(name: str, wish: Wish) -> Act:
    """Return what does something to the packages or jobs that are named."""

    def act(request: Request, data: Data, who: str) -> Response:
        asked = _Asked(name, wish, who, _reason(data))
        changes = _changes(services_of(request).queue, asked, _references(data))
        status = HTTPStatus.OK if any(each.done for each in changes) else HTTPStatus.CONFLICT
        return json_answer(request, Changes(changes=tuple(changes)), status=status)

    return act


def _promote_legacy(request: Request, data: Data, who: str) -> Response:
    values = [data.get(name) for name in ("target_repo", "arch", "pkgbase")]
    if not all(isinstance(value, str) for value in values):
        raise bad_request("the request does not name pkgbase, arch and target_repo as texts")
    identity = checked_identity(*cast("list[str]", values))
    asked = _Asked("promote", _promoted, who)
    changes = _changes(services_of(request).queue, asked, [identity])
    status = HTTPStatus.OK if any(each.done for each in changes) else HTTPStatus.NOT_FOUND
    return json_answer(request, Changes(changes=tuple(changes)), status=status)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What somebody asked for, and why."""

    name: str
    wish: Wish
    who: str
    reason: str = ""


def _changes(queue: Queue, asked: _Asked, references: Sequence[str]) -> list[JobChange]:
    """Do what was wished with what is clear, write it down, and tell what became of all."""
    targets, unclear = _resolved(queue, references)
    told = f"{asked.reason or asked.name} (by {asked.who})"
    changes = list(asked.wish(queue, targets, told))
    for each in changes:
        if each.done:
            queue.record_wish(
                asked.name,
                asked.who,
                identity=each.identity,
                job_id=each.job_id,
                reason=asked.reason,
            )
    return [*changes, *unclear]


def _promoted(queue: Queue, targets: Sequence[JobReference], _: str) -> Sequence[JobChange]:
    return queue.promote(targets)


def _resolved(
    queue: Queue, references: Sequence[str]
) -> tuple[list[JobReference], list[JobChange]]:
    targets: dict[JobReference, None] = {}
    unclear = []
    for reference in references:
        try:
            targets[queue.resolve(reference)] = None
        except InputError as error:
            unclear.append(JobChange(target=reference, done=False, reason=error.message))
    return list(targets), unclear


def _hold(name: str) -> Act:
    """Return what has packages put on hold, or let go, by whoever keeps that."""

    def act(request: Request, data: Data, who: str) -> Response:
        holds = services_of(request).holds
        if holds is None:
            raise AnswerError(
                HTTPStatus.FORBIDDEN,
                "this server cannot change what is on hold",
                hint=f"Use `caur-ci {name} PACKAGE` in a clone of the repository of PKGBUILDs.",
            )
        change = holds.hold if name == "hold" else holds.unhold
        said = change(_references(data), reason=_reason(data), who=who)
        queue = services_of(request).queue
        for package in said:
            queue.record_wish(name, who, identity=package, reason=_reason(data))
        return json_answer(request, HoldAnswer(packages=said))

    return act


def _references(data: Data) -> list[str]:
    packages = data.get("packages")
    fits = isinstance(packages, list) and 0 < len(packages) <= _PACKAGES_AT_MOST
    if not fits or not all(isinstance(each, str) for each in cast("list[Any]", packages)):
        raise bad_request(
            f"packages is not a list of 1 to {_PACKAGES_AT_MOST} texts",
            hint="Each is PKGBASE, TARGET/PKGBASE, TARGET/ARCH/PKGBASE, or the id of a job.",
        )
    return cast("list[str]", packages)


def _reason(data: Data) -> str:
    reason = data.get("reason", "")
    if not isinstance(reason, str) or len(reason) > _REASON_AT_MOST or not reason.isprintable():
        raise bad_request(f"reason is not a line of at most {_REASON_AT_MOST} characters")
    return reason


_SCHEMAS = "#/components/schemas"
_PACKAGES = {
    "type": "object",
    "required": ["packages"],
    "properties": {
        "packages": {
            "description": "PKGBASE, TARGET/PKGBASE, TARGET/ARCH/PKGBASE, or the id of a job.",
            "type": "array",
            "minItems": 1,
            "maxItems": _PACKAGES_AT_MOST,
            "items": {"type": "string"},
        },
        "reason": {"type": "string", "maxLength": _REASON_AT_MOST},
    },
}
_PROMOTION = {
    "type": "object",
    "required": ["pkgbase", "arch", "target_repo"],
    "properties": {name: {"type": "string"} for name in ("pkgbase", "arch", "target_repo")},
}
# What bodies look like, by the name of what the documentation calls them.
BODIES: dict[str, dict[str, Any]] = {
    "BuildRequest": build_schema(f"{_SCHEMAS}/BuildRequest"),
    "LegacyBuildRequest": legacy_schema(f"{_SCHEMAS}/LegacyBuildRequest"),
    "LegacyPromotion": _PROMOTION,
    "PackagesRequest": _PACKAGES,
}
_REFUSALS = (401, 403, 408, 413, 415, 429)


def _operation(  # noqa: PLR0917 - a table
    path: str, summary: str, act: Act, body: str, answer: type, unmet: int, *problems: int
) -> Operation:
    return Operation(
        path=path,
        name=path.removeprefix("/api/").replace("/", "-"),
        summary=summary,
        handler=_authorized(act),
        answer=answer,
        method="POST",
        body={"$ref": f"{_SCHEMAS}/{body}"},
        problems=(*_REFUSALS, *problems),
        secured=True,
        unmet=unmet,
    )


def _packages_operation(name: str, summary: str, wish: Wish) -> Operation:
    return _operation(
        f"/api/v1/{name}", summary, _wish(name, wish), "PackagesRequest", Changes, 409
    )


OPERATIONS = (
    _operation(
        "/api/v1/schedule",
        "Build packages. A request id that was used before does nothing.",
        _schedule,
        "BuildRequest",
        Submission,
        422,
    ),
    _packages_operation(
        "promote",
        "Let waiting packages go first.",
        lambda queue, targets, _: queue.promote(targets),
    ),
    _packages_operation(
        "cancel",
        "Take packages out of the queue, and stop their builds.",
        lambda queue, targets, reason: queue.cancel(targets, reason=reason),
    ),
    _packages_operation(
        "retry",
        "Build packages again whose last job did not go well.",
        lambda queue, targets, _: queue.retry(targets),
    ),
    _operation(
        "/api/v1/hold",
        "Put packages on hold: they are neither updated nor built.",
        _hold("hold"),
        "PackagesRequest",
        HoldAnswer,
        0,
        409,
    ),
    _operation(
        "/api/v1/unhold",
        "Let packages go that are on hold.",
        _hold("unhold"),
        "PackagesRequest",
        HoldAnswer,
        0,
        409,
    ),
    _operation(
        "/api/queue/schedule",
        "Build packages, as the existing manager is asked for it.",
        _schedule_legacy,
        "LegacyBuildRequest",
        Submission,
        422,
    ),
    _operation(
        "/api/queue/promote",
        "Let a waiting package go first, as the existing manager is asked for it.",
        _promote_legacy,
        "LegacyPromotion",
        Changes,
        404,
    ),
)
