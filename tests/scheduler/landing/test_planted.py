"""Whoever may write to the landing zone can plant links there; the runner follows none of them."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from scheduler.files import NotAFileError
from scheduler.landing import DeliveryError, SignedManifest
from scheduler.landing.foreign import ForeignFolder
from scheduler.queue import Claim
from tests.scheduler.landing.conftest import LANDED

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.landing import LandingZone
    from scheduler.workerkeys import AllowedWorkers

LONG_AGO = 10_000


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A folder of the runner's machine that nobody has used for a while."""
    folder = tmp_path / "precious"
    (folder / "homes").mkdir(parents=True)
    (folder / "key").write_text("key")
    for path in (folder / "key", folder / "homes", folder):
        os.utime(path, (LONG_AGO, LONG_AGO))
    return folder


def intact(folder: Path) -> bool:
    return (folder / "key").read_text() == "key" and (folder / "homes").is_dir()


def no_one(_: str) -> bool:
    return False


def test_nothing_is_deleted_through_a_link(
    landing: LandingZone, precious: Path, caplog: pytest.LogCaptureFixture
) -> None:
    landing.check()
    (landing.folder / ".rejected").symlink_to(precious)
    (landing.folder / "7-9").symlink_to(precious)
    (landing.folder / "8-9").mkdir()
    (landing.folder / "8-9" / "inner").symlink_to(precious)
    (landing.folder / ".incoming-9-9-0a").symlink_to(precious)

    gone = landing.sweep(no_one, after=-1)

    assert sorted(gone) == [".incoming-9-9-0a", "7-9", "8-9"]
    assert intact(precious)
    assert "cannot be opened" in caplog.text
    (landing.folder / "7-9").symlink_to(precious)
    landing.remove("7-9")
    assert intact(precious)


def test_nothing_is_written_through_a_link(
    landing: LandingZone, output: Path, signed: SignedManifest, precious: Path
) -> None:
    landing.deliver(signed, output)
    rejected = landing.folder / ".rejected"
    rejected.mkdir()
    (rejected / "7-9.reason").symlink_to(precious / "key")
    (rejected / "7-9").symlink_to(precious)

    landing.set_aside("7-9", "no good")

    assert intact(precious)
    assert (rejected / "7-9.reason").read_text() == "no good\n"
    assert (rejected / "7-9" / "manifest.json").is_file()


@pytest.mark.parametrize("kind", ["link", "file", "writable"])
def test_what_cannot_be_kept_aside_stays(
    landing: LandingZone,
    output: Path,
    signed: SignedManifest,
    precious: Path,
    kind: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    landing.deliver(signed, output)
    rejected = landing.folder / ".rejected"
    if kind == "link":
        rejected.symlink_to(precious)
    elif kind == "file":
        rejected.touch()
    else:
        rejected.mkdir()
        rejected.chmod(0o777)

    landing.set_aside("7-9", "no good")

    assert (landing.folder / "7-9").is_dir()
    assert intact(precious)
    assert not (precious / "7-9").exists()
    assert "delivery 7-9 stays" in caplog.text


def test_a_delivery_that_is_a_link_is_refused(
    landing: LandingZone, output: Path, signed: SignedManifest, allowed: AllowedWorkers
) -> None:
    landing.deliver(signed, output)
    (landing.folder / "7-9").rename(landing.folder.parent / "elsewhere")
    (landing.folder / "7-9").symlink_to(landing.folder.parent / "elsewhere")

    with pytest.raises(DeliveryError, match="delivery 7-9: "):
        landing.read(LANDED, allowed)


@pytest.mark.parametrize("what", ["folder", "pipe", "socket", "link", "second name"])
def test_what_is_no_file_is_not_copied(
    landing: LandingZone, output: Path, signed: SignedManifest, tmp_path: Path, what: str
) -> None:
    landing.deliver(signed, output)
    (file,) = signed.manifest.files
    path = landing.folder / "7-9" / file.name
    content = path.rename(tmp_path / "content")
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            os.chdir(path.parent)
            server.bind(path.name)
    elif what == "link":
        path.symlink_to(content)
    else:
        path.hardlink_to(content)

    with pytest.raises((DeliveryError, NotAFileError)):
        landing.copy("7-9", file, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_file_that_grows_is_not_read_to_its_end(
    landing: LandingZone, output: Path, signed: SignedManifest, tmp_path: Path
) -> None:
    landing.deliver(signed, output)
    (file,) = signed.manifest.files
    with (landing.folder / "7-9" / file.name).open("r+b") as stream:
        stream.truncate(10**12)

    with pytest.raises(DeliveryError, match="is not the file that the manifest describes"):
        landing.copy("7-9", file, tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_size == file.size + 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_somebody_else_is_refused(
    landing: LandingZone, output: Path, signed: SignedManifest, allowed: AllowedWorkers
) -> None:
    landing.deliver(signed, output)
    os.chown(landing.folder / "7-9" / "manifest.json", 12345, 12345)

    with pytest.raises(DeliveryError, match="not of the owner of its folder"):
        landing.read(LANDED, allowed)
    os.chown(landing.folder / "7-9", 12345, 12345)
    with pytest.raises(DeliveryError, match=r"manifest\.json\.sig. is not of the owner"):
        landing.read(LANDED, allowed)


def test_a_folder_stays_the_one_that_was_opened(tmp_path: Path, precious: Path) -> None:
    zone = tmp_path / "zone"
    (zone / "7-9").mkdir(parents=True)
    with ForeignFolder.opened(zone) as opened, opened.folder("7-9") as folder:
        (zone / "7-9").rename(zone / "away")
        (zone / "7-9").symlink_to(precious)
        with folder.new_file("key") as stream:
            stream.write(b"other")
        assert folder.names() == ["key"]

    assert intact(precious)
    assert (zone / "away" / "key").read_text() == "other"


@pytest.mark.parametrize(
    ("mode", "warned"), [(0o755, False), (0o775, True), (0o777, True), (0o1777, False)]
)
def test_a_folder_where_everybody_may_replace_everything_is_warned_of(
    landing: LandingZone, mode: int, warned: bool
) -> None:
    landing.check()
    landing.folder.chmod(mode)

    assert ("chmod +t" in landing.warning()) is warned


def test_a_claim_of_a_strange_delivery_is_refused(
    landing: LandingZone, allowed: AllowedWorkers
) -> None:
    claim = Claim(
        job_id=7, token=12, attempt=1, owner="r", lease_until=0, spec=LANDED.spec, delivery="../x"
    )
    with pytest.raises(DeliveryError, match="cannot be the name of a delivery"):
        landing.read(claim, allowed)
