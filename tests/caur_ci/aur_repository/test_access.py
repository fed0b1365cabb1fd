"""The way to the AUR: whose key is used, whose host key is taken, and what is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caur_ci.aur_repository.access import AurAccess, aur_access, published_host_keys
from caur_ci.aur_repository.account import account_of
from caur_ci.aur_repository.answers import AurAccountError, AurWaitingError
from caur_ci.aur_repository.remote import AurRemote
from caur_ci.aur_repository.scratch import scratch_repository
from caur_ci.errors import ConfigError
from caur_ci.process import run
from tests.support.aur_ssh import ACCOUNT
from tests.support.objects import ObjectStore
from tests.support.sshd import make_key

if TYPE_CHECKING:
    from tests.support.aur_ssh import AurSsh

# As the AUR publishes them, on its front page.
PUBLISHED = {
    "SHA256:RFzBCUItH9LZS0cKB5UE6ceAYhBD5C8GeOBip8Z11+4",
    "SHA256:uTa/0PndEgPZTf76e1DFqXKJEXKsn7m9ivhLQtzGOCI",
    "SHA256:5s5cIyReIfNNVGRFdDbe3hdYiI5OelHGpw2rOUud3Q8",
}


def fetched(access: AurAccess, folder: Path) -> object:
    store = ObjectStore.create(folder / "store")
    with scratch_repository(store.git) as scratch:
        return AurRemote(scratch, access, "a").fetch()


def test_the_host_keys_that_are_shipped_are_the_published_ones() -> None:
    text = "".join(f"{key}\n" for key in published_host_keys()).encode()
    listed = run(["ssh-keygen", "-l", "-f", "-"], stdin=text).stdout.decode().splitlines()

    assert {line.split()[1] for line in listed} == PUBLISHED


def test_a_key_may_be_given_as_it_is_or_by_its_path(aur: AurSsh, tmp_path: Path) -> None:
    aur.commit("a", {"x": "x"})
    # As pipelines keep it: without an end of the last line, and for everybody to read.
    file = tmp_path / "variable"
    file.write_text(aur.key.strip())
    file.chmod(0o666)
    for number, key in enumerate((aur.key.strip().replace("\n", "\r\n"), str(file))):
        with aur_access(aur.url, key=key, host_keys=(aur.host_key,)) as access:
            assert access.public_key.split()[1] in (aur.ssh.folder / "user_key.pub").read_text()
            assert fetched(access, tmp_path / str(number)) is not None


def test_another_host_is_not_talked_to(aur: AurSsh, tmp_path: Path) -> None:
    with (
        aur_access(aur.url, key=aur.key, host_keys=()) as access,
        pytest.raises(AurAccountError, match=r"verification failed|CHANGED") as caught,
    ):
        fetched(access, tmp_path)
    assert "front page" in caught.value.hint
    assert aur.calls() == []


def test_a_key_that_the_aur_does_not_know(aur: AurSsh, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    key = (tmp_path / "other").read_text()
    with (
        aur_access(aur.url, key=key, host_keys=(aur.host_key,)) as access,
        pytest.raises(AurAccountError, match=r"Permission denied \(publickey"),
    ):
        fetched(access, tmp_path)


@pytest.mark.parametrize(
    "key",
    ["no/such/file", "-----BEGIN OPENSSH PRIVATE KEY-----\nxyz\n-----END OPENSSH PRIVATE KEY-----"],
    ids=["no-file", "no-key"],
)
def test_a_key_that_cannot_be_used_is_told_without_it(key: str) -> None:
    with pytest.raises(ConfigError) as caught, aur_access("ssh://a@b", key=key, host_keys=()):
        pass
    assert "AUR_KEY" in caught.value.message
    assert key not in f"{caught.value.message}{caught.value.hint}"


def test_a_key_with_a_passphrase_is_told(tmp_path: Path) -> None:
    path = tmp_path / "key"
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", path])
    with (
        pytest.raises(ConfigError, match="without asking for a passphrase"),
        aur_access("ssh://a@b", key=str(path), host_keys=()),
    ):
        pass


def test_the_aur_tells_whose_the_key_is(aur: AurSsh) -> None:
    with aur_access(aur.url, key=aur.key, host_keys=(aur.host_key,)) as access:
        assert account_of(access) == ACCOUNT
        aur.flag("maintenance")
        with pytest.raises(AurAccountError, match="maintenance"):
            account_of(access)
    with (
        aur_access("ssh://a@127.0.0.1:1", key=aur.key, host_keys=()) as access,
        pytest.raises(AurWaitingError),
    ):
        account_of(access)


_HOLDER = """\
import sys, time
from caur_ci.aur_repository.access import aur_access
key = sys.stdin.read()
with aur_access("ssh://a@b", key=key, host_keys=()) as access:
    print(access.environment, access, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_however_it_ends_the_key_is_in_no_file(
    aur: AurSsh, tmp_path: Path, number: signal.Signals
) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": os.getcwd()},  # noqa: PTH109
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    holder.stdin.write(aur.key.encode())
    holder.stdin.close()
    told = holder.stdout.readline().decode()
    secret = aur.key.splitlines()[2]
    arguments = Path(f"/proc/{holder.pid}/cmdline").read_bytes()
    environment = Path(f"/proc/{holder.pid}/environ").read_bytes()
    while_there = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    holder.send_signal(number)
    holder.wait()
    holder.stdout.close()

    assert while_there
    left = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    seen = (told, arguments.decode(), environment.decode(), *while_there, *left)
    assert all(secret not in text for text in seen)
