"""Puts a worker together from its settings."""

from __future__ import annotations

import logging
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from caur_ci.credentials import secrets_of
from caur_ci.errors import TemporaryError
from caur_ci.hiding import hide_this_process
from caur_ci.process import missing_tool
from scheduler.landing import landing_at
from scheduler.logs import LogStore
from scheduler.presence import Presence
from scheduler.queue import Queue, WorkerIdentity
from scheduler.source.cache import SourceCache
from scheduler.worker.architectures import buildable
from scheduler.worker.builder import Builder
from scheduler.worker.delivery import DeliveryClient, RetryPolicy
from scheduler.worker.executors.opening import opened_executor
from scheduler.worker.executors.protocol import Stop
from scheduler.worker.handshake import Handshake
from scheduler.worker.loop import Worker
from scheduler.worker.readiness import Readiness, check_disk
from scheduler.worker.srcdest_cache import SrcdestCache
from scheduler.worker.users import build_user
from scheduler.worker.workspace import workspace
from scheduler.workerkeys import WorkerKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from threading import Event

    from redis import Redis

    from scheduler.job import Usage
    from scheduler.landing import Landing
    from scheduler.settings import WorkerSettings
    from scheduler.worker.workspace import Workspace

_log = logging.getLogger(__name__)

# Missing ones are told at once, not by the first build that fails.
_TOOLS = ("git", "bsdtar", "setpriv", "ssh-keygen")


@contextmanager
def opened_builder(
    settings: WorkerSettings, worker_id: str, sources: SourceCache | None = None
) -> Iterator[tuple[Builder, Workspace]]:
    """Provide what builds packages, with a user and a folder for its builds.

    Without `sources`, they are fetched into a cache in the shared folder. Raises ProcessError for
    a missing tool, ConfigError for settings that cannot be followed.
    """
    for tool in _TOOLS:
        if shutil.which(tool) is None:
            raise missing_tool(tool)
    hide_this_process()
    # Builds run as somebody else, who has to get to what is made for them.
    os.umask(0o022)
    with (
        build_user(settings.user) as user,
        workspace(settings.shared, worker_id, user) as place,
        opened_executor(settings) as executor,
    ):
        builder = Builder(
            settings=settings,
            worker_id=worker_id,
            sources=sources or SourceCache(settings.shared / "sources"),
            downloads=SrcdestCache(settings.srcdest_cache or place.downloads),
            executor=executor,
            user=user,
            architectures=buildable(settings),
        )
        yield builder, place


@contextmanager
def running_worker(
    settings: WorkerSettings, redis: Redis, stop: Event, *, secrets: Iterable[str] = ()
) -> Iterator[Worker]:
    """Provide a worker; raises what `opened_builder` does.

    `secrets`, or the passwords in them where they are URLs, are kept out of its logs.
    """
    identity = WorkerIdentity.new(settings.name, settings.build_class, buildable(settings))
    with opened_builder(settings, identity.id) as (builder, place):
        key = WorkerKey.ensure(settings.key)
        _log.info("its line in ALLOWED_WORKERS: %s", key.allowed_line(identity.name))
        _log.info(
            "worker %s (class %d, executor %s) builds for %s in %s as user id %d",
            identity.id,
            identity.build_class,
            builder.executor.name,
            " ".join(identity.architectures),
            place.folder,
            builder.user.uid,
        )
        presence = Presence(redis)
        landing = _landing(settings)
        handshake = Handshake(landing, key, identity.name, presence)
        yield Worker(
            queue=Queue(redis),
            logs=LogStore(redis),
            identity=identity,
            builder=builder,
            delivery=DeliveryClient(
                landing=landing,
                key=key,
                retry_policy=RetryPolicy(total=settings.patience),
            ),
            workspace=place,
            stop=stop,
            readiness=Readiness(
                quick=[lambda: check_disk(place.folder, settings.min_free), handshake.check],
                opening=lambda seconds: handshake.wait(seconds, stop),
                slow=[landing.check, lambda: builder.executor.check_ready(_Quiet(stop))],
            ),
            presence=presence,
            secrets=_all_secrets(settings, secrets),
        )
    _log.info("worker %s has ended", identity.id)


def _landing(settings: WorkerSettings) -> Landing:
    """Return the landing zone, after a look whether something could be delivered there.

    Raises CaurError for what does not get better by itself, such as another host's key.
    """
    landing = landing_at(settings.landing_zone)
    try:
        landing.check()
    except (TemporaryError, OSError) as error:
        _log.warning("the landing zone is out of reach for now: %s", error)
    return landing


def _all_secrets(settings: WorkerSettings, secrets: Iterable[str]) -> set[str]:
    """Return these secrets, and the passwords in all URLs that the worker knows."""
    known = {*secrets, *(repository.url for repository in settings.source_repos.values())}
    passwords = {secret for text in known for secret in secrets_of(text)}
    return {*secrets, *passwords}


class _Quiet:
    """A watch over what is no build."""

    def __init__(self, stop: Event) -> None:
        self._stop = stop

    def output(self, data: bytes) -> None:
        """Drop it: what fails says why in its error."""

    def why_stop(self, usage: Usage) -> Stop | None:
        """Tell whether the worker is to end."""
        del usage
        return Stop.SHUTDOWN if self._stop.is_set() else None
