"""Puts a worker together from its settings."""

from __future__ import annotations

import logging
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import ConfigError
from caur_ci.hiding import hide_this_process
from caur_ci.process import missing_tool
from scheduler.build.building import Builder
from scheduler.build.downloads import KeptDownloads
from scheduler.build.executors.opening import opened_executor
from scheduler.build.users import build_user
from scheduler.build.worker import Worker
from scheduler.build.workspace import workspace
from scheduler.landing import LandingZone
from scheduler.logs import LogStore
from scheduler.queue import Queue, WorkerIdentity
from scheduler.source.cache import SourceCache
from scheduler.workerkeys import WorkerKey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

    from redis import Redis

    from scheduler.settings import WorkerSettings

_log = logging.getLogger(__name__)

# Missing ones are told at once, not by the first build that fails.
_TOOLS = ("git", "bsdtar", "setpriv", "ssh-keygen")


@contextmanager
def running_worker(settings: WorkerSettings, redis: Redis, stop: Event) -> Iterator[Worker]:
    """Provide a worker with a user and a folder for its builds.

    Raises ProcessError for a missing tool, ConfigError for settings that cannot be followed.
    """
    for tool in _TOOLS:
        if shutil.which(tool) is None:
            raise missing_tool(tool)
    if not isinstance(settings.landing_zone, Path):
        raise ConfigError("a landing zone on another machine cannot be used yet")
    hide_this_process()
    identity = WorkerIdentity.new(settings.name, settings.build_class)
    key = WorkerKey.ensure(settings.key)
    _log.info("its line in ALLOWED_WORKERS: %s", key.allowed_line(identity.name))
    with (
        build_user(settings.user) as user,
        workspace(settings.shared, identity.id, user) as place,
        opened_executor(settings) as executor,
    ):
        _log.info(
            "worker %s (class %d, executor %s) builds in %s as user id %d",
            identity.id,
            identity.build_class,
            executor.name,
            place.folder,
            user.uid,
        )
        builder = Builder(
            settings=settings,
            worker_id=identity.id,
            sources=SourceCache(settings.shared / "sources"),
            downloads=KeptDownloads(place.downloads),
            executor=executor,
            user=user,
        )
        yield Worker(
            queue=Queue(redis),
            logs=LogStore(redis),
            identity=identity,
            builder=builder,
            landing=LandingZone(settings.landing_zone),
            key=key,
            workspace=place,
            stop=stop,
        )
    _log.info("worker %s has ended", identity.id)
