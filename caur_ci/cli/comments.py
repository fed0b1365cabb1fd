"""`caur-ci comments`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from caur_ci.cli import options
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import ExitCode

if TYPE_CHECKING:
    from caur_ci.pipeline.commenting.journey import CommentsResult


def comments(
    context: typer.Context,
    *,
    repo: options.Repo = Path(),
    remote: options.Remote = None,
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> int:
    """Do what people ask for in comments on issues and requests, and answer them there.

    A line `/caur retry|bump|hold|unhold|why PACKAGE…` counts if the forge lets its author push,
    outside of quotes and code; after a colon comes the reason. It works in pipelines of GitLab and
    GitHub. The first run of all only remembers where to begin.

    Ends with 0 if all is well, with 3 if something was left to the next run or an answer was
    refused, and with 75 where the forge cannot be read.
    """
    from caur_ci.pipeline.commenting.journey import obey_comments  # noqa: PLC0415 - slow to import
    from caur_ci.pipeline.shared.options import RunOptions  # noqa: PLC0415
    from caur_ci.review import choose_forge  # noqa: PLC0415

    session = session_of(context)
    wanted = RunOptions(
        repo=repo, remote=remote, dry_run=dry_run, environ=os.environ, secrets=session.secrets
    )
    result = obey_comments(wanted, choose_forge(os.environ, session.secrets))
    if as_json:
        session.print_plain(session.secrets.redact(_as_json(result)))
    else:
        _show(session, result, dry_run=dry_run)
    for note in result.notes:
        session.note(note)
    for problem in result.problems:
        session.warn(problem)
    return ExitCode.PARTIAL if result.problems else ExitCode.OK


def _show(session: Session, result: CommentsResult, *, dry_run: bool) -> None:
    for obeyed in result.obeyed:
        comment = obeyed.order.comment
        place = f"{comment.place.kind} {comment.place.number}"
        session.out.print(f"{comment.account.name} in {place}:", markup=False)
        for told in obeyed.told:
            session.out.print(f"  {session.secrets.redact(str(told))}", markup=False)
    if not result.obeyed:
        session.out.print("nobody asked for anything")
    if dry_run:
        session.note("dry run: nothing was done, remembered or answered")


def _as_json(result: CommentsResult) -> str:
    from caur_ci.cli.data import to_json  # noqa: PLC0415

    return to_json(
        {
            "comments": [
                {
                    "id": it.order.comment.id,
                    "url": it.order.comment.url,
                    "account": it.order.comment.account.name,
                    "place": it.order.comment.place,
                    "commands": it.order.commands,
                    "told": it.told,
                }
                for it in result.obeyed
            ],
            "notes": result.notes,
            "problems": result.problems,
            "waiting": result.waiting,
        }
    )
