"""`caur-ci migrate`."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from caur_ci.cli import options
from caur_ci.cli.init import SourceRepo, TargetRepo
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import ExitCode

OriginOption = Annotated[
    Literal["template", "lilac", "folders"] | None,
    typer.Option(
        "--kind",
        help="What it is: of the bash template of infra 4.0, of lilac, or only folders. Default: "
        "what it looks like.",
        show_default=False,
    ),
]
ForgeOption = Annotated[
    Literal["gitlab", "github", "forgejo", "none"] | None,
    typer.Option(
        "--forge",
        help="Where its pipelines run. Default: the one whose pipeline is there.",
        show_default=False,
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it; without, it is only shown.")]


def migrate(
    context: typer.Context,
    *,
    origin: OriginOption = None,
    forge: ForgeOption = None,
    target_repo: TargetRepo = None,
    source_repo: SourceRepo = None,
    yes: Yes = False,
    repo: options.Repo = Path(),
    remote: options.Remote = None,
    as_json: options.AsJson = False,
) -> int:
    """Take over a repository that the bash template of infra 4.0, lilac or nobody keeps.

    Shows what would change, and with --yes, or after asking on a terminal, pushes it as one
    commit: the pipeline, `.ci/config`, `.gitignore`, and what lilac.yaml declares as `.CI/config`
    of the packages. Scripts of the template go. Tag `scheduled` and branch `state` stay valid, no
    package is built because of it, and `git revert` of the commit is the way back.
    """
    from caur_ci.pipeline.manual.journey import by_hand  # noqa: PLC0415 - slow to import
    from caur_ci.pipeline.manual.migrating import Migrate, Origin  # noqa: PLC0415
    from caur_ci.pipeline.shared.options import RunOptions  # noqa: PLC0415
    from caur_ci.setup.pipelines import Forge  # noqa: PLC0415

    session = session_of(context)
    operation = Migrate(
        origin=Origin(origin) if origin else None,
        forge=Forge(forge) if forge else None,
        target_repo=target_repo or "",
        source_repo=source_repo or "",
    )
    wanted = RunOptions(
        repo=repo, remote=remote, dry_run=True, environ=os.environ, secrets=session.secrets
    )
    shown = by_hand(wanted, operation)
    files = {path: "removed" if it is None else "written" for path, it in shown.edit.files.items()}
    if not as_json:
        for path, what in sorted(files.items()):
            session.out.print(f"{what:8} {path}", markup=False)
    for note in shown.edit.notes:
        session.warn(note)
    if shown.commit and (yes or (not as_json and _agreed())):
        done = by_hand(replace(wanted, dry_run=False), operation)
        session.note(f"pushed {done.commit[:12]}; `git revert {done.commit[:12]}` is the way back")
        _tell_next(session)
    else:
        done = shown
        session.note("nothing was changed" if files else "there is nothing to change")
    if as_json:
        _print_json(session, files, done.commit if done.published else "", shown.edit.notes)
    return ExitCode.OK


def _agreed() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and typer.confirm("Push this?")


def _tell_next(session: Session) -> None:
    session.note("`caur-ci doctor` tells what is missing; docs/shadow.md how to compare both first")


def _print_json(
    session: Session, files: dict[str, str], commit: str, notes: tuple[str, ...]
) -> None:
    from caur_ci.cli.data import to_json  # noqa: PLC0415

    session.print_plain(to_json({"files": files, "commit": commit, "notes": list(notes)}))
