"""Rebuild groups against a plain model in memory, over random steps."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from scheduler.job import JobState, Outcome
from scheduler.queue import Backoff, JobResult, Queue, WorkerIdentity
from tests.support.queue import job, let_leases_end, submit
from tests.support.servers import on_one_server

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.queue import Claim

_LONG = 30 if os.environ.get("CAUR_LONG") else 1
_NAMES = ("a", "b", "c", "d", "e")
_WORKER = WorkerIdentity(id="worker-1", name="worker", build_class=9)
_SOME = st.sets(st.sampled_from(_NAMES), min_size=1)
_GROUP = "repo/x86_64/g"
_AT_WORK = ("building", "landed", "staging", "publishing")


class _Package:
    """A package with at most one job that waits, and one that does not, as the queue has them.

    `failed` tells that its newest job failed as a member of the group, and `without` which of its
    dependencies did so while it was there.
    """

    def __init__(self) -> None:
        self.pending = False
        self.active = ""
        self.claim: Claim | None = None
        self.is_member = False
        self.active_is_member = False
        self.failed = False
        self.without: set[str] = set()


class GroupMachine(RuleBasedStateMachine):
    """One group among other jobs for the same packages; each depends on some before it."""

    redis: Redis

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.redis.flushall()
        self.queue = Queue(self.redis, backoff=Backoff(first=0, factor=1, losses=1000))
        self.packages = {name: _Package() for name in _NAMES}
        self.depends = {
            name: data.draw(st.sets(st.sampled_from(_NAMES[:place]))) if place else set()
            for place, name in enumerate(_NAMES)
        }

    # What happens.

    @rule(names=_SOME, grouped=st.booleans())
    def submit(self, names: set[str], grouped: bool) -> None:
        takes_along = grouped
        joins = {name for name in names if takes_along or self.packages[name].is_member}
        order = sorted(names)
        submit(
            self.queue,
            *(job(it, *sorted(self.depends[it]), group="g" if grouped else "") for it in order),
        )
        for name in order:
            package = self.packages[name]
            if package.active == "staged":
                self._drop_active(package)
            package.pending = True
            package.failed = False
            if name in joins:
                package.is_member = True
        for name in joins & names:
            failed = {it for it in self.depends[name] if self.packages[it].failed}
            self.packages[name].without |= failed
        self._pull_in()

    @rule(ending=st.sampled_from(["land", "land", "land", "fail", "built", "lost", "canceled"]))
    def build(self, ending: str) -> None:
        ready = [name for name in _NAMES if self._is_ready(name)]
        claim = self.queue.claim(_WORKER)
        if claim is None:
            assert not ready
            return
        name = claim.spec.pkgbase
        assert name in ready
        package = self.packages[name]
        assert bool(claim.group) == package.is_member
        package.pending, package.active, package.claim = False, "building", claim
        package.active_is_member = package.is_member
        if ending == "land":
            self.queue.land(claim, f"{claim.job_id}-{claim.token}")
            package.active = "landed"
        elif ending == "lost":
            self.queue.retry_later(claim, "lost")
            package.active, package.pending = "", True
        elif ending == "built":
            self.queue.finish(claim, Outcome.ALREADY_BUILT)
            self._end_well(name)
        else:
            outcome = Outcome.FAILED if ending == "fail" else Outcome.CANCELED
            self.queue.finish(claim, outcome)
            self._end_badly(name)

    @rule(is_lost=st.booleans())
    def publish_and_stage(self, is_lost: bool) -> None:
        for claim in self.queue.claim_landed("runner-1"):
            name = claim.spec.pkgbase
            package = self.packages[name]
            assert package.active == "landed"
            if is_lost:
                self.queue.release(claim)
                continue
            if not claim.group:
                assert not package.active_is_member
                self.queue.finish(claim, Outcome.SUCCESS)
                self._end_well(name)
                continue
            (state,) = self.queue.stage([claim]).values()
            if package.pending:
                assert state is JobState.DONE
                self._drop_active(package)
            else:
                assert state is JobState.STAGED
                package.active = "staged"
                for other in _NAMES:
                    if self.packages[other].is_member:
                        self.packages[other].without.discard(name)
            self._pull_in()

    @rule(ending=st.sampled_from(["well", "well", "lost", "released", "refused"]))
    def publish(self, ending: str) -> None:
        claims = self.queue.claim_group("runner-1")
        staged = [name for name in _NAMES if self.packages[name].active == "staged"]
        expected = staged if self._is_complete() else []
        assert sorted(claim.spec.pkgbase for claim in claims) == expected
        if not claims:
            return
        if ending == "lost":
            let_leases_end(self.redis)
            self.queue.reap()
        elif ending == "released":
            for claim in claims:
                self.queue.release(claim)
        elif ending == "refused":
            self.queue.finish(claims[0], Outcome.FAILED)
            for claim in claims[1:]:
                self.queue.release(claim)
            self._end_badly(claims[0].spec.pkgbase)
        else:
            self.queue.finish_all([JobResult(claim, Outcome.SUCCESS) for claim in claims])
            for claim in claims:
                self._end_well(claim.spec.pkgbase)

    @rule(name=st.sampled_from(_NAMES))
    def retry(self, name: str) -> None:
        package = self.packages[name]
        if package.failed and not package.pending and not package.active:
            (change,) = self.queue.retry([f"repo/x86_64/{name}"])
            assert change.done
            package.failed, package.pending = False, True
            package.without |= {it for it in self.depends[name] if self.packages[it].failed}
            self._pull_in()

    @rule(name=st.sampled_from(_NAMES))
    def cancel_what_is_staged(self, name: str) -> None:
        if self.packages[name].active == "staged":
            self.queue.cancel([f"repo/x86_64/{name}"])
            self._end_badly(name)

    @rule()
    def publish_a_part(self) -> None:
        change = self.queue.publish_group(_GROUP, partial=True)
        if change is None:
            return
        for package in self.packages.values():
            if package.active != "staged":
                package.is_member = package.active_is_member = package.failed = False
        for claim in self.queue.claim_group("runner-1"):
            self.queue.finish(claim, Outcome.SUCCESS)
            self._end_well(claim.spec.pkgbase)

    # What always holds.

    @invariant()
    def the_group_is_what_the_model_says(self) -> None:
        if not hasattr(self, "queue"):
            return
        groups = self.queue.groups()
        members = {name for name in _NAMES if self.packages[name].is_member}
        assert bool(groups) == bool(members)
        if not groups:
            return
        (view,) = groups
        failed = {job.identity.rpartition("/")[2] for job in view.failed}
        staged = {job.identity.rpartition("/")[2] for job in view.staged}
        unbuilt = {job.identity.rpartition("/")[2] for job in view.unbuilt}
        assert failed == {name for name in _NAMES if self.packages[name].failed}
        assert staged == {name for name in _NAMES if self.packages[name].active == "staged"}
        assert unbuilt | staged | failed == members

    def teardown(self) -> None:
        """Bring all to a good end, which is always possible."""
        for _ in range(20 * len(_NAMES)):
            if not any(it.pending or it.active or it.failed for it in self.packages.values()):
                break
            for name in _NAMES:
                self.retry(name)
            self.build("land")
            self.publish_and_stage(is_lost=False)
            self.publish("well")
        assert self.queue.groups() == ()
        assert self.queue.snapshot().total_active == 0

    # What follows from it.

    def _is_ready(self, name: str) -> bool:
        package = self.packages[name]
        if not package.pending or package.active:
            return False
        for other in self.depends[name]:
            it = self.packages[other]
            if it.pending or it.active in _AT_WORK:
                return False
            if it.active == "staged" and not package.is_member:
                return False
        return not (package.is_member and self._failed_members(package))

    def _failed_members(self, package: _Package) -> set[str]:
        return {name for name in package.without if self.packages[name].is_member}

    def _is_complete(self) -> bool:
        members = [it for it in self.packages.values() if it.is_member]
        unbuilt = any(it.pending or (it.active and it.active != "staged") for it in members)
        return not unbuilt and not any(it.failed for it in members)

    def _drop_active(self, package: _Package) -> None:
        package.active, package.claim, package.active_is_member = "", None, False

    def _end_well(self, name: str) -> None:
        package = self.packages[name]
        self._drop_active(package)
        if not package.pending:
            package.is_member = False
        for other in self.packages.values():
            other.without.discard(name)
        package.without.clear()

    def _end_badly(self, name: str) -> None:
        package = self.packages[name]
        was_member = package.active_is_member
        self._drop_active(package)
        package.failed = was_member and not package.pending
        for other in _NAMES:
            it = self.packages[other]
            if name in self.depends[other] and (it.pending or it.active):
                it.without.add(name)

    def _pull_in(self) -> None:
        """Let those join that a member waits for, and that wait for a staged one."""
        found = True
        while found:
            found = False
            for name in _NAMES:
                package = self.packages[name]
                waits = any(self.packages[it].active == "staged" for it in self.depends[name])
                if package.pending and not package.is_member and waits and self._is_awaited(name):
                    package.is_member = found = True

    def _is_awaited(self, name: str) -> bool:
        for other in _NAMES:
            it = self.packages[other]
            awaits = name in self.depends[other] and it.pending
            if awaits and (it.is_member or self._is_awaited(other)):
                return True
        return False


@on_one_server
def test_groups_are_as_a_plain_model_has_them(redis: Redis) -> None:
    machine = type("Machine", (GroupMachine,), {"redis": redis})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12 * _LONG,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        ),
    )
