"""`caur-ci on-schedule`."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli import completion, options
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import ExitCode, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.pipeline.on_schedule.options import OnScheduleResult

_NO = frozenset({"", "0", "false", "no"})


Trigger = Annotated[
    str,
    typer.Option(
        "--trigger",
        metavar="NAME",
        help="Only ask for builds of the packages whose CI_ON_TRIGGER is NAME. Looks at no source "
        "and needs no tag. Variable TRIGGER.",
        envvar="TRIGGER",
        show_envvar=False,
        show_default=False,
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        parser=options.named_as_completed,
        metavar="PACKAGE",
        help="Look at this package only. May be repeated. Variables PACKAGES, CI_TEST_PACKAGE and "
        "CI_TEST_PACKAGES; default: all.",
        autocompletion=completion.packages,
        show_default=False,
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Go on where the tag `scheduled` is not at HEAD; for trials. "
        "Variable SKIP_ON_COMMIT_CHECK.",
    ),
]
ConfirmBumps = Annotated[
    bool,
    typer.Option(
        "--confirm-bumps",
        help="Rebuild however many packages libraries concern, also more than CI_REBUILD_SHARE. "
        "Variable CONFIRM_BUMPS.",
    ),
]
Record = Annotated[
    Path | None,
    typer.Option(
        "--record",
        metavar="DIR",
        help="Keep every answer of the outside world in this new folder, without secrets.",
        show_default=False,
    ),
]
Replay = Annotated[
    Path | None,
    typer.Option(
        "--replay",
        metavar="DIR",
        help="Take the answers from a recording, without any network. Publishes nothing.",
        show_default=False,
    ),
]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Print the plan as Markdown.")]


def on_schedule(
    context: typer.Context,
    *,
    repo: options.Repo = Path(),
    remote: options.Remote = None,
    trigger: Trigger = "",
    only: Only = None,
    force: Force = False,
    confirm_bumps: ConfirmBumps = False,
    push: options.Push = True,
    dry_run: options.DryRun = False,
    record: Record = None,
    replay: Replay = None,
    as_json: options.AsJson = False,
    as_markdown: AsMarkdown = False,
) -> int:
    """Find out which packages have new versions, take them over, and ask for their builds.

    Looks at the AUR, at git repositories and at GitLab's tags, as CI_PKGBUILD_SOURCE of each
    package says, at versions by CI_NVCHECKER, at the upstream repositories of those built from the
    newest commit (-git and the like), and runs `.CI/update.sh` where a package has it. What changes
    more than a version goes to review where CI_HUMAN_REVIEW is true: to merge requests in GitLab
    CI, to pull requests in GitHub Actions, and what people say there by labels is done. Whom and
    what the repository trusts stands in `.ci/policy.toml`. The documents in .ci/ are written as
    on-commit does; then commits, state, request and the tag `scheduled` are published in one push,
    all or nothing. The documents of a run whose push failed are removed.

    Packages whose CI_REBUILD_TRIGGERS name a library that has another version in the databases of
    CI_LIB_DB are bumped: they are built again with a higher pkgrel. So are those that have lost a
    library or an interpreter, where CI_REBUILD_AUTO is true. At the end, packages with
    CI_MANAGE_AUR are pushed to the AUR, where it does not have them as they are here (see
    `caur-ci aur`).

    Why something was or was not done is told by `caur-ci why PACKAGE`.

    Ends with 0 if all is well, with 3 if it was done but for some packages that failed or could not
    be pushed, some requests that could not be opened, or an alarm, and with another code if nothing
    was done.
    """
    if as_json and as_markdown:
        raise InputError("say either --json or --markdown")
    if record and replay:
        raise InputError("say either --record or --replay")
    from caur_ci.cli.aur_report import print_aur_report  # noqa: PLC0415
    from caur_ci.cli.progress import progress_on  # noqa: PLC0415 - slow to import
    from caur_ci.cli.working_tree import as_folders  # noqa: PLC0415
    from caur_ci.pipeline.on_schedule.journey import on_schedule as journey  # noqa: PLC0415
    from caur_ci.pipeline.on_schedule.options import OnScheduleOptions  # noqa: PLC0415
    from caur_ci.pipeline.on_schedule.trigger import on_trigger  # noqa: PLC0415
    from caur_ci.review import choose_forge  # noqa: PLC0415

    session = session_of(context)
    with progress_on(session.err) as progress:
        wanted = OnScheduleOptions(
            repo=repo,
            remote=remote,
            push=push,
            dry_run=dry_run,
            force=force or _is_set(os.environ, "SKIP_ON_COMMIT_CHECK"),
            confirm_bumps=confirm_bumps or _is_set(os.environ, "CONFIRM_BUMPS"),
            only=as_folders(only or _named(os.environ), repo),
            record=record,
            replay=replay,
            environ=os.environ,
            secrets=session.secrets,
            progress=progress,
            reviews=choose_forge(os.environ, session.secrets),
        )
        result = on_trigger(wanted, trigger) if trigger else journey(wanted)
    result = replace(result, plan=result.plan.redacted(session.secrets))
    form = "json" if as_json else "markdown" if as_markdown else ""
    _show(session, result, form=form, dry_run=dry_run or replay is not None)
    print_aur_report(session, result.aur)
    hindered = result.plan.failed or result.problems or result.aur.needs_somebody
    return ExitCode.PARTIAL if hindered else ExitCode.OK


def _show(session: Session, result: OnScheduleResult, *, form: str, dry_run: bool) -> None:
    from caur_ci.cli import on_schedule_report as report  # noqa: PLC0415 - slow to import
    from caur_ci.cli.folding import add_to_job_page  # noqa: PLC0415
    from caur_ci.pipeline.shared.forge import ForgePipeline  # noqa: PLC0415

    if form:
        document = report.as_json(result) if form == "json" else result.plan.to_markdown()
        session.print_plain(document)
        report.print_summary(session, result, dry_run=dry_run)
    else:
        forge = ForgePipeline.from_environment(os.environ).forge
        report.print_report(session, result, forge=forge, dry_run=dry_run)
    add_to_job_page(session, os.environ, result.plan.to_markdown())


def _named(environ: Mapping[str, str]) -> list[str]:
    """Return the packages that a release or a trial is limited to."""
    names = (environ.get(name, "") for name in ("PACKAGES", "CI_TEST_PACKAGE", "CI_TEST_PACKAGES"))
    return [name for text in names for name in options.package_list(text)]


def _is_set(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").strip().lower() not in _NO
