"""`caur-ci run` for readers who are elsewhere: storage, another machine, release assets."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.support.packages import pkgbuild
from tests.support.publishing_targets import Place, open_place, s3_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.caur_ci.standalone.conftest import RunWorld
    from tests.support.packages import SigningKey

# The command without the pauses that GitHub asks for.
_UNHURRIED = """\
from scheduler.hosting.releases import ReleaseTarget
ReleaseTarget.__init__.__kwdefaults__["pauses"] = (0.0, 0.0)
from caur_ci.__main__ import main
main()
"""


@pytest.fixture
def place_of(
    world: RunWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Place]]:
    with ExitStack() as stack:

        def opened(kind: str) -> Place:
            url = stack.enter_context(s3_server()) if kind == "s3" else ""
            place = open_place(kind, tmp_path, monkeypatch, stack, s3_url=url)
            world.publish_to = place.address
            world.environment |= {**place.environ, **place.secrets}
            return place

        yield opened


def names_there(place: Place) -> set[str]:
    return {path.rpartition("/")[2] for path in place.target.listing("repo")}


@pytest.mark.parametrize(
    ("kind", "file"),
    [("rsync", "lib-1:1+r2-1-any.pkg.tar.zst"), ("s3", "lib-1_1_r2-1-any.pkg.tar.zst")],
)
def test_pacman_installs_what_was_published_there(
    kind: str, file: str, world: RunWorld, place_of: Callable[[str], Place], key: SigningKey
) -> None:
    place = place_of(kind)
    world.push("feat: lib", lib=pkgbuild("lib", version="1+r2", head="epoch=1"))
    world.report()

    assert {file, f"{file}.sig"} <= names_there(place)
    client = world.client(key, server=place.server)
    client.install("lib")
    assert client.installed() == {"lib": "1:1+r2-1"}


def test_what_one_machine_has_published_as_release_assets_another_one_goes_on_with(
    world: RunWorld, place_of: Callable[[str], Place], key: SigningKey
) -> None:
    place = place_of("releases")
    world.program = ("-c", _UNHURRIED)
    world.push("feat: lib", lib=pkgbuild("lib", head="epoch=1"))
    world.report()

    shutil.rmtree(world.work)
    world.push("feat: tool", tool=pkgbuild("tool", head="depends=(lib)"))
    world.report()
    assert "lib-1_1-1-any.pkg.tar.zst" in names_there(place)
    assert not list((world.work / "repository").rglob("lib-*"))
    client = world.client(key, server=place.server)
    client.install("tool")
    assert client.installed() == {"lib": "1:1-1", "tool": "1-1"}
    assert world.memory().run is None
