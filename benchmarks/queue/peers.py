"""The queues that ours is measured beside: how to get them, and how to run them.

They are no dependencies of the project. They are installed under `benchmarks/.cache`, and where
that cannot be done, they are left out, and the table says why.
"""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from benchmarks.queue.own_side import BUILDS, FAILS
from benchmarks.repositories import CACHE
from caur_ci.errors import CaurError
from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.queue.server import Server

_HERE = Path(__file__).parent
# What our own queue does with a job; the others have but one step to end it.
_WAYS = {FAILS: "claim → finish", BUILDS: "claim → land → claim_landed → renew → finish"}
_INSTALL_TIMEOUT = 300
_RUN_TIMEOUT = 600


@dataclass(frozen=True, slots=True)
class Peer:
    """A queue; `command` is what lets one worker do so many empty jobs and prints seconds."""

    name: str
    command: Callable[[Server, int], list[str | Path]]

    def rate(self, server: Server, count: int) -> float:
        """Return how many jobs a second one worker takes and completes, on the emptied server.

        Raises ProcessError.
        """
        server.client.flushall()
        done = run(self.command(server, count), cwd=_HERE.parents[1], timeout=_RUN_TIMEOUT)
        return count / float(done.stdout)


def own() -> list[Peer]:
    """Return the queue of this project, with jobs that fail and with jobs that are published."""
    return [_own(FAILS), _own(BUILDS)]


def others() -> tuple[list[Peer], list[str]]:
    """Return the peers that can be had, and for the others the reasons why not."""
    found: list[Peer] = []
    missing = []
    for name, install in (("RQ", _rq), ("BullMQ", _bullmq)):
        try:
            found += install()
        except CaurError as error:
            missing.append(f"{name} could not be installed: {error.message.splitlines()[0]}")
    return found, missing


@contextmanager
def _all_or_nothing(folder: Path) -> Iterator[None]:
    """Leave no half of an installation behind."""
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _own(way: str) -> Peer:
    def command(server: Server, count: int) -> list[str | Path]:
        module = "benchmarks.queue.own_side"
        return [sys.executable, "-m", module, server.url, str(count), way]

    return Peer(_WAYS[way], command)


def _rq() -> list[Peer]:
    folder = CACHE / "rq"
    python = folder / "bin" / "python"
    if not folder.exists():
        with _all_or_nothing(folder):
            run([sys.executable, "-m", "venv", folder], timeout=_INSTALL_TIMEOUT)
            run([python, "-m", "pip", "install", "--quiet", "rq"], timeout=_INSTALL_TIMEOUT)
    asked = run([python, "-c", "import importlib.metadata as m; print(m.version('rq'))"])
    version = asked.stdout.decode().strip()

    def peer(worker: str) -> Peer:
        return Peer(
            f"RQ {version}, {worker}",
            lambda server, count: [python, _HERE / "rq_side.py", server.url, str(count), worker],
        )

    return [peer("SimpleWorker"), peer("Worker")]


def _bullmq() -> list[Peer]:
    folder = CACHE / "bullmq"
    if not folder.exists():
        with _all_or_nothing(folder):
            folder.mkdir(parents=True)
            options = ("--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder)
            run(["npm", "install", *options, "bullmq", "ioredis"], timeout=_INSTALL_TIMEOUT)
    about = folder / "node_modules" / "bullmq" / "package.json"
    version = json.loads(about.read_text(encoding="utf-8"))["version"]

    def command(server: Server, count: int) -> list[str | Path]:
        socket = unquote(urlsplit(server.url).path)
        return ["node", _HERE / "bullmq_side.cjs", folder, socket, str(count)]

    return [Peer(f"BullMQ {version}", command)]
