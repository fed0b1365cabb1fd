"""A real pacman that reads while others publish."""

from __future__ import annotations

import itertools
import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.errors import ProcessError
from scheduler.database.packages import read_package
from scheduler.database.rollback import roll_back
from tests.support.packages import make_package
from tests.support.queue import Background

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.support.pacman_client import PacmanClient
    from tests.support.shelf import Shelf

# `CAUR_LONG=1` makes it longer. Every fifth update is rolled back.
UPDATES = 100 if os.environ.get("CAUR_LONG") else 15
VERSIONS_MET = 11


@dataclass
class Reader:
    """Refreshes, and downloads what is listed, again and again."""

    pacman: PacmanClient
    cache: Path
    stop: threading.Event = field(default_factory=threading.Event)
    rounds: int = 0
    missed: int = 0
    seen: set[str] = field(default_factory=set)

    def run(self) -> None:
        while not self.stop.is_set():
            self.rounds += 1
            try:
                self.pacman.refresh()
            except ProcessError:
                # The instant between a database and its signature.
                self.missed += 1
                self.pacman.refresh()
            self.seen.add(self.pacman.available()["tool"])
            self.pacman.download("tool")
            for path in self.cache.iterdir():
                path.unlink()


def test_a_second_try_always_succeeds_and_no_file_is_ever_missing(
    shelf: Shelf, pacman: PacmanClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tmp_path / "made"
    made.mkdir()
    shelf.publish(("tool", "0-1"))
    reader = Reader(pacman, tmp_path / "client" / "cache")
    reading = Background(reader.run)

    for number in itertools.count(1):
        package = read_package(make_package(made, "tool", f"{number}-1"))
        with shelf.open() as repository:
            with repository.transaction(shelf.signer) as transaction:
                transaction.add([package])
                transaction.prepare()
                repository.commit(transaction)
            if number % 5 == 0:
                roll_back(repository, repository.generations.numbers()[-2], shelf.signer)
                # On a busy machine the reader comes along more slowly than we do.
                if number >= UPDATES and len(reader.seen) >= VERSIONS_MET:
                    break
    reader.stop.set()
    reading.result(within=60)

    with capsys.disabled():
        print(
            f"\n{number} updates and {number // 5} rollbacks: pacman read {reader.rounds} times, "
            f"met the instant between database and signature {reader.missed} times"
        )
    assert shelf.versions() == {"tool": f"{number - 1}-1"}
