"""`caur-ci auto-repo-remove`."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Annotated

import typer

from caur_ci.cli import options
from caur_ci.cli.session import session_of
from caur_ci.errors import InputError


def auto_repo_remove(
    context: typer.Context,
    *,
    kept: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PKGBASE]...", help="The same as --keep, for each of them.", show_default=False
        ),
    ] = None,
    target_repo: Annotated[
        str, typer.Option(metavar="NAME", help="The pacman repository.", show_default=False)
    ],
    keep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PKGBASE", help="Remove all but these. May be repeated.", show_default=False
        ),
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option(metavar="PKGBASE", help="Remove these. May be repeated.", show_default=False),
    ] = None,
    arch: options.Arch = "x86_64",
    repo: options.Repo = Path(),
    redis: options.Redis = None,
) -> None:
    """Take packages out of a pacman repository that no folder stands for any more.

    Names given without an option are those to **keep**, as the existing system has it. The
    database runner does the work; packages of a split package go with their pkgbase.
    """
    from caur_ci.cli.queue_connection import open_queue_for_hand_over  # noqa: PLC0415
    from caur_ci.names import (  # noqa: PLC0415
        check_architecture,
        check_package_name,
        check_repository_name,
    )
    from scheduler.job import Removal  # noqa: PLC0415

    session = session_of(context)
    to_keep = (*(kept or ()), *(keep or ()))
    to_remove = tuple(remove or ())
    if bool(to_keep) == bool(to_remove):
        raise InputError(
            "say either which packages to keep, or with --remove which to remove",
            hint="An empty list of packages to keep is refused: it would empty the repository.",
        )
    removal = Removal(
        target_repo=check_repository_name(target_repo),
        arch=check_architecture(arch),
        remove=tuple(check_package_name(name) for name in to_remove),
        keep=tuple(check_package_name(name) for name in to_keep),
    )
    queue = open_queue_for_hand_over(session, redis, repo)
    queue.submit(uuid.uuid4().hex, [], [removal])
    what = "all but" if to_keep else "removing"
    session.out.print(
        f"queued for {target_repo}: {what} {len(to_keep or to_remove)} packages", markup=False
    )
