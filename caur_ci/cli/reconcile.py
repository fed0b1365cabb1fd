"""`caur-ci reconcile`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli import options
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import ExitCode, InputError

if TYPE_CHECKING:
    from caur_ci.config import RepositoryConfig
    from caur_ci.pipeline.reconcile import Discrepancy
    from caur_ci.pipeline.shared.committed_repository import CommittedRepository
    from scheduler.queue import Queue

# Jobs of each kind that are looked through.
_LOOKED_AT = 100_000


def reconcile(
    context: typer.Context,
    *,
    schedule: Annotated[
        bool,
        typer.Option(
            "--schedule", help="Ask for builds of what is missing or outdated and not queued."
        ),
    ] = False,
    failed: Annotated[
        bool,
        typer.Option("--failed", help="With --schedule, also of what failed at its latest build."),
    ] = False,
    database: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The published database, such as /srv/http/repo/x86_64/repo.db. Default: that of "
            "REPO_NAME below REPO_PATH.",
            envvar="CAUR_DATABASE",
            show_default=False,
        ),
    ] = None,
    arch: options.Arch = "x86_64",
    repo: options.Repo = Path(),
    redis: options.Redis = None,
    as_json: options.AsJson = False,
) -> int:
    """Compare HEAD with what is published and what is queued.

    Lists what should be published and is not, although nothing of it is in the queue: packages
    that are missing, older than at HEAD, or failed at their latest build. And what is published
    and made by no folder. Run it where a queue lost requests, or a repository was restored.

    Ends with 1 if anything is listed, with 0 if nothing is, or if with --schedule all of it that
    can be built was asked for.
    """
    from caur_ci.cli.data import to_json  # noqa: PLC0415
    from caur_ci.cli.queue_connection import open_queue_for_hand_over  # noqa: PLC0415
    from caur_ci.git import GitRepository  # noqa: PLC0415 - slow to import
    from caur_ci.pipeline.reconcile import Standing  # noqa: PLC0415
    from caur_ci.pipeline.shared.committed_repository import CommittedRepository  # noqa: PLC0415

    session = session_of(context)
    git = GitRepository.open(repo)
    repository = CommittedRepository.read(git, git.commit_id("HEAD"))
    queue = open_queue_for_hand_over(session, redis, repo)
    found = _compared(repository, queue, _database(database, repository.config, arch), arch)
    if as_json:
        session.print_plain(to_json([asdict(one) for one in found]))
    else:
        for one in found:
            session.out.print(f"{one.package}: {one.standing}: {one.reason}", markup=False)
    if not found:
        session.note("what is published and queued is what HEAD asks for")
    if not schedule:
        return ExitCode.FAILED if found else ExitCode.OK
    wanted = {Standing.MISSING, Standing.OUTDATED} | ({Standing.FAILED} if failed else set())
    _schedule(session, queue, repository, [one for one in found if one.standing in wanted], arch)
    left = [one for one in found if one.standing not in wanted]
    return ExitCode.FAILED if left else ExitCode.OK


def _database(named: Path | None, config: RepositoryConfig, arch: str) -> Path:
    """Return the file of the published database. Raises InputError where nobody names it."""
    import os  # noqa: PLC0415

    from scheduler.database.layout import Layout  # noqa: PLC0415 - slow to import

    root = os.environ.get("REPO_PATH")
    if named is None and root:
        layout = Layout(Path(root), config.target_repo, arch)
        named = layout.folder / layout.database
    if named is None:
        raise InputError(
            "which database is published is not known here",
            hint="Name it with --database FILE, or set REPO_PATH.",
        )
    if not named.exists():
        raise InputError(f"there is no database {named}")
    return named


def _compared(
    repository: CommittedRepository, queue: Queue, database: Path, arch: str
) -> list[Discrepancy]:
    from caur_ci.pipeline.reconcile import BuildSide, discrepancies  # noqa: PLC0415
    from scheduler.database.entries import read_entries  # noqa: PLC0415 - slow to import
    from scheduler.job import Outcome  # noqa: PLC0415

    snapshot = queue.snapshot(limit=_LOOKED_AT)
    scope = f"{repository.config.target_repo}/{arch}/"
    pending = (snapshot.active, snapshot.ready, snapshot.waiting, snapshot.held, snapshot.delayed)
    ended = sorted((*snapshot.recent, *snapshot.quarantine), key=lambda job: job.job_id)
    bad = {Outcome.FAILED, Outcome.TIMED_OUT, Outcome.SOFTWARE_FAILURE}
    latest = {job.identity: job for job in ended}
    build_side = BuildSide(
        arch=arch,
        published={name: entry.version for name, entry in read_entries(database).items()},
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
    return discrepancies(repository, build_side)


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
