"""Requests on their way from the outbox into the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.git import GitRepository, Identity
from caur_ci.pipeline import handover
from caur_ci.pipeline.handover import HandOver, hand_over, hand_over_outbox
from caur_ci.pipeline.on_commit.journey import OnCommitOptions, on_commit
from caur_ci.pipeline.shared.memory.branch import Memory
from caur_ci.pipeline.shared.refs import SharedRepository
from caur_ci.request import BuildRequest, PackageRequest
from scheduler.queue import WorkerIdentity
from tests.support.git import git

if TYPE_CHECKING:
    from collections.abc import Collection

    import pytest

    from caur_ci.pipeline.shared.refs import RefSnapshot
    from scheduler.queue import Queue
    from tests.support.git import Checkout


def deliver(checkout: Checkout, queue: Queue) -> HandOver:
    repository = GitRepository.open(checkout.folder)
    return hand_over_outbox(
        queue,
        SharedRepository.open(repository, remote=None, credentials=None),
        identity=Identity(),
        push_options=(),
    )


def ask(checkout: Checkout, name: str, content: str) -> BuildRequest:
    checkout.commit("x", {f"{name}/PKGBUILD": content})
    return on_commit(OnCommitOptions(repo=checkout.folder)).plan.request


def waiting(checkout: Checkout) -> list[str]:
    remote = GitRepository.open(checkout.remote)
    memory = Memory.read(remote, remote.resolve("refs/heads/caur"))
    return [request.request_id for request in memory.outbox.requests]


def test_every_request_of_the_outbox_reaches_the_queue_once(
    checkout: Checkout, queue: Queue
) -> None:
    first = ask(checkout, "a", "1\n")
    second = ask(checkout, "b", "1\n")

    result = deliver(checkout, queue)

    assert [done.request_id for done in result.submissions] == [
        first.request_id,
        second.request_id,
    ]
    assert not result.acknowledge_error
    assert waiting(checkout) == []
    worker = WorkerIdentity.new("w")
    claims = [queue.claim(worker), queue.claim(worker), queue.claim(worker)]
    assert [claim and claim.spec.pkgbase for claim in claims] == ["a", "b", None]
    assert claims[0] is not None
    assert claims[0].spec.commit == first.commit


def test_a_hand_over_that_died_before_it_acknowledged_is_repeated_harmlessly(
    checkout: Checkout, queue: Queue
) -> None:
    request = ask(checkout, "a", "1\n")
    hand_over(queue, [request])  # as a run does that is killed right after it

    result = deliver(checkout, queue)

    assert [done.known for done in result.submissions] == [True]
    assert waiting(checkout) == []
    worker = WorkerIdentity.new("w")
    assert queue.claim(worker) is not None
    assert queue.claim(worker) is None


def test_where_the_outbox_cannot_be_written_the_requests_are_in_the_queue_all_the_same(
    checkout: Checkout, queue: Queue
) -> None:
    request = ask(checkout, "a", "1\n")
    hook = checkout.remote / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho no writing >&2\nexit 1\n")
    hook.chmod(0o755)

    result = deliver(checkout, queue)

    assert "no writing" in result.acknowledge_error
    assert waiting(checkout) == [request.request_id]
    assert queue.claim(WorkerIdentity.new("w")) is not None


def test_a_request_that_arrives_meanwhile_is_handed_over_as_well(
    checkout: Checkout, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(checkout, "a", "1\n")
    acknowledge = handover.acknowledge
    arrived: list[str] = []

    def acknowledging(
        shared: SharedRepository,
        snapshot: RefSnapshot,
        ids: Collection[str],
        *,
        identity: Identity,
        push_options: Collection[str],
    ) -> bool:
        if not arrived:
            arrived.append(ask(checkout, "b", "1\n").request_id)
        return acknowledge(shared, snapshot, ids, identity=identity, push_options=push_options)

    monkeypatch.setattr(handover, "acknowledge", acknowledging)

    result = deliver(checkout, queue)

    assert [done.request_id for done in result.submissions][1:] == arrived
    assert waiting(checkout) == []


def test_removals_reach_the_database_runner(checkout: Checkout, queue: Queue) -> None:
    git(checkout.folder, "rm", "-rq", "a")
    checkout.commit("drop a")
    on_commit(OnCommitOptions(repo=checkout.folder))

    deliver(checkout, queue)

    (claim,) = queue.claim_removals("runner")
    assert claim.removal.target_repo == "target"
    assert claim.removal.remove == ("a",)


def test_jobs_know_their_dependencies_by_name(queue: Queue) -> None:
    request = BuildRequest(
        request_id="0" * 32,
        created="2026-01-01T00:00:00+00:00",
        source_repo="s",
        target_repo="t",
        commit="a" * 40,
        packages=(
            PackageRequest(pkgbase="app", depends=("libfoo.so",)),
            PackageRequest(pkgbase="foo", pkgnames=("foo", "foo-docs"), provides=("libfoo.so",)),
        ),
    )

    hand_over(queue, [request])

    worker = WorkerIdentity.new("w")
    claim = queue.claim(worker)
    assert claim is not None
    assert claim.spec.pkgbase == "foo"
    assert queue.claim(worker) is None
