"""What the database runner refuses before anything is signed, with its reason."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from scheduler.job import FailureClass, JobState, OnOlder, Outcome
from scheduler.landing import MANIFEST, SIGNATURE, SignedManifest, describe_file
from tests.support.deliveries import manifest_of
from tests.support.queue import job

if TYPE_CHECKING:
    from tests.support.publishing import World


def test_a_bad_delivery_is_kept_aside_and_the_others_are_published(world: World) -> None:
    world.simple("good")
    foreign = world.package("linux", base="bad")
    bad = world.deliver(job("bad"), foreign)

    world.runner().step()

    assert world.published() == {"good": "1-1"}
    outcome, reason = world.ended("bad")
    assert outcome is Outcome.FAILED
    assert "linux is none of the packages of bad" in reason
    aside = world.landing.folder / ".rejected"
    assert (aside / bad / "linux-1-1-any.pkg.tar.zst").is_file()
    assert "linux is none" in (aside / f"{bad}.reason").read_text()
    assert world.deliveries() == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"commit": "1" * 40}, "was built from commit 1111"),
        ({"pkgbase": "other"}, "is of another job"),
        ({"target_repo": "other"}, "is of another job"),
        ({"arch": "aarch64"}, "is of another job"),
        ({"source_repo": "other"}, "was built from commit .* of other"),
        ({"attempt": 2}, "is of attempt 2"),
        ({"version": 1}, "2 was expected"),
        ({"tree": "no tree"}, "does not match"),
        (
            {"worker": "other-1"},
            "not signed by a key that ALLOWED_WORKERS has for the worker other",
        ),
        ({"worker": "no name"}, "cannot be the name of a worker"),
    ],
)
def test_a_manifest_of_something_else_is_refused(
    world: World, wrong: dict[str, Any], message: str
) -> None:
    world.deliver(job("tool"), world.package("tool"), **wrong)

    world.runner().step()

    outcome, reason = world.ended("tool")
    assert outcome is Outcome.FAILED
    assert re.search(message, reason)
    assert world.published() == {}


def test_a_file_that_changed_or_went_after_the_build_is_refused(world: World) -> None:
    changed = world.simple("changed")
    gone = world.simple("gone")
    linked = world.simple("linked")
    (world.landing.folder / changed / "changed-1-1-any.pkg.tar.zst").write_bytes(b"other")
    (world.landing.folder / gone / "gone-1-1-any.pkg.tar.zst").unlink()
    link = world.landing.folder / linked / "linked-1-1-any.pkg.tar.zst"
    link.unlink()
    link.symlink_to("/etc/passwd")

    world.runner().step()

    assert "not the file that the manifest describes" in world.ended("changed")[1]
    assert "not in the delivery" in world.ended("gone")[1]
    assert "is a link" in world.ended("linked")[1]
    assert world.published() == {}


def test_a_delivery_that_is_not_there_is_waited_for(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.stop.set()  # nobody waits after the warning
    delivery = world.simple("tool")
    world.simple("other")
    away = world.base / "elsewhere"
    (world.landing.folder / delivery).rename(away)

    world.runner().step()

    view = world.queue.job(world.jobs["tool"])
    assert view is not None
    assert view.state is JobState.LANDED
    assert f"delivery {delivery} of" in caplog.text
    assert "is not in the landing zone" in caplog.text
    assert world.published() == {"other": "1-1"}

    away.rename(world.landing.folder / delivery)
    world.runner().step()
    assert world.ended("tool")[0] is Outcome.SUCCESS


def test_a_delivery_of_a_worker_that_nobody_has_allowed_yet_is_waited_for(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.stop.set()
    lines = world.settings.allowed_workers.read_text()
    world.settings.allowed_workers.write_text("somebody-else ssh-ed25519 AAAA\n")
    world.simple("tool")

    world.runner().step()

    view = world.queue.job(world.jobs["tool"])
    assert view is not None
    assert view.state is JobState.LANDED
    assert "which is not in ALLOWED_WORKERS" in caplog.text

    world.settings.allowed_workers.write_text(lines)
    world.runner().step()
    assert world.ended("tool")[0] is Outcome.SUCCESS


def test_an_older_version_is_refused(world: World) -> None:
    world.simple("tool", "1:1-1")
    world.runner().step()
    world.simple("tool", "9-1")
    world.runner().step()

    outcome, reason = world.ended("tool")
    assert outcome is Outcome.FAILED
    assert "9-1 is older than the published 1:1-1" in reason
    assert world.published() == {"tool": "1:1-1"}


@pytest.mark.parametrize(
    ("name", "version", "values", "message"),
    [
        ("linux", "1-1", {}, "linux is none of the packages of tool"),
        ("tool", "1-1", {"base": "linux"}, "belongs to pkgbase linux"),
        ("tool", "2-1", {}, "has version 2-1, the .SRCINFO has pkgver 1"),
        ("tool", "1-2", {}, "has version 1-2, its pkgrel has to be 1"),
        ("tool", "1:1-1", {}, "the .SRCINFO has epoch 0"),
        ("tool", "1-1", {"arch": "aarch64"}, "is for aarch64, the job is for x86_64"),
    ],
)
def test_a_package_that_the_source_repository_does_not_have_is_refused(
    world: World, name: str, version: str, values: dict[str, str], message: str
) -> None:
    package = world.package(name, version, **({"base": "tool"} | values))
    delivery = world.deliver(job("tool"), package, committed_version="1-1")

    world.runner().step()

    outcome, reason = world.ended("tool")
    assert outcome is Outcome.FAILED
    assert message in reason
    assert world.view("tool").failure is FailureClass.DELIVERY
    assert message in (world.landing.folder / ".rejected" / f"{delivery}.reason").read_text()
    assert world.published() == {}


@pytest.mark.parametrize("name", ["../tool-1-1-any.pkg.tar.zst", "/etc/passwd", ".."])
def test_a_path_as_the_name_of_a_file_is_refused(world: World, name: str) -> None:
    package = world.package("tool")
    file = describe_file(package)
    world.deliver(job("tool"), package)
    # What no worker of ours would deliver.
    (claim,) = world.queue.claim_landed("other")
    world.queue.release(claim)
    token = int(claim.delivery.partition("-")[2])
    files = (replace(file, name=name),)
    manifest = manifest_of(claim, package, worker="worker-1", token=token, files=files)
    signed = SignedManifest.sign(manifest, world.key)
    folder = world.landing.folder / claim.delivery
    (folder / MANIFEST).write_bytes(signed.content)
    (folder / SIGNATURE).write_bytes(signed.signature)

    world.runner().step()

    outcome, reason = world.ended("tool")
    assert outcome is Outcome.FAILED
    assert "the name of a" in reason
    assert world.published() == {}


def test_a_commit_that_the_source_repository_does_not_have_is_refused(world: World) -> None:
    world.simple("good")
    world.land(job("tool", commit="1" * 40), world.package("tool"))

    world.runner().step()

    outcome, reason = world.ended("tool")
    assert outcome is Outcome.FAILED
    assert f"commit {'1' * 40} is in no branch or tag" in reason
    assert world.published() == {"good": "1-1"}


def test_a_folder_without_srcinfo_is_refused(world: World) -> None:
    commit = world.checkout.commit("no .SRCINFO", {"tool/PKGBUILD": "pkgname=tool"})
    world.checkout.push()
    world.land(job("tool", commit=commit), world.package("tool"))

    world.runner().step()

    assert world.ended("tool")[0] is Outcome.FAILED
    assert "tool has no .SRCINFO" in world.ended("tool")[1]


def test_a_source_repository_out_of_reach_is_no_reason_to_refuse(world: World) -> None:
    world.simple("early")
    world.runner().step()
    known = world.checkout.head()
    world.simple("late")
    world.land(job("early", commit=known), world.package("early", content="again"))
    away = world.checkout.remote.with_name("away")
    world.checkout.remote.rename(away)
    world.stop.set()  # so that nobody waits between two tries

    world.runner().step()

    # The commit of the first is known, but not whether it was recalled since.
    assert world.view("early").state is JobState.LANDED
    assert world.view("late").state is JobState.LANDED
    away.rename(world.checkout.remote)
    world.runner().step()
    assert world.ended("early")[0] is Outcome.ALREADY_BUILT
    assert world.published() == {"early": "1-1", "late": "1-1"}


def test_a_source_repository_that_the_runner_does_not_know_is_told_to_its_operator(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.simple("tool")
    world.stop.set()

    world.runner(settings=replace(world.settings, source_repos={})).step()

    assert world.view("tool").state is JobState.LANDED
    assert "does not know the source repository source" in caplog.text
    assert "PACKAGE_REPOS" in caplog.text


def test_an_older_version_is_published_where_somebody_asked_and_committed_it(world: World) -> None:
    world.simple("tool", "2-1")
    world.runner().step()
    world.deliver(job("tool", on_older=OnOlder.PUBLISH), world.package("tool", "1-1"))
    world.runner().step()

    assert world.ended("tool") == (Outcome.SUCCESS, "")
    assert world.published() == {"tool": "1-1"}


def test_a_request_alone_brings_no_older_version(world: World) -> None:
    world.simple("tool", "1-1")
    world.runner().step()
    old = world.checkout.head()
    world.simple("tool", "2-1")
    world.runner().step()
    # Whoever may write to the queue can ask for that.
    world.land(job("tool", on_older=OnOlder.PUBLISH, commit=old), world.package("tool", "1-1"))
    world.runner().step()

    outcome, reason = world.ended("tool")
    assert outcome is Outcome.FAILED
    assert "not what the source repository has now" in reason
    assert world.published() == {"tool": "2-1"}


@pytest.mark.parametrize("line", ["replaces = glibc", "group = base"])
def test_fields_that_the_commit_does_not_allow_are_refused(world: World, line: str) -> None:
    world.simple("tool", extra=f"{line}\n")

    world.runner().step()

    outcome, reason = world.ended("tool")
    assert outcome is Outcome.FAILED
    assert f"its .PKGINFO has '{line}'" in reason
    assert world.published() == {}


def test_fields_that_the_commit_allows_are_published(world: World) -> None:
    world.checkout.commit("allow", {"tool/.CI/config": "BUILDER_ALLOW_PROHIBITED=1\n"})
    world.simple("tool", extra="replaces = old-tool\n")

    world.runner().step()

    assert world.published() == {"tool": "1-1"}
