"""A flavour's database is whole: what it has no build of is there as the base has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.demo.client import PacmanClient
from scheduler.database.entries import read_entries
from scheduler.job import Outcome
from tests.support.packages import make_package
from tests.support.queue import job

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.packages import SigningKey
    from tests.support.publishing import World

V3 = "x86_64_v3"


def deliver(world: World, name: str, arch: str, *, version: str = "1-1") -> None:
    shared = (V3,) if arch == "x86_64" else ()
    package = world.package(name, version, arch=arch, files=[f"usr/share/{name}"])
    world.deliver(job(name, arch=arch, shared_with=shared), package)
    world.runner().step()
    assert world.ended(name)[0] is Outcome.SUCCESS, world.ended(name)


def architectures(world: World, arch: str) -> dict[str, str]:
    entries = read_entries(world.folder.with_name(arch) / "repo.db.tar.zst")
    return {name: entry.arch for name, entry in entries.items()}


def test_pacman_installs_what_there_is_for_both(
    world: World, key: SigningKey, tmp_path: Path
) -> None:
    deliver(world, "lib", "x86_64")
    deliver(world, "app", V3)
    data = world.package("data", extra="depend = lib\n")
    world.deliver(job("data", shared_with=(V3,)), data)
    world.runner().step()

    assert architectures(world, "x86_64") == {"data": "any", "lib": "x86_64"}
    flavour = {"app": V3, "data": "any", "lib": "x86_64"}
    assert architectures(world, V3) == flavour
    name = "lib-1-1-x86_64.pkg.tar.zst.sig"
    copies = [world.folder.with_name(arch) / name for arch in ("x86_64", V3)]
    assert copies[0].read_bytes() == copies[1].read_bytes()

    pacman = PacmanClient(
        tmp_path / "client", repository="repo", published=world.folder.with_name(V3)
    )
    pacman.trust(key.public, key.fingerprint)
    pacman.refresh()
    for package in flavour:
        pacman.install(package)
    assert pacman.installed() == dict.fromkeys(flavour, "1-1")


def test_a_build_of_its_own_takes_the_place_of_that_of_the_base(world: World) -> None:
    deliver(world, "lib", "x86_64")
    deliver(world, "lib", V3)
    assert architectures(world, V3) == {"lib": V3}

    # It stays, until there is a newer one.
    again = world.package("lib", arch="x86_64", files=["usr/share/other"])
    world.deliver(job("lib", shared_with=(V3,)), again)
    world.runner().step()
    assert architectures(world, V3) == {"lib": V3}
    deliver(world, "lib", "x86_64", version="2-1")
    assert architectures(world, V3) == {"lib": "x86_64"}
    assert world.published(V3) == {"lib": "2-1"}


def test_what_is_not_shared_stays_where_it_is(world: World) -> None:
    world.deliver(job("lib"), world.package("lib", arch="x86_64"))
    deliver(world, "app", V3)

    assert architectures(world, V3) == {"app": V3}


def test_what_a_split_package_makes_no_more_goes_from_both(world: World) -> None:
    for version, names in (("1-1", ("lib", "lib-old")), ("2-1", ("lib",))):
        first = world.package(names[0], version, base="lib", arch="x86_64")
        others = [
            make_package(first.parent, name, version, base="lib", arch="x86_64")
            for name in names[1:]
        ]
        spec = job("lib", pkgnames=names, shared_with=(V3,))
        world.deliver(spec, first, *others)
        world.runner().step()

    assert world.published() == world.published(V3) == {"lib": "2-1"}
