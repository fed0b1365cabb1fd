"""A landing zone on this machine."""

from __future__ import annotations

import logging
import os
import re
import secrets
import stat
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from scheduler.files import Digest, NotAFileError, copy_stream, open_regular_file
from scheduler.landing.foreign import ForeignFolder
from scheduler.landing.manifest import (
    MANIFEST,
    MAX_MANIFEST_SIZE,
    SIGNATURE,
    DeliveryAwaitedError,
    DeliveryError,
    DeliveryStoppedError,
    Manifest,
    signer_of,
)
from scheduler.workerkeys import MAX_SIGNATURE_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from scheduler.landing.greeting import Greeting
    from scheduler.landing.manifest import DeliveredFile, SignedManifest
    from scheduler.queue import Claim
    from scheduler.workerkeys import AllowedWorkers

_log = logging.getLogger(__name__)

_DELIVERY_NAME = re.compile(r"[0-9]+-[0-9]+")
_REJECTED = ".rejected"
GREETING = ".greeting-"
_INCOMING_NAME = re.compile(r"\.incoming-([0-9]+-[0-9]+)-[0-9a-f]+")
# Nobody may have looked at what was rejected for this long.
_REJECTED_FOR = 30 * 24 * 3600.0


class LandingZone:
    """The folder of deliveries, for workers on this machine and for the database runner."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def check(self) -> None:
        """Make the folder if it is not there. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def deliver(
        self,
        signed: SignedManifest,
        output: Path,
        *,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> str:
        """Copy the manifest's files into the landing zone; return the delivery. See `Landing`."""
        manifest = signed.manifest
        self.check()
        incoming = incoming_name(manifest.delivery, secrets.token_hex(4))
        with ForeignFolder.opened(self.folder) as zone:
            zone.make(incoming)
            try:
                with zone.folder(incoming) as folder:
                    _fill(folder, signed, output, should_stop)
                zone.remove(manifest.delivery)
                zone.move(incoming, zone, manifest.delivery)
                zone.sync()
            finally:
                with suppress(OSError):
                    zone.remove(incoming)
        return manifest.delivery

    def greet(self, greeting: Greeting) -> None:
        """Put a greeting into the landing zone. See `Landing`."""
        self.check()
        fresh = f"{greeting.name}.new"
        with ForeignFolder.opened(self.folder) as zone:
            with zone.new_file(fresh) as writer:
                writer.write(greeting.content)
            zone.move(fresh, zone, greeting.name)

    def read(self, claim: Claim, allowed: AllowedWorkers) -> Manifest:
        """Return the manifest of the delivery of `claim`, if an allowed worker has signed it.

        Raises DeliveryError when it is missing, makes no sense, is signed by somebody else or
        belongs to another job or attempt; OSError when the landing zone itself is not to be had,
        and TemporaryError when the allowed workers are not.
        """
        with self._opened(claim.delivery) as folder:
            try:
                content = folder.read(MANIFEST, MAX_MANIFEST_SIZE)
                signature = folder.read(SIGNATURE, MAX_SIGNATURE_SIZE)
                # What is not signed is not looked at any further.
                allowed.check(signer_of(content), content, signature)
                manifest = Manifest.from_bytes(content)
            except FileNotFoundError as error:
                raise DeliveryError(
                    f"delivery {claim.delivery} has no {Path(error.filename).name} "
                    f"(landing zone {self.folder})"
                ) from error
            except InputError as error:
                raise DeliveryError(
                    f"delivery {claim.delivery}: {error.message}", hint=error.hint
                ) from error
        _check_claim(manifest, claim)
        return manifest

    def copy(self, delivery: str, file: DeliveredFile, target: Path) -> None:
        """Copy a file of a delivery into the new file `target`, away from whoever may write here.

        Raises DeliveryError for what is not the file that the manifest describes, and OSError.
        """
        with self._opened(delivery) as folder, ExitStack() as stack:
            try:
                reader = stack.enter_context(folder.file(file.name))
            except FileNotFoundError as error:
                raise DeliveryError(
                    f"{file.name!a} is in the manifest but not in the delivery"
                ) from error
            writer = stack.enter_context(target.open("xb"))
            digest = copy_stream(reader, writer, largest=file.size)
            writer.flush()
            os.fsync(writer.fileno())
        if (digest.size, digest.sha256) != (file.size, file.sha256):
            raise DeliveryError(f"{file.name!a} is not the file that the manifest describes")

    def check_arrived(self, claim: Claim, allowed: AllowedWorkers) -> None:
        """Raise DeliveryAwaitedError for a delivery that people may have to do something about.

        That is one that this landing zone does not have, because the worker may deliver to another
        one, and one of a worker that nobody has allowed yet. Raises TemporaryError where the file
        of workers cannot be read, and OSError. Anything else is for `read` to judge.
        """
        check_delivery_name(claim.delivery)
        with ForeignFolder.opened(self.folder) as zone, ExitStack() as stack:
            try:
                folder = stack.enter_context(zone.folder(claim.delivery))
            except FileNotFoundError:
                raise DeliveryAwaitedError(
                    f"delivery {claim.delivery} of {claim.builder} is not in the landing zone "
                    f"{self.folder}, and is waited for",
                    hint="Does that worker deliver to this folder? `caur-ci queue cancel` gives it "
                    "up.",
                ) from None
            except InputError:
                return
            with suppress(InputError, FileNotFoundError):
                _check_allowed(claim, signer_of(folder.read(MANIFEST, MAX_MANIFEST_SIZE)), allowed)

    def remove(self, delivery: str) -> None:
        """Remove a delivery that nobody needs any more."""
        check_delivery_name(delivery)
        with suppress(OSError), ForeignFolder.opened(self.folder) as zone:
            zone.remove(delivery)

    def set_aside(self, delivery: str, reason: str) -> None:
        """Keep a delivery that must not be published, and why, for people to look at.

        Where that cannot be done it stays where it is. Raises DeliveryError for what cannot be
        the name of one.
        """
        check_delivery_name(delivery)
        try:
            with ForeignFolder.opened(self.folder) as zone:
                _set_aside(zone, delivery, reason)
        except FileNotFoundError:
            return  # there is nothing to keep
        except (NotAFileError, OSError) as error:
            _log.warning("delivery %s stays in %s: %s", delivery, self.folder, error)

    def sweep(self, is_wanted: Callable[[str], bool], *, after: float) -> list[str]:
        """Remove what nobody will ever pick up, if it is older than `after` seconds.

        `is_wanted` tells whether somebody is still working on a delivery, by its name. That goes
        for what uploads that broke have left as well. Returns the names of what went. What was
        rejected stays for a month. Raises OSError, and what `is_wanted` raises.
        """
        if not self.folder.is_dir():
            return []
        with ForeignFolder.opened(self.folder) as zone:
            # Listed before anybody is asked: what comes meanwhile stays.
            old = [name for name in zone.names() if _age(zone, name) > after]
            gone = [name for name in old if (of := _delivery_of(name)) and not is_wanted(of)]
            gone += [name for name in old if name.startswith(GREETING)]
            removed = _remove_all(zone, gone)
            try:
                with zone.own_folder(_REJECTED) as rejected:
                    names = rejected.names()
                    old = [name for name in names if _age(rejected, name) > _REJECTED_FOR]
                    removed += _remove_all(rejected, old)
            except FileNotFoundError:
                pass  # nothing was ever rejected
            except NotAFileError as error:
                _log.warning("landing zone %s: %s; remove it", self.folder, error.message)
            return removed

    def find(self, name: str, size: int, sha256: str, target: Path) -> str:
        """Copy a file with this content from any delivery, also a rejected one, to `target`.

        Returns the delivery, "" where there is none. Raises OSError.
        """
        if not self.folder.is_dir():
            return ""
        with ForeignFolder.opened(self.folder) as zone:
            places = [zone]
            with ExitStack() as stack:
                with suppress(NotAFileError, OSError):
                    places.append(stack.enter_context(zone.own_folder(_REJECTED)))
                for place in places:
                    for delivery in filter(_DELIVERY_NAME.fullmatch, place.names()):
                        if _copied(place, delivery, name, Digest(size, sha256), target):
                            return delivery
        return ""

    def warning(self) -> str:
        """Return what is unwise about the rights to the folder, "" if nothing. Raises OSError."""
        mode = self.folder.stat().st_mode
        if mode & (stat.S_IWGRP | stat.S_IWOTH) and not mode & stat.S_ISVTX:
            return (
                f"in the landing zone {self.folder} every account that delivers can replace what "
                f"others deliver: chmod +t {self.folder}"
            )
        return ""

    def path_of(self, delivery: str) -> Path:
        """Return the folder of a delivery. Raises DeliveryError for what cannot be one's name."""
        return self.folder / check_delivery_name(delivery)

    @contextmanager
    def _opened(self, delivery: str) -> Iterator[ForeignFolder]:
        """Open the folder of a delivery. Raises DeliveryError, and OSError for the landing zone.

        What cannot be read of a delivery, for whatever reason that is in it, is its own fault.
        """
        check_delivery_name(delivery)
        with ExitStack() as stack:
            zone = stack.enter_context(ForeignFolder.opened(self.folder))
            try:
                folder = stack.enter_context(zone.folder(delivery))
            except FileNotFoundError as error:
                raise DeliveryError(
                    f"delivery {delivery} is not there (landing zone {self.folder})"
                ) from error
            except NotAFileError as error:
                raise DeliveryError(f"delivery {delivery}: {error.message}") from error
            yield folder


def _check_allowed(claim: Claim, worker: str, allowed: AllowedWorkers) -> None:
    had_the_job = not claim.builder or worker == claim.builder.rpartition("-")[0]
    if had_the_job and not allowed.names(worker):
        raise DeliveryAwaitedError(
            f"delivery {claim.delivery} is of the worker {worker}, which is not in "
            "ALLOWED_WORKERS; it waits in the landing zone",
            hint="`caur-ci worker --print-key` on that worker shows the line for the file; "
            "`caur-ci queue cancel` gives the delivery up.",
        )


def check_delivery_name(delivery: str) -> str:
    """Return `delivery`, or raise DeliveryError for what cannot be the name of one."""
    if _DELIVERY_NAME.fullmatch(delivery) is None:
        raise DeliveryError(f"{delivery!r} cannot be the name of a delivery")
    return delivery


def incoming_name(delivery: str, mark: str) -> str:
    """Return what a delivery is called until it is complete; `mark` is random."""
    return f".incoming-{delivery}-{mark}"


def _fill(
    folder: ForeignFolder, signed: SignedManifest, output: Path, should_stop: Callable[[], bool]
) -> None:
    for file in signed.manifest.files:
        if should_stop():
            raise DeliveryStoppedError(f"delivery {signed.manifest.delivery} was given up")
        with open_regular_file(output / file.name) as reader, folder.new_file(file.name) as writer:
            digest = copy_stream(reader, writer, largest=file.size)
        if (digest.size, digest.sha256) != (file.size, file.sha256):
            raise DeliveryError(f"{file.name} changed while it was being delivered")
    for name, content in ((MANIFEST, signed.content), (SIGNATURE, signed.signature)):
        with folder.new_file(name) as writer:
            writer.write(content)
    folder.sync()


def _set_aside(zone: ForeignFolder, delivery: str, reason: str) -> None:
    zone.status(delivery)
    with suppress(FileExistsError):
        zone.make(_REJECTED)
    with zone.own_folder(_REJECTED) as rejected:
        rejected.remove(delivery)
        zone.move(delivery, rejected, delivery)
        name = f"{delivery}.reason"
        rejected.remove(name)
        with rejected.new_file(name) as stream:
            stream.write(f"{reason}\n".encode())


def _copied(place: ForeignFolder, delivery: str, name: str, wanted: Digest, target: Path) -> bool:
    try:
        with place.folder(delivery) as folder, folder.file(name) as reader:
            if os.fstat(reader.fileno()).st_size != wanted.size:
                return False
            with target.open("wb") as writer:
                return copy_stream(reader, writer, largest=wanted.size) == wanted
    except (NotAFileError, FileNotFoundError):
        return False


def _remove_all(folder: ForeignFolder, names: Iterable[str]) -> list[str]:
    """Remove entries, and return the names of those that went."""
    gone = []
    for name in names:
        try:
            folder.remove(name)
        except OSError as error:
            _log.warning("%s cannot be removed from the landing zone: %s", name, error)
        else:
            gone.append(name)
    return gone


def _delivery_of(name: str) -> str:
    if _DELIVERY_NAME.fullmatch(name):
        return name
    match = _INCOMING_NAME.fullmatch(name)
    return match[1] if match else ""


def _age(folder: ForeignFolder, name: str) -> float:
    try:
        return time.time() - folder.status(name).st_mtime
    except FileNotFoundError:  # it is somebody else's, who is done with it
        return 0.0


def _check_claim(manifest: Manifest, claim: Claim) -> None:
    """Raise DeliveryError where `manifest` is of something else than what `claim` is for."""
    spec = claim.spec
    said = (manifest.job, manifest.pkgbase, manifest.target_repo, manifest.arch)
    if manifest.delivery != claim.delivery or said != (
        claim.job_id,
        spec.pkgbase,
        spec.target_repo,
        spec.arch,
    ):
        raise DeliveryError(f"delivery {claim.delivery} is of another job")
    if manifest.attempt != claim.attempt:
        raise DeliveryError(
            f"delivery {claim.delivery} is of attempt {manifest.attempt}, "
            f"and attempt {claim.attempt} is the last that was handed out"
        )
    # Whoever may deliver could put something else in the place of another worker's delivery.
    if claim.builder and manifest.worker != claim.builder:
        raise DeliveryError(
            f"delivery {claim.delivery} is of {manifest.worker}, and {claim.builder} had the job"
        )
    if (manifest.commit, manifest.source_repo) != (spec.commit, spec.source_repo):
        raise DeliveryError(
            f"delivery {claim.delivery} was built from commit {manifest.commit} of "
            f"{manifest.source_repo}, not from {spec.commit} of {spec.source_repo}"
        )
