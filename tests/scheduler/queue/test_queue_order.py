"""Who goes first, who waits for whom, and who may build what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.job import JobState, OnFailure, Outcome
from tests.support.queue import bases, build_order, claim_all, claimed, job, submit, worker
from tests.support.servers import on_one_server

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.queue import Queue


def test_jobs_come_out_in_the_order_in_which_they_came(queue: Queue) -> None:
    names = [f"p{number}" for number in range(30)]
    submit(queue, *map(job, names[:20]))
    submit(queue, *map(job, names[20:]))
    assert bases(claim_all(queue)) == names


def test_a_job_waits_for_what_it_depends_on(queue: Queue) -> None:
    submit(queue, job("c", "b"), job("b", "a"), job("a"))
    assert bases(claim_all(queue)) == ["a"]


def test_a_chain_is_built_in_order(queue: Queue) -> None:
    submit(queue, job("c", "b"), job("b", "a"), job("a"))
    assert build_order(queue) == ["a", "b", "c"]


def test_a_job_waits_until_its_dependency_is_published(queue: Queue) -> None:
    submit(queue, job("a"), job("b", "a"))
    queue.land(claimed(queue), "delivery")
    assert queue.claim(worker()) is None
    (landed,) = queue.claim_landed("runner")
    assert queue.claim(worker()) is None
    queue.finish(landed, Outcome.SUCCESS)
    assert build_order(queue) == ["b"]


def test_a_dependency_nobody_has_queued_does_not_block(queue: Queue) -> None:
    submit(queue, job("a", "glibc", "gcc"))
    assert build_order(queue) == ["a"]


def test_a_dependency_may_come_in_a_later_batch(queue: Queue) -> None:
    submit(queue, job("app", "lib"))
    submit(queue, job("lib"))
    assert build_order(queue) == ["lib", "app"]


def test_a_dependency_may_come_in_an_earlier_batch(queue: Queue) -> None:
    submit(queue, job("lib"))
    submit(queue, job("app", "lib"))
    assert bases(claim_all(queue)) == ["lib"]


def test_a_dependency_that_is_already_running_blocks(queue: Queue) -> None:
    submit(queue, job("lib"))
    running = claimed(queue)
    submit(queue, job("app", "lib"))
    assert queue.claim(worker()) is None
    queue.finish(running, Outcome.SUCCESS)
    assert build_order(queue) == ["app"]


def test_the_successor_of_a_running_dependency_blocks_as_well(queue: Queue) -> None:
    submit(queue, job("lib"))
    running = claimed(queue)
    submit(queue, job("app", "lib"), job("lib"))
    queue.finish(running, Outcome.SUCCESS)
    assert build_order(queue) == ["lib", "app"]


def test_every_package_of_a_split_package_blocks(queue: Queue) -> None:
    submit(queue, job("app", "lib-tools"), job("lib", pkgnames=("lib-core", "lib-tools")))
    assert build_order(queue) == ["lib", "app"]


def test_what_a_package_provides_blocks(queue: Queue) -> None:
    submit(queue, job("app", "libx.so"), job("x-git", provides=("x", "libx.so")))
    assert build_order(queue) == ["x-git", "app"]


def test_all_providers_of_a_name_block(queue: Queue) -> None:
    submit(
        queue,
        job("app", "java"),
        job("jdk8", provides=("java",)),
        job("jdk21", provides=("java",)),
    )
    assert build_order(queue) == ["jdk8", "jdk21", "app"]


def test_other_repositories_and_architectures_do_not_block(queue: Queue) -> None:
    submit(queue, job("app", "lib"), job("lib", target_repo="other"), job("lib", arch="aarch64"))
    assert build_order(queue) == ["app", "lib", "lib"]


def test_a_package_does_not_wait_for_itself(queue: Queue) -> None:
    submit(
        queue, job("self", "self-libs", "self.so", pkgnames=("self-libs",), provides=("self.so",))
    )
    assert build_order(queue) == ["self"]


def test_a_dependency_that_this_worker_may_not_build_still_blocks(queue: Queue) -> None:
    submit(queue, job("app", "heavy"), job("heavy", build_class="9"), job("other"))
    small = worker(build_class=2)
    assert build_order(queue, small) == ["other"]
    assert build_order(queue, worker(build_class=9)) == ["heavy", "app"]


def test_dependants_of_a_failed_job_go_on_and_the_event_says_so(queue: Queue) -> None:
    submit(queue, job("lib"), job("app", "lib"))
    queue.finish(claimed(queue), Outcome.FAILED, "exit code 4")
    ready = [event for event in queue.events() if event.kind == "ready"]
    assert [event.identity for event in ready] == ["repo/x86_64/app"]
    assert "repo/x86_64/lib" in ready[0].reason
    assert "failed" in ready[0].reason
    assert build_order(queue) == ["app"]


def test_numeric_classes_go_to_workers_of_that_class_or_higher(queue: Queue) -> None:
    submit(queue, job("c3", build_class="3"), job("c1", build_class="1"), job("c2"))
    assert bases(claim_all(queue, worker(build_class=1))) == ["c1", "c2"]
    assert bases(claim_all(queue, worker(build_class=2))) == []
    assert bases(claim_all(queue, worker(build_class=30))) == ["c3"]


def test_a_text_class_goes_to_the_worker_of_that_name_only(queue: Queue) -> None:
    submit(queue, job("a", build_class="catbuilder"))
    assert bases(claim_all(queue, worker("dogbuilder", 100))) == []
    assert bases(claim_all(queue, worker("catbuilder", 1))) == ["a"]


def test_the_oldest_job_goes_first_across_the_classes_of_a_worker(queue: Queue) -> None:
    submit(
        queue,
        job("a", build_class="3"),
        job("b", build_class="1"),
        job("c", build_class="big"),
        job("d", build_class="2"),
        job("e", build_class="4"),
        job("f", build_class="3"),
    )
    assert bases(claim_all(queue, worker("big", 3))) == ["a", "b", "c", "d", "f"]


def test_a_job_that_becomes_ready_late_still_has_its_old_turn(queue: Queue) -> None:
    submit(queue, job("lib"), job("app", "lib"), job("x"), job("y"))
    lib = claimed(queue)
    queue.finish(lib, Outcome.SUCCESS)
    assert bases(claim_all(queue)) == ["app", "x", "y"]


def test_many_jobs_that_become_ready_at_once_are_put_between_the_others(queue: Queue) -> None:
    names = []
    jobs = [job("lib")]
    for number in range(60):
        names += [f"waits{number}", f"free{number}"]
        jobs += [job(f"waits{number}", "lib"), job(f"free{number}")]
    submit(queue, *jobs)
    queue.finish(claimed(queue), Outcome.SUCCESS)
    assert bases(claim_all(queue)) == names


def test_a_released_job_gets_its_turn_back_in_the_middle(queue: Queue) -> None:
    submit(queue, *map(job, "abcde"))
    claims = claim_all(queue)
    for index in (4, 0, 2, 1, 3):
        queue.release(claims[index])
    assert bases(claim_all(queue)) == list("abcde")


def test_a_ready_job_blocked_by_a_later_batch_is_not_handed_out_of_turn(queue: Queue) -> None:
    submit(queue, job("app", "lib"), job("x"))
    submit(queue, job("lib"))
    assert bases(claim_all(queue)) == ["x", "lib"]


def test_two_jobs_that_need_each_other_start_with_the_older(queue: Queue) -> None:
    submission = submit(queue, job("b", "a"), job("a", "b"))
    assert build_order(queue) == ["b", "a"]
    (cycle,) = [event for event in queue.events() if event.kind == "cycle"]
    assert cycle.job_id == submission.jobs[0]
    assert "repo/x86_64/a" in cycle.reason


def test_the_others_in_a_cycle_still_wait_for_the_first(queue: Queue) -> None:
    submit(queue, job("a", "c"), job("b", "a"), job("c", "b"))
    assert bases(claim_all(queue)) == ["a"]


def test_a_ring_keeps_its_order_but_for_one_place(queue: Queue) -> None:
    submit(queue, job("a", "b"), job("b", "c"), job("c", "d"), job("d", "a"))
    assert build_order(queue) == ["a", "d", "c", "b"]


def test_a_cycle_still_waits_for_what_is_outside_of_it(queue: Queue) -> None:
    submit(queue, job("a", "b", "lib"), job("b", "a"), job("lib"), job("app", "b"))
    assert build_order(queue) == ["lib", "a", "b", "app"]


def test_a_cycle_closed_by_a_later_batch_is_broken(queue: Queue) -> None:
    submit(queue, job("a", "b"), job("lib", "nothing"))
    submit(queue, job("b", "a"))
    assert build_order(queue) == ["a", "lib", "b"]


def test_a_cycle_closed_by_a_replacement_is_broken(queue: Queue) -> None:
    submit(queue, job("a"), job("b", "a"))
    submit(queue, job("a", "b"))
    assert build_order(queue) == ["a", "b"]


def test_a_cycle_undone_by_a_replacement_is_a_plain_order_again(queue: Queue) -> None:
    submit(queue, job("a", "b"), job("b", "a"))
    submit(queue, job("b"))
    assert build_order(queue) == ["b", "a"]


def test_a_cycle_closed_by_a_job_that_is_handed_back_is_broken(queue: Queue) -> None:
    submit(queue, job("a", "b"))
    running = claimed(queue)
    submit(queue, job("b", "a"))
    queue.release(running)
    assert build_order(queue) == ["a", "b"]


def test_who_goes_before_another_in_a_cycle_waits_for_it_once_it_runs(queue: Queue) -> None:
    submit(queue, job("lib"), job("a", "b", "lib"), job("b", "c"), job("c", "a"))
    lib = claimed(queue)
    submit(queue, job("c"))
    third = claimed(queue)
    assert third.spec.pkgbase == "c"
    queue.finish(third, Outcome.SUCCESS)
    running = claimed(queue)
    assert running.spec.pkgbase == "b"
    queue.finish(lib, Outcome.SUCCESS)
    assert queue.claim(worker()) is None
    queue.release(running)
    assert build_order(queue) == ["b", "a"]


def test_cycles_over_provided_names_and_classes_are_broken(queue: Queue) -> None:
    submit(
        queue,
        job("a", "virtual", build_class="7"),
        job("b1", "a", provides=("virtual",)),
        job("b2", provides=("virtual",)),
    )
    assert build_order(queue, worker(build_class=7)) == ["b2", "a", "b1"]


def test_tangled_cycles_all_come_to_an_end(queue: Queue) -> None:
    names = [f"p{number}" for number in range(120)]
    submit(
        queue,
        *(
            job(name, *(names[(number * 7 + step * 31) % 120] for step in range(4)))
            for number, name in enumerate(names)
        ),
    )
    assert sorted(build_order(queue)) == sorted(names)


@on_one_server
def test_a_long_chain_does_not_exhaust_the_server(queue: Queue) -> None:
    count = 20_000
    queue.submit(
        "chain", [job(f"p{number}", f"p{(number + 1) % count}") for number in range(count)]
    )
    assert bases(claim_all(queue)) == ["p0"]


def test_nothing_of_finished_jobs_stays_in_the_indexes(queue: Queue, redis: Redis) -> None:
    submit(queue, job("a", "b", "x"), job("b", "a", provides=("v",)), job("c", build_class="c"))
    submit(queue, job("a", "b"), job("b", "y", "a"))
    submit(queue, job("lib"), *(job(base, "lib", on_failure=OnFailure.HOLD) for base in "hij"))
    queue.promote(["repo/x86_64/lib", "repo/x86_64/j"])
    queue.finish(claimed(queue), Outcome.FAILED)
    queue.cancel(["repo/x86_64/h"])
    queue.proceed(["repo/x86_64/i"])
    queue.retry(["repo/x86_64/lib"])
    build_order(queue, worker("c"))
    queue.claim(worker("c"))
    assert queue.snapshot().recent[0].state is JobState.DONE
    left = {key.decode().split(":")[1] for key in redis.scan_iter()}
    assert left == {
        *("job", "last", "scopes", "requests", "recent", "events", "sequence", "token"),
        *("workers", "builds", "seen", "control", "promotions"),
    }
