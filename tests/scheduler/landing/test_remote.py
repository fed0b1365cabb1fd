"""Delivering to another machine: a real sshd, and a network that breaks."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import CaurError, ConfigError, TemporaryError
from scheduler.files import NotAFileError
from scheduler.landing import (
    DeliveryError,
    DeliveryStoppedError,
    LandingZone,
    SignedManifest,
    landing_at,
)
from scheduler.landing.greeting import Greeting, check_greeting
from scheduler.landing.remote import SftpLandingZone
from scheduler.queue import Claim
from scheduler.settings import LandingZoneAddress
from scheduler.ssh import SshHost
from tests.support.bottleneck import Bottleneck
from tests.support.deliveries import manifest_of
from tests.support.packages import make_package
from tests.support.queue import job
from tests.support.sshd import SshServer, make_key, ssh_server
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scheduler.workerkeys import AllowedWorkers, WorkerKey

CLAIM = Claim(
    job_id=7, token=9, attempt=1, owner="worker-0a1b", lease_until=0.0, spec=job("tally++")
)
LANDED = replace(CLAIM, token=12, owner="runner-1", delivery="7-9")
NAMES = ("tally++-1:2.0_rc1+r3-1-any.pkg.tar.zst", "lib32.so+x@1-1~2^3-1-any.pkg.tar.zst")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    need_tools("sftp", "bsdtar", "zstd")
    with ssh_server(tmp_path / "ssh") as server:
        yield server


@pytest.fixture
def far(tmp_path: Path) -> LandingZone:
    """Return the landing zone as the database runner sees it."""
    return LandingZone(tmp_path / 'far "away" \\ [1]')


@pytest.fixture
def place(server: SshServer, far: LandingZone) -> LandingZoneAddress:
    """Return it as the worker sees it."""
    host = SshHost(
        host="127.0.0.1",
        port=server.port,
        user=server.user,
        key=str(server.key),
        fingerprints=(server.fingerprint,),
        prefix="DATABASE",
    )
    return LandingZoneAddress(ssh=host, folder=str(far.folder))


@pytest.fixture
def packages(output: Path) -> list[Path]:
    return [make_package(output, "any", filename=name) for name in NAMES]


@pytest.fixture
def signed(packages: list[Path], worker_key: WorkerKey) -> SignedManifest:
    return SignedManifest.sign(manifest_of(CLAIM, *packages), worker_key)


def at(place: LandingZoneAddress, **changes: object) -> SftpLandingZone:
    return SftpLandingZone(replace(place, ssh=replace(place.ssh, **changes)))  # type: ignore[arg-type]


def test_what_was_uploaded_is_there_in_full(
    place: LandingZoneAddress,
    far: LandingZone,
    output: Path,
    signed: SignedManifest,
    allowed: AllowedWorkers,
) -> None:
    landing = landing_at(place)
    landing.check()

    assert landing.deliver(signed, output) == "7-9"

    assert far.read(LANDED, allowed) == signed.manifest
    for name in NAMES:
        assert (far.path_of("7-9") / name).read_bytes() == (output / name).read_bytes()
    assert [path.name for path in far.folder.iterdir()] == ["7-9"]


def test_the_same_delivery_again_replaces_the_first(
    place: LandingZoneAddress,
    far: LandingZone,
    packages: list[Path],
    signed: SignedManifest,
    worker_key: WorkerKey,
) -> None:
    landing, output = landing_at(place), packages[0].parent
    landing.deliver(signed, output)
    landing.deliver(signed, output)
    packages[0].write_bytes(b"other")
    landing.deliver(SignedManifest.sign(manifest_of(CLAIM, packages[0]), worker_key), output)

    assert sorted(path.name for path in far.path_of("7-9").iterdir()) == [
        "manifest.json",
        "manifest.json.sig",
        packages[0].name,
    ]
    assert (far.path_of("7-9") / packages[0].name).read_bytes() == b"other"
    far.sweep(lambda _: False, after=-1)
    assert list(far.folder.iterdir()) == []


def test_a_delivery_that_is_not_wanted_goes(
    place: LandingZoneAddress, far: LandingZone, output: Path, signed: SignedManifest
) -> None:
    landing = landing_at(place)
    landing.remove(landing.deliver(signed, output))
    landing.remove("8-1")

    assert not far.path_of("7-9").exists()
    far.sweep(lambda _: False, after=-1)
    assert list(far.folder.iterdir()) == []
    with pytest.raises(DeliveryError):
        landing.remove("../7-9")


def test_another_host_gets_nothing(
    tmp_path: Path,
    server: SshServer,
    place: LandingZoneAddress,
    far: LandingZone,
    output: Path,
    signed: SignedManifest,
) -> None:
    known_hosts = tmp_path / "known hosts"
    known_hosts.write_text(server.known_hosts_line)
    by_file = at(place, fingerprints=(), known_hosts=known_hosts)
    by_file.check()
    server.kill()
    server.new_host_key()
    server.start()

    with pytest.raises(CaurError, match="shows another host key") as changed:
        by_file.deliver(signed, output)
    with pytest.raises(CaurError, match=r"the host key of 127.0.0.1 is not the one") as unexpected:
        landing_at(place).deliver(signed, output)
    known_hosts.write_text("")
    with pytest.raises(CaurError, match="is not known") as unknown:
        by_file.deliver(signed, output)

    for caught in (changed, unexpected, unknown):
        assert "DATABASE_HOST_FINGERPRINT" in caught.value.hint
        assert not isinstance(caught.value, TemporaryError)
    assert list(far.folder.iterdir()) == []


def test_a_key_that_is_not_let_in_is_told(
    tmp_path: Path, place: LandingZoneAddress, output: Path, signed: SignedManifest
) -> None:
    make_key(tmp_path / "other")
    with pytest.raises(CaurError, match="does not let us in") as caught:
        at(place, key=str(tmp_path / "other")).deliver(signed, output)
    assert "DATABASE_USER, and DATABASE_KEY" in caught.value.hint

    with pytest.raises(ConfigError, match="DATABASE_KEY is neither"):
        at(place, key=str(tmp_path / "gone")).check()


def test_a_host_out_of_reach_may_come_back(
    server: SshServer, place: LandingZoneAddress, output: Path, signed: SignedManifest
) -> None:
    server.kill()
    for fingerprints in (place.ssh.fingerprints, ()):
        with pytest.raises(TemporaryError):
            at(place, fingerprints=fingerprints).deliver(signed, output)
    server.start()
    assert landing_at(place).deliver(signed, output) == "7-9"


def test_a_connection_that_breaks_leaves_nothing_that_is_picked_up(
    server: SshServer,
    place: LandingZoneAddress,
    far: LandingZone,
    output: Path,
    worker_key: WorkerKey,
    allowed: AllowedWorkers,
) -> None:
    large = output / "large-1-1-any.pkg.tar.zst"
    large.write_bytes(os.urandom(8 * 1024 * 1024))
    signed = SignedManifest.sign(manifest_of(CLAIM, large), worker_key)
    with Bottleneck(server.port, limit=4 * 1024 * 1024) as network:
        landing = at(place, port=network.port)
        for _ in range(2):
            with pytest.raises(TemporaryError):
                landing.deliver(signed, output)
        (leftover,) = far.folder.iterdir()
        assert leftover.name.startswith(".incoming-7-9-")
        assert 0 < (leftover / large.name).stat().st_size < large.stat().st_size
        with pytest.raises(DeliveryError, match="delivery 7-9 is not there"):
            far.read(LANDED, allowed)

        network.limit = None
        landing.deliver(signed, output)

    assert far.read(LANDED, allowed) == signed.manifest
    assert (far.path_of("7-9") / large.name).read_bytes() == large.read_bytes()
    assert [path.name for path in far.folder.iterdir()] == ["7-9"]


def test_an_upload_can_be_stopped(
    server: SshServer,
    place: LandingZoneAddress,
    far: LandingZone,
    output: Path,
    worker_key: WorkerKey,
) -> None:
    large = output / "large-1-1-any.pkg.tar.zst"
    large.write_bytes(bytes(8 * 1024 * 1024))
    signed = SignedManifest.sign(manifest_of(CLAIM, large), worker_key)

    def has_begun() -> bool:
        return any((path / large.name).exists() for path in far.folder.glob(".incoming-*"))

    with Bottleneck(server.port, limit=1024 * 1024) as network:
        network.is_silent = True
        landing = at(place, port=network.port)
        with pytest.raises(DeliveryStoppedError):
            landing.deliver(signed, output, should_stop=has_begun)

    far.sweep(lambda _: False, after=-1)
    assert list(far.folder.iterdir()) == []


def test_a_full_disk_over_there_is_told(
    place: LandingZoneAddress, far: LandingZone, output: Path, signed: SignedManifest
) -> None:
    landing = SftpLandingZone(place)
    incoming = far.folder / f".incoming-7-9-{landing._mark}"
    incoming.mkdir(parents=True)
    (incoming / NAMES[1]).symlink_to("/dev/full")

    with pytest.raises(TemporaryError, match=r"the transfer to 127.0.0.1 failed") as caught:
        landing.deliver(signed, output)
    assert NAMES[1] in caught.value.message
    assert not far.path_of("7-9").exists()

    (incoming / NAMES[1]).unlink()
    assert landing.deliver(signed, output) == "7-9"


def test_a_folder_that_cannot_be_used_is_told_at_the_start(
    place: LandingZoneAddress, far: LandingZone
) -> None:
    far.folder.write_text("in the way")
    with pytest.raises(TemporaryError, match=r"the transfer to 127.0.0.1 failed"):
        landing_at(place).check()


def test_only_files_are_uploaded(
    place: LandingZoneAddress, far: LandingZone, packages: list[Path], signed: SignedManifest
) -> None:
    landing, output = landing_at(place), packages[0].parent
    packages[1].write_bytes(b"changed")
    with pytest.raises(DeliveryError, match="changed while it was being delivered"):
        landing.deliver(signed, output)
    packages[1].unlink()
    packages[1].symlink_to("/etc/passwd")
    with pytest.raises(NotAFileError):
        landing.deliver(signed, output)
    assert not far.folder.exists()


def test_a_greeting_arrives_as_it_was_sent(
    place: LandingZoneAddress, far: LandingZone, worker_key: WorkerKey, allowed: AllowedWorkers
) -> None:
    greeting = Greeting.sign("worker", worker_key)
    landing_at(place).greet(greeting)
    (path,) = far.folder.iterdir()
    assert path.name == f".greeting-{greeting.id}"
    assert check_greeting(path.read_bytes(), greeting.id, allowed) == "worker"
