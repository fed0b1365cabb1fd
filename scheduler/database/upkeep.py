"""What has to be done to repositories from time to time, whether anything is published or not."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, TemporaryError
from scheduler.database.layout import layouts
from scheduler.database.repository import Retention, open_repository

if TYPE_CHECKING:
    from scheduler.database.signing import Signer
    from scheduler.settings import DatabaseSettings

_log = logging.getLogger(__name__)

_EVERY = 60.0
_LOOK_AT_KEY_EVERY = 24 * 3600.0


class RepositoryUpkeep:
    """Finishes what was interrupted, and moves superseded files on when their time is over."""

    def __init__(self, settings: DatabaseSettings, signer: Signer) -> None:
        self._settings = settings
        self._signer = signer
        self._next = time.monotonic()
        self._next_look_at_key = time.monotonic() + _LOOK_AT_KEY_EVERY

    def do(self) -> None:
        """Do it if the time for it has come."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY
        self._look_at_key()
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

    def _look_at_key(self) -> None:
        if time.monotonic() < self._next_look_at_key:
            return
        self._next_look_at_key = time.monotonic() + _LOOK_AT_KEY_EVERY
        try:
            self._signer.warn_of_expiry()
        except CaurError as error:
            _log.warning("the signing key cannot be looked at: %s", error)
