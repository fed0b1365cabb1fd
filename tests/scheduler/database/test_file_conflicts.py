"""Deliveries that ship files of other packages: which are held, and what pacman says of them."""

from __future__ import annotations

import gzip
import shutil
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caur_ci.errors import ProcessError
from scheduler.database.distribution_files import DistributionFiles
from scheduler.database.file_conflicts import Arrival, ConflictCheck, held_for_conflicts
from scheduler.database.fileowners import owner_of
from scheduler.database.packages import PackageFile
from scheduler.database.signing import Signer
from scheduler.job import FailureClass, JobState, Outcome
from scheduler.settings import TargetRepository
from tests.support.pacman_client import PacmanClient
from tests.support.queue import job
from tests.support.sync_databases import archive, desc

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.support.packages import SigningKey
    from tests.support.publishing import World


def package(
    name: str,
    *files: str,
    version: str = "1-1",
    conflict: Sequence[str] = (),
    provides: Sequence[str] = (),
    replaces: Sequence[str] = (),
) -> PackageFile:
    return PackageFile(
        path=Path(name),
        pkgname=name,
        pkgbase=name,
        version=version,
        arch="any",
        info={"conflict": conflict, "provides": provides, "replaces": replaces},  # type: ignore[dict-item]
        files="\n".join(files).encode(),
    )


def files_database(packages: Iterable[PackageFile]) -> bytes:
    found: dict[str, bytes] = {}
    for each in packages:
        folder = f"{each.pkgname}-{each.version}"
        found[f"{folder}/files"] = b"%FILES%\nusr/\n" + each.files + b"\n"
        found[f"{folder}/desc"] = desc(
            each.pkgname,
            each.version,
            provides=each.info["provides"],
            conflicts=each.info["conflict"],
            replaces=each.info["replaces"],
        )
    return gzip.compress(archive(found))


@dataclass
class Desk:
    """A repository with packages, a distribution, and deliveries for it, each of a folder."""

    folder: Path
    published: Sequence[PackageFile] = ()
    distribution: Sequence[PackageFile] = ()
    arrivals: list[Arrival] = field(default_factory=list)

    def deliver(
        self, *packages: PackageFile, removed: Sequence[str] = (), allowed: Sequence[str] = ()
    ) -> None:
        self.arrivals.append(
            Arrival(
                delivery=len(self.arrivals),
                folder=packages[0].pkgname,
                packages=packages,
                removed=removed,
                allowed=allowed,
            )
        )

    def held(self) -> dict[int, str]:
        ours, theirs = self.folder / "repo.files", self.folder / "extra.files"
        ours.write_bytes(files_database(self.published))
        theirs.write_bytes(files_database(self.distribution))
        places = [theirs] if self.distribution else []
        distribution = DistributionFiles(places, cache=self.folder / "cache")
        return held_for_conflicts([ConflictCheck(self.arrivals, ours, distribution)])


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_file_of_a_published_package_is_named_with_its_owner(desk: Desk) -> None:
    desk.published = [package("old", "usr/bin/a", "usr/bin/b")]
    desk.deliver(package("new", "usr/bin/a", "usr/bin/c"))
    desk.deliver(package("good", "usr/bin/d"))

    assert desk.held() == {
        0: "new ships usr/bin/a of old, and neither conflicts with the other; declare that in the "
        "PKGBUILD, or set CI_ALLOW_FILE_CONFLICTS=old in new/.CI/config"
    }


def test_few_of_many_files_and_owners_are_shown(desk: Desk) -> None:
    desk.published = [package(f"old{n}", f"usr/{n}") for n in range(4)]
    desk.distribution = [package("far", "usr/a", "usr/b", "usr/c", "usr/d", "usr/e")]
    desk.deliver(package("new", *(f"usr/{it}" for it in "0123abcde")))

    (reason,) = desk.held().values()

    assert "ships usr/a, usr/b, usr/c and 2 more of far of extra" not in reason  # the fifth
    assert "new ships usr/0 of old0; new ships usr/1 of old1" in reason
    assert "and 2 more pairs" in reason
    assert "CI_ALLOW_FILE_CONFLICTS=far:old0:old1:old2:old3 in" in reason


def test_a_file_of_the_distribution_counts_as_well(desk: Desk) -> None:
    desk.distribution = [package("far", "usr/a", "usr/b", "usr/c", "usr/d", "usr/e")]
    desk.deliver(package("new", "usr/a", "usr/b", "usr/c", "usr/d"))

    assert "new ships usr/a, usr/b, usr/c and 1 more of far of extra," in desk.held()[0]


@pytest.mark.parametrize(
    ("ours", "theirs", "is_held"),
    [
        ({"conflict": ["old"]}, {}, False),
        ({"conflict": ["old<2"]}, {}, False),
        ({"conflict": ["old>=2"]}, {}, True),
        ({"conflict": ["thing"]}, {"provides": ["thing"]}, False),
        ({"conflict": ["thing=3"]}, {"provides": ["thing=3"]}, False),
        ({"conflict": ["thing=3"]}, {"provides": ["thing=4"]}, True),
        ({"conflict": ["thing=3"]}, {"provides": ["thing"]}, True),
        ({"replaces": ["old"]}, {}, False),
        ({"replaces": ["thing"]}, {"provides": ["thing"]}, True),
        ({}, {"conflict": ["new"]}, False),
        ({"provides": ["thing"]}, {"conflict": ["thing"]}, False),
        ({"provides": ["old"]}, {}, True),
        ({"conflict": ["!", "other"]}, {}, True),
    ],
    ids=str,
)
@pytest.mark.parametrize("place", ["published", "distribution"])
def test_what_pacman_never_installs_together_may_share_files(
    desk: Desk,
    place: str,
    ours: dict[str, list[str]],
    theirs: dict[str, list[str]],
    is_held: bool,
) -> None:
    setattr(desk, place, [package("old", "usr/a", **theirs)])  # type: ignore[arg-type]
    desk.deliver(package("new", "usr/a", **ours))  # type: ignore[arg-type]

    assert bool(desk.held()) is is_held


def test_a_setting_lets_files_of_named_packages_through(desk: Desk) -> None:
    desk.published = [package("old", "usr/a"), package("older", "usr/b")]
    desk.deliver(package("new", "usr/a", "usr/b"), allowed=["old"])

    assert "usr/b of older" in desk.held()[0]
    assert "usr/a" not in desk.held()[0]
    desk.arrivals.clear()
    desk.deliver(package("new", "usr/a", "usr/b"), allowed=["old", "older"])
    assert desk.held() == {}


class TestWhatWasThereBefore:
    """Only what is new is held."""

    @pytest.mark.parametrize("place", ["published", "distribution"])
    def test_what_was_published_in_conflict_goes_on(self, desk: Desk, place: str) -> None:
        desk.published = [package("new", "usr/a")]
        setattr(desk, place, [*getattr(desk, place), package("old", "usr/a", "usr/b")])
        desk.deliver(package("new", "usr/a", version="2-1"))
        assert desk.held() == {}

        desk.deliver(package("new", "usr/a", "usr/b", version="2-1"))
        desk.arrivals.pop(0)
        assert "new ships usr/b of old" in desk.held()[1]

    @pytest.mark.parametrize("place", ["published", "distribution"])
    def test_a_conflict_must_not_be_taken_back(self, desk: Desk, place: str) -> None:
        desk.published = [package("new", "usr/a", conflict=["old"])]
        setattr(desk, place, [*getattr(desk, place), package("old", "usr/a")])
        desk.deliver(package("new", "usr/a", version="2-1"))

        assert "new ships usr/a of old" in desk.held()[0]

    def test_symbols_for_a_debugger_do_not_count(self, desk: Desk) -> None:
        files = ("usr/lib/debug/.build-id/ab/cd", "usr/src/debug/x.c")
        desk.published = [package("tool-debug", *files)]
        desk.deliver(package("tool-git-debug", *files))

        assert desk.held() == {}


class TestTogether:
    """Deliveries of one transaction."""

    def test_a_file_may_move_if_both_come(self, desk: Desk) -> None:
        desk.published = [package("from", "usr/a", "usr/b")]
        desk.deliver(package("to", "usr/a"))
        assert set(desk.held()) == {0}

        desk.deliver(package("from", "usr/b", version="2-1"))
        assert desk.held() == {}

    def test_a_file_may_move_from_what_is_taken_out(self, desk: Desk) -> None:
        desk.published = [package("from", "usr/a")]
        desk.deliver(package("to", "usr/a"), removed=["from"])

        assert desk.held() == {}

    def test_one_that_relied_on_a_held_one_is_held_too(self, desk: Desk) -> None:
        desk.published = [package("from", "usr/a"), package("third", "usr/c")]
        desk.deliver(package("to", "usr/a"))
        desk.deliver(package("from", "usr/c", version="2-1"))

        assert "to ships usr/a of from" in desk.held()[0]
        assert "from ships usr/c of third" in desk.held()[1]

    def test_one_that_conflicted_with_a_held_one_only_goes_on(self, desk: Desk) -> None:
        desk.published = [package("third", "usr/c")]
        desk.deliver(package("bad", "usr/a", "usr/c"))
        desk.deliver(package("good", "usr/a"))

        assert set(desk.held()) == {0}

    def test_of_two_new_ones_the_first_to_come_goes_on(self, desk: Desk) -> None:
        desk.deliver(package("one", "usr/a"))
        desk.deliver(package("two", "usr/a"))

        assert set(desk.held()) == {1}

    def test_who_had_the_file_before_is_not_to_blame(self, desk: Desk) -> None:
        desk.published = [package("owner", "usr/a")]
        desk.deliver(package("thief", "usr/a"))
        desk.deliver(package("owner", "usr/a", version="2-1"))

        assert set(desk.held()) == {0}

    def test_members_of_one_package_are_held_to_the_same(self, desk: Desk) -> None:
        desk.deliver(package("tool", "usr/a"), package("tool-doc", "usr/a"))
        desk.deliver(package("toy", "usr/b"), package("toy-git", "usr/b", conflict=["toy"]))

        assert set(desk.held()) == {0}
        assert "tool-doc ships usr/a of tool" in desk.held()[0]


names = st.sampled_from("abcd")
made = st.builds(
    lambda name, files, conflicts: package(name, *sorted(files), conflict=sorted(conflicts)),
    names,
    st.sets(st.sampled_from(["usr/1", "usr/2", "usr/3"])),
    st.sets(names, max_size=1),
)
several = st.lists(made, unique_by=lambda each: each.pkgname, max_size=4)


def unsaid(packages: Iterable[PackageFile]) -> set[tuple[str, str, bytes]]:
    """Return what pacman would stumble over: two names and a file."""
    owners = sorted(map(owner_of, packages), key=lambda owner: owner.name)
    return {
        (one.name, other.name, path)
        for one, other in combinations(owners, 2)
        if not one.excludes(other)
        for path in one.files & other.files
    }


@settings(max_examples=60)
@given(published=several, fresh=several)
def test_nothing_new_that_pacman_would_refuse_gets_through(
    tmp_path_factory: pytest.TempPathFactory,
    published: list[PackageFile],
    fresh: list[PackageFile],
) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"), published)
    for each in fresh:
        desk.deliver(each)
    held = desk.held()

    let_through = {each.pkgname: each for key, each in enumerate(fresh) if key not in held}
    after = {each.pkgname: each for each in published} | let_through
    assert unsaid(after.values()) <= unsaid(published)
    if len(fresh) == 1:
        alone = {each.pkgname: each for each in [*published, *fresh]}
        assert bool(held) is bool(unsaid(alone.values()) - unsaid(published))


def test_pacman_refuses_what_is_held(world: World, key: SigningKey, tmp_path: Path) -> None:
    ship = ["usr/bin/tool", "usr/share/ä"]
    world.simple("one", files=ship)
    world.runner().step()
    copy = tmp_path / "two-1-1-any.pkg.tar.zst"
    path = world.package("two", files=ship)
    shutil.copy(path, copy)
    Signer(key.home).sign_all([copy])
    delivery = world.deliver(job("two"), path)
    world.simple("three", files=ship, extra="conflict = one\n")
    world.simple("four")

    world.runner().step()

    assert world.published() == dict.fromkeys(["one", "three", "four"], "1-1")
    outcome, reason = world.ended("two")
    assert outcome is Outcome.FAILED
    assert world.view("two").failure is FailureClass.DELIVERY
    assert "two ships usr/bin/tool, usr/share/ä of one, and neither" in reason
    assert (world.landing.folder / ".rejected" / delivery).is_dir()

    pacman = PacmanClient(tmp_path / "client", repository="repo", published=world.folder)
    pacman.trust(key.public, key.fingerprint)
    pacman.install_file(world.folder / "one-1-1-any.pkg.tar.zst")
    with pytest.raises(ProcessError, match="conflicting files"):
        pacman.install_file(copy)
    with pytest.raises(ProcessError, match="conflict"):
        pacman.install_file(world.folder / "three-1-1-any.pkg.tar.zst")

    world.checkout.commit("allow", {"two/.CI/config": "CI_ALLOW_FILE_CONFLICTS=one:three\n"})
    world.deliver(job("two"), path)
    world.runner().step()
    assert world.published()["two"] == "1-1"


def test_files_for_the_other_architecture_count_as_well(world: World) -> None:
    target = TargetRepository(name="repo", architectures=("x86_64", "aarch64"))
    world.settings = replace(world.settings, target_repos={"repo": target})
    native = world.package("native", arch="aarch64", files=["usr/bin/tool"])
    world.deliver(job("native", arch="aarch64"), native)
    world.runner().step()

    world.simple("tool", files=["usr/bin/tool"])
    world.runner().step()

    assert "tool ships usr/bin/tool of native" in world.ended("tool")[1]
    assert world.published() == {}
    assert world.published("aarch64") == {"native": "1-1"}


def test_trouble_with_the_distribution_keeps_the_jobs_for_later(
    world: World, tmp_path: Path
) -> None:
    database = tmp_path / "core.files"
    database.write_bytes(b"cut off")
    files = DistributionFiles([database], cache=tmp_path / "owners")
    world.simple("tool", files=["usr/bin/tool"])
    world.stop.set()  # so that nobody waits between two tries

    world.runner(files=files).step()
    assert world.view("tool").state is JobState.LANDED

    database.write_bytes(files_database([package("far", "usr/bin/tool")]))
    world.runner(files=files).step()
    assert "tool ships usr/bin/tool of far of core" in world.ended("tool")[1]
