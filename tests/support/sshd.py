"""A real sshd on loopback, with keys of its own, and an ssh that knows nothing of the user's."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import signal
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caur_ci.process import run
from tests.support.queue import eventually
from tests.support.redis_server import free_port, listens
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
"""
_TRIES = 5
# Looked for before a test puts another one in front of it.
_SSH = shutil.which("ssh") or "ssh"


@dataclass
class SshServer:
    """An sshd at `port`; whoever has the key file `key` may log in as `user`."""

    folder: Path
    settings: str = ""
    port: int = 0
    user: str = field(default_factory=lambda: pwd.getpwuid(os.getuid()).pw_name)
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def key(self) -> Path:
        return self.folder / "user_key"

    @property
    def fingerprint(self) -> str:
        return run(["ssh-keygen", "-lf", self.folder / "host_key.pub"]).stdout.decode().split()[1]

    @property
    def known_hosts_line(self) -> str:
        kind, key, *_ = (self.folder / "host_key.pub").read_text().split()
        return f"[127.0.0.1]:{self.port} {kind} {key}\n"

    @property
    def log(self) -> str:
        return (self.folder / "sshd.log").read_text(errors="replace")

    def new_host_key(self) -> None:
        """Become another host."""
        for suffix in ("", ".pub"):
            (self.folder / f"host_key{suffix}").unlink(missing_ok=True)
        make_key(self.folder / "host_key")

    def start(self) -> None:
        """Start it, at the port that it had before."""
        for _ in range(_TRIES):
            port = self.port or free_port()
            if self._start(port):
                self.port = port
                return
            if "Address already in use" not in self.log:
                break
        pytest.fail(f"sshd does not start:\n{self.log}")

    def cut(self) -> None:
        """Kill every connection, as a network that breaks would end them."""
        assert self.process is not None
        for pid in descendants(self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def kill(self) -> None:
        """End the server and every connection."""
        assert self.process is not None
        sessions = descendants(self.process.pid)
        self.process.kill()
        self.process.wait()
        for pid in sessions:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _start(self, port: int) -> bool:
        config = self.folder / "sshd_config"
        config.write_text(_CONFIG.format(port=port, folder=self.folder) + self.settings)
        with (self.folder / "sshd.log").open("wb") as log:
            self.process = process = subprocess.Popen(
                [_sshd(), "-D", "-e", "-f", config],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        eventually(lambda: process.poll() is not None or listens(port))
        return process.poll() is None


@contextmanager
def ssh_server(folder: Path, settings: str = "") -> Iterator[SshServer]:
    """Run an sshd that keeps its things in `folder` until the block ends.

    `settings` are further lines of its configuration.
    """
    need_tools("ssh", "ssh-keygen", "ssh-keyscan")
    folder.mkdir()
    server = SshServer(folder, settings)
    make_key(folder / "host_key")
    make_key(server.key)
    shutil.copy(folder / "user_key.pub", folder / "authorized_keys")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd insists, and has no option
    server.start()
    try:
        yield server
    finally:
        server.kill()


def make_key(path: Path) -> None:
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", path])


def private_ssh(folder: Path, config: str = "") -> Path:
    """Make an ssh for PATH that reads `config` instead of the user's own configuration.

    ssh looks for that in the home that the system knows, whatever HOME says.
    """
    folder.mkdir(exist_ok=True)
    known_hosts = folder / "known_hosts"
    known_hosts.touch()
    lines = f"UserKnownHostsFile {known_hosts}\nGlobalKnownHostsFile /dev/null\n"
    (folder / "ssh_config").write_text(f"{config}{lines}IdentityFile none\n")
    wrapper = folder / "ssh"
    wrapper.write_text(f'#!/bin/sh\nexec {shlex.quote(_SSH)} -F {folder}/ssh_config "$@"\n')
    wrapper.chmod(0o755)
    return known_hosts


def descendants(pid: int) -> list[int]:
    """Return the processes that come from `pid`, however far."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found[1:]


def _sshd() -> str:
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if program is None:
        need_tools("sshd")
    assert program is not None
    return program
