"""The database runner with a real queue: what it publishes and tries again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from scheduler.database.entries import read_entries
from scheduler.database.hosted import HostedFile, HostedFiles, private_list
from scheduler.database.layout import Layout
from scheduler.job import JobState, Outcome
from scheduler.queue import Queue, WorkerIdentity
from scheduler.settings import TargetRepository
from tests.support.packages import make_package
from tests.support.queue import job

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis

    from scheduler.database.signing import Signer
    from tests.support.publishing import World


def test_all_that_waits_is_published_in_one_step(world: World) -> None:
    for name in ("a", "b++", "c.d"):
        world.simple(name)
    split = [world.package("e", base="e")]
    for name in ("e-doc", "e-debug"):
        split.append(make_package(split[0].parent, name, base="e", arch="x86_64"))
    world.deliver(job("e", pkgnames=("e", "e-doc")), *split)

    assert world.runner().step()

    assert world.published() == dict.fromkeys(["a", "b++", "c.d", "e", "e-doc", "e-debug"], "1-1")
    assert world.ended("e") == (Outcome.SUCCESS, "")
    assert world.deliveries() == []
    assert (world.folder / "e-debug-1-1-x86_64.pkg.tar.zst.sig").is_file()


def test_dependants_go_on_only_after_publication(world: World) -> None:
    world.simple("lib")
    world.queue.submit("dependant", [job("tool", "lib")])

    assert world.queue.claim(WorkerIdentity.new("worker")) is None
    world.runner().step()

    assert world.queue.claim(WorkerIdentity.new("worker")) is not None


def test_publishing_the_same_delivery_twice_is_harmless(world: World) -> None:
    delivery = world.simple("tool")
    copy = world.base / "copy"
    shutil.copytree(world.landing.folder / delivery, copy)
    (claim,) = world.queue.claim_landed("runner-0")
    world.runner()._publisher.publish([claim])
    assert world.ended("tool")[0] is Outcome.SUCCESS
    before = (world.folder / "repo.db.tar.zst").read_bytes()

    # As if the runner had died between publishing and telling the queue.
    again = world.deliver(job("tool"), copy / "tool-1-1-any.pkg.tar.zst")
    world.runner().step()

    assert again != delivery
    assert world.ended("tool") == (Outcome.SUCCESS, "")
    assert (world.folder / "repo.db.tar.zst").read_bytes() == before
    assert world.deliveries() == []


def test_another_build_of_a_published_version_changes_nothing(world: World) -> None:
    world.simple("tool", content="first build")
    world.runner().step()
    before = {path.name: path.read_bytes() for path in world.folder.iterdir()}

    world.simple("tool", content="second build")
    world.runner().step()

    outcome, reason = world.ended("tool")
    assert outcome is Outcome.ALREADY_BUILT
    assert "tool 1-1" in reason
    assert {path.name: path.read_bytes() for path in world.folder.iterdir()} == before


def test_a_new_member_of_a_published_version_is_added_to_it(world: World) -> None:
    world.simple("tool", content="first build")
    world.runner().step()
    old = (world.folder / "tool-1-1-any.pkg.tar.zst").read_bytes()

    path = world.package("tool", content="second build")
    doc = make_package(path.parent, "tool-doc", base="tool")
    world.deliver(job("tool", pkgnames=("tool", "tool-doc")), path, doc)
    world.runner().step()

    assert world.published() == {"tool": "1-1", "tool-doc": "1-1"}
    assert world.ended("tool")[0] is Outcome.SUCCESS
    assert "left as it is: tool 1-1" in world.ended("tool")[1]
    assert (world.folder / "tool-1-1-any.pkg.tar.zst").read_bytes() == old


def test_two_jobs_with_a_package_of_the_same_name_come_one_after_the_other(world: World) -> None:
    world.deliver(job("a", pkgnames=("shared",)), world.package("shared", "1-1", base="a"))
    world.checkout.commit("allow", {"b/.CI/config": "CI_ALLOW_NAMES=shared\n"})
    world.deliver(job("b", pkgnames=("shared",)), world.package("shared", "2-1", base="b"))
    runner = world.runner()

    runner.step()
    assert world.published() == {"shared": "1-1"}
    assert world.view("b").state is JobState.LANDED
    runner.step()

    assert world.published() == {"shared": "2-1"}
    assert world.ended("b")[0] is Outcome.SUCCESS


def test_trouble_with_the_key_keeps_deliveries_for_later(world: World, keyless: Signer) -> None:
    delivery = world.simple("tool")
    world.stop.set()  # so that nobody waits between two tries

    world.runner(signer=keyless).step()

    assert world.view("tool").state is JobState.LANDED
    assert world.deliveries() == [delivery]
    assert world.published() == {}
    world.runner().step()
    assert world.ended("tool")[0] is Outcome.SUCCESS


def test_a_landing_zone_out_of_reach_keeps_the_jobs_for_later(world: World) -> None:
    world.simple("tool")
    world.landing.folder.rename(world.base / "away")
    world.stop.set()
    world.runner().step()
    assert world.view("tool").state is JobState.LANDED

    (world.base / "away").rename(world.landing.folder)
    world.runner().step()
    assert world.published() == {"tool": "1-1"}


def test_jobs_taken_over_by_another_runner_are_not_published_by_the_first(
    world: World, redis: Redis
) -> None:
    world.simple("tool")
    hasty = Queue(redis, lease=0.001)
    (claim,) = hasty.claim_landed("runner-0")
    while not world.queue.reap():
        pass
    world.settle_publications()
    (other,) = world.queue.claim_landed("runner-2")

    # The first one has been asleep for longer than its lease.
    with pytest.raises(Exception, match="does not hold repo/x86_64/tool any more"):
        world.runner()._publisher.publish([claim])

    assert world.published() == {}
    world.runner()._publisher.publish([other])
    assert world.published() == {"tool": "1-1"}


def test_a_package_that_repo_add_refuses_does_not_hold_up_the_others(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.simple("good")
    world.simple("better")
    delivery = world.deliver(job("bad"), world.package("bad"))
    # What the real one refuses differs from version to version.
    picky = tmp_path / "picky" / "repo-add"
    picky.parent.mkdir()
    picky.write_text(
        "#!/bin/sh\n"
        'case "$*" in *bad-*) echo "repo-add: I refuse" >&2; exit 1 ;; esac\n'
        f'exec {shutil.which("repo-add")} "$@"\n'
    )
    picky.chmod(0o755)
    monkeypatch.setenv("PATH", str(picky.parent), prepend=":")

    world.runner().step()

    assert world.published() == {"good": "1-1", "better": "1-1"}
    outcome, reason = world.ended("bad")
    assert outcome is Outcome.FAILED
    assert "repo-add" in reason
    assert (world.landing.folder / ".rejected" / delivery).is_dir()


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            "sed -i 's/^glibc$/linux/' changed/*/desc",
            "another entry of bad-1-1-any.pkg.tar.zst: it has %DEPENDS% ['linux']",
        ),
        (
            "sed -i 's/^thing$/other/' changed/*/desc",
            "differs in what nobody has changed: old",
        ),
        ("rm -r changed/old-1-1", "differs in what nobody has changed: old"),
    ],
)
def test_a_database_that_is_not_what_was_checked_is_not_signed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edit: str, message: str
) -> None:
    world.simple("old", extra="depend = thing\n")
    world.runner().step()
    before = (world.folder / "repo.db").read_bytes()
    world.deliver(job("bad"), world.package("bad", extra="depend = glibc\n"))
    other = tmp_path / "other" / "repo-add"
    other.parent.mkdir()
    other.write_text(
        f'#!/bin/bash\nset -e\n{shutil.which("repo-add")} "$@"\nmkdir changed\n'
        "bsdtar -xf repo.db.tar.zst -C changed\n"
        f"{edit}\n"
        "bsdtar --zstd -cf repo.db.tar.zst -C changed $(ls changed)\n"
    )
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(other.parent), prepend=":")

    world.runner().step()

    outcome, reason = world.ended("bad")
    assert outcome is Outcome.FAILED
    assert message in reason
    assert (world.folder / "repo.db").read_bytes() == before


def test_all_that_a_package_says_gets_into_the_database(world: World) -> None:
    fields = "conflict = a\nconflict = b<2\nprovides = c=1\ndepend = d\nprovides = libe.so=1-64\n"
    world.checkout.commit("allow", {"tool/.CI/config": "BUILDER_ALLOW_PROHIBITED=1\n"})
    world.simple("tool", extra=f"{fields}group = g\nreplaces = h\noptdepend = i: for j\n")

    world.runner().step()

    assert world.published() == {"tool": "1-1"}


def test_members_that_are_not_produced_any_more_go_with_the_new_version(world: World) -> None:
    world.split("tool", "tool", "tool-doc", "tool-debug")
    world.split("other", "other", "other-doc")
    world.runner().step()

    world.split("tool", "tool", "tool-libs", version="2-1")
    world.runner().step()

    assert world.published() == {
        "tool": "2-1",
        "tool-libs": "2-1",
        "other": "1-1",
        "other-doc": "1-1",
    }


def test_folders_with_the_same_pkgbase_leave_each_other_alone(world: World) -> None:
    world.split("linux-one", "linux-one", "linux-one-docs", base="linux")
    world.split("linux-two", "linux-two", "linux-two-docs", base="linux")
    world.runner().step()

    world.split("linux-one", "linux-one", version="2-1", base="linux")
    world.runner().step()

    assert world.published() == {"linux-one": "2-1", "linux-two": "1-1", "linux-two-docs": "1-1"}


class TestArchitectures:
    """Packages for any architecture go to all of a repository."""

    @pytest.fixture
    def both(self, world: World) -> World:
        target = TargetRepository(name="repo", architectures=("x86_64", "aarch64"))
        world.settings = replace(world.settings, target_repos={"repo": target})
        return world

    def test_what_is_for_any_is_everywhere_and_the_same(self, both: World) -> None:
        path = both.package("tool", base="tool")
        native = make_package(path.parent, "tool-bin", base="tool", arch="x86_64")
        both.deliver(job("tool", pkgnames=("tool", "tool-bin")), path, native)

        both.runner().step()

        assert both.published() == {"tool": "1-1", "tool-bin": "1-1"}
        assert both.published("aarch64") == {"tool": "1-1"}
        for name in ("tool-1-1-any.pkg.tar.zst", "tool-1-1-any.pkg.tar.zst.sig"):
            other = both.folder.with_name("aarch64") / name
            assert other.read_bytes() == (both.folder / name).read_bytes()
        assert (
            both.settings.repo_path / "repo/pkgs.txt"
        ).read_text() == "tool-1-1/\ntool-bin-1-1/\n"

    def test_what_is_for_any_does_not_leave_a_build_of_its_own_behind(self, both: World) -> None:
        def bring(version: str, arch: str, native: str) -> None:
            app = both.package("app", version, arch=native, extra=f"depend = data={version}\n")
            data = make_package(app.parent, "data", version, base="app", content=arch)
            both.deliver(job("app", arch=arch, pkgnames=("app", "data")), app, data)
            both.runner().step()

        for arch in ("x86_64", "aarch64"):
            bring("1-1", arch, arch)
        bring("2-1", "x86_64", "x86_64")
        assert both.published() == {"app": "2-1", "data": "2-1"}
        assert both.published("aarch64") == {"app": "1-1", "data": "1-1"}

        bring("2-1", "aarch64", "aarch64")
        assert both.published("aarch64") == {"app": "2-1", "data": "2-1"}
        # From now on there is one build for both.
        bring("3-1", "x86_64", "any")
        assert both.published("aarch64") == {"app": "3-1", "data": "3-1"}

    def test_what_was_published_for_one_only_comes_to_the_other(self, both: World) -> None:
        single = replace(both.settings, target_repos={"repo": TargetRepository(name="repo")})
        both.simple("tool")
        both.runner(settings=single).step()
        assert both.published("aarch64") == {}

        # A runner that died between the two would leave just that.
        published = both.folder / "tool-1-1-any.pkg.tar.zst"
        copy = both.base / "copy"
        copy.mkdir()
        shutil.copy(published, copy)
        both.deliver(job("tool"), copy / published.name)
        both.runner().step()

        assert both.ended("tool")[0] is Outcome.SUCCESS
        assert both.published("aarch64") == {"tool": "1-1"}

    def test_a_newer_one_elsewhere_stays(self, both: World) -> None:
        both.deliver(job("tool", arch="aarch64"), both.package("tool", "2-1", arch="aarch64"))
        both.runner().step()
        both.deliver(job("tool"), both.package("tool", "1-1"))
        both.runner().step()

        assert both.published() == {"tool": "1-1"}
        assert both.published("aarch64") == {"tool": "2-1"}

    def test_members_go_where_the_job_may_let_them_go(self, both: World) -> None:
        both.split("tool", "tool", "tool-doc")
        both.deliver(
            job("tool", arch="aarch64", pkgnames=("tool", "tool-doc", "tool-native")),
            both.package("tool-native", base="tool", arch="aarch64"),
        )
        both.runner().step()
        members = ("tool", "tool-doc", "tool-native")
        assert both.published("aarch64") == dict.fromkeys(members, "1-1")
        both.split("tool", "tool", version="2-1")
        both.runner().step()

        assert both.published() == {"tool": "2-1"}
        assert both.published("aarch64") == {"tool": "2-1", "tool-native": "1-1"}


def test_a_file_name_that_not_every_place_can_store_is_made_portable(world: World) -> None:
    world.settings = replace(world.settings, portable_names=True)
    world.simple("tool", "1:2+r3-1")
    world.runner().step()

    assert world.published() == {"tool": "1:2+r3-1"}
    names = sorted(path.name for path in world.folder.glob("tool*"))
    assert names == ["tool-1_2_r3-1-any.pkg.tar.zst", "tool-1_2_r3-1-any.pkg.tar.zst.sig"]
    entries = read_entries(world.folder / "repo.db.tar.zst")
    assert entries["tool"].filename == names[0]


def test_what_is_at_a_publishing_target_is_not_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("tool", "lib"):
        world.simple(name, "1-1")
    world.runner().step()
    entries = read_entries(world.folder / "repo.db.tar.zst")
    listed = {
        f"x86_64/{it.filename}": HostedFile(size=it.size, sha256=it.sha256)
        for it in entries.values()
    }
    HostedFiles(listed).write(private_list(Layout(world.settings.repo_path, "repo", "x86_64")))
    published = [world.folder / it.filename for it in entries.values()]
    for path in published:
        path.unlink()
    read, reads = HostedFiles.read, []

    def counted(path: Path) -> HostedFiles:
        reads.append(path)
        return read(path)

    monkeypatch.setattr(HostedFiles, "read", counted)

    for name in ("tool", "lib"):
        world.simple(name, "1-1", content="another build")
    world.runner().step()
    assert not any(path.exists() for path in published)
    assert read_entries(world.folder / "repo.db.tar.zst") == entries
    # It is as long as the repository is large.
    assert len(reads) == 1
