"""A library moves, and a chain of real packages is rebuilt, each with the one before it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from caur_ci.elf import read_elf
from caur_ci.errors import ProcessError
from caur_ci.process import run
from scheduler.database.layout import Layout
from scheduler.database.repository import open_repository
from scheduler.job import FailureClass, JobState, Outcome
from scheduler.settings import DatabaseSettings, ExtraRepository, TargetRepository
from scheduler.worker.outcome import failed
from scheduler.workerkeys import WorkerKey
from tests.support.deliveries import allow
from tests.support.packages import SigningKey, pkgbuild, signing_key
from tests.support.pacman_client import PacmanClient
from tests.support.publishing import World
from tests.support.queue import Background, job, let_delays_pass
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis

    from tests.support.building import BuildSite, BuildWorld

CHAIN = ("libtide", "libmoon", "almanac")
# What was published before.
OLD = ("1-1", "1-1.1", "1-1.1")
# Seconds: a publication takes longer.
_LOOK_AGAIN = 0.1
# What build() and package() do. The soname of each says with which library it was built.
_MADE = {
    "libtide": (
        """
  echo "#define TIDE $pkgver" >tide.h
  echo 'int tide(void) { return TIDE; }' >tide.c
  gcc -include ./tide.h -shared -fPIC -Wl,-soname,libtide.so.$pkgver tide.c -o libtide.so.$pkgver
""",
        """
  install -D -t "$pkgdir/usr/lib" "$srcdir/libtide.so.$pkgver"
  install -D -m 644 -t "$pkgdir/usr/include" "$srcdir/tide.h"
  ln -s libtide.so.$pkgver "$pkgdir/usr/lib/libtide.so"
""",
    ),
    "libmoon": (
        """
  echo TIDE | gcc -E -P -include tide.h - >version
  echo 'int tide(void); int moon(void) { return tide(); }' >moon.c
  gcc -shared -fPIC -Wl,-soname,libmoon.so.$(<version) moon.c -ltide -o libmoon.so
""",
        """
  install -D -t "$pkgdir/usr/lib" "$srcdir/libmoon.so"
  ln -s libmoon.so "$pkgdir/usr/lib/libmoon.so.$(<"$srcdir/version")"
""",
    ),
    "almanac": (
        """
  echo '#include <stdio.h>' >main.c
  echo 'int moon(void); int main(void) { printf("%d\\n", moon()); return 0; }' >>main.c
  gcc main.c -lmoon -Wl,--allow-shlib-undefined -o almanac
""",
        """
  install -D -t "$pkgdir/usr/bin" "$srcdir/almanac"
""",
    ),
}
_DEPENDS = {"libtide": (), "libmoon": ("libtide",), "almanac": ("libmoon",)}


@pytest.fixture(scope="module")
def key() -> Iterator[SigningKey]:
    need_tools("gpg", "repo-add", "bsdtar", "zstd", "pacman", "gcc")
    with signing_key() as key:
        yield key


@dataclass
class Group:
    """A worker and a database runner for the chain, and a pacman that reads what they publish."""

    world: BuildWorld
    publishing: World
    pacman: PacmanClient
    broken: set[str] = field(default_factory=set)

    def ask(self, version: int, *names: str) -> None:
        """Ask for the chain, or some of it, with the library in a version and the others bumped."""
        texts = {}
        for name in CHAIN:
            build, package = _MADE[name]
            if name in self.broken:
                build = "echo 'error: it does not compile'; false"
            depends = f"depends=({' '.join(_DEPENDS[name])})"
            head = f"arch=(x86_64)\n{depends}\noptions=(!strip !debug)"
            texts[name] = pkgbuild(
                name,
                version=str(version) if name == "libtide" else "1",
                head=head,
                build=f'cd "$srcdir"\n{build}',
                package=package,
            )
        bumps = {
            name: {".CI/config": f"CI_PACKAGE_BUMP=1-1/{version}\n"}
            for name in CHAIN
            if name != "libtide"
        }
        commit = self.world.add(texts, **bumps)
        self.world.submit(
            *(
                job(name, *_DEPENDS[name], commit=commit, group=f"libtide-{version}")
                for name in names or CHAIN
            )
        )

    def build(self, *names: str) -> None:
        """Build the next ones, and let the database runner stage each."""
        for name in names:
            self.world.build_next()
            assert self.world.view(name).state is JobState.LANDED, self.world.log(name)
            self.step()

    def step(self) -> None:
        assert self.publishing.runner().step()

    def published(self) -> dict[str, str]:
        self.pacman.refresh()
        return self.pacman.available()

    def needs_of(self, path: str) -> tuple[str, ...]:
        """Return the sonames that an installed file needs, but for those of the C library."""
        file = self.pacman.root / path
        with file.open("rb") as stream:
            found = read_elf(stream.read, file.stat().st_size)
        assert found is not None
        return tuple(need for need in found.needs if need != "libc.so.6")

    def run_almanac(self) -> str:
        libraries = {"LD_LIBRARY_PATH": str(self.pacman.root / "usr" / "lib")}
        program = self.pacman.root / "usr" / "bin" / "almanac"
        return run([program], environment=libraries).stdout.decode()

    def generations(self) -> list[int]:
        settings = self.publishing.settings
        with open_repository(Layout(settings.repo_path, "repo", "x86_64")) as repository:
            return repository.generations.numbers()


@pytest.fixture
def group(site: BuildSite, key: SigningKey, tmp_path: Path) -> Iterator[Group]:
    # Not where the user that builds can get to.
    www = tmp_path / "www"
    target = TargetRepository(
        name="repo",
        extra_repos=(ExtraRepository(name="repo", servers=(f"{www.as_uri()}/$repo/$arch",)),),
    )
    with site.world(target=target) as world:
        settings = DatabaseSettings(
            source_repos={"source": site.source},
            allowed_workers=tmp_path / "allowed_workers",
            cache=tmp_path / "cache",
            target_repos={"repo": target},
            repo_path=www,
            landing_zone=world.landing.folder,
            gpg_home=key.home,
        )
        worker_key = WorkerKey.ensure(site.checkout.folder.parent / "worker-key")
        allow(settings.allowed_workers, worker_key, "builder", "worker")
        publishing = World(
            *(world.queue, world.landing, worker_key, settings),
            *(site.checkout, tmp_path, site.redis),
        )
        pacman = PacmanClient(
            tmp_path / "client", repository="repo", published=www / "repo" / "x86_64"
        )
        pacman.trust(key.public, key.fingerprint)
        yield Group(world, publishing, pacman)


@contextmanager
def reading(group: Group) -> Iterator[set[tuple[str, ...]]]:
    """Look what is listed, again and again; provide the versions that were seen together."""
    seen: set[tuple[str, ...]] = set()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            try:
                found = group.published()
            except ProcessError:
                found = group.published()  # the instant between a database and its signature
            seen.add(tuple(found[name] for name in CHAIN if name in found))
            for name in found:
                group.pacman.download(name)
            stop.wait(_LOOK_AGAIN)

    task = Background(look)
    try:
        yield seen
    finally:
        stop.set()
        task.result()


def test_each_is_built_with_the_new_one_and_pacman_never_sees_half_of_it(group: Group) -> None:
    group.ask(1)
    for name, version in zip(CHAIN, OLD, strict=True):
        group.publishing.build(name, group.publishing.package(name, version))
        group.step()
    group.step()
    before = group.generations()

    group.ask(2)
    with reading(group) as seen:
        group.build(*CHAIN)
        group.step()
    assert {group.world.ended(name)[0] for name in CHAIN} == {Outcome.SUCCESS}
    assert group.generations() == [*before, before[-1] + 1]
    assert seen <= {OLD, ("2-1", "1-1.2", "1-1.2")}

    group.pacman.refresh()
    group.pacman.install("libtide")
    group.pacman.install("libmoon")
    group.pacman.install("almanac")
    assert group.needs_of("usr/lib/libmoon.so") == ("libtide.so.2",)
    assert group.needs_of("usr/bin/almanac") == ("libmoon.so.2",)
    assert group.run_almanac() == "2\n"


def test_one_that_does_not_compile_holds_up_the_others_until_it_does(
    group: Group, redis: Redis
) -> None:
    group.broken.add("libmoon")
    group.ask(1)
    group.build("libtide")
    # Without what is staged it is not built with what is published, or with nothing.
    staging = group.publishing.settings.repo_path / "repo" / ".staging"
    staging.rename(staging.with_name("elsewhere"))
    group.world.build_next()
    assert group.world.view("libmoon").state is JobState.WAITING
    assert "what is staged in staging-libtide-1 is not to be had" in group.world.log("libmoon")
    staging.with_name("elsewhere").rename(staging)
    let_delays_pass(redis)
    group.world.build_next()
    (view,) = group.world.queue.groups()
    assert view.is_held_up
    (member,) = view.failed
    assert (member.identity, member.failure) == ("repo/x86_64/libmoon", FailureClass.COMPILE)
    assert view.held_up_by(member) == ("repo/x86_64/almanac",)
    assert not group.publishing.runner().step()
    assert group.world.queue.claim(group.world.worker.identity) is None

    group.broken.clear()
    group.ask(1, "libmoon")
    assert [view.name for view in group.world.queue.groups()] == ["repo/x86_64/libtide-1"]
    group.build("libmoon", "almanac")
    group.step()
    assert group.published() == {"libtide": "1-1", "libmoon": "1-1.1", "almanac": "1-1.1"}


def test_a_failure_that_may_pass_is_tried_again_before_it_holds_up_the_group(
    group: Group, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = failed(FailureClass.SOURCE_MISSING, "the server is down")
    monkeypatch.setattr("scheduler.worker.builder.Builder.build", lambda *_: result)
    group.ask(1)
    for attempt in (1, 2):
        group.world.build_next()
        view = group.world.view("libtide")
        assert (view.state, view.lost) == (JobState.WAITING, attempt)
        let_delays_pass(redis)
    group.world.build_next()
    assert group.world.ended("libtide") == (Outcome.FAILED, "the server is down")
    (held,) = group.world.queue.groups()
    assert [member.identity for member in held.failed] == ["repo/x86_64/libtide"]
