"""The worker with a real queue, real git and the real makepkg."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from scheduler.job import FailureClass, JobState, Outcome, Removal
from scheduler.queue import WorkerIdentity
from scheduler.workerkeys import AllowedWorkers, WorkerKey
from tests.support.deliveries import allow
from tests.support.packages import pkgbuild
from tests.support.queue import Background, eventually, job

if TYPE_CHECKING:
    from tests.support.building import BuildSite, BuildWorld

FOREVER = "echo started; while :; do sleep 0.1; done"


def test_a_job_becomes_a_delivery_of_the_commit_it_names(world: BuildWorld) -> None:
    commit = world.add({"tool": pkgbuild("tool", build="echo this is $pkgver")})
    world.add({"tool": pkgbuild("tool", version="2")})
    world.submit(job("tool", commit=commit))

    world.build_next()

    assert world.view("tool").state is JobState.LANDED
    (claim,) = world.queue.claim_landed("runner-1")
    base = world.checkout.folder.parent
    allow(base / "allowed", WorkerKey(base / "worker-key"), "builder")
    manifest = world.landing.read(claim, AllowedWorkers(base / "allowed"))
    assert (manifest.pkgbase, manifest.commit, manifest.job) == ("tool", commit, claim.job_id)
    (file,) = manifest.files
    assert file.name == "tool-1-1-any.pkg.tar.zst"
    content = (world.landing.path_of(claim.delivery) / file.name).read_bytes()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (file.size, file.sha256)
    log = world.log("tool")
    assert f"building tool for repo/x86_64 from source at commit {commit}" in log
    assert "this is 1" in log
    assert f"delivering {file.name}" in log
    assert world.logs.read(world.jobs["tool"], 1, len(log.encode())).ended


def test_a_failed_build_says_why_and_lets_the_next_one_go(world: BuildWorld) -> None:
    commit = world.add(
        {"bad": pkgbuild("bad", build="echo oh no; false"), "good": pkgbuild("good")}
    )
    world.submit(job("bad", commit=commit), job("good", "bad", commit=commit))

    world.build_next()
    outcome, reason = world.ended("bad")
    world.build_next()

    assert outcome is Outcome.FAILED
    assert "exit code 4" in reason
    assert "oh no" in world.log("bad")
    assert "ended: FAILED" in world.log("bad")
    assert world.view("good").state is JobState.LANDED


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (13, Outcome.ALREADY_BUILT),
        (123, Outcome.SKIPPED),
        (124, Outcome.TIMED_OUT),
        (15, Outcome.FAILED),
        (77, Outcome.FAILED),
    ],
)
def test_exit_codes_have_the_meaning_that_people_know(
    world: BuildWorld, code: int, outcome: Outcome
) -> None:
    commit = world.add({"tool": pkgbuild("tool", head=f"exit {code}")})
    world.submit(job("tool", commit=commit))

    world.build_next()

    assert world.ended("tool")[0] is outcome


def test_what_cannot_be_built_at_all_has_a_reason(world: BuildWorld) -> None:
    commit = world.add(
        {"no-package": "not a PKGBUILD at all (", "patched": pkgbuild("patched")},
        patched={".CI/interfere.patch": "Nothing in it.\n"},
    )
    unknown = "0123456789" * 4
    world.submit(
        job("tool", commit=unknown),
        job("gone", commit=commit),
        job("no-package", commit=commit),
        job("patched", commit=commit),
    )

    for _ in range(4):
        world.build_next()

    missing = f"commit {unknown} is in no branch or tag of the source repository source"
    assert world.ended("tool")[0] is Outcome.FAILED
    assert missing in world.ended("tool")[1]
    assert world.view("tool").failure is FailureClass.SOURCE_MISSING
    assert world.ended("gone")[0] is Outcome.FAILED
    assert "no folder gone" in world.ended("gone")[1]
    assert world.view("no-package").failure is FailureClass.CONFIGURATION
    outcome, reason = world.ended("patched")
    assert outcome is Outcome.FAILED
    assert "patched/.CI/interfere.patch:1: the patch has no hunk" in reason
    assert world.view("patched").failure is FailureClass.INTERFERE
    assert f"ended: FAILED (source missing): {missing}" in world.log("tool")


def test_what_this_worker_cannot_build_is_put_off_for_others(world: BuildWorld) -> None:
    commit = world.add({"elsewhere": pkgbuild("elsewhere")})
    world.submit(job("elsewhere", commit=commit, source_repo="other"))

    world.build_next()

    view = world.view("elsewhere")
    assert (view.state, view.lost) == (JobState.WAITING, 1)
    assert view.delayed_until > 0
    assert "does not know the source repository 'other'" in view.reason


def test_only_packages_are_delivered(world: BuildWorld) -> None:
    extra = 'echo x > "$PKGDEST/notes.txt"; ln -s /etc/passwd "$PKGDEST/more.txt"'
    commit = world.add({"tool": pkgbuild("tool", package=extra)})
    world.submit(job("tool", commit=commit))

    world.build_next()

    (claim,) = world.queue.claim_landed("runner-1")
    assert sorted(path.name for path in world.landing.path_of(claim.delivery).iterdir()) == [
        "manifest.json",
        "manifest.json.sig",
        "tool-1-1-any.pkg.tar.zst",
    ]
    assert "'notes.txt' is no package and is not delivered" in world.log("tool")


def test_a_link_in_the_place_of_a_package_is_not_followed(world: BuildWorld) -> None:
    link = 'ln -s /etc/passwd "$PKGDEST/linux-1-1-any.pkg.tar.zst"'
    commit = world.add({"tool": pkgbuild("tool", package=link)})
    world.submit(job("tool", commit=commit))

    world.build_next()

    outcome, reason = world.ended("tool")
    assert outcome is Outcome.FAILED
    assert "is a link" in reason


def test_a_build_that_takes_too_long_is_timed_out(site: BuildSite) -> None:
    with site.world(timeout=1) as world:
        commit = world.add({"tool": pkgbuild("tool", build=FOREVER)})
        world.submit(job("tool", commit=commit))
        world.build_next()
        assert world.ended("tool") == (Outcome.TIMED_OUT, "it took longer than 1 s")

        commit = world.add(
            {"slow": pkgbuild("slow", build="sleep 1.5")},
            slow={".CI/config": "BUILDER_EXTRA_TIMEOUT=100\n"},
        )
        world.submit(job("slow", commit=commit))
        world.build_next()
        assert world.view("slow").state is JobState.LANDED


def start_building(world: BuildWorld) -> Background:
    commit = world.add({"tool": pkgbuild("tool", build=FOREVER)})
    world.submit(job("tool", commit=commit))
    building = Background(world.build_next)
    eventually(lambda: "started" in world.log("tool"))
    return building


def test_a_canceled_build_ends(world: BuildWorld) -> None:
    building = start_building(world)

    world.queue.submit("removal", [], [Removal(target_repo="repo", remove=("tool",))])
    building.result()

    assert world.ended("tool")[0] is Outcome.CANCELED


def test_a_worker_that_is_to_end_hands_its_job_back(world: BuildWorld) -> None:
    building = start_building(world)

    world.stop.set()
    building.result()

    view = world.view("tool")
    assert view.state is JobState.READY
    claim = world.queue.claim(WorkerIdentity.new("other"))
    assert claim is not None
    assert claim.spec.pkgbase == "tool"


def test_a_worker_told_to_end_runs_no_further_job(world: BuildWorld) -> None:
    world.stop.set()
    assert world.worker.run() == 0
    world.stop.clear()
    assert world.worker.run(idle_exit=0) == 0


def test_a_build_whose_lease_was_lost_is_ended_and_delivers_nothing(site: BuildSite) -> None:
    with site.world(lease=0.05) as world:
        # Renewed every 0.1 s only: the lease runs out in between, and somebody takes it back.
        commit = world.add({"tool": pkgbuild("tool", build=FOREVER)})
        world.submit(job("tool", commit=commit))
        building = Background(world.build_next)
        eventually(lambda: any(each.identity == "repo/x86_64/tool" for each in world.queue.reap()))
        building.result()

        view = world.view("tool")
        assert view.state is JobState.WAITING
        assert view.delayed_until > 0
        assert not world.landing.folder.exists()


def test_a_landing_zone_out_of_order_is_not_the_packages_fault(world: BuildWorld) -> None:
    world.landing.folder.write_text("not a folder")
    commit = world.add({"tool": pkgbuild("tool")})
    world.submit(job("tool", commit=commit))

    world.build_next()

    view = world.view("tool")
    assert view.outcome is None
    assert view.delayed_until > 0
    assert "(infrastructure): the landing zone: " in world.log("tool")


def test_what_nobody_foresaw_costs_one_job_an_attempt_and_no_worker(
    world: BuildWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> object:
        raise RecursionError("too deep")

    commit = world.add({"odd": pkgbuild("odd"), "good": pkgbuild("good")})
    world.submit(job("odd", commit=commit), job("good", commit=commit))
    with monkeypatch.context() as patch:
        patch.setattr("scheduler.worker.builder.read_plan", fail)
        world.build_next()
    world.build_next()

    view = world.view("odd")
    assert (view.state, view.lost) == (JobState.WAITING, 1)
    assert "a bug in caur-ci: RecursionError: too deep" in view.reason
    assert world.view("good").state is JobState.LANDED


def test_a_worker_that_is_there_for_one_job_leaves_the_next_one_to_others(
    world: BuildWorld,
) -> None:
    commit = world.add({"first": pkgbuild("first", build="false"), "next": pkgbuild("next")})
    world.submit(job("first", commit=commit), job("next", commit=commit))

    assert world.worker.run(jobs=1) == 1

    assert world.ended("first")[0] is Outcome.FAILED
    assert world.view("next").state is JobState.READY
    assert not world.queue.snapshot().workers
