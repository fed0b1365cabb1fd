"""Keys that cannot sign are told as what they are: expired, about to, or locked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.process import run
from scheduler.database.signing import Keyring, Signer, SigningError
from scheduler.job import JobState
from tests.support.packages import gnupg_folder
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.publishing import World


SECRET = "horse battery"


@pytest.fixture
def home() -> Iterator[Path]:
    need_tools("gpg")
    with gnupg_folder() as folder:
        yield folder


def make_key(home: Path, *options: str, passphrase: str = "", expires: str = "never") -> None:
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--pinentry-mode", "loopback"]
    what = ["--quick-generate-key", "Test <test@example.org>", "ed25519", "sign", expires]
    run([*gpg, "--passphrase", passphrase, *options, *what])
    # What the agent remembers of a passphrase that was just set.
    run(["gpgconf", "--homedir", home, "--kill", "gpg-agent"])


def make_expired_key(home: Path) -> None:
    make_key(home, "--faked-system-time", "20200101T000000!", expires="1d")


def test_a_key_that_has_expired(home: Path) -> None:
    make_expired_key(home)

    with pytest.raises(SigningError, match=r"in /.* expired on 2020-01-02") as caught:
        Signer(home).check()
    assert "--quick-set-expire" in caught.value.hint


@pytest.mark.parametrize(("given", "wrong"), [("", "is needed"), ("other", "is another one")])
def test_a_key_with_a_passphrase_that_is_not_known(home: Path, given: str, wrong: str) -> None:
    make_key(home, passphrase=SECRET)

    with pytest.raises(SigningError, match=f"its passphrase {wrong}") as caught:
        Signer(home, passphrase=given).check()
    assert "GPG_PASSPHRASE" in caught.value.hint
    assert SECRET not in caught.value.message


def test_a_key_with_its_passphrase(home: Path, tmp_path: Path) -> None:
    make_key(home, passphrase=SECRET)
    (tmp_path / "file").touch()

    Signer(home, passphrase=SECRET).sign(tmp_path / "file")

    assert Keyring(home).problem_with(tmp_path / "file") == ""


def test_no_key_at_all(home: Path) -> None:
    with pytest.raises(SigningError, match="signing failed: gpg: no default secret key") as caught:
        Signer(home).check()
    assert "Is there a secret key" in caught.value.hint


@pytest.mark.parametrize(("expires", "warned"), [("20d", True), ("50d", False), ("never", False)])
def test_a_key_that_is_about_to_expire_is_warned_of(
    home: Path, caplog: pytest.LogCaptureFixture, expires: str, warned: bool
) -> None:
    make_key(home, expires=expires)

    Signer(home).check()

    assert ("expires on" in caplog.text) is warned


def test_a_job_that_waits_for_the_key_says_so(world: World, home: Path) -> None:
    make_expired_key(home)
    world.simple("tool")
    world.stop.set()

    world.runner(signer=Signer(home)).step()

    assert world.view("tool").state is JobState.LANDED
    assert f"in {home} expired on 2020-01-02 (`gpg --homedir" in world.view("tool").reason
