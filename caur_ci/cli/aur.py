"""`caur-ci aur`: packages that are maintained here and pushed to the AUR."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli import completion, options
from caur_ci.cli.aur_report import aur_exit_code, print_aur_report
from caur_ci.cli.data import to_json
from caur_ci.cli.help import Application
from caur_ci.cli.session import Session, session_of
from caur_ci.cli.tables import table
from caur_ci.cli.working_tree import as_folders
from caur_ci.errors import ExitCode, InputError
from caur_ci.pipeline.aur_pushing.journey import push_to_aur
from caur_ci.pipeline.aur_pushing.outcome import AurState
from caur_ci.pipeline.aur_pushing.round import AurRound
from caur_ci.pipeline.shared.context import RunContext
from caur_ci.pipeline.shared.options import RunOptions

if TYPE_CHECKING:
    from caur_ci.pipeline.aur_pushing.adoption import AdoptionCheck, Ownership
    from caur_ci.pipeline.aur_pushing.outcome import AurReport

app = Application(name="aur", no_args_is_help=True)

Packages = Annotated[
    list[str] | None,
    typer.Argument(
        parser=options.named_as_completed,
        metavar="PACKAGE",
        help="Package folders; the pkgbase or a package's name does as well. Default: all that "
        "are pushed.",
        autocompletion=completion.packages,
        show_default=False,
    ),
]
_COMMIT = re.compile(r"[0-9a-f]{8,64}")
_RUN = "caur-ci aur push"


@app.command()
def push(
    context: typer.Context,
    *,
    packages: Packages = None,
    over: Annotated[
        str,
        typer.Option(
            "--over",
            metavar="COMMIT",
            help="Push on top of this commit of others, which you have seen. Nothing of their "
            "history is lost, but the files are ours then.",
            show_default=False,
        ),
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be pushed, and how it differs.")
    ] = False,
    repo: options.Repo = Path(),
    remote: options.Remote = None,
    as_json: options.AsJson = False,
) -> int:
    """Push packages to the AUR that it does not have as they are here.

    What counts is the tip of the branch on the remote, not what is checked out. Packages have
    CI_MANAGE_AUR=true in .ci/config and in their own .CI/config; on-commit and on-schedule push
    them by themselves. Packages that are named are looked at whatever is remembered of them.

    The private key is in the variable AUR_KEY, or in a file whose path is there.

    Ends with 3 if the AUR refuses something, or others have pushed there, and with 75 if something
    has to wait.
    """
    session = session_of(context)
    names = as_folders(packages or (), repo)
    _check_over(over, names)
    run_context = _open(session, repo, remote)
    report = push_to_aur(
        run_context,
        AurRound(
            run=_RUN,
            now=time.time(),
            packages=names,
            asked=bool(names),
            over=over,
            dry_run=dry_run,
        ),
    ).redacted(session.secrets)
    if as_json:
        session.print_plain(to_json(report))
    else:
        _show_pushes(session, report)
    print_aur_report(session, report, asked=True)
    if report.needs_somebody:
        return aur_exit_code(report)
    return ExitCode.TEMPORARY if report.waits else ExitCode.OK


@app.command()
def status(
    context: typer.Context,
    *,
    packages: Packages = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Ask the AUR about each of them."),
    ] = False,
    repo: options.Repo = Path(),
    remote: options.Remote = None,
    as_json: options.AsJson = False,
) -> int:
    """List how packages stand with the AUR.

    In step, to be pushed, waiting, refused, or diverged: that others have pushed there. It is told
    from what is remembered on branch `caur`; what others have pushed since then, only `--check`
    finds. It asks by ssh where AUR_KEY is set, else over the web.

    Ends with 3 if something is refused or diverged.
    """
    session = session_of(context)
    report = push_to_aur(
        _open(session, repo, remote),
        AurRound(
            run=_RUN,
            now=time.time(),
            packages=as_folders(packages or (), repo),
            asked=True,
            dry_run=True,
            offline=not check,
        ),
    ).redacted(session.secrets)
    if as_json:
        session.print_plain(to_json(report))
    else:
        _show_standing(session, report)
    for problem in report.problems:
        session.fail(problem)
    return aur_exit_code(report)


@app.command("adopt-check")
def adopt_check(
    context: typer.Context,
    *,
    packages: Packages = None,
    repo: options.Repo = Path(),
    remote: options.Remote = None,
    as_json: options.AsJson = False,
) -> int:
    """Tell who maintains packages at the AUR, and what to do where we may not push.

    With AUR_KEY, the AUR tells whose account it opens. Ends with 1 if one of the packages cannot be
    pushed by that account.
    """
    from caur_ci.pipeline.aur_pushing.adoption import check_adoption  # noqa: PLC0415 - web

    session = session_of(context)
    found = check_adoption(_open(session, repo, remote), as_folders(packages or (), repo))
    if as_json:
        session.print_plain(to_json(found))
    else:
        _show_adoption(session, found)
    hindered = any(it.may_push is False for it in found.packages)
    return ExitCode.FAILED if hindered else ExitCode.OK


def _open(session: Session, repo: Path, remote: str | None) -> RunContext:
    wanted = RunOptions(repo=repo, remote=remote, environ=os.environ, secrets=session.secrets)
    return RunContext.open(wanted)


def _check_over(over: str, names: tuple[str, ...]) -> None:
    if not over:
        return
    if len(names) != 1:
        raise InputError("--over is about one package: name it")
    if not _COMMIT.fullmatch(over):
        raise InputError(
            f"--over {over!r} is no commit",
            hint="Give 8 or more characters of its id, as `caur-ci aur status` shows it.",
        )


def _show_pushes(session: Session, report: AurReport) -> None:
    """Show what a dry run would push; everything else is told by the report."""
    for outcome in report.outcomes:
        if outcome.state is AurState.TO_BE_PUSHED:
            new = " as a new package" if outcome.is_new else ""
            told = f"{outcome.package} {outcome.version} would be pushed{new}"
            session.out.print(told, markup=False)
            session.print_plain("".join(f"    {line}\n" for line in outcome.difference))
    if not report.outcomes:
        session.out.print("nothing to push")


def _show_standing(session: Session, report: AurReport) -> None:
    from caur_ci.cli.queue_view import timestamp  # noqa: PLC0415 - slow to import

    if not report.outcomes:
        session.out.print("no package is pushed to the AUR: CI_MANAGE_AUR is not set")
        return
    rows = table("", None, "package", "state", "version", "AUR's commit", "since", "reason")
    for it in report.outcomes:
        rows.add(
            it.package,
            it.state.value,
            it.version,
            it.commit[:12],
            timestamp(it.since),
            it.reason,
        )
    session.out.print(rows)


def _show_adoption(session: Session, found: AdoptionCheck) -> None:
    if found.account:
        session.out.print(f"our account at the AUR: {found.account}", markup=False)
    else:
        session.note(f"our account at the AUR is not known: {found.trouble}")
    rows = table("", None, "package", "maintainer", "co-maintainers", "we may push", "what to do")
    for it in found.packages:
        rows.add(it.package, _maintainer(it), ", ".join(it.comaintainers), _may(it), it.remedy)
    session.out.print(rows)


def _maintainer(it: Ownership) -> str:
    if not it.exists:
        return "(not there yet: the first push makes it)"
    return it.maintainer or "(orphan)"


def _may(it: Ownership) -> str:
    return {True: "yes", False: "no", None: "not known"}[it.may_push]
