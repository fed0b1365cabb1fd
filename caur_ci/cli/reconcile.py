"""`caur-ci reconcile`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli import options
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import ExitCode
from caur_ci.names import check_architecture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caur_ci.pipeline.reconcile import BuildSide, Discrepancy
    from caur_ci.pipeline.shared.committed_repository import CommittedRepository
    from scheduler.queue import Queue

# Jobs of each kind that are looked through.
_LOOKED_AT = 100_000


Schedule = Annotated[
    bool,
    typer.Option(
        "--schedule", help="Ask for builds of what is missing or outdated and not queued."
    ),
]
Failed = Annotated[
    bool,
    typer.Option("--failed", help="With --schedule, also of what failed at its latest build."),
]
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="FILE|URL",
        help="The published database, such as https://HOST/x86_64/NAME.db, or the folder that it "
        "is in. Variable CAUR_DATABASE, default: that of REPO_NAME below REPO_PATH.",
        envvar="CAUR_DATABASE",
        show_envvar=False,
        show_default=False,
    ),
]


def reconcile(
    context: typer.Context,
    *,
    schedule: Schedule = False,
    failed: Failed = False,
    database: Database = None,
    arch: options.OneArch = None,
    repo: options.Repo = Path(),
    remote: options.Remote = None,
    config: options.Config = None,
    redis: options.Redis = None,
    as_json: options.AsJson = False,
) -> int:
    """Compare HEAD with what is published and what is queued.

    Lists what should be published and is not, although nothing of it is in the queue: packages
    that are missing, older than at HEAD, or failed at their latest build. And what is published
    and made by no folder. Run it where a queue lost requests, or a repository was restored. What is
    on hold is listed as well, and stays as it is.

    Ends with 1 if anything else is listed, with 0 if nothing is, or if with --schedule all of it
    that can be built was asked for.
    """
    from caur_ci.cli.holds import current_holds  # noqa: PLC0415 - slow to import
    from caur_ci.cli.published import default_database, published_versions  # noqa: PLC0415
    from caur_ci.cli.queue_connection import open_queue_for_hand_over  # noqa: PLC0415
    from caur_ci.git import GitRepository  # noqa: PLC0415 - slow to import
    from caur_ci.pipeline.reconcile import Standing, discrepancies  # noqa: PLC0415
    from caur_ci.pipeline.shared.committed_repository import CommittedRepository  # noqa: PLC0415

    session = session_of(context)
    git = GitRepository.open(repo)
    repository = CommittedRepository.read(git, git.commit_id("HEAD"))
    target = repository.config.target_repo
    arch = check_architecture(arch or repository.config.architectures[0])
    published = published_versions(database or default_database(config, target, arch), target)
    queue = open_queue_for_hand_over(session, redis, repo)
    holds = current_holds(session, repo, remote)
    everything = discrepancies(repository, _build_side(repository, queue, published, arch), holds)
    _show(session, everything, as_json=as_json)
    found = [one for one in everything if one.standing is not Standing.HELD]
    if not schedule:
        return ExitCode.FAILED if found else ExitCode.OK
    wanted = {Standing.MISSING, Standing.OUTDATED} | ({Standing.FAILED} if failed else set())
    _schedule(session, queue, repository, [one for one in found if one.standing in wanted], arch)
    left = [one for one in found if one.standing not in wanted]
    return ExitCode.FAILED if left else ExitCode.OK


def _show(session: Session, found: Sequence[Discrepancy], *, as_json: bool) -> None:
    from caur_ci.cli.data import to_json  # noqa: PLC0415

    if as_json:
        session.print_plain(to_json([asdict(one) for one in found]))
    else:
        for one in found:
            session.out.print(f"{one.package}: {one.standing}: {one.reason}", markup=False)
    if not found:
        session.note("what is published and queued is what HEAD asks for")


def _build_side(
    repository: CommittedRepository, queue: Queue, published: Mapping[str, str], arch: str
) -> BuildSide:
    from caur_ci.pipeline.reconcile import BuildSide  # noqa: PLC0415
    from scheduler.job import Outcome  # noqa: PLC0415

    snapshot = queue.snapshot(limit=_LOOKED_AT)
    scope = f"{repository.config.target_repo}/{arch}/"
    pending = (snapshot.active, snapshot.ready, snapshot.waiting, snapshot.held, snapshot.delayed)
    ended = sorted((*snapshot.recent, *snapshot.quarantine), key=lambda job: job.job_id)
    bad = {Outcome.FAILED, Outcome.TIMED_OUT, Outcome.SOFTWARE_FAILURE}
    latest = {job.identity: job for job in ended}
    return BuildSide(
        arch=arch,
        published=published,
        queued={
            job.identity.removeprefix(scope)
            for jobs in pending
            for job in jobs
            if job.identity.startswith(scope)
        },
        failed={
            identity.removeprefix(scope): job.reason or str(job.outcome)
            for identity, job in latest.items()
            if identity.startswith(scope) and job.outcome in bad
        },
    )


def _schedule(
    session: Session,
    queue: Queue,
    repository: CommittedRepository,
    wanted: list[Discrepancy],
    arch: str,
) -> None:
    from caur_ci.cli.schedule_packages import NamedPackages, named_request  # noqa: PLC0415
    from caur_ci.deptree import entries_of, write_wire  # noqa: PLC0415 - slow to import
    from caur_ci.pipeline.handover import hand_over  # noqa: PLC0415

    if not wanted:
        return
    request = named_request(
        NamedPackages(
            packages=tuple(one.package for one in wanted),
            target_repo=repository.config.target_repo,
            source_repo=repository.config.source_repo,
            commit=repository.commit,
            arch=arch,
            arch_mirror="",
            deptree=write_wire(entries_of(repository.deptree)),
            without_order=False,
            repo=Path(),
        )
    )
    for done in hand_over(queue, [request]).submissions:
        for refusal in done.refused:
            session.warn(f"{refusal.identity} was refused: {refusal.reason}")
        session.note(f"asked for {len(done.jobs)} builds in request {done.request_id}")
