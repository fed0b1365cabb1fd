"""`caur-ci run`."""

from __future__ import annotations

import os
import sys
import time
from contextlib import nullcontext, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from caur_ci.cli import completion, options
from caur_ci.cli.interruption import leave_to_handlers
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import ExitCode, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caur_ci.pipeline.shared.memory.holds import Holds
    from caur_ci.request import BuildRequest
    from caur_ci.standalone.journey import StandaloneOptions
    from caur_ci.standalone.report import RunReport

_NAMES_QUEUE = ("REDIS_HOST", "REDIS_SSH_HOST")

What = Annotated[
    Literal["on-commit", "on-schedule"],
    typer.Argument(
        metavar="on-commit|on-schedule",
        help="What to begin with: what the commits since the last run ask for, or besides what is "
        "new at the AUR and elsewhere.",
    ),
]
PublishTo = Annotated[
    str,
    typer.Option(
        "--publish-to",
        metavar="ADDRESS",
        help=f"{options.PUBLISHING_TARGET}; default: REPO_PATH, or a folder in the work folder.",
        envvar="PUBLISH_TO",
        show_envvar=False,
        show_default=False,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        min=1,
        max=64,
        help="How many packages are built side by side. Default: one for each four processors.",
        show_default=False,
    ),
]
Executor = Annotated[
    Literal["host", "container"] | None,
    typer.Option(
        "--executor",
        help="Where to build: on this machine, or in containers by podman or docker. Variable "
        "BUILDER_EXECUTOR, default: containers where one of these is there.",
        show_default=False,
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        min=1.0,
        help="How long all of it may take. Builds stop before, so that what is done is published; "
        "the next run goes on with the rest. Default: no limit.",
        show_default=False,
    ),
]
PublishEvery = Annotated[
    float,
    typer.Option(
        "--publish-every",
        metavar="SECONDS",
        min=1.0,
        help="How often what is built is published while other builds go on.",
    ),
]
WorkFolder = Annotated[
    Path | None,
    typer.Option(
        "--work-dir",
        metavar="DIR",
        help="Where sources and logs are kept, and the work of a run that was killed. Variable "
        "CAUR_WORK_DIR, default: a folder in the state folder.",
        envvar="CAUR_WORK_DIR",
        show_envvar=False,
        show_default=False,
    ),
]
Packages = Annotated[
    list[str] | None,
    typer.Option(
        "--package",
        parser=options.named_as_completed,
        metavar="PACKAGE|all",
        help="Build this package as well, without a change. May be repeated.",
        autocompletion=completion.packages,
        show_default=False,
    ),
]
RetryFailed = Annotated[
    bool,
    typer.Option(
        "--retry-failed",
        help="Build again what failed in earlier runs. Without it that is done when the package's "
        "folder changes.",
    ),
]


def run(
    context: typer.Context,
    *,
    what: What = "on-commit",
    publish_to: PublishTo = "",
    workers: Workers = None,
    executor: Executor = None,
    timeout: Timeout = None,
    publish_every: PublishEvery = 1800.0,
    work_dir: WorkFolder = None,
    packages: Packages = None,
    retry_failed: RetryFailed = False,
    dry_run: options.DryRun = False,
    repo: options.Repo = Path(),
    remote: options.Remote = None,
    as_json: options.AsJson = False,
) -> int:
    """Do all of it here: decide what to build, build it, sign it, publish it. Needs no server.

    Runs `on-commit`, or that and `on-schedule`, then builds everything that waits in the outbox on
    branch `caur`, with workers and a queue of its own, until nothing is left. What is published at
    the target is picked up before, and brought there again with what is new: packages first, the
    databases last. Where nothing waits, the target is not touched. See docs/serverless.md.

    Packages are signed with the key in the variable GPG_PRIVATE_KEY, or the one in GPG_PATH.
    Outside of a pipeline a key is made where there is none.

    A run that is killed, stopped by `--timeout` or overtaken loses nothing: what was not published
    is still asked for, and the next run goes on. One run at a time builds for a repository.

    Ends with 0 if all was built, with 3 if packages failed or were left for the next run, with 75
    if another run is under way, or another upload to the target.
    """
    began = time.monotonic()
    session = session_of(context)
    _refuse_beside_queue(session)
    with redirect_stdout(sys.stderr) if as_json else nullcontext():
        decided = _decide(context, what, repo=repo, remote=remote, dry_run=dry_run)
        _ask_for(session, packages or (), repo, remote, retry_failed=retry_failed, dry_run=dry_run)
    wanted = _options(
        session,
        repo=repo,
        remote=remote,
        work_dir=work_dir,
        publish_to=publish_to,
        executor=executor,
        workers=workers,
        time_left=None if timeout is None else max(1.0, timeout - (time.monotonic() - began)),
        publish_every=publish_every,
    )
    if dry_run:
        return _show_waiting(session, wanted, decided, as_json=as_json)
    report = _build(session, wanted)
    _show(session, report, as_json=as_json)
    return decided if report.is_complete else ExitCode.PARTIAL


def _refuse_beside_queue(session: Session) -> None:
    if session.secrets.get("REDIS_URL") or any(map(os.environ.get, _NAMES_QUEUE)):
        raise InputError(
            "the environment names a queue: its workers build what is asked for",
            hint="`caur-ci schedule --outbox` hands it over. Or take REDIS_URL, REDIS_HOST and "
            "REDIS_SSH_HOST away.",
        )


def _decide(
    context: typer.Context, what: str, *, repo: Path, remote: str | None, dry_run: bool
) -> int:
    """Run the pipelines, and return the worst of their exit codes."""
    from caur_ci.cli.on_commit import on_commit  # noqa: PLC0415
    from caur_ci.cli.on_schedule import on_schedule  # noqa: PLC0415

    code = on_commit(context, repo=repo, remote=remote, dry_run=dry_run)
    if what == "on-schedule":
        # Without a push, on-schedule would wait for on-commit to deal with the commits.
        trigger = os.environ.get("TRIGGER", "")
        later = on_schedule(
            context, repo=repo, remote=remote, trigger=trigger, dry_run=dry_run, force=dry_run
        )
        code = max(code, later)
    return code


def _ask_for(
    session: Session,
    packages: Sequence[str],
    repo: Path,
    remote: str | None,
    *,
    retry_failed: bool,
    dry_run: bool,
) -> None:
    """Put builds into the outbox that no change asks for."""
    if not (packages or retry_failed):
        return
    from caur_ci.cli.hold import open_keeper  # noqa: PLC0415 - slow to import
    from caur_ci.cli.schedule_packages import (  # noqa: PLC0415
        NamedPackages,
        named_request,
        names_all,
    )
    from caur_ci.pipeline.manual.asking import put_into_outbox  # noqa: PLC0415

    keeper = open_keeper(session, repo, remote)
    memory, names = keeper.memory(), dict.fromkeys(packages)
    if retry_failed:
        folders = keeper.folders()
        failed = [it for it in memory.failed.packages if it in folders]
        names |= dict.fromkeys(it for it in failed if memory.holds.get(it) is None)
    if not names:
        session.note("no package failed in an earlier run")
        return
    request = named_request(
        NamedPackages(
            packages=tuple(names),
            target_repo=None,
            source_repo=None,
            commit=None,
            arch=None,
            arch_mirror="",
            deptree=None,
            without_order=False,
            repo=repo,
        )
    )
    if names_all(packages):
        request = _without_held(session, request, memory.holds)
    session.note(f"asked for by name: {', '.join(it.pkgbase for it in request.packages)}")
    if not dry_run:
        put_into_outbox(keeper, request, even_held=False)


def _without_held(session: Session, request: BuildRequest, holds: Holds) -> BuildRequest:
    held = [it.pkgbase for it in request.packages if holds.get(it.pkgbase) is not None]
    if held:
        session.note(f"on hold, so not asked for: {', '.join(held)}")
    rest = tuple(it for it in request.packages if it.pkgbase not in held)
    return replace(request, packages=rest)


def _options(
    session: Session,
    *,
    repo: Path,
    remote: str | None,
    work_dir: Path | None,
    publish_to: str,
    executor: str | None,
    workers: int | None,
    time_left: float | None,
    publish_every: float,
) -> StandaloneOptions:
    from caur_ci.pipeline.shared.options import RunOptions  # noqa: PLC0415 - slow to import
    from caur_ci.standalone.journey import StandaloneOptions, usual_work_dir  # noqa: PLC0415
    from caur_ci.standalone.settings import usual_executor, usual_workers  # noqa: PLC0415
    from scheduler.connection import default_state_dir  # noqa: PLC0415
    from scheduler.settings import ExecutorKind  # noqa: PLC0415

    of_run = RunOptions(repo=repo, remote=remote, environ=os.environ, secrets=session.secrets)
    return StandaloneOptions(
        run=of_run,
        work_dir=work_dir or usual_work_dir(of_run, default_state_dir()),
        publish_to=publish_to,
        executor=ExecutorKind(executor) if executor else usual_executor(os.environ),
        workers=workers or usual_workers(),
        time_left=time_left,
        publish_every=publish_every,
    )


def _show_waiting(
    session: Session, wanted: StandaloneOptions, decided: int, *, as_json: bool
) -> int:
    from caur_ci.cli.data import to_json  # noqa: PLC0415
    from caur_ci.pipeline.shared.context import RunContext  # noqa: PLC0415 - slow to import
    from caur_ci.standalone.journey import waiting_requests  # noqa: PLC0415

    requests = waiting_requests(RunContext.open(wanted.run))
    build = [package.pkgbase for request in requests for package in request.packages]
    remove = [name for request in requests for name in request.remove]
    if as_json:
        session.print_plain(to_json({"build": build, "remove": remove}))
    else:
        session.note(f"waiting in the outbox: {', '.join(build) or 'no build'}")
        session.note(f"to be removed: {', '.join(remove) or 'nothing'}")
        where = wanted.publish_to or "a folder of this machine"
        session.note(f"dry run: nothing was built, and nothing published at {where}")
    return decided


def _build(session: Session, wanted: StandaloneOptions) -> RunReport:
    from caur_ci.standalone.board import JobBoard  # noqa: PLC0415
    from caur_ci.standalone.journey import build_what_waits  # noqa: PLC0415 - slow to import
    from caur_ci.standalone.progress import progress_on  # noqa: PLC0415

    leave_to_handlers()
    board = JobBoard()
    with progress_on(session.err, board) as progress:
        return build_what_waits(wanted, board, progress)


def _show(session: Session, report: RunReport, *, as_json: bool) -> None:
    from caur_ci.cli.run_report import job_page, print_report  # noqa: PLC0415

    if as_json:
        from caur_ci.cli.data import to_json  # noqa: PLC0415

        session.print_plain(to_json(report.to_dict()))
    print_report(session, report, os.environ, to=session.err if as_json else session.out)
    job_page(session, report, os.environ)
