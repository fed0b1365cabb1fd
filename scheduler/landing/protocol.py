"""What a worker does with a landing zone, wherever that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from scheduler.landing.zone import LandingZone
from scheduler.settings import LandingZoneAddress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scheduler.landing.greeting import Greeting
    from scheduler.landing.manifest import SignedManifest


class Landing(Protocol):
    """A landing zone, as a worker sees it."""

    def check(self) -> None:
        """Raise CaurError or OSError where nothing could be delivered now."""
        ...

    def deliver(
        self, signed: SignedManifest, output: Path, *, should_stop: Callable[[], bool] = ...
    ) -> str:
        """Bring the manifest's files from `output` to the landing zone; return the delivery.

        It is complete or not there; delivering the same again replaces it. Raises DeliveryError
        for a file that is not what the manifest says, DeliveryStoppedError when it was to be
        stopped, and CaurError or OSError for what may work another time.
        """
        ...

    def greet(self, greeting: Greeting) -> None:
        """Put a greeting into the landing zone. Raises CaurError and OSError."""
        ...

    def remove(self, delivery: str) -> None:
        """Remove a delivery that nobody needs any more, if that can be done."""
        ...


def landing_at(place: Path | LandingZoneAddress) -> Landing:
    """Return the landing zone at `place`."""
    if isinstance(place, LandingZoneAddress):
        from scheduler.landing.remote import SftpLandingZone  # noqa: PLC0415 - rarely needed

        return SftpLandingZone(place)
    return LandingZone(place)
