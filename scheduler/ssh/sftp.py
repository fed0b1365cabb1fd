"""One run of the system's sftp."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING

from caur_ci.environment import child_environment
from caur_ci.errors import TemporaryError
from scheduler.ssh import tied
from scheduler.ssh.command import host_options, need_programs, ssh_error
from scheduler.ssh.hostkeys import pinned_keys
from scheduler.ssh.keys import private_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scheduler.ssh.host import SshHost

_LOOK_AROUND = 0.2
_END_TIMEOUT = 3.0
_SHOWN = 4000
# What ssh ends with when it is not about the transfer.
_SSH_FAILED = 255


class SftpStoppedError(TemporaryError):
    """A run was ended because it was to be stopped."""


def run_sftp(
    host: SshHost,
    commands: Sequence[str],
    *,
    files: Sequence[int] = (),
    should_stop: Callable[[], bool] = lambda: False,
) -> None:
    """Carry out `commands` on `host`, one after the other, until one fails.

    They can read the open `files` of this process as `local_path` names them. Not run by
    `caur_ci.process.run`, because large files take long and somebody may lose interest.

    Raises CaurError for a host that is not the right one or does not let us in, SftpStoppedError,
    and TemporaryError for everything else that went wrong.
    """
    need_programs(host, "sftp", purpose="a landing zone on")
    with ExitStack() as stack:
        said = stack.enter_context(tempfile.TemporaryFile())
        batch = stack.enter_context(in_memory("".join(f"{line}\n" for line in commands).encode()))
        stdin, key_file = stack.enter_context(private_key(host))
        options = host_options(
            host, key_file=key_file, pinned=stack.enter_context(pinned_keys(host))
        )
        address = f"[{host.host}]" if ":" in host.host else host.host
        sftp = [
            *("sftp", "-b", local_path(batch)),
            *(word for option in options for word in ("-o", option)),
            *(("-i", key_file) if key_file else ()),
            *("--", address),
        ]
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", tied.__file__, str(os.getpid()), *sftp],
            stdin=stdin,
            stdout=said,
            stderr=subprocess.STDOUT,
            pass_fds=(batch, *files),
            env=child_environment(),
            start_new_session=True,
        )
        try:
            code = _wait(process, should_stop)
        finally:
            _end(process)
        if code != 0:
            _fail(host, code, said)


def local_path(descriptor: int) -> str:
    """Return the name under which sftp finds an open file of this process."""
    return f"/proc/self/fd/{descriptor}"


def quoted(text: str) -> str:
    """Return `text` as one word of a command."""
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


@contextmanager
def in_memory(content: bytes) -> Iterator[int]:
    """Provide an open file with `content` that is on no disk."""
    descriptor = os.memfd_create("sftp", os.MFD_CLOEXEC)
    try:
        os.fchmod(descriptor, 0o644)  # what is made of it there has the same rights
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        yield descriptor
    finally:
        os.close(descriptor)


def _wait(process: subprocess.Popen[bytes], should_stop: Callable[[], bool]) -> int:
    while True:
        try:
            return process.wait(_LOOK_AROUND)
        except subprocess.TimeoutExpired:
            if should_stop():
                raise SftpStoppedError("it was to be stopped") from None


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _fail(host: SshHost, code: int, said: IO[bytes]) -> None:
    said.seek(max(0, said.seek(0, os.SEEK_END) - _SHOWN))
    text = said.read().decode(errors="replace")
    # It repeats the commands, and what went wrong comes last.
    lines = [line for line in text.splitlines() if line and not line.startswith("sftp> ")][-20:]
    if code == _SSH_FAILED:
        raise ssh_error(host, lines, otherwise=f"there is no connection to {host.host}")
    words = "".join(f"\n  {line}" for line in lines)
    raise TemporaryError(f"the transfer to {host.host} failed{words}")
