"""`caur-ci broken` and `caur-ci rebuild`."""

from __future__ import annotations

import os
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli import completion
from caur_ci.cli.options import AsJson, Redis, Remote, Repo, named_as_completed
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import ExitCode, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from caur_ci.pipeline.rebuilds import BrokenPackages
    from caur_ci.rebuild import BrokenPackage, LostNeed, PastBuild, RebuildPlan

# Jobs that are looked through for how long builds take.
_LOOKED_AT = 100_000


class GroupPublishing(StrEnum):
    """How packages that are rebuilt together are published."""

    TOGETHER = "together"
    PARTIAL = "partial"


Packages = Annotated[
    list[str] | None,
    typer.Argument(
        parser=named_as_completed,
        metavar="PACKAGE",
        help="Only these, by pkgbase. Default: all that are broken.",
        autocompletion=completion.packages,
        show_default=False,
    ),
]
Ahead = Annotated[
    str,
    typer.Option(
        "--ahead",
        metavar="STAGE,…",
        help="Tell what will break when these repositories of the distribution have moved on, the "
        "furthest one first: `staging,testing` for core-staging and core-testing before core.",
    ),
]


def broken(
    context: typer.Context,
    packages: Packages = None,
    *,
    ahead: Ahead = "",
    repo: Repo = Path(),
    remote: Remote = None,
    as_json: AsJson = False,
) -> int:
    """List published packages that have lost a library or an interpreter.

    With each stands what went, who offered it and since when it is gone, and why the package is not
    rebuilt for it where it is not. What packages need tells the index beside the database in
    CI_REPO_DB; what there is tell that database and those in CI_LIB_DB.

    Ends with 1 if anything is listed.
    """
    session = session_of(context)
    found = _find(session, repo, remote, ahead)
    listed = [it for it in found.look.broken if not packages or it.pkgbase in packages]
    if as_json:
        session.print_plain(_json(listed))
    else:
        _list(session, listed, found)
    return ExitCode.FAILED if listed else ExitCode.OK


def rebuild(
    context: typer.Context,
    packages: Packages = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what a rebuild would be and cost.")
    ] = False,
    publish: Annotated[
        GroupPublishing | None,
        typer.Option(
            "--publish",
            metavar="HOW",
            help="`together`: all of them in one step, when all are built. `partial`: without "
            "those that cannot be built. Default: CI_REBUILD_PUBLISH.",
            show_default=False,
        ),
    ] = None,
    ahead: Ahead = "",
    repo: Repo = Path(),
    remote: Remote = None,
    redis: Redis = None,
    as_json: AsJson = False,
) -> None:
    """Have packages rebuilt that have lost a library or an interpreter, as one group.

    It is remembered on branch `caur` of the remote, and the next run of on-schedule raises their
    pkgrel and asks the queue for them, however many they are. They are built in the order shown,
    each with those that it needs, and published in one step. Shown are also the hours that it takes
    by build class, as far as the queue remembers builds, or the history where that is on this
    machine.

    With CI_REBUILD_AUTO in `.ci/config`, on-schedule does so by itself.
    """
    if ahead and not dry_run:
        raise InputError(
            "what is not broken yet cannot be rebuilt yet: add --dry-run",
            hint="--ahead shows what a move of the distribution will break.",
        )
    from caur_ci.cli.hold import open_keeper  # noqa: PLC0415
    from caur_ci.pipeline.rebuilds import moves_of  # noqa: PLC0415 - slow to import
    from caur_ci.rebuild import plan_rebuild  # noqa: PLC0415 - slow to import

    session = session_of(context)
    found = _find(session, repo, remote, ahead)
    chosen = {
        found.rules.folder_of(it.pkgbase): it
        for it in found.look.broken
        if not it.not_rebuilt and (not packages or it.pkgbase in packages)
    }
    repository = found.repository
    plan = plan_rebuild(
        chosen.keys(),
        repository.deptree,
        _past_builds(session, redis, repository.config.target_repo) if chosen else {},
        found.classes(chosen),
    )
    if as_json:
        session.print_plain(_plan_json(plan, chosen))
    else:
        _show_plan(session, plan, chosen)
    if chosen and not dry_run:
        moves = moves_of(chosen.values(), found.rules)
        how = publish or GroupPublishing(repository.config.rebuild_publish)
        open_keeper(session, repo, remote).rebuild(moves, how)
        session.note(_what_happens_next(moves, how))


def _what_happens_next(packages: Iterable[str], publish: GroupPublishing) -> str:
    how = {
        GroupPublishing.TOGETHER: "when all of them are built",
        GroupPublishing.PARTIAL: "without those that cannot be built",
    }
    return (
        f"asked for: the next run of on-schedule bumps {', '.join(sorted(packages))}; they are "
        f"published in one step, {how[publish]} (`caur-ci queue groups`)"
    )


def _find(session: Session, repo: Path, remote: str | None, ahead: str) -> BrokenPackages:
    from caur_ci.pipeline.rebuilds import find_broken_packages  # noqa: PLC0415 - slow to import
    from caur_ci.pipeline.shared.options import RunOptions  # noqa: PLC0415

    options = RunOptions(repo=repo, remote=remote, environ=os.environ, secrets=session.secrets)
    stages = [stage for stage in ahead.split(",") if stage]
    found = find_broken_packages(options, ahead=stages)
    for note in found.look.notes:
        session.warn(note)
    if not found.remembered and not ahead:
        session.note(
            "no run of on-schedule has looked at libraries yet, so nothing is known to be lost"
        )
    return found


def _list(session: Session, listed: Sequence[BrokenPackage], found: BrokenPackages) -> None:
    from caur_ci.cli.queue_view import timestamp  # noqa: PLC0415 - slow to import
    from caur_ci.cli.tables import table  # noqa: PLC0415

    if not listed:
        if found.remembered:
            session.note("no published package has lost anything")
        return
    rows = table("", None, "package", "needs", "which was in", "gone since", "rebuild")
    for package in listed:
        for need in _each(package):
            rows.add(
                f"{package.pkgbase} {package.version}",
                f"{need.name} ({', '.join(need.files)})",
                need.offered_by,
                timestamp(need.since) if need.since else "when that moves",
                package.not_rebuilt or "yes",
            )
    session.out.print(rows)


def _each(package: BrokenPackage) -> Iterable[LostNeed]:
    """Return what a package lost, each thing once whichever of its packages need it."""
    return {need.capability: need for need in package.lost}.values()


def _json(listed: Iterable[BrokenPackage]) -> str:
    from caur_ci.cli.data import to_json  # noqa: PLC0415

    return to_json([asdict(package) for package in listed])


def _past_builds(
    session: Session, redis: str | None, target_repo: str
) -> dict[str, list[PastBuild]]:
    """Return the builds that are remembered: by the history, and of other packages by the queue.

    There are none of the queue's, with a warning, where there is no queue.
    """
    return {
        **_builds_of_queue(session, redis, target_repo),
        **_builds_of_history(session, target_repo),
    }


def _builds_of_history(session: Session, target_repo: str) -> dict[str, list[PastBuild]]:
    from caur_ci.cli.history_access import known_history  # noqa: PLC0415
    from caur_ci.errors import CaurError  # noqa: PLC0415
    from caur_ci.rebuild import PastBuild  # noqa: PLC0415 - slow to import

    found: dict[str, list[PastBuild]] = {}
    with known_history(session) as history:
        try:
            jobs = history.last_builds(target_repo) if history is not None else []
        except CaurError as error:
            session.warn(f"the history is left out: {error.message}")
            jobs = []
        for job in jobs:
            if job.build_seconds is not None:
                past = PastBuild(seconds=job.build_seconds, build_class=job.build_class)
                found.setdefault(job.pkgbase, []).append(past)
    return found


def _builds_of_queue(
    session: Session, redis: str | None, target_repo: str
) -> dict[str, list[PastBuild]]:
    from caur_ci.errors import CaurError  # noqa: PLC0415
    from caur_ci.rebuild import PastBuild  # noqa: PLC0415 - slow to import
    from scheduler.connection import connect  # noqa: PLC0415 - slow to import
    from scheduler.job import Outcome  # noqa: PLC0415
    from scheduler.queue import QueueReader  # noqa: PLC0415

    try:
        with connect(redis, secrets=session.secrets, begin=False) as client:
            recent = QueueReader(client).snapshot(limit=_LOOKED_AT).recent
    except CaurError as error:
        session.warn(f"how long builds take is not known: {error.message}")
        return {}
    found: dict[str, list[PastBuild]] = {}
    for job in sorted(recent, key=lambda it: it.job_id):
        repository, _, rest = job.identity.partition("/")
        ended = job.landed or job.finished
        if repository == target_repo and job.outcome is Outcome.SUCCESS and ended > job.started > 0:
            past = PastBuild(seconds=ended - job.started, build_class=job.build_class)
            found.setdefault(rest.rpartition("/")[2], []).append(past)
    return found


def _show_plan(session: Session, plan: RebuildPlan, chosen: Mapping[str, BrokenPackage]) -> None:
    if not chosen:
        session.note("nothing is to be rebuilt")
        return
    for number, layer in enumerate(plan.layers, start=1):
        for name in layer:
            session.out.print(f"{number}. {name}: {chosen[name].reason}", markup=False)
    for members in plan.cycles:
        session.out.print(f"these need each other: {', '.join(members)}", markup=False)
    for build_class, seconds in plan.seconds.items():
        session.out.print(f"class {build_class}: {seconds / 3600:.1f} h", markup=False)
    if plan.unknown:
        session.out.print(
            f"of {len(plan.unknown)} packages no build is remembered: {', '.join(plan.unknown)}",
            markup=False,
        )


def _plan_json(plan: RebuildPlan, chosen: Mapping[str, BrokenPackage]) -> str:
    from caur_ci.cli.data import to_json  # noqa: PLC0415

    return to_json(
        {
            "layers": [
                [{"package": name, "reason": chosen[name].reason} for name in layer]
                for layer in plan.layers
            ],
            "cycles": plan.cycles,
            "hours": {name: round(it / 3600, 2) for name, it in plan.seconds.items()},
            "unknown": plan.unknown,
        }
    )
