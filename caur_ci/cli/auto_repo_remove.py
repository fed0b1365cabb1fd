"""`caur-ci auto-repo-remove`."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli import options
from caur_ci.cli.architectures import architectures_of
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import ExitCode, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.job import Removal
    from scheduler.queue import Queue

_COMMIT = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})(?::[0-9]{1,20})?")


Kept = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PKGBASE", help="The same as --keep, for each of them.", show_default=False
    ),
]
TargetRepo = Annotated[
    str,
    typer.Option(
        "--target-repo", metavar="NAME", help="The pacman repository.", show_default=False
    ),
]
Keep = Annotated[
    list[str] | None,
    typer.Option(
        "--keep",
        metavar="PKGBASE",
        help="Remove all but these. May be repeated.",
        show_default=False,
    ),
]
Remove = Annotated[
    list[str] | None,
    typer.Option(
        "--remove", metavar="PKGBASE", help="Remove these. May be repeated.", show_default=False
    ),
]
Commit = Annotated[
    str,
    typer.Option(
        "--commit",
        metavar="SHA[:PIPELINE]",
        help="The commit that says so, as the existing system hands it over.",
        show_default=False,
    ),
]
Confirm = Annotated[
    bool,
    typer.Option(
        "--confirm",
        help="Remove also a large share of the repository. Without names: carry out the removals "
        "that are held back because nobody has confirmed them.",
    ),
]
Dismiss = Annotated[bool, typer.Option("--dismiss", help="Forget the removals that are held back.")]


def auto_repo_remove(
    context: typer.Context,
    *,
    kept: Kept = None,
    target_repo: TargetRepo,
    keep: Keep = None,
    remove: Remove = None,
    commit: Commit = "",
    confirm: Confirm = False,
    dismiss: Dismiss = False,
    wait: options.Wait = 0.0,
    arch: options.AnyArch = None,
    repo: options.Repo = Path(),
    redis: options.Redis = None,
) -> int:
    """Take packages out of a pacman repository that no folder stands for any more.

    Names are those of folders. Given without an option they are those to **keep**, as the existing
    system has it. The database runner does the work; packages of a split package go together. A
    removal of a large share of the repository (REPO_REMOVAL_SHARE) is held back until it is
    confirmed; `caur-ci queue removals` shows it.

    With --wait, ends with 3 if the removal is held back, with 1 if it failed.
    """
    from caur_ci.cli.queue_connection import open_queue_for_hand_over  # noqa: PLC0415
    from caur_ci.cli.removal_report import report_removals  # noqa: PLC0415

    session = session_of(context)
    architectures = architectures_of(arch, repo)
    to_keep, to_remove = (*(kept or ()), *(keep or ())), tuple(remove or ())
    if not to_keep and not to_remove and (confirm or dismiss):
        queue = open_queue_for_hand_over(session, redis, repo)
        after = queue.last_event_id()
        ids = _settle(session, queue, target_repo, architectures, dismiss=dismiss)
        return (
            ExitCode.OK if dismiss else report_removals(session, queue, ids, after=after, wait=wait)
        )
    if dismiss:
        raise InputError("--dismiss is about removals that are held back; it goes without names")
    if commit and _COMMIT.fullmatch(commit) is None:
        raise InputError(f"{commit!a} is no commit: SHA or SHA:PIPELINE is meant by --commit")
    removals = [
        _removal(target_repo, each, to_keep, to_remove, confirmed=confirm) for each in architectures
    ]
    queue = open_queue_for_hand_over(session, redis, repo)
    after = queue.last_event_id()
    submission = queue.submit(uuid.uuid4().hex, [], removals)
    what = "all but" if to_keep else "removing"
    session.out.print(
        f"queued for {target_repo}: {what} {len(to_keep or to_remove)} packages", markup=False
    )
    return report_removals(session, queue, submission.removals, after=after, wait=wait)


def _removal(
    target_repo: str, arch: str, keep: Sequence[str], remove: Sequence[str], *, confirmed: bool
) -> Removal:
    from caur_ci.names import (  # noqa: PLC0415
        check_architecture,
        check_package_name,
        check_repository_name,
    )
    from scheduler.job import Removal  # noqa: PLC0415

    if bool(keep) == bool(remove):
        raise InputError(
            "say either which packages to keep, or with --remove which to remove",
            hint="An empty list of packages to keep is refused: it would empty the repository.",
        )
    return Removal(
        target_repo=check_repository_name(target_repo),
        arch=check_architecture(arch),
        remove=tuple(check_package_name(name) for name in remove),
        keep=tuple(check_package_name(name) for name in keep),
        confirmed=confirmed,
    )


def _settle(
    session: Session, queue: Queue, target_repo: str, architectures: Sequence[str], *, dismiss: bool
) -> Sequence[int]:
    """Confirm or dismiss what is held back, and return the ids."""
    settle = queue.dismiss_removals if dismiss else queue.confirm_removals
    ids = [id_ for arch in architectures for id_ in settle(target_repo, arch)]
    if not ids:
        raise InputError(
            f"no removal from {target_repo}/{' or '.join(architectures)} is held back",
            hint="To remove packages, name those to keep, or with --remove those to remove.",
        )
    numbers = ", ".join(map(str, ids))
    session.out.print(f"{'dismissed' if dismiss else 'confirmed'}: removal {numbers}", markup=False)
    return ids
