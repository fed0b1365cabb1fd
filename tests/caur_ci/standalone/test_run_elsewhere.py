"""`caur-ci run` for readers who are elsewhere: storage, another machine, release assets."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.support.packages import pkgbuild
from tests.support.publishing_targets import open_place, s3_server

if TYPE_CHECKING:
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


@pytest.mark.parametrize("kind", ["rsync", "s3", "releases"])
def test_pacman_installs_what_was_published_there_by_one_machine_and_then_another(
    kind: str, world: RunWorld, key: SigningKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(s3_server()) if kind == "s3" else ""
        place = open_place(kind, tmp_path, monkeypatch, stack, s3_url=url)
        world.publish_to = place.address
        world.environment |= {**place.environ, **place.secrets}
        if kind == "releases":
            world.program = ("-c", _UNHURRIED)

        world.push("feat: lib", lib=pkgbuild("lib", version="1+r2", head="epoch=1"))
        world.report()
        client = world.client(key, server=place.server)
        client.install("lib")
        assert client.installed() == {"lib": "1:1+r2-1"}
        awkward = [it for it in place.target.listing("repo") if ":" in it or "+" in it]
        assert bool(awkward) == (kind == "rsync")

        # The other one has none of the packages, and builds with what is there.
        shutil.rmtree(world.work)
        world.push("feat: tool", tool=pkgbuild("tool", head="depends=(lib)\nmakedepends=(lib)"))
        world.report()
        client.refresh()
        client.install("tool")
        assert client.available() == {"lib": "1:1+r2-1", "tool": "1-1"}
        assert client.installed() == {"lib": "1:1+r2-1", "tool": "1-1"}
        assert world.memory().run is None
