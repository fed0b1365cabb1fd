"""The command lines that stand in blocks of README and docs are run, in the order of their page."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.environment import take_secrets
from caur_ci.errors import ExitCode
from scheduler.database.signing import Signer
from scheduler.logs import LogStore
from tests.documentation.command_lines import CommandLine, command_lines, pages
from tests.documentation.world import PACKAGES, DocumentedWorld, fill
from tests.support.packages import SigningKey, signing_key
from tests.support.shelf import Shelf
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis

    from scheduler.queue import Queue

# What no page has to mark: the beginnings of commands that need more, wherever they stand.
_NEEDS = {
    "add": "the AUR",
    "aur": "the AUR",
    "build": "makepkg, and minutes",
    "worker": "somebody who ends it",
    "web": "somebody who ends it",
    "database": "somebody who ends it",
    "run": "makepkg, and minutes",
    "status --live": "somebody who ends it",
    "repo upload": "the place that it goes to",
    "repo pick-up": "the place that it comes from",
    "notify --test": "those who are told",
    "recall": "a yes",
    "redis load": "Redis 7",
    "auto-repo-remove": "a removal that is held back",
    "broken --ahead": "databases of a distribution",
    "queue import": "the existing manager's server",
    "queue restore": "an empty queue",
    "shadow compare": "a run of the bash template",
}
# Commands whose answer is another one than OK, here.
_EXITS = {
    "doctor": ExitCode.FAILED,  # no database runner is there
    "redis status": ExitCode.FAILED,  # the server of the tests is another one
}
_HELP = (
    f"Commands in blocks are run. There are the packages {', '.join(PACKAGES)}; words in capitals "
    "are in tests/documentation/world.py. What needs more than a test has is marked, before its "
    "block: <!-- needs: the AUR -->."
)


_BLOCKS = {
    page.name: [each for each in command_lines(page) if not each.is_in_sentence] for page in pages()
}


def _begins(found: CommandLine, words: str) -> bool:
    return f"{' '.join(found.words)} ".startswith(f"{words} ")


def _is_run(found: CommandLine) -> bool:
    return not (found.needs or any(_begins(found, words) for words in _NEEDS))


_FOUND = {
    name: found for name, commands in _BLOCKS.items() if (found := [*filter(_is_run, commands)])
}


def test_nothing_is_excused_that_no_page_has() -> None:
    commands = [*chain.from_iterable(_BLOCKS.values())]
    excused = [*_NEEDS, *_EXITS]
    unknown = [each for each in excused if not any(_begins(found, each) for found in commands)]
    assert not unknown


def test_most_commands_are_run() -> None:
    assert sum(map(len, _FOUND.values())) > 60


@pytest.fixture(scope="module")
def key() -> Iterator[SigningKey]:
    need_tools("gpg", "repo-add", "bsdtar", "zstd")
    with signing_key() as key:
        yield key


@pytest.fixture(scope="module")
def shelf(key: SigningKey, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    shelf = Shelf(tmp_path_factory.mktemp("published"), Signer(key.home))
    for version in ("1-1", "2-1"):
        shelf.publish(("tool", version))
    folders = {"REPO_PATH": str(shelf.layout.root), "GPG_PATH": str(key.home)}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in folders.items():
            patch.setenv(name, value)
        assert run(["repo", "index"], Session()) == ExitCode.OK
    return shelf


@pytest.fixture(scope="module")
def original(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> DocumentedWorld:
    base = tmp_path_factory.mktemp("documented") / "world"
    return DocumentedWorld.create(base, shelf.folder / "repo.db")


@pytest.fixture
def world(original: DocumentedWorld, tmp_path: Path, queue: Queue, redis: Redis) -> DocumentedWorld:
    fill(queue, LogStore(redis), tmp_path / "history")
    return original.copy(tmp_path / "world")


@pytest.fixture
def session(
    world: DocumentedWorld,
    shelf: Shelf,
    key: SigningKey,
    tmp_path: Path,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Session:
    """Return what commands get to know of the world, as by the variables of a user."""
    allowed = tmp_path / "allowed_workers"
    allowed.touch()
    settings = {
        "REDIS_URL": redis_url,
        "REPO_PATH": str(shelf.layout.root),
        "GPG_PATH": str(key.home),
        "ALLOWED_WORKERS": str(allowed),
        "LANDING_ZONE_PATH": str(tmp_path / "landing"),
        "SHARED_PATH": str(tmp_path / "shared"),
        "HISTORY_PATH": str(tmp_path / "history"),
        "PACKAGE_REPOS": json.dumps({"source": {"url": world.checkout.remote.as_uri()}}),
        "PACKAGE_TARGET_REPOS": json.dumps({"repo": {}}),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(world.checkout.folder)
    return Session(secrets=take_secrets())


@pytest.mark.parametrize("page", sorted(_FOUND))
def test_the_commands_of_a_page(
    page: str, world: DocumentedWorld, session: Session, capfd: pytest.CaptureFixture[str]
) -> None:
    wrong = []
    for found in _FOUND[page]:
        code = run(world.understood(found.words), session)
        said = capfd.readouterr()
        if code != _EXITS.get(" ".join(found.words), ExitCode.OK):
            wrong.append(f"{found}: exit code {code}\n{said.err[-600:]}{said.out[-300:]}")
    assert not wrong, "\n".join([*wrong, _HELP])
