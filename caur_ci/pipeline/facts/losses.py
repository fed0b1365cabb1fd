"""Which published packages are broken, looked up now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.errors import CaurError
from caur_ci.pipeline.rebuilds import rules_of
from caur_ci.rebuild import RebuildLooker, RebuildState
from caur_ci.web import Web

if TYPE_CHECKING:
    from caur_ci.pipeline.facts.reading import Reading
    from caur_ci.rebuild import BrokenPackage

# Databases of the distribution move a few times a day.
LOOKED_EVERY = 900.0


class Losses:
    """What was lost in one repository when somebody looked last.

    `unknown` says why that is not known, or may be out of date.
    """

    def __init__(self, web: Web | None = None) -> None:
        self._web = web or Web(delays=())
        self._looked = 0.0
        self._remembered: bytes | None = None
        self._state = RebuildState()
        self.broken: tuple[BrokenPackage, ...] = ()
        self.unknown = "nobody has looked yet"

    def look(self, reading: Reading, *, now: float) -> None:
        """Look again if it is time to, or if a run has; `now` is a Unix time."""
        remembered = reading.memory.libraries.linkage
        if remembered == self._remembered and now - self._looked < LOOKED_EVERY:
            return
        if remembered != self._remembered:
            self._state = RebuildState.from_bytes(remembered)
        self._remembered, self._looked = remembered, now
        config = reading.repository.config
        looker = RebuildLooker(config, rules_of(reading.repository), self._web)
        if not looker.is_possible:
            self.broken, self.unknown = (), "CI_REPO_DB in .ci/config does not say where to look"
            return
        if not self._state.offers:
            self.broken, self.unknown = (), "no run of on-schedule has looked at libraries yet"
            return
        try:
            found = looker.look(self._state, now=now)
        except CaurError as error:
            self.unknown = error.message
            return
        self._state, self.broken, self.unknown = found.state, found.broken, ""
