"""What has to be done to repositories from time to time, whether anything is published or not."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, TemporaryError
from scheduler.database.layout import layouts
from scheduler.database.repository import Retention, open_repository

if TYPE_CHECKING:
    from scheduler.settings import DatabaseSettings

_log = logging.getLogger(__name__)

_EVERY = 60.0


class RepositoryUpkeep:
    """Finishes what was interrupted, and moves superseded files on when their time is over."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self._next = time.monotonic()

    def do(self) -> None:
        """Do it if the time for it has come."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY
        for target in sorted(self._settings.target_repos):
            for layout in layouts(self._settings.repo_path, target):
                try:
                    with open_repository(
                        layout, Retention.of(self._settings), wait=False
                    ) as repository:
                        repository.sweep()
                except TemporaryError:
                    continue  # whoever works on it does so too
                except (CaurError, OSError) as error:
                    _log.warning("%s/%s: %s", target, layout.arch, error)
