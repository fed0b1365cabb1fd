"""The landing zone of a database runner on another machine, by SFTP."""

from __future__ import annotations

import logging
import secrets
from contextlib import ExitStack
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError
from scheduler.files import open_regular_file
from scheduler.landing.manifest import MANIFEST, SIGNATURE, DeliveryError, DeliveryStoppedError
from scheduler.landing.zone import check_delivery_name, incoming_name
from scheduler.ssh.sftp import SftpStoppedError, in_memory, local_path, quoted, run_sftp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from scheduler.landing.greeting import Greeting
    from scheduler.landing.manifest import SignedManifest
    from scheduler.settings import LandingZoneAddress

_log = logging.getLogger(__name__)


def _never() -> bool:
    return False


class SftpLandingZone:
    """Delivers to the folder of a `LandingZone` on another machine."""

    def __init__(self, place: LandingZoneAddress) -> None:
        self._place = place
        # One for all tries, so that those that break do not fill the disk over there.
        self._mark = secrets.token_hex(4)

    def check(self) -> None:
        """Raise CaurError where nothing could be delivered now."""
        probe = incoming_name("0-0", self._mark)
        self._run(f"mkdir {probe}", f"rmdir {probe}")

    def deliver(
        self,
        signed: SignedManifest,
        output: Path,
        *,
        should_stop: Callable[[], bool] = _never,
    ) -> str:
        """Upload the manifest's files; return the delivery. See `Landing`."""
        delivery = signed.manifest.delivery
        with ExitStack() as stack:
            files = {
                MANIFEST: stack.enter_context(in_memory(signed.content)),
                SIGNATURE: stack.enter_context(in_memory(signed.signature)),
            }
            for file in signed.manifest.files:
                stream = stack.enter_context(open_regular_file(output / file.name))
                if stream.seek(0, 2) != file.size:
                    raise DeliveryError(f"{file.name} changed while it was being delivered")
                files[file.name] = stream.fileno()
            try:
                self._run(
                    *self._commands(delivery, files),
                    files=tuple(files.values()),
                    should_stop=should_stop,
                )
            except SftpStoppedError as error:
                raise DeliveryStoppedError(f"delivery {delivery} was given up") from error
        return delivery

    def greet(self, greeting: Greeting) -> None:
        """Put a greeting into the landing zone. See `Landing`."""
        with in_memory(greeting.content) as file:
            self._run(
                f"put -f {local_path(file)} {greeting.name}.new",
                f"rename {greeting.name}.new {greeting.name}",
                files=(file,),
            )

    def remove(self, delivery: str) -> None:
        """Put a delivery away for the database runner to remove."""
        away = incoming_name(check_delivery_name(delivery), secrets.token_hex(4))
        try:
            self._run(f"rename {delivery} {away}")
        except CaurError as error:
            _log.warning("delivery %s stays where it is: %s", delivery, error)

    def _commands(self, delivery: str, files: Mapping[str, int]) -> Iterator[str]:
        incoming = incoming_name(delivery, self._mark)
        yield f"-mkdir {incoming}"  # an earlier try may have made it
        for name, descriptor in files.items():
            yield f"put -f {local_path(descriptor)} {quoted(f'{incoming}/{name}')}"
        # One that is there already is of a try whose success was not heard of.
        yield f"-rename {delivery} {incoming_name(delivery, secrets.token_hex(4))}"
        yield f"rename {incoming} {delivery}"

    def _run(
        self, *commands: str, files: tuple[int, ...] = (), should_stop: Callable[[], bool] = _never
    ) -> None:
        folder = quoted(self._place.folder)
        run_sftp(
            self._place.ssh,
            [f"-mkdir {folder}", f"cd {folder}", *commands],
            files=files,
            should_stop=should_stop,
        )
