"""Rebuild groups: in which order members are built, who waits, who holds up, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from scheduler.job import GroupPublishing, JobState, OnFailure, Outcome, Removal
from scheduler.queue import PROTOCOL, Backoff, JobResult, Queue
from tests.support.queue import (
    bases,
    claim_all,
    claimed,
    job,
    let_delays_pass,
    let_leases_end,
    submit,
    worker,
)
from tests.support.servers import on_one_server

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.job import JobSpec
    from scheduler.queue import Claim, GroupView

G = "repo/x86_64/moved"

pytestmark = on_one_server


def member(pkgbase: str, *depends: str, **fields: object) -> JobSpec:
    return job(pkgbase, *depends, group="moved", **fields)


def chain(**fields: object) -> list[JobSpec]:
    return [member("lib", **fields), member("mid", "lib", **fields), member("app", "mid", **fields)]


def build(queue: Queue, *expected: str) -> None:
    """Build the next jobs, in that order, as far as the landing zone."""
    for pkgbase in expected:
        claim = claimed(queue)
        assert claim.spec.pkgbase == pkgbase
        queue.land(claim, f"{claim.job_id}-{claim.token}")


def stage(queue: Queue) -> list[str]:
    """Stage what has landed."""
    claims = queue.claim_landed("runner")
    return [f"{claim.spec.pkgbase} {state}" for claim, state in queue.stage(claims).items()]


def build_and_stage(queue: Queue, *expected: str) -> None:
    for pkgbase in expected:
        build(queue, pkgbase)
        assert stage(queue) == [f"{pkgbase} staged"]


def fail(queue: Queue, pkgbase: str) -> None:
    claim = claimed(queue)
    assert claim.spec.pkgbase == pkgbase
    queue.finish(claim, Outcome.FAILED, "it does not compile")


def publish(queue: Queue) -> list[str]:
    """Publish the next group, and return what was in it."""
    claims = queue.claim_group("runner")
    assert queue.finish_all([_success(claim) for claim in claims]) == []
    return bases(claims)


def _success(claim: Claim) -> JobResult:
    return JobResult(claim, Outcome.SUCCESS)


def group(queue: Queue) -> GroupView:
    (found,) = queue.groups()
    return found


def parts(queue: Queue) -> dict[str, list[str]]:
    view = group(queue)
    found = {
        "unbuilt": view.unbuilt,
        "staged": view.staged,
        "publishing": view.publishing,
        "failed": view.failed,
    }
    return {
        name: [it.identity.rpartition("/")[2] for it in some]
        for name, some in found.items()
        if some
    }


def state(queue: Queue, job_id: int) -> JobState:
    view = queue.job(job_id)
    assert view is not None
    return view.state


class TestBuilding:
    def test_members_are_built_in_order_and_published_in_one_step(self, queue: Queue) -> None:
        ids = submit(queue, *chain()).jobs
        for pkgbase in ("lib", "mid", "app"):
            assert queue.claim_group("runner") == []
            build_and_stage(queue, pkgbase)
        assert parts(queue) == {"staged": ["lib", "mid", "app"]}
        assert publish(queue) == ["lib", "mid", "app"]
        assert queue.groups() == ()
        assert {state(queue, id_) for id_ in ids} == {JobState.DONE}

    def test_a_claim_says_in_which_group_it_is(self, queue: Queue) -> None:
        submit(queue, *chain(), job("alone"))
        claims = claim_all(queue)
        assert {claim.spec.pkgbase: claim.group for claim in claims} == {
            "lib": "moved",
            "alone": "",
        }
        queue.land(claims[0], "1-1")
        (landed,) = queue.claim_landed("runner")
        assert landed.group == "moved"

    def test_who_is_outside_waits_for_the_publication(self, queue: Queue) -> None:
        submit(queue, *chain(), job("user", "lib"), job("older", "app"))
        build_and_stage(queue, "lib", "mid")
        build(queue, "app")
        assert queue.claim(worker()) is None
        explanation = queue.explain("repo/x86_64/user")
        assert explanation is not None
        assert (
            "repo/x86_64/lib (built and staged, waits for its rebuild group)"
            in (explanation.reasons[0])
        )
        stage(queue)
        publish(queue)
        assert bases(claim_all(queue)) == ["user", "older"]

    def test_other_groups_and_repositories_have_nothing_to_do_with_it(self, queue: Queue) -> None:
        other = job("lib", target_repo="other", group="moved")
        submit(queue, member("lib"), member("app", "lib"), other)
        build(queue, "lib", "lib")
        stage(queue)
        assert queue.claim_group("runner", target_repos=["elsewhere"]) == []
        claims = queue.claim_group("runner")
        assert [claim.spec.target_repo for claim in claims] == ["other"]

    def test_what_lies_between_members_joins(self, queue: Queue) -> None:
        # Or else it would wait for the publication, and the publication for it.
        submit(queue, job("between", "lib"), job("further", "between"), job("bystander", "lib"))
        submit(queue, member("lib"), member("app", "further"))
        build_and_stage(queue, "lib", "between", "further", "app")
        assert sorted(publish(queue)) == ["app", "between", "further", "lib"]
        assert bases(claim_all(queue)) == ["bystander"]

    def test_what_comes_between_later_joins_as_well(self, queue: Queue) -> None:
        submit(queue, member("lib"), member("app", "between"), member("last", "app"))
        build_and_stage(queue, "lib")
        submit(queue, job("between", "lib"))
        build_and_stage(queue, "between", "app", "last")
        assert len(publish(queue)) == 4

    def test_a_cycle_is_broken_as_elsewhere(self, queue: Queue) -> None:
        submit(queue, member("a", "b"), member("b", "a"))
        build_and_stage(queue, "a", "b")
        assert publish(queue) == ["a", "b"]

    def test_one_that_was_built_before_leaves_the_group(self, queue: Queue) -> None:
        submit(queue, *chain())
        queue.finish(claimed(queue), Outcome.ALREADY_BUILT)
        build_and_stage(queue, "mid", "app")
        assert publish(queue) == ["mid", "app"]

    def test_all_that_were_built_before_are_no_group_any_more(self, queue: Queue) -> None:
        submit(queue, *chain())
        for _ in range(3):
            queue.finish(claimed(queue), Outcome.ALREADY_BUILT)
        assert queue.groups() == ()
        assert queue.claim_group("runner") == []


class TestNewerRequests:
    def test_a_pending_member_is_replaced_and_stays(self, queue: Queue) -> None:
        submit(queue, *chain())
        submitted = submit(queue, job("mid", "lib", commit="a" * 40))
        assert len(submitted.replaced) == 1
        build_and_stage(queue, "lib", "mid", "app")
        claims = queue.claim_group("runner")
        assert [claim.spec.commit == "a" * 40 for claim in claims] == [False, True, False]

    def test_a_staged_member_gives_way(self, queue: Queue) -> None:
        lib, *_ = submit(queue, *chain()).jobs
        build_and_stage(queue, "lib")
        submit(queue, job("lib"))
        view = queue.job(lib)
        assert view is not None
        assert (view.outcome, view.reason) == (
            Outcome.CANCELED_REQUEUE,
            "a newer request took its place",
        )
        build_and_stage(queue, "lib", "mid", "app")
        assert publish(queue) == ["mid", "app", "lib"]

    def test_one_that_is_built_is_not_staged_when_a_newer_one_waits(self, queue: Queue) -> None:
        submit(queue, *chain())
        build(queue, "lib")
        submit(queue, job("lib"))
        assert stage(queue) == ["lib done"]
        build_and_stage(queue, "lib", "mid", "app")
        assert len(publish(queue)) == 3

    def test_one_during_the_publication_comes_after_it(self, queue: Queue) -> None:
        submit(queue, *chain())
        build_and_stage(queue, "lib", "mid", "app")
        claims = queue.claim_group("runner")
        submit(queue, job("lib"))
        assert queue.claim(worker()) is None
        queue.finish_all([_success(claim) for claim in claims])
        build_and_stage(queue, "lib")
        assert publish(queue) == ["lib"]
        assert queue.groups() == ()

    def test_a_group_that_shares_a_member_becomes_part_of_the_older_one(self, queue: Queue) -> None:
        submit(queue, *chain())
        build_and_stage(queue, "lib")
        submit(queue, job("mid", "lib", group="later"), job("more", "mid", group="later"))
        build_and_stage(queue, "mid", "app", "more")
        assert publish(queue) == ["lib", "mid", "app", "more"]
        assert queue.groups() == ()

    def test_a_removed_package_holds_nobody_up(self, queue: Queue) -> None:
        submit(queue, *chain())
        build_and_stage(queue, "lib")
        fail(queue, "mid")
        queue.submit("r", [], [Removal(target_repo="repo", remove=("mid", "app"))])
        (removal,) = queue.claim_removals("runner")
        queue.finish_removal(removal, removed=["mid", "app"])
        assert publish(queue) == ["lib"]
        assert queue.groups() == ()


class TestFailures:
    def test_one_holds_up_the_others_and_is_named(self, queue: Queue) -> None:
        submit(queue, *chain(), member("other", "lib"))
        build_and_stage(queue, "lib")
        fail(queue, "mid")
        build_and_stage(queue, "other")
        assert queue.claim(worker()) is None
        assert queue.claim_group("runner") == []
        assert parts(queue) == {"unbuilt": ["app"], "staged": ["lib", "other"], "failed": ["mid"]}
        view = group(queue)
        assert view.is_held_up
        assert view.held_up_by(view.failed[0]) == ("repo/x86_64/app",)
        assert view.failed[0].reason == "it does not compile"
        for package in ("app", "lib", "mid"):
            explanation = queue.explain(f"repo/x86_64/{package}")
            assert explanation is not None
            assert f"mid holds up the rebuild group {G}, and with it app" in explanation.reasons[-1]
        assert any(
            event.kind == "group" and event.identity == G and "held up by mid" in event.reason
            for event in queue.events()
        )

    def test_what_holds_up_is_known_for_as_long_as_the_group(
        self, queue: Queue, redis: Redis
    ) -> None:
        _, mid, _ = submit(queue, *chain()).jobs
        build_and_stage(queue, "lib")
        fail(queue, "mid")
        assert redis.ttl(f"{{caur}}:job:{mid}") == -1
        queue.publish_group(G, partial=True)
        assert redis.ttl(f"{{caur}}:job:{mid}") > 0

    def test_a_failure_outside_of_the_group_is_for_the_request_to_judge(self, queue: Queue) -> None:
        submit(queue, job("tool"), member("lib", "tool"), member("app", "lib"))
        fail(queue, "tool")
        build_and_stage(queue, "lib")
        submit(queue, member("careful", "lib", "gone", on_failure=OnFailure.HOLD), job("gone"))
        build_and_stage(queue, "app")
        fail(queue, "gone")
        assert queue.claim(worker()) is None

    def test_a_retry_goes_on_in_the_group(self, queue: Queue) -> None:
        submit(queue, *chain())
        build_and_stage(queue, "lib")
        fail(queue, "mid")
        (change,) = queue.retry(["repo/x86_64/mid"])
        assert change.done
        build_and_stage(queue, "mid", "app")
        assert publish(queue) == ["lib", "app", "mid"]

    def test_a_new_request_for_it_does_so_too(self, queue: Queue) -> None:
        submit(queue, *chain())
        fail(queue, "lib")
        submit(queue, job("lib", commit="b" * 40))
        build_and_stage(queue, "lib", "mid", "app")
        assert len(publish(queue)) == 3

    def test_a_canceled_one_holds_up_as_well(self, queue: Queue) -> None:
        submit(queue, *chain())
        build_and_stage(queue, "lib")
        queue.cancel(["repo/x86_64/mid", "repo/x86_64/lib"])
        assert parts(queue) == {"unbuilt": ["app"], "failed": ["lib", "mid"]}

    def test_one_in_quarantine_does_until_it_is_built(self, forgetful: Queue, queue: Queue) -> None:
        submit(queue, member("lib"), member("app", "lib"))
        for _ in range(5):
            claimed(forgetful)
            forgetful.reap()
        assert parts(queue)["failed"] == ["lib"]
        queue.cancel(["repo/x86_64/lib"])
        assert parts(queue)["failed"] == ["lib"]
        queue.retry(["repo/x86_64/lib"])
        build_and_stage(queue, "lib", "app")
        assert len(publish(queue)) == 2

    def test_a_delivery_that_is_refused_holds_up(self, queue: Queue) -> None:
        submit(queue, *chain())
        build(queue, "lib")
        (claim,) = queue.claim_landed("runner")
        queue.finish(claim, Outcome.FAILED, "refused")
        assert parts(queue) == {"unbuilt": ["mid", "app"], "failed": ["lib"]}


class TestWaysOut:
    def test_a_part_is_published_and_the_rest_goes_by_itself(self, queue: Queue) -> None:
        submit(queue, *chain(), job("user", "lib"))
        build_and_stage(queue, "lib")
        fail(queue, "mid")
        change = queue.publish_group(G, partial=True)
        assert change is not None
        assert change.done
        assert change.members == ("repo/x86_64/app", "repo/x86_64/mid")
        assert publish(queue) == ["lib"]
        assert queue.groups() == ()
        # Nothing keeps it: its request says to go on without what failed.
        assert bases(claim_all(queue)) == ["app", "user"]

    def test_who_left_waits_for_what_is_staged_like_anybody_else(self, queue: Queue) -> None:
        submit(queue, *chain())
        build_and_stage(queue, "lib")
        queue.publish_group(G, partial=True)
        assert queue.claim(worker()) is None
        publish(queue)
        assert claimed(queue).spec.pkgbase == "mid"

    def test_one_that_left_while_it_was_staged_is_published_alone(self, queue: Queue) -> None:
        submit(queue, *chain())
        build_and_stage(queue, "lib")
        build(queue, "mid")
        claims = queue.claim_landed("runner")
        queue.publish_group(G, partial=True)
        assert list(queue.stage(claims).values()) == [JobState.LANDED]
        (again,) = queue.claim_landed("runner")
        assert (again.spec.pkgbase, again.group) == ("mid", "")

    def test_not_all_of_it_can_be_published_as_a_whole(self, queue: Queue) -> None:
        submit(queue, *chain())
        build_and_stage(queue, "lib")
        fail(queue, "mid")
        change = queue.publish_group(G)
        assert change is not None
        assert (change.done, change.members) == (False, ("repo/x86_64/app", "repo/x86_64/mid"))
        assert queue.publish_group("repo/x86_64/other") is None
        assert queue.abandon_group("repo/x86_64/other") is None

    def test_an_abandoned_group_leaves_nothing_behind(self, queue: Queue, redis: Redis) -> None:
        submit(queue, *chain(), job("user", "lib"))
        build_and_stage(queue, "lib")
        running = claimed(queue)
        change = queue.abandon_group(G)
        assert change is not None
        assert change.done
        assert sorted(change.members) == [f"repo/x86_64/{name}" for name in ("app", "lib", "mid")]
        assert queue.groups() == ()
        assert queue.renew(running).cancel
        queue.finish(running, Outcome.CANCELED)
        assert bases(claim_all(queue)) == ["user"]
        keys = cast("list[bytes]", redis.keys("*"))
        assert not [key for key in keys if b"moved" in key or b"member_of" in key]

    def test_a_partial_group_does_without_those_that_fail(self, queue: Queue) -> None:
        submit(queue, *chain(publish=GroupPublishing.PARTIAL))
        build_and_stage(queue, "lib")
        fail(queue, "mid")
        assert queue.claim_group("runner") == []
        build_and_stage(queue, "app")
        assert publish(queue) == ["lib", "app"]
        assert queue.groups() == ()

    def test_a_partial_group_of_which_nothing_is_built_ends(self, queue: Queue) -> None:
        submit(queue, member("a", publish=GroupPublishing.PARTIAL))
        fail(queue, "a")
        assert queue.groups() == ()

    def test_a_retry_after_the_end_is_for_itself(self, queue: Queue) -> None:
        submit(queue, *chain())
        build_and_stage(queue, "lib")
        fail(queue, "mid")
        queue.publish_group(G, partial=True)
        publish(queue)
        queue.retry(["repo/x86_64/mid"])
        assert {claim.group for claim in claim_all(queue)} == {""}
        assert queue.groups() == ()


class TestLosses:
    def test_a_runner_that_ends_leaves_the_whole_group(self, queue: Queue, redis: Redis) -> None:
        submit(queue, *chain())
        build_and_stage(queue, "lib", "mid", "app")
        first = queue.claim_group("runner")
        queue.finish(first[0], Outcome.SUCCESS)
        let_leases_end(redis)
        queue.reap()
        assert parts(queue) == {"staged": ["mid", "app"]}
        assert publish(queue) == ["mid", "app"]
        assert queue.groups() == ()

    def test_it_is_not_tried_for_ever(self, redis: Redis, queue: Queue) -> None:
        queue = Queue(redis, backoff=Backoff(first=0, losses=2))
        submit(queue, *chain())
        build_and_stage(queue, "lib", "mid", "app")
        for _ in range(2):
            for claim in queue.claim_group("runner"):
                queue.retry_later(claim, "repo-add fell over")
        assert queue.claim_group("runner") == []
        view = group(queue)
        assert view.is_held_up
        assert (
            view.trouble
            == "not published in 2 times that it was tried; at last: repo-add fell over"
        )
        change = queue.publish_group(G)
        assert change is not None
        assert change.done
        assert len(publish(queue)) == 3

    def test_it_waits_a_while_after_each(self, redis: Redis, queue: Queue) -> None:
        patient = Queue(redis, backoff=Backoff(first=1000))
        submit(queue, *chain())
        build_and_stage(queue, "lib", "mid", "app")
        for claim in queue.claim_group("runner"):
            patient.retry_later(claim, "trouble")
        assert queue.claim_group("runner") == []
        redis.hdel(f"{{caur}}:group:{G}", "publish_after")
        assert len(publish(queue)) == 3

    def test_handed_back_it_goes_on_at_once(self, queue: Queue) -> None:
        submit(queue, *chain())
        build_and_stage(queue, "lib", "mid", "app")
        for claim in queue.claim_group("runner"):
            queue.release(claim, "the disk is full")
        assert group(queue).staged[0].reason == "the disk is full"
        assert len(publish(queue)) == 3

    def test_a_lost_build_is_tried_again_in_the_group(self, queue: Queue, redis: Redis) -> None:
        submit(queue, *chain())
        build_and_stage(queue, "lib")
        queue.retry_later(claimed(queue), "the network")
        let_delays_pass(redis)
        build_and_stage(queue, "mid", "app")
        assert len(publish(queue)) == 3

    def test_staging_told_twice_is_told_once(self, queue: Queue) -> None:
        submit(queue, *chain())
        build(queue, "lib")
        claims = queue.claim_landed("runner")
        assert list(queue.stage(claims).values()) == [JobState.STAGED]
        assert list(queue.stage(claims).values()) == [JobState.STAGED]

    def test_a_stale_claim_stages_nothing(self, queue: Queue, redis: Redis) -> None:
        submit(queue, *chain())
        build(queue, "lib")
        claims = queue.claim_landed("runner")
        let_leases_end(redis)
        queue.reap()
        assert list(queue.stage(claims).values()) == [None]
        assert parts(queue) == {"unbuilt": ["lib", "mid", "app"]}

    def test_removals_go_first(self, queue: Queue) -> None:
        submit(queue, *chain())
        build_and_stage(queue, "lib", "mid", "app")
        queue.submit("removal", [], [Removal(target_repo="repo", remove=("old",))])
        assert queue.claim_group("runner") == []
        (removal,) = queue.claim_removals("runner")
        queue.finish_removal(removal, removed=["old"])
        assert len(publish(queue)) == 3


class TestWholeQueue:
    @pytest.mark.usefixtures("any_way")
    def test_a_backup_has_all_of_it(self, queue: Queue) -> None:
        submit(queue, *chain(), member("other", "lib"), job("user", "lib"))
        build_and_stage(queue, "lib")
        fail(queue, "mid")
        before = group(queue)
        documents = list(queue.backup())
        queue.reset()
        assert queue.groups() == ()
        queue.restore(documents)
        after = group(queue)
        assert (after.name, after.publish, after.opened, after.total) == (
            before.name,
            before.publish,
            before.opened,
            before.total,
        )
        assert [job.reason for job in after.failed] == ["it does not compile"]
        # It is staged anew from its delivery.
        assert stage(queue) == ["lib staged"]
        build_and_stage(queue, "other")
        queue.retry(["repo/x86_64/mid"])
        build_and_stage(queue, "mid", "app")
        assert sorted(publish(queue)) == ["app", "lib", "mid", "other"]
        assert bases(claim_all(queue)) == ["user"]

    def test_one_in_quarantine_comes_back(self, queue: Queue, forgetful: Queue) -> None:
        submit(queue, member("lib"), member("app", "lib"))
        for _ in range(5):
            claimed(forgetful)
            forgetful.reap()
        documents = list(queue.backup())
        queue.reset()
        queue.restore(documents)
        assert parts(queue) == {"unbuilt": ["app"], "failed": ["lib"]}
        assert queue.snapshot().total_quarantine == 1

    def test_a_reset_forgets_it(self, queue: Queue, redis: Redis) -> None:
        submit(queue, *chain())
        build_and_stage(queue, "lib")
        fail(queue, "mid")
        queue.reset()
        keys = cast("list[bytes]", redis.keys("*"))
        assert {key.partition(b":")[2] for key in keys} == {
            *(b"control", b"events", b"sequence", b"token"),
        }

    @pytest.mark.usefixtures("in_parts")
    def test_a_request_in_parts_does_the_same(self, queue: Queue) -> None:
        submit(queue, job("between", "lib"))
        submit(
            queue, member("app", "mid"), member("mid", "between"), member("lib"), job("u", "lib")
        )
        build_and_stage(queue, "lib", "between", "mid", "app")
        submit(queue, job("lib", commit="c" * 40))
        build_and_stage(queue, "lib")
        assert len(publish(queue)) == 4
        assert bases(claim_all(queue)) == ["u"]

    @pytest.mark.parametrize("protocol", [PROTOCOL - 2, PROTOCOL - 1])
    def test_an_older_queue_is_taken_over(self, queue: Queue, redis: Redis, protocol: int) -> None:
        submit(queue, job("a"))
        redis.hset("{caur}:control", "protocol", protocol)
        submit(queue, *chain())
        assert redis.hget("{caur}:control", "protocol") == str(PROTOCOL).encode()


@pytest.mark.parametrize("kind", ["together", "partial"])
def test_publishing_is_what_the_first_of_a_group_says(queue: Queue, kind: str) -> None:
    submit(queue, member("a", publish=GroupPublishing(kind)), member("b"))
    assert group(queue).publish == kind


def test_who_comes_after_a_failure_is_held_for_it_as_well(queue: Queue) -> None:
    submit(queue, *chain(), member("other"))
    build_and_stage(queue, "lib")
    fail(queue, "mid")
    submit(queue, member("late", "mid"))
    build_and_stage(queue, "other")
    assert queue.claim(worker()) is None
    assert parts(queue)["unbuilt"] == ["app", "late"]
    queue.retry(["repo/x86_64/mid"])
    build_and_stage(queue, "mid", "app", "late")
    assert len(publish(queue)) == 5
