"""Publishing targets of every kind, and a repository to be brought there."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from scheduler.database.signing import Keyring, Signer
from tests.support.packages import SigningKey, signing_key
from tests.support.publishing_targets import Place, open_place, s3_server
from tests.support.shelf import Shelf
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def key() -> Iterator[SigningKey]:
    need_tools("gpg", "repo-add", "bsdtar", "zstd")
    with signing_key() as key:
        yield key


@pytest.fixture
def keyring(key: SigningKey) -> Keyring:
    return Keyring(key.home)


@pytest.fixture
def shelf(tmp_path: Path, key: SigningKey) -> Shelf:
    return Shelf(tmp_path, Signer(key.home))


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    with s3_server() as url:
        yield url


@pytest.fixture
def place_of(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Place]]:
    with ExitStack() as stack:

        def opened(kind: str) -> Place:
            url = request.getfixturevalue("s3_url") if kind == "s3" else ""
            return open_place(kind, tmp_path, monkeypatch, stack, s3_url=url)

        yield opened


@pytest.fixture(params=["folder", "rsync", "s3", "releases", "pages"])
def place(request: pytest.FixtureRequest, place_of: Callable[[str], Place]) -> Place:
    return place_of(request.param)


@pytest.fixture(params=["folder", "s3", "releases", "pages"])
def near_place(request: pytest.FixtureRequest, place_of: Callable[[str], Place]) -> Place:
    """Return a place that is asked without a login, which takes a second each time."""
    return place_of(request.param)


@pytest.fixture
def releases(place_of: Callable[[str], Place]) -> Place:
    return place_of("releases")
