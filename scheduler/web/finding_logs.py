"""Which log is meant by a package and a time, as links of the existing system have it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caur_ci.names import check_package_name
from scheduler.web.answers import bad_request, not_found
from scheduler.web.parameters import checked_identity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scheduler.history import PastLog
    from scheduler.web.services import WebServices

NEWEST = "default"

_MILLISECONDS = re.compile(r"[0-9]{1,16}", re.ASCII)
# Links are made when a build begins, and its log begins a little later.
_CLOSE_ENOUGH = 60_000


def timestamp_of(log: PastLog) -> int:
    """Return what the log is called in links: when it began, in milliseconds."""
    return int(log.started * 1000)


def find_log(services: WebServices, package: str, timestamp: str = NEWEST) -> PastLog:
    """Return the log of `package` that began at `timestamp` in Unix milliseconds, or the newest.

    The package is a pkgbase or an identity. Raises AnswerError, NameNotAllowedError.
    """
    if timestamp != NEWEST and not _MILLISECONDS.fullmatch(timestamp):
        raise bad_request(
            f"{timestamp[:100]!r} is no time of a log",
            hint="It is in milliseconds, or `default` for the newest.",
        )
    logs = [
        log
        for identity in _identities(services, package)
        for log in services.logs.of_package(identity)
    ]
    found = _newest(logs) if timestamp == NEWEST else _closest(logs, int(timestamp))
    if found is None:
        raise not_found(
            f"there is no such log of {package}", hint="Logs are kept for a while only."
        )
    return found


def _identities(services: WebServices, package: str) -> list[str]:
    parts = package.split("/")
    if len(parts) == 3:
        return [checked_identity(*parts)]
    if len(parts) != 1:
        raise bad_request(
            f"{package[:200]!r} names no package", hint="It is PKGBASE or TARGET/ARCH/PKGBASE."
        )
    known = {job.identity for job in services.queue.find(check_package_name(package))}
    if services.history is not None:
        known.update(services.history.identities(package))
    # The name of a package may look like the id of a job.
    return sorted(each for each in known if each.endswith(f"/{package}"))


def _newest(logs: Iterable[PastLog]) -> PastLog | None:
    return max(logs, key=lambda log: (log.started, log.job_id, log.attempt), default=None)


def _closest(logs: Iterable[PastLog], timestamp: int) -> PastLog | None:
    found = min(logs, key=lambda log: abs(timestamp_of(log) - timestamp), default=None)
    if found is None or abs(timestamp_of(found) - timestamp) > _CLOSE_ENOUGH:
        return None
    return found
