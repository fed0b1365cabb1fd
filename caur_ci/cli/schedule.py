"""`caur-ci schedule`."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from caur_ci.cli import completion
from caur_ci.cli.options import (
    AnyArch,
    AsJson,
    Redis,
    Remote,
    Repo,
    Strict,
    named_as_completed,
    package_list,
)
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import CaurError, ExitCode, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from caur_ci.pipeline.handover import HandOver
    from caur_ci.request import BuildRequest
    from scheduler.queue import Queue, Submission


Packages = Annotated[
    list[str] | None,
    typer.Argument(
        parser=named_as_completed,
        metavar="PACKAGE[/CLASS]|all",
        help="Packages to build, by a worker of this class or higher, or of this name; `a:b` and "
        "`a,b` are lists. Variable PACKAGES, with --into-outbox.",
        autocompletion=completion.packages,
        show_default=False,
    ),
]
FromFile = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="FILE",
        help="Hand over the request in this file, as `caur-ci on-commit` wrote it to "
        ".ci/schedule.json.",
        show_default=False,
    ),
]
Outbox = Annotated[
    bool,
    typer.Option(
        "--outbox", help="Hand over every request that the queue has not acknowledged yet."
    ),
]
IntoOutbox = Annotated[
    bool,
    typer.Option(
        "--into-outbox",
        help="Hand packages named here over later: put the request into the outbox on branch "
        "`caur`, where the next `--outbox` finds it. It needs no queue.",
    ),
]
TargetRepo = Annotated[
    str | None,
    typer.Option(
        "--target-repo",
        metavar="NAME",
        help="The pacman repository to publish in. Default: REPO_NAME of .ci/config.",
        show_default=False,
    ),
]
SourceRepo = Annotated[
    str | None,
    typer.Option(
        "--source-repo",
        metavar="NAME",
        help="The repository that the PKGBUILDs are in. Default: BUILD_REPO of .ci/config.",
        show_default=False,
    ),
]
Commit = Annotated[
    str | None,
    typer.Option(
        "--commit",
        metavar="SHA[:PIPELINE]",
        help="The commit to build, and the pipeline that asks. Default: HEAD of --repo.",
        show_default=False,
    ),
]
ArchMirror = Annotated[
    str,
    typer.Option(
        "--arch-mirror",
        metavar="URL",
        help="The mirror that builds take packages from.",
        show_default=False,
    ),
]
Tree = Annotated[
    str | None,
    typer.Option(
        "--deptree",
        metavar="TREE",
        help="The dependency tree in its one-line form. Default: the file .ci/deptree.txt, or "
        "else what HEAD says.",
        show_default=False,
    ),
]
WithoutOrder = Annotated[
    bool, typer.Option("--without-order", help="Build without knowing the dependencies.")
]
OnFailure = Annotated[
    Literal["proceed", "hold"] | None,
    typer.Option(
        "--on-failure",
        help="What packages named here do when one that they depend on fails to build: they are "
        "built all the same, or held until it succeeds. Default: proceed.",
        show_default=False,
    ),
]
OnRunning = Annotated[
    Literal["follow", "cancel"] | None,
    typer.Option(
        "--on-running",
        help="What becomes of a running build of a package named here: it goes on and the new one "
        "follows it, or it is canceled. Default: follow.",
        show_default=False,
    ),
]
AllowDowngrade = Annotated[
    bool,
    typer.Option(
        "--allow-downgrade",
        help="Publish packages named here also if they are older than the published ones.",
    ),
]
EvenHeld = Annotated[
    bool,
    typer.Option(
        "--even-held",
        help="Build packages named here also if they are on hold, or if nobody can tell.",
    ),
]


def schedule(
    context: typer.Context,
    *,
    packages: Packages = None,
    document: FromFile = None,
    outbox: Outbox = False,
    into_outbox: IntoOutbox = False,
    target_repo: TargetRepo = None,
    source_repo: SourceRepo = None,
    commit: Commit = None,
    arch: AnyArch = None,
    arch_mirror: ArchMirror = "",
    deptree: Tree = None,
    without_order: WithoutOrder = False,
    on_failure: OnFailure = None,
    on_running: OnRunning = None,
    allow_downgrade: AllowDowngrade = False,
    even_held: EvenHeld = False,
    repo: Repo = Path(),
    remote: Remote = None,
    redis: Redis = None,
    strict: Strict = False,
    as_json: AsJson = False,
) -> int:
    """Hand builds over to the queue.

    Either what a pipeline asked for (`--outbox`, or `--from FILE`), or the packages named here,
    in the order in which they need each other.
    Handing the same request over again is harmless. Packages that are on hold are refused (see
    `caur-ci hold`).

    Ends with 3 if the queue refused some of the jobs.
    """
    from caur_ci.cli.queue_connection import open_queue_for_hand_over  # noqa: PLC0415
    from caur_ci.cli.schedule_packages import NamedPackages, named_request  # noqa: PLC0415

    session = session_of(context)
    if into_outbox and not packages:
        packages = package_list(os.environ.get("PACKAGES", ""))
    if sum((bool(packages), document is not None, outbox)) != 1:
        raise InputError("say what to hand over: packages, or --from FILE, or --outbox")
    if not packages and (into_outbox or on_failure or on_running or allow_downgrade or even_held):
        raise InputError(
            "--into-outbox, --on-failure, --on-running, --allow-downgrade and --even-held are for "
            "packages named here"
        )
    open_queue = partial(open_queue_for_hand_over, session, redis, repo, strict=strict)
    if outbox:
        result = _hand_over_outbox(session, open_queue(), repo, remote)
    elif document is not None:
        result = _hand_over(open_queue, _request_in(document))
    else:
        named = NamedPackages(
            packages=tuple(packages or ()),
            target_repo=target_repo,
            source_repo=source_repo,
            commit=commit,
            arch=arch,
            arch_mirror=arch_mirror,
            deptree=deptree,
            without_order=without_order,
            repo=repo,
            on_failure=on_failure or "proceed",
            on_running=on_running or "follow",
            on_older="publish" if allow_downgrade else "refuse",
        )
        request = named_request(named)
        if into_outbox:
            return _put_into_outbox(session, request, repo, remote, even_held=even_held)
        if not even_held:
            _refuse_held(session, request, repo, remote)
        result = _hand_over(open_queue, request)
    return _report(session, result, as_json=as_json)


def _refuse_held(session: Session, request: BuildRequest, repo: Path, remote: str | None) -> None:
    """Raise InputError where one of the packages is on hold; outside of a repository none is."""
    from caur_ci.cli.holds import current_holds  # noqa: PLC0415 - slow to import
    from caur_ci.pipeline.manual.asking import refuse_held  # noqa: PLC0415

    try:
        holds = current_holds(session, repo, remote)
    except CaurError as error:
        raise type(error)(
            f"which packages are on hold is not known: {error.message}",
            hint="--even-held schedules them without asking.",
        ) from error
    refuse_held(request, holds)


def _put_into_outbox(
    session: Session, request: BuildRequest, repo: Path, remote: str | None, *, even_held: bool
) -> int:
    from caur_ci.cli.hold import open_keeper  # noqa: PLC0415 - slow to import
    from caur_ci.pipeline.manual.asking import put_into_outbox  # noqa: PLC0415

    put_into_outbox(open_keeper(session, repo, remote), request, even_held=even_held)
    count = len({package.pkgbase for package in request.packages})
    session.out.print(
        f"request {request.request_id} is in the outbox: {count} "
        f"package{'s' if count != 1 else ''}; `caur-ci schedule --outbox` hands it over",
        markup=False,
    )
    return ExitCode.OK


def _hand_over(open_queue: Callable[[], Queue], request: BuildRequest) -> HandOver:
    from caur_ci.pipeline.handover import hand_over  # noqa: PLC0415 - slow to import

    return hand_over(open_queue(), [request])


def _hand_over_outbox(session: Session, queue: Queue, repo: Path, remote: str | None) -> HandOver:
    from caur_ci.cli.head_config import head_config  # noqa: PLC0415
    from caur_ci.cli.pipeline_runs import tell_of_hand_over  # noqa: PLC0415
    from caur_ci.git import GitRepository, Identity  # noqa: PLC0415
    from caur_ci.pipeline.handover import hand_over_outbox  # noqa: PLC0415
    from caur_ci.pipeline.shared.forge import ForgePipeline  # noqa: PLC0415
    from caur_ci.pipeline.shared.refs import SharedRepository  # noqa: PLC0415

    git = GitRepository.open(repo)
    pipeline = ForgePipeline.from_environment(os.environ)
    shared = SharedRepository.open(
        git, remote=remote, credentials=pipeline.credentials(session.secrets)
    )
    config = head_config(git)
    result = hand_over_outbox(
        queue,
        shared,
        identity=Identity(config.author_name, config.author_email),
        push_options=pipeline.push_options(),
    )
    tell_of_hand_over(session, queue, result, config, os.environ)
    return result


def _request_in(document: Path) -> BuildRequest:
    from caur_ci.request import BuildRequest  # noqa: PLC0415 - slow to import

    try:
        text = document.read_bytes()
    except OSError as error:
        raise InputError(
            f"{document} cannot be read: {error.strerror}",
            hint="`caur-ci on-commit` writes .ci/schedule.json.",
        ) from error
    return BuildRequest.from_json(text, origin=str(document))


def _report(session: Session, result: HandOver, *, as_json: bool) -> int:
    refused = [refusal for done in result.submissions for refusal in done.refused]
    for refusal in refused:
        session.warn(f"{refusal.identity} was refused: {refusal.reason}")
    if result.acknowledge_error:
        session.warn(
            "the requests are in the queue, but stay in the outbox: " + result.acknowledge_error
        )
    if as_json:
        session.print_plain(json.dumps([asdict(done) for done in result.submissions], indent=2))
    else:
        for done in result.submissions:
            session.out.print(f"request {done.request_id}: {_summary(done)}", markup=False)
        if not result.submissions:
            session.out.print("nothing to hand over")
    return ExitCode.PARTIAL if refused else ExitCode.OK


def _summary(done: Submission) -> str:
    if done.known:
        return "known already, nothing was done"
    counts = {
        "queued": len(done.jobs),
        "replacing waiting ones": len(done.replaced),
        "to follow running ones": len(done.successors),
        "removals": len(done.removals),
        "canceled": len(done.canceled),
        "refused": len(done.refused),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "empty"
