"""`caur-ci shadow`: what would have been decided, beside a pipeline of the existing system."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from caur_ci.cli import options
from caur_ci.cli.help import Application
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import ExitCode, InputError

if TYPE_CHECKING:
    from caur_ci.pipeline.shadow.effects import Comparison

app = Application()

_LARGEST = 64 * 1024**2

PlanFile = Annotated[Path, typer.Argument(metavar="FILE", help="Where the plan is kept.")]
WhichJourney = Annotated[
    Literal["on-commit", "on-schedule"] | None,
    typer.Option(
        "--journey",
        help="Which pipeline it is beside. Default: on-schedule where the tag `scheduled` is at "
        "HEAD, otherwise on-commit.",
        show_default=False,
    ),
]
ScheduleParams = Annotated[
    Path | None,
    typer.Option(
        "--schedule-params",
        metavar="FILE",
        help="The other pipeline's .ci/schedule-params.txt, to compare builds and removals too. It "
        "is read, not run.",
        show_default=False,
    ),
]


@app.command("plan")
def plan(
    context: typer.Context,
    file: PlanFile,
    *,
    repo: options.Repo = Path(),
    remote: options.Remote = None,
    journey: WhichJourney = None,
) -> int:
    """Work out what on-commit or on-schedule would do now, and keep it in FILE.

    Run this at the commit that the other pipeline begins with, before it changes anything. Nothing
    is written but FILE, and nothing is pushed.
    """
    from caur_ci.pipeline.shadow.ours import Journey, shadow_plan  # noqa: PLC0415 - slow to import
    from caur_ci.pipeline.shared.options import RunOptions  # noqa: PLC0415

    session = session_of(context)
    wanted = RunOptions(
        repo=repo, remote=remote, environ=os.environ, secrets=session.secrets, dry_run=True
    )
    made = shadow_plan(wanted, Journey(journey) if journey else None)
    try:
        file.write_text(made.to_json(), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror}") from error
    for note in made.notes:
        session.note(note)
    busy = sum(bool(effect.deeds) for effect in made.effects.values())
    session.note(f"{made.journey} at {made.head[:12]}: {busy} packages; kept in {file}")
    return ExitCode.OK


@app.command("compare")
def compare(
    context: typer.Context,
    file: PlanFile,
    *,
    repo: options.Repo = Path(),
    remote: options.Remote = None,
    schedule_params: ScheduleParams = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with 1 where there are differences.")
    ] = False,
    as_json: options.AsJson = False,
) -> int:
    """Tell where the plan in FILE differs from what the other pipeline has done since, and why.

    Its commits and the branches of its reviews are looked at on the remote, what it asked to be
    built in its schedule-params.txt. Packages that people changed meanwhile are left out.
    """
    from caur_ci.pipeline.shadow.ours import ShadowPlan  # noqa: PLC0415 - slow to import
    from caur_ci.pipeline.shadow.theirs import HandedOver  # noqa: PLC0415
    from caur_ci.pipeline.shadow.theirs import compare as compared  # noqa: PLC0415
    from caur_ci.pipeline.shared.context import RunContext  # noqa: PLC0415
    from caur_ci.pipeline.shared.options import RunOptions  # noqa: PLC0415

    session = session_of(context)
    made = ShadowPlan.from_json(_read(file), origin=str(file))
    handed_over = None
    if schedule_params is not None:
        handed_over = HandedOver.parse(_read(schedule_params), origin=str(schedule_params))
    run = RunContext.open(
        RunOptions(repo=repo, remote=remote, environ=os.environ, secrets=session.secrets)
    )
    found = compared(run, made, handed_over)
    if as_json:
        session.print_plain(json.dumps(found.to_dict(), indent=2))
    else:
        _show(session, found)
    return ExitCode.FAILED if exit_code and found.differences else ExitCode.OK


def _show(session: Session, found: Comparison) -> None:
    for note in found.notes:
        session.note(note)
    if found.differences:
        from caur_ci.cli.tables import table  # noqa: PLC0415 - slow to import

        rows = table("", None, "package", "ours", "theirs", "our reason", "their reason")
        for it in found.differences:
            rows.add(it.package, it.ours, it.theirs, it.our_reason, it.their_reason)
        session.out.print(rows)
    else:
        session.out.print("no differences")
    session.note(f"{len(found.differences)} packages differ, {found.agreed} are treated alike")


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path} has more than {_LARGEST} bytes")
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
