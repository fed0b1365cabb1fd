"""What the queue tells becomes a board, and a board with all else a verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.demo.checks import EXPECTED_OUTPUT, Attack, Evidence, attack_in, run_checks
from caur_ci.demo.packages import (
    FAILS,
    FROM_AUR,
    LIBRARY,
    NEEDS_LIBRARY,
    REBUILT,
    RETIRED,
    Fixtures,
)
from caur_ci.demo.rebuild import EXPECTED_TIME, Rebuild
from caur_ci.request import BuildRequest, PackageRequest
from caur_ci.srcinfo import SrcinfoFields, parse_fields
from caur_ci.standalone.board import JobBoard
from scheduler.job import JobState, Outcome
from scheduler.queue import Event

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD, UPDATE_HEAD = "a" * 40, "c" * 40
ORDER = ("libmeasure", "measure", "recipe-scale")
# They need packages that come after them in the alphabet.
_LATE = ("almanac", "ledger.sh", "tide-clock")


def event(
    kind: str,
    job_id: int,
    pkgbase: str,
    state: JobState,
    *,
    outcome: Outcome | None = None,
    worker: str = "demo-1-0123456789",
    attempt: int = 0,
    reason: str = "",
) -> Event:
    return Event(
        id=f"{job_id}-0",
        kind=kind,
        time=float(job_id),
        job_id=job_id,
        identity=f"caur-demo/x86_64/{pkgbase}",
        state=state,
        outcome=outcome,
        worker=worker,
        attempt=attempt,
        reason=reason,
    )


def course_of(board: JobBoard, job_id: int, pkgbase: str, outcome: Outcome) -> None:
    board.apply(event("submitted", job_id, pkgbase, JobState.READY))
    board.apply(event("claimed", job_id, pkgbase, JobState.BUILDING, attempt=1))
    board.apply(event("done", job_id, pkgbase, JobState.DONE, outcome=outcome))


def packages() -> dict[str, SrcinfoFields]:
    fixtures = Fixtures.find()
    return {
        name: parse_fields((fixtures.pkgbuilds / name / ".SRCINFO").read_bytes())
        for name in fixtures.names
    }


def requested(name: str, fields: SrcinfoFields) -> PackageRequest:
    depends = tuple(text.partition(">")[0].partition("=")[0] for text in fields.run_depends)
    provides = tuple(
        text.partition("=")[0] for package in fields.packages for text in package.provides
    )
    return PackageRequest(
        pkgbase=name, pkgnames=fields.pkgnames, provides=provides, depends=depends
    )


def all_is_well() -> Evidence:
    known = packages()
    board = JobBoard()
    course_of(board, 1, RETIRED, Outcome.SUCCESS)
    others = sorted(set(known) - {RETIRED, *ORDER, *_LATE})
    for number, name in enumerate([*others, *ORDER, *_LATE], 2):
        course_of(board, number, name, Outcome.FAILED if name == FAILS else Outcome.SUCCESS)
    for number, name in enumerate(REBUILT, 97):
        course_of(board, number, name, Outcome.SUCCESS)
    removal = event("removal", 1, "", JobState.WAITING)
    board.apply(removal)
    board.apply(replace(removal, state=JobState.DONE, outcome=Outcome.SUCCESS))
    rebuilt = {name: f"{known[name].version}.1" for name in REBUILT}
    available = {
        name: "0.3.r1.gabcdef0-1" if name == "plumbline-git" else fields.version
        for base, fields in known.items()
        for name in fields.pkgnames
        if base not in {FAILS, RETIRED}
    } | rebuilt
    return Evidence(
        packages=known,
        request=BuildRequest(
            request_id="12345678",
            created="2026-01-01T00:00:00Z",
            source_repo="caur-demo",
            target_repo="caur-demo",
            commit=HEAD,
            packages=tuple(
                requested(n, f) for n, f in known.items() if n not in {LIBRARY, RETIRED}
            ),
            remove=(RETIRED,),
        ),
        update=BuildRequest(
            request_id="12345679",
            created="2026-01-01T00:00:00Z",
            source_repo="caur-demo",
            target_repo="caur-demo",
            commit=UPDATE_HEAD,
            packages=(PackageRequest(pkgbase=FROM_AUR),),
        ),
        update_head=UPDATE_HEAD,
        attack=Attack("held", ("PKGBUILD:20: what comes in is run (run-as-code)",), True),
        head=HEAD,
        board=board,
        rebuild=Rebuild(
            action="bump",
            reason="triggered by libtide.so.1",
            asked=REBUILT,
            groups=frozenset({"libtide-1"}),
            together=REBUILT,
            needed=("libtide.so.1",),
            needs=("libtide.so.2",),
            version=rebuilt[NEEDS_LIBRARY],
            output=EXPECTED_TIME,
        ),
        scheduled_tag=HEAD,
        failure_log="This build fails on purpose.",
        available=available,
        installed={name: available[name] for name in ORDER},
        forgeries_refused={"the database": True, "a package": True},
        program_output=EXPECTED_OUTPUT,
    )


def broken(evidence: Evidence) -> list[str]:
    return [check.text for check in run_checks(evidence) if not check.kept]


def test_no_promise_is_broken_when_all_is_well() -> None:
    assert broken(all_is_well()) == []
    assert len(run_checks(all_is_well())) == 13


def less_of(evidence: Evidence, name: str) -> None:
    evidence.available = {n: v for n, v in evidence.available.items() if n != name}


def other_version(evidence: Evidence, name: str, version: str) -> None:
    evidence.available = {**evidence.available, name: version}


def install(evidence: Evidence, *names: str) -> None:
    evidence.installed = {name: evidence.installed[name] for name in names}


def install_old(evidence: Evidence, name: str) -> None:
    evidence.installed = {**evidence.installed, name: "0.1-1"}


def ask_for_less(evidence: Evidence) -> None:
    evidence.request = replace(evidence.request, packages=evidence.request.packages[1:])


def ask_for_no_removal(evidence: Evidence) -> None:
    evidence.request = replace(evidence.request, remove=())


def build_too_early(evidence: Evidence) -> None:
    jobs = {job.pkgbase: job for job in evidence.board}
    jobs["recipe-scale"].claimed_at = jobs["measure"].done_at - 1


def leave_unfinished(evidence: Evidence) -> None:
    next(iter(evidence.board)).state = JobState.LANDED


def succeed_where_failure_was_promised(evidence: Evidence) -> None:
    next(c for c in evidence.board if c.pkgbase == FAILS).outcome = Outcome.SUCCESS


def fail_to_remove(evidence: Evidence) -> None:
    evidence.board.apply(
        event("removal", 2, "", JobState.DONE, outcome=Outcome.FAILED, reason="disk full")
    )


def build_once_more(evidence: Evidence) -> None:
    course_of(evidence.board, 99, NEEDS_LIBRARY, Outcome.SUCCESS)


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (ask_for_less, "on-commit scheduled"),
        (ask_for_no_removal, "on-commit scheduled"),
        (lambda e: setattr(e, "scheduled_tag", "b" * 40), "the tag moved"),
        (lambda e: setattr(e, "outbox", ["outbox/1.json"]), "the tag moved"),
        (leave_unfinished, "every job"),
        (build_too_early, "each package waited"),
        (succeed_where_failure_was_promised, "cannot be built failed"),
        (lambda e: setattr(e, "failure_log", ""), "cannot be built failed"),
        (lambda e: less_of(e, "lantern-doc"), "everything else"),
        (lambda e: other_version(e, "tally++", "1.0.6-1"), "everything else"),
        (lambda e: other_version(e, "plumbline-git", "0.3.r0.g0000000-1"), "everything else"),
        (lambda e: other_version(e, "linux", "6.1-1"), "everything else"),
        (lambda e: setattr(e, "refresh_problem", "bad signature"), "everything else"),
        (lambda e: setattr(e, "unsigned", ["a.pkg.tar.zst"]), "are signed"),
        (lambda e: setattr(e, "forgeries_refused", {}), "are signed"),
        (lambda e: setattr(e, "forgeries_refused", {"a package": False}), "are signed"),
        (lambda e: other_version(e, RETIRED, "1.1-1"), "removed is gone"),
        (fail_to_remove, "removed is gone"),
        (lambda e: setattr(e, "install_problem", "no"), "pacman installed"),
        (lambda e: install(e, FROM_AUR), "pacman installed"),
        (lambda e: setattr(e, "update", replace(e.update, packages=())), "on-schedule took"),
        (lambda e: setattr(e, "update", replace(e.update, commit="b" * 40)), "on-schedule took"),
        (lambda e: install_old(e, FROM_AUR), "on-schedule took"),
        (lambda e: setattr(e, "attack", replace(e.attack, action="update")), "is an attack"),
        (lambda e: setattr(e, "attack", replace(e.attack, has_danger=False)), "is an attack"),
        (lambda e: setattr(e, "attack", attack_in({"decisions": []})), "is an attack"),
        (lambda e: setattr(e.rebuild, "action", "held"), "had them rebuilt once"),
        (lambda e: setattr(e.rebuild, "reason", "boredom"), "had them rebuilt once"),
        (
            lambda e: setattr(e.rebuild, "asked", (*e.rebuild.asked, LIBRARY)),
            "had them rebuilt once",
        ),
        (lambda e: setattr(e.rebuild, "asked_later", (LIBRARY,)), "had them rebuilt once"),
        (lambda e: setattr(e.rebuild, "needed", ()), "had them rebuilt once"),
        (lambda e: setattr(e.rebuild, "needs", e.rebuild.needed), "had them rebuilt once"),
        (lambda e: setattr(e.rebuild, "version", "1.2-1"), "had them rebuilt once"),
        (lambda e: setattr(e.rebuild, "output", "10:31\n"), "had them rebuilt once"),
        (lambda e: setattr(e.rebuild, "problem", "no such library"), "had them rebuilt once"),
        (lambda e: setattr(e.rebuild, "groups", frozenset({""})), "had them rebuilt once"),
        (lambda e: setattr(e.rebuild, "together", REBUILT[:1]), "had them rebuilt once"),
        (build_once_more, "had them rebuilt once"),
        (lambda e: other_version(e, NEEDS_LIBRARY, "1.2-1"), "everything else"),
        (lambda e: setattr(e, "program_output", ""), "program works"),
    ],
)
def test_each_way_of_going_wrong_breaks_one_promise(
    spoil: Callable[[Evidence], None], word: str
) -> None:
    evidence = all_is_well()
    spoil(evidence)

    (text,) = broken(evidence)
    assert word in text


def test_the_board_is_idle_when_every_job_and_every_removal_has_ended() -> None:
    board = JobBoard()
    board.apply(event("submitted", 1, "a", JobState.READY))
    board.apply(event("removal", 1, "", JobState.WAITING))
    assert not board.is_idle

    board.apply(event("done", 1, "a", JobState.DONE, outcome=Outcome.SUCCESS))
    assert not board.is_idle

    board.apply(event("removal", 1, "", JobState.DONE, outcome=Outcome.SUCCESS))
    assert board.is_idle


def test_the_board_lists_jobs_as_they_were_handed_out_and_keeps_their_worker() -> None:
    board = JobBoard()
    for job_id, name in ((1, "waits"), (2, "second"), (3, "first")):
        board.apply(event("submitted", job_id, name, JobState.READY, worker=""))
    board.apply(event("claimed", 3, "first", JobState.BUILDING, attempt=1))
    board.apply(event("claimed", 2, "second", JobState.BUILDING, attempt=1))
    board.apply(event("publishing", 3, "first", JobState.PUBLISHING, worker="database-0123456789"))

    assert [job.pkgbase for job in board] == ["first", "second", "waits"]
    assert [job.worker for job in board] == ["demo-1", "demo-1", ""]
