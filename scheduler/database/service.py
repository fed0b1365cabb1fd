"""Puts a database runner together from its settings."""

from __future__ import annotations

import logging
import shutil
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError
from caur_ci.hiding import hide_this_process
from caur_ci.process import missing_tool
from scheduler.database.distribution import DistributionNames
from scheduler.database.distribution_files import DistributionFiles
from scheduler.database.greeter import Greeter
from scheduler.database.keyfile import publish_key
from scheduler.database.publishing import Publisher
from scheduler.database.removing import Remover
from scheduler.database.runner import DatabaseRunner
from scheduler.database.signing import Signer
from scheduler.landing import LandingZone
from scheduler.presence import Presence
from scheduler.queue import Queue
from scheduler.workerkeys import AllowedWorkers

if TYPE_CHECKING:
    from threading import Event

    from redis import Redis

    from scheduler.settings import DatabaseSettings

_log = logging.getLogger(__name__)

_TOOLS = ("repo-add", "repo-remove", "bsdtar", "git", "gpg", "ssh-keygen", "zstd")


def database_runner(
    settings: DatabaseSettings, redis: Redis, runner_id: str, stop: Event, *, passphrase: str = ""
) -> DatabaseRunner:
    """Return a database runner whose key was seen to sign.

    Raises ProcessError for a missing tool, ConfigError without a file of allowed workers,
    SigningError where there is no key.
    """
    for tool in _TOOLS:
        if shutil.which(tool) is None:
            raise missing_tool(tool)
    hide_this_process()
    AllowedWorkers(settings.allowed_workers).check_file()
    signer = Signer(settings.gpg_home, key=settings.signing_key, passphrase=passphrase)
    signer.check()
    landing = LandingZone(settings.landing_zone)
    landing.check()
    if warning := landing.warning():
        _log.warning(warning)
    _publish_key(settings, signer)
    _log.info(
        "database runner %s publishes %s in %s",
        runner_id,
        ", ".join(sorted(settings.target_repos)),
        settings.repo_path,
    )
    publisher = Publisher(
        queue=Queue(redis),
        settings=settings,
        landing=landing,
        signer=signer,
        distribution=DistributionNames(settings.distribution, ours=settings.target_repos),
        files=DistributionFiles(
            settings.distribution,
            ours=settings.target_repos,
            cache=settings.cache / "file-owners",
        ),
    )
    if not settings.distribution:
        _log.info(
            "names and files of the distribution's packages are not refused: DISTRIBUTION_DATABASES"
        )
    remover = Remover(queue=publisher.queue, settings=settings, signer=signer)
    greeter = Greeter(
        settings.landing_zone, AllowedWorkers(settings.allowed_workers), Presence(redis), runner_id
    )
    return DatabaseRunner(publisher, remover, runner_id, stop, greeter=greeter)


def _publish_key(settings: DatabaseSettings, signer: Signer) -> None:
    try:
        key = signer.public_key()
        for target in settings.target_repos:
            publish_key(settings.repo_path, target, key)
    except CaurError as error:
        _log.warning("the public key is not published: %s", error.message)
