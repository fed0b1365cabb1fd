"""Looking at what was published, as a user of the repository would, and at what should not work."""

from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING

from caur_ci.demo import setup
from caur_ci.demo.client import PacmanClient
from caur_ci.demo.packages import FAILS, FIRST_OF_CHAIN, LAST_OF_CHAIN
from caur_ci.demo.rebuild import try_program
from caur_ci.errors import ProcessError
from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from caur_ci.demo.checks import Evidence
    from caur_ci.demo.setup import DemoFolders

_GUESTS = "4"


def install(made: DemoFolders, fingerprint: str, evidence: Evidence) -> None:
    """Let pacman sync and install the last package of the chain, and run what it brings.

    Then the same with the package that was rebuilt.
    """
    client = PacmanClient(made.client, repository=setup.REPOSITORY, published=made.published)
    client.trust(made.public_key, fingerprint)
    try:
        client.refresh()
    except ProcessError as error:
        evidence.refresh_problem = error.message
        return
    evidence.available = client.available()
    evidence.unsigned = [
        file.name for file in _signed_files(made) if not client.has_good_signature(file)
    ]
    try:
        client.install(LAST_OF_CHAIN)
        evidence.installed = client.installed()
        program = client.root / "usr" / "bin" / LAST_OF_CHAIN
        evidence.program_output = run([program, _GUESTS]).stdout.decode(errors="replace")
    except ProcessError as error:
        evidence.install_problem = error.message
    try_program(client, evidence.rebuild)


def try_what_must_not_work(made: DemoFolders, fingerprint: str, evidence: Evidence) -> None:
    """Let pacman have a database and a package with good signatures, but of something else."""
    copy = made.work / "forged" / setup.REPOSITORY / setup.ARCHITECTURE
    shutil.copytree(made.published, copy, symlinks=True)
    package = next(copy.glob(f"{FIRST_OF_CHAIN}-*.pkg.tar.zst"), None)
    other = next(copy.glob(f"{LAST_OF_CHAIN}-*.pkg.tar.zst.sig"), None)
    if package is None or other is None:
        return  # that they are missing is told already
    client = PacmanClient(made.work / "forged-client", repository=setup.REPOSITORY, published=copy)
    client.trust(made.public_key, fingerprint)
    for file in (copy / f"{setup.REPOSITORY}.db", package):
        shutil.copyfile(other, f"{file}.sig")
    attempts: dict[str, Callable[[], None]] = {
        "the database": client.refresh,
        "a package": partial(client.install_file, package),
    }
    evidence.forgeries_refused = {what: _fails(attempt) for what, attempt in attempts.items()}


def _fails(attempt: Callable[[], None]) -> bool:
    try:
        attempt()
    except ProcessError:
        return True
    return False


def read_failure_log(made: DemoFolders) -> str:
    """Return the log of the build that failed, empty where there is none."""
    path = made.logs / f"{FAILS}.log"
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _signed_files(made: DemoFolders) -> list[Path]:
    database = made.published / f"{setup.REPOSITORY}.db"
    return [database, *sorted(made.published.glob("*.pkg.tar.zst"))]
