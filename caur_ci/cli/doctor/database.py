"""Looks at this machine as the one that publishes."""

from __future__ import annotations

import math
import shutil
import time
from typing import TYPE_CHECKING

from caur_ci.cli.history_access import history_settings
from caur_ci.cli.signals import environment_with
from scheduler.database.signing import Signer
from scheduler.history import History
from scheduler.landing import LandingZone
from scheduler.private import make_private
from scheduler.workerkeys import AllowedWorkers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caur_ci.cli.doctor.checks import Examination
    from scheduler.settings import DatabaseSettings

_TOOLS = {
    "repo-add": "pacman's databases are written by it",
    "repo-remove": "pacman's databases are written by it",
    "bsdtar": "packages are read with it",
    "gpg": "packages are signed with it",
    "ssh-keygen": "deliveries are checked with it",
    "zstd": "packages are read with it",
    "git": "what was built is compared with its commit",
}
_SOON = 30 * 24 * 3600
_GIBIBYTE = 1024**3


def examine_database(
    found: Examination, settings: DatabaseSettings, passphrase: str, workers: Iterable[str]
) -> None:
    """Look at what publishing needs. `workers` are the names of those that build now."""
    for program, purpose in _TOOLS.items():
        found.tool(program, purpose)
    found.look("signing key", lambda: _signing_key(found, settings, passphrase))
    found.look("landing zone", lambda: _landing(found, settings))
    found.look("REPO_PATH", lambda: _repositories(found, settings))
    found.look("ALLOWED_WORKERS", lambda: _trust(found, settings, workers))
    found.look("HISTORY_PATH", lambda: _history(found, settings))


def _signing_key(found: Examination, settings: DatabaseSettings, passphrase: str) -> None:
    signer = Signer(settings.gpg_home, key=settings.signing_key, passphrase=passphrase)
    signer.check()
    expires = signer.expires()
    if expires - time.time() < _SOON:
        day = time.strftime("%Y-%m-%d", time.gmtime(expires))
        found.warn(
            "signing key",
            f"it expires on {day}",
            "Extend it with `gpg --quick-set-expire`, and let users have the new public key.",
        )
    elif math.isinf(expires):
        found.ok("signing key", "it signs, and does not expire")
    else:
        found.ok("signing key", "it signs")


def _landing(found: Examination, settings: DatabaseSettings) -> None:
    landing = LandingZone(settings.landing_zone)
    landing.check()
    if warning := landing.warning():
        found.warn("landing zone", warning, "")
    else:
        found.ok("landing zone", str(settings.landing_zone))


def _repositories(found: Examination, settings: DatabaseSettings) -> None:
    settings.repo_path.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.repo_path).free / _GIBIBYTE
    if free < 1:
        found.problem("REPO_PATH", f"only {free:.1f} GiB are free", "Make room there.")
    else:
        found.ok("REPO_PATH", f"{settings.repo_path}, {free:.0f} GiB are free")


def _history(found: Examination, settings: DatabaseSettings) -> None:
    place = history_settings(environment_with(), settings).path
    make_private(place, "the history", hint="HISTORY_PATH says where it is.")
    with History.open(place, read_only=True) as history:
        found.ok("HISTORY_PATH", f"{place}, {sum(history.totals().values())} jobs are remembered")


def _trust(found: Examination, settings: DatabaseSettings, workers: Iterable[str]) -> None:
    allowed = AllowedWorkers(settings.allowed_workers)
    allowed.check_file()
    strangers = sorted({name for name in workers if not allowed.names(name)})
    for name in strangers:
        found.problem(
            "ALLOWED_WORKERS",
            f"the worker {name} builds, and nothing of it is published: it has no line",
            "Add what `caur-ci worker --print-key` prints there.",
        )
    if not strangers:
        found.ok("ALLOWED_WORKERS", str(settings.allowed_workers))
