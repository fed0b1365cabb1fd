"""The keys of workers, and who is allowed to use which."""

from __future__ import annotations

import stat
import threading
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import ConfigError, NameNotAllowedError
from caur_ci.process import run
from scheduler.workerkeys import AllowedWorkers, SignatureError, WorkerKey
from tests.support.deliveries import allow
from tests.support.sshd import make_key
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _tools() -> None:
    need_tools("ssh-keygen")


@pytest.fixture
def allowed(tmp_path: Path) -> AllowedWorkers:
    return AllowedWorkers(tmp_path / "allowed_workers")


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "worker-key"
    keys: list[str] = []
    starts = [
        threading.Thread(target=lambda: keys.append(WorkerKey.ensure(path).public_key()))
        for _ in range(4)
    ]
    for start in starts:
        start.start()
    for start in starts:
        start.join()

    assert len(keys) == 4
    assert len(set(keys)) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]
    assert WorkerKey.ensure(path).public_key() == keys[0]


def test_only_the_named_worker_with_its_own_key_may_sign(
    tmp_path: Path, allowed: AllowedWorkers
) -> None:
    mine, other = (WorkerKey.ensure(tmp_path / name) for name in ("mine", "other"))
    allow(allowed.path, mine, "a", "b.c-d")
    with allowed.path.open("a") as lines:
        lines.write(f"# another one\n{other.allowed_line('x')}\n")
    signature = mine.sign(b"text")

    allowed.check("a", b"text", signature)
    allowed.check("b.c-d", b"text", signature)
    allowed.check("x", b"text", other.sign(b"text"))
    for name, content, given in [
        ("a", b"text\n", signature),
        ("a", b"text", other.sign(b"text")),
        ("x", b"text", signature),
        ("unknown", b"text", signature),
        ("b", b"text", signature),
        ("a", b"text", b""),
    ]:
        with pytest.raises(SignatureError, match=f"ALLOWED_WORKERS has for the worker {name}"):
            allowed.check(name, content, given)
    with pytest.raises(NameNotAllowedError):
        allowed.check("-Oprint-pubkey", b"text", signature)


def test_a_signature_for_another_purpose_is_none(tmp_path: Path, allowed: AllowedWorkers) -> None:
    key = WorkerKey.ensure(tmp_path / "key")
    allow(allowed.path, key, "a")
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "file", "-f", str(key.path)]
    for_files = run(command, stdin=b"text").stdout

    with pytest.raises(SignatureError, match="namespace"):
        allowed.check("a", b"text", for_files)


def test_a_key_that_was_withdrawn_signs_no_more(tmp_path: Path, allowed: AllowedWorkers) -> None:
    key = WorkerKey.ensure(tmp_path / "key")
    allow(allowed.path, key, "a")
    allowed.check("a", b"text", key.sign(b"text"))

    allow(allowed.path, key)

    with pytest.raises(SignatureError):
        allowed.check("a", b"text", key.sign(b"text"))


def test_a_key_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    make_key(tmp_path / "open")
    (tmp_path / "open").chmod(0o644)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", tmp_path / "locked"])
    (tmp_path / "text").write_text("no key")
    (tmp_path / "text").chmod(0o600)
    (tmp_path / "dangling").symlink_to("nowhere")

    for name, message in {
        "open": "is not for its owner alone",
        "locked": "holds no SSH key that a worker can use",
        "text": "holds no SSH key that a worker can use",
        "dangling": "cannot be read",
        "text/key": "cannot be (made|read)",
    }.items():
        with pytest.raises(ConfigError, match=message):
            WorkerKey.ensure(tmp_path / name)
