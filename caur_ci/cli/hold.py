"""`caur-ci hold` and `caur-ci unhold`."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli import completion, options
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import CaurError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from caur_ci.pipeline.holding import Keeper
    from caur_ci.pipeline.shared.memory.holds import Hold

Packages = Annotated[
    list[str],
    typer.Argument(
        parser=options.named_as_completed,
        metavar="PACKAGE",
        help="Package folders; the pkgbase or a package's name does as well.",
        autocompletion=completion.packages,
        show_default=False,
    ),
]
Reason = Annotated[
    str,
    typer.Option(
        "--reason", metavar="TEXT", help="What others are told about it.", show_default=False
    ),
]


def hold(
    context: typer.Context,
    *,
    packages: Packages,
    reason: Reason = "",
    repo: options.Repo = Path(),
    remote: options.Remote = None,
    redis: options.Redis = None,
    as_json: options.AsJson = False,
) -> None:
    """Freeze packages: nothing new is taken over or built until `caur-ci unhold`.

    It is remembered on branch `caur` of the remote, with who and when, and counts for all runs from
    then on. What is changed or asked for meanwhile, also by `[deploy NAME]`, is built afterwards.
    What is published stays so; `caur-ci recall` takes it away. Jobs that are in the queue already
    go on, and are named.
    """
    from caur_ci.cli.working_tree import as_folders  # noqa: PLC0415

    session = session_of(context)
    names = as_folders(packages, repo)
    held = open_keeper(session, repo, remote).hold(names, reason)
    _show(session, held, "{}", as_json=as_json)
    for job in _unfinished(session, redis, repo, names):
        session.warn(job)


def unhold(
    context: typer.Context,
    *,
    packages: Packages,
    repo: options.Repo = Path(),
    remote: options.Remote = None,
    as_json: options.AsJson = False,
) -> None:
    """Let packages go that are on hold, whoever or whatever put them there.

    What was left out meanwhile is built by the next run of on-schedule, or of on-commit if that
    comes first. One that was recalled may be published again.
    """
    from caur_ci.cli.working_tree import as_folders  # noqa: PLC0415

    session = session_of(context)
    held = open_keeper(session, repo, remote).unhold(as_folders(packages, repo))
    _show(session, held, "let go; it was {}", as_json=as_json)
    for name, before in held.items():
        if before.left_out:
            session.note(
                f"{name} is built by the next on-schedule, or with the next change: "
                f"{before.left_out}"
            )


def open_keeper(session: Session, repo: Path, remote: str | None) -> Keeper:
    """Return whoever runs this, in the repository of PKGBUILDs. Raises GitError and InputError."""
    from caur_ci.pipeline.holding import Keeper  # noqa: PLC0415 - slow to import
    from caur_ci.pipeline.shared.context import RunContext  # noqa: PLC0415
    from caur_ci.pipeline.shared.options import RunOptions  # noqa: PLC0415

    wanted = RunOptions(repo=repo, remote=remote, environ=os.environ, secrets=session.secrets)
    return Keeper.of(RunContext.open(wanted), time.time())


def _show(session: Session, held: Mapping[str, Hold], told: str, *, as_json: bool) -> None:
    from caur_ci.cli.data import to_json  # noqa: PLC0415

    if as_json:
        session.print_plain(to_json(dict(held)))
        return
    for name, it in held.items():
        session.out.print(f"{name}: {told.format(it)}", markup=False)


def _unfinished(
    session: Session, redis: str | None, repo: Path, packages: Iterable[str]
) -> Iterable[str]:
    """Return what is to be told of jobs that go on although their packages are on hold."""
    from caur_ci.cli.queue_connection import known_queue  # noqa: PLC0415 - slow to import
    from caur_ci.cli.queue_view import state_of  # noqa: PLC0415

    try:
        queue = known_queue(session, redis, repo)
        jobs = [job for name in packages for job in queue.find(name)] if queue else []
    except CaurError as error:
        return [f"whether the queue has jobs for what is on hold is not known: {error.message}"]
    return [
        f"job {job.job_id} is {state_of(job)}, and goes on: `caur-ci queue cancel {job.identity}` "
        "ends it"
        for job in jobs
        if job.outcome is None
    ]
