"""Whether everything happened that was promised, judged by what is there in the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from caur_ci.demo.packages import (
    FAILS,
    FROM_AUR,
    HIJACKED,
    LAST_OF_CHAIN,
    LIBRARY,
    NEEDS_LIBRARY,
    NEW_VERSION,
    REBUILT,
    RETIRED,
)
from caur_ci.demo.rebuild import BUMP, NEW_SONAME, OLD_SONAME, Rebuild, rebuild_problems
from scheduler.job import JobState, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from caur_ci.request import BuildRequest
    from caur_ci.srcinfo import SrcinfoFields
    from caur_ci.standalone.board import JobBoard, JobProgress

# The -git package's version comes from the repository it follows: one commit after v0.3.
_VCS_SUFFIX = "-git"
_VCS_VERSION = "0.3.r1.g"
EXPECTED_OUTPUT = "240 ml milk\n226.8 g flour\n20 ml sugar\n"


@dataclass(frozen=True, slots=True)
class Attack:
    """What on-schedule decided about the update that is one, and what was found in it."""

    action: str = ""
    findings: tuple[str, ...] = ()
    has_danger: bool = False


def attack_in(plan: Mapping[str, Any]) -> Attack:
    """Return what the plan of an on-schedule run, as it is told to programs, says of it."""
    for decision in plan["decisions"]:
        if decision["package"] == HIJACKED:
            found = decision["judgement"].get("findings", [])
            return Attack(
                decision["action"],
                tuple(
                    f"{it['file']}:{it['line']}: {it['message']} ({it['code']})"
                    for it in found
                    if it["severity"] != "note"
                ),
                any(it["severity"] == "danger" for it in found),
            )
    return Attack()


@dataclass(slots=True, kw_only=True)
class Evidence:
    """What was found. Texts of problems are empty where there was none.

    `packages` are what each .SRCINFO describes, the newer one of those that were updated; `request`
    is what on-commit asked for when most of them were committed, `update` what on-schedule asked
    for at the commit `update_head`, `attack` what it stopped, `head` the last commit.
    """

    packages: Mapping[str, SrcinfoFields]
    request: BuildRequest
    update: BuildRequest
    update_head: str
    attack: Attack
    head: str
    board: JobBoard
    rebuild: Rebuild
    scheduled_tag: str = ""
    outbox: Sequence[str] = ()
    failure_log: str = ""
    available: Mapping[str, str] = field(default_factory=dict)
    installed: Mapping[str, str] = field(default_factory=dict)
    refresh_problem: str = ""
    install_problem: str = ""
    unsigned: Sequence[str] = ()
    forgeries_refused: Mapping[str, bool] = field(default_factory=dict)
    program_output: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One check; `problem` says how it was broken."""

    text: str
    problem: str = ""

    @property
    def kept(self) -> bool:
        """Whether it happened."""
        return not self.problem


def run_checks(evidence: Evidence) -> list[Check]:
    """Return the outcome of every check."""
    return [Check(text, "; ".join(problems(evidence))) for text, problems in _CHECKS.items()]


def _scheduling(evidence: Evidence) -> Iterator[str]:
    asked = {package.pkgbase for package in evidence.request.packages}
    yield from _difference("scheduled", asked, set(evidence.packages) - {LIBRARY, RETIRED})
    yield from _difference("to be removed", set(evidence.request.remove), {RETIRED})


def _handing_over(evidence: Evidence) -> Iterator[str]:
    if evidence.scheduled_tag != evidence.head:
        yield f"the tag is at {evidence.scheduled_tag or 'no commit'}, not at {evidence.head}"
    if evidence.outbox:
        yield f"left in the outbox: {', '.join(evidence.outbox)}"


def _ending(evidence: Evidence) -> Iterator[str]:
    for job in evidence.board:
        if job.state is not JobState.DONE:
            yield f"{job.pkgbase} is {job.state}"


def _order(evidence: Evidence) -> Iterator[str]:
    jobs = _first_jobs(evidence)
    provider = {
        name: package.pkgbase
        for package in evidence.request.packages
        for name in (package.pkgbase, *package.pkgnames, *package.provides)
    }
    pairs = {
        (provider[name], package.pkgbase)
        for package in evidence.request.packages
        for name in package.depends
        if provider.get(name, package.pkgbase) != package.pkgbase
    }
    if not pairs:
        yield "no package depends on another one"
    for needed, needs in sorted(pairs):
        first, then = jobs.get(needed), jobs.get(needs)
        if first is None or then is None or not 0 < first.done_at < then.claimed_at:
            yield f"{needs} did not wait for {needed}"


def _failure(evidence: Evidence) -> Iterator[str]:
    job = _first_jobs(evidence).get(FAILS)
    if job is None or job.outcome is not Outcome.FAILED:
        yield f"{FAILS} did not fail"
    if "fails on purpose" not in evidence.failure_log:
        yield "its log does not say why"


def _publishing(evidence: Evidence) -> Iterator[str]:
    if evidence.refresh_problem:
        yield evidence.refresh_problem
    expected = {
        name: f"{fields.version}{BUMP if base in REBUILT else ''}"
        for base, fields in evidence.packages.items()
        if base not in {RETIRED, FAILS}
        for name in fields.pkgnames
    }
    found = set(evidence.available) - {RETIRED}
    yield from _difference("in the database", found, set(expected))
    for name in sorted(found & set(expected)):
        version = evidence.available[name]
        if name.endswith(_VCS_SUFFIX):
            right = version.startswith(_VCS_VERSION)
        else:
            right = version == expected[name]
        if not right:
            yield f"{name} has version {version}, not {expected[name]}"


def _signing(evidence: Evidence) -> Iterator[str]:
    if evidence.unsigned:
        yield f"without a good signature: {', '.join(evidence.unsigned)}"
    if not evidence.forgeries_refused:
        yield "pacman was not tried with wrong signatures"
    for what, refused in evidence.forgeries_refused.items():
        if not refused:
            yield f"pacman took {what} with the signature of something else"


def _removing(evidence: Evidence) -> Iterator[str]:
    retired = [job for job in evidence.board if job.pkgbase == RETIRED]
    if not any(job.outcome is Outcome.SUCCESS for job in retired):
        yield f"{RETIRED} was never published"
    if RETIRED in evidence.available:
        yield f"{RETIRED} is still in the database"
    if not evidence.board.removals_done:
        yield "no removal was carried out"
    yield from evidence.board.removal_errors


def _updating(evidence: Evidence) -> Iterator[str]:
    asked = {package.pkgbase for package in evidence.update.packages}
    yield from _difference("scheduled", asked, {FROM_AUR})
    if evidence.update.commit != evidence.update_head:
        yield f"it was asked for at {evidence.update.commit}, not at {evidence.update_head}"
    wanted = evidence.packages[FROM_AUR].version
    if evidence.installed.get(FROM_AUR) != wanted:
        yield f"installed is {evidence.installed.get(FROM_AUR) or 'nothing'}, not {wanted}"


def _stopping(evidence: Evidence) -> Iterator[str]:
    if evidence.attack.action != "held":
        yield f"it was decided: {evidence.attack.action or 'nothing'}"
    if not evidence.attack.has_danger:
        yield "no danger was found in it"
    if HIJACKED in {package.pkgbase for package in evidence.update.packages}:
        yield "it was scheduled"
    if evidence.available.get(HIJACKED) != evidence.packages[HIJACKED].version:
        yield f"published is {evidence.available.get(HIJACKED) or 'nothing'}"


def _rebuilding(evidence: Evidence) -> Iterator[str]:
    builds = [job for job in evidence.board if job.pkgbase in REBUILT]
    return rebuild_problems(
        evidence.rebuild,
        version=evidence.packages[NEEDS_LIBRARY].version,
        builds=sum(job.outcome is Outcome.SUCCESS for job in builds),
    )


def _installing(evidence: Evidence) -> Iterator[str]:
    if evidence.install_problem:
        yield evidence.install_problem
    chain = {LAST_OF_CHAIN, *evidence.packages[LAST_OF_CHAIN].run_depends}
    yield from _difference("installed", set(evidence.installed), chain)


def _working(evidence: Evidence) -> Iterator[str]:
    if evidence.program_output != EXPECTED_OUTPUT:
        yield f"it printed {evidence.program_output!r}"


def _first_jobs(evidence: Evidence) -> dict[str, JobProgress]:
    """Return the first job of each package."""
    return {job.pkgbase: job for job in reversed(list(evidence.board))}


def _difference(what: str, found: set[str], expected: set[str]) -> Iterator[str]:
    if missing := sorted(expected - found):
        yield f"not {what}: {', '.join(missing)}"
    if surplus := sorted(found - expected):
        yield f"{what} although it should not be: {', '.join(surplus)}"


_CHECKS = {
    "on-commit scheduled what the commit changed, and nothing else": _scheduling,
    "the tag moved, and the queue acknowledged what was in the outbox": _handing_over,
    "every job came to an end": _ending,
    "each package waited until what it depends on was published": _order,
    "the package that cannot be built failed, and stopped nothing else": _failure,
    "everything else is in the pacman repository, in the right version": _publishing,
    "database and packages are signed, and pacman insists on it": _signing,
    "the package whose folder was removed is gone again": _removing,
    f"on-schedule took {FROM_AUR} {NEW_VERSION} over from the AUR, and pacman has it": _updating,
    f"the update of {HIJACKED} that is an attack was stopped, and what was there stays": _stopping,
    f"{' and '.join(REBUILT)} lost {OLD_SONAME}, and on-schedule had them rebuilt once, "
    f"for {NEW_SONAME}; they were published in one step": _rebuilding,
    f"pacman installed {LAST_OF_CHAIN} and what it depends on": _installing,
    "the installed program works": _working,
}
