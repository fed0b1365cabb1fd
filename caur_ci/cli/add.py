"""`caur-ci add`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli import options
from caur_ci.cli.manual import Reason, perform
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import ExitCode, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caur_ci.pipeline.manual.adding import AddPackages
    from caur_ci.pipeline.manual.candidates import Candidate

Additions = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PACKAGE[/SOURCE]",
        help="The name of the folder, and where its files come from: `aur`, which is the default, "
        "or the URL of a Git repository. Variable ADD_PACKAGES.",
        show_default=False,
    ),
]
Origin = Annotated[
    str,
    typer.Option(
        "--origin",
        metavar="TEXT",
        help="Who asked for it, or the address of the request. Variable REQUEST_ORIGIN.",
        show_default=False,
    ),
]
WithDependencies = Annotated[
    bool,
    typer.Option("--with-dependencies", help="Add what they need of the AUR, too."),
]
DespiteFindings = Annotated[
    bool,
    typer.Option(
        "--despite-findings", help="Add them though the judge or the policy wants people to look."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask on a terminal.")]


def add(
    context: typer.Context,
    *,
    packages: Additions = None,
    origin: Origin = "",
    reason: Reason = "",
    with_dependencies: WithDependencies = False,
    despite_findings: DespiteFindings = False,
    yes: Yes = False,
    repo: options.Repo = Path(),
    remote: options.Remote = None,
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> int:
    """Add packages from the AUR or other Git repositories, and keep them current from there.

    All their files are judged as the judge sees them: new. What is odd about them, their licenses,
    what is in the distribution or here already, and what they need of the AUR is told before
    anything is done. It is one commit on top of the remote's branch, which is dealt with at once,
    as on-commit does. `.CI/info` keeps who asked for it and why.

    Ends with 1, and adds nothing, where one of them cannot be had or somebody has to look at it.
    """
    from caur_ci.pipeline.manual.adding import Request, additions  # noqa: PLC0415 - slow to import
    from caur_ci.pipeline.manual.candidates import Wanted  # noqa: PLC0415
    from caur_ci.pipeline.shared.options import RunOptions  # noqa: PLC0415

    session, environ = session_of(context), os.environ
    given = packages or environ.get("ADD_PACKAGES", "").split()
    if not given:
        raise InputError("no package is named", hint="Name them, or set ADD_PACKAGES to a list.")
    wanted = {it.name: it for it in map(Wanted.parse, given)}
    request = Request(
        origin=origin or environ.get("REQUEST_ORIGIN", ""),
        reason=reason or environ.get("REQUEST_REASON", ""),
    )
    run = RunOptions(
        repo=repo, remote=remote, dry_run=dry_run, environ=environ, secrets=session.secrets
    )
    adding = additions(
        run,
        list(wanted.values()),
        request=request,
        with_dependencies=with_dependencies,
        despite_findings=despite_findings,
    )
    with adding as operation:
        if not as_json:
            _show(session, operation)
        asks = not (yes or dry_run or as_json) and sys.stdin.isatty() and sys.stdout.isatty()
        if asks and not typer.confirm("Add them?"):
            session.note("nothing was done")
            return ExitCode.OK
        return perform(session, run, operation, as_json=as_json)


def _show(session: Session, operation: AddPackages) -> None:
    from caur_ci.cli.tables import table  # noqa: PLC0415 - slow to import

    rows = table("", None, "package", "version", "from", "license", "found")
    for one in operation.added:
        rows.add(
            one.name,
            one.fields.version,
            one.wanted.source,
            ", ".join(one.licenses) or "-",
            ", ".join(_codes(one)) or "-",
        )
    session.out.print(rows)
    for obstacle in operation.obstacles() if operation.despite_findings else ():
        session.warn(obstacle)


def _codes(candidate: Candidate) -> Iterable[str]:
    return dict.fromkeys(it.code for it in candidate.decided.judgement.findings)
