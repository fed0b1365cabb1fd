"""`caur-ci on-schedule`."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli import options
from caur_ci.cli.session import session_of
from caur_ci.errors import ExitCode, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

_NO = frozenset({"", "0", "false", "no"})


def on_schedule(
    context: typer.Context,
    *,
    repo: options.Repo = Path(),
    remote: options.Remote = None,
    trigger: Annotated[
        str,
        typer.Option(
            "--trigger",
            metavar="NAME",
            envvar="TRIGGER",
            help="Only ask for builds of the packages whose CI_ON_TRIGGER is NAME. Looks at no "
            "source and needs no tag.",
            show_default=False,
        ),
    ] = "",
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            parser=options.named_as_completed,
            metavar="PACKAGE",
            help="Look at this package only; can be given several times. Default: "
            "CI_TEST_PACKAGE, CI_TEST_PACKAGES, or all.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Go on where the tag `scheduled` is not at HEAD; for trials. The same as "
            "SKIP_ON_COMMIT_CHECK=true.",
        ),
    ] = False,
    push: Annotated[
        bool,
        typer.Option(
            "--push/--no-push",
            help="Whether to publish the commit, the state, the request and the tag, in one push.",
        ),
    ] = True,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only show what would be done: no file, no tag, no push."),
    ] = False,
    record: Annotated[
        Path | None,
        typer.Option(
            "--record",
            metavar="DIR",
            help="Keep every answer of the outside world in this new folder, without secrets.",
            show_default=False,
        ),
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(
            "--replay",
            metavar="DIR",
            help="Take the answers from a recording, without any network. Publishes nothing.",
            show_default=False,
        ),
    ] = None,
    as_json: options.AsJson = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the plan as Markdown.")
    ] = False,
) -> int:
    """Find out which packages have new versions, take them over, and ask for their builds.

    Looks at the AUR and at git repositories, as CI_PKGBUILD_SOURCE of each package says, and runs
    `.CI/update.sh` where a package has it. What changes more than a version goes to review where
    CI_HUMAN_REVIEW is true: to merge requests in GitLab CI, to pull requests in GitHub Actions, and
    what people say there by labels is done. The documents in .ci/ are written as on-commit does;
    then commits, state, request and the tag `scheduled` are published in one push, all or nothing.
    The documents of a run whose push failed are removed.

    Why something was or was not done is told by `caur-ci why PACKAGE`.

    Ends with 0 if all is well, with 3 if it was done but for some packages that failed or some
    requests that could not be opened, and with another code if nothing was done.
    """
    if as_json and as_markdown:
        raise InputError("say either --json or --markdown")
    if record and replay:
        raise InputError("say either --record or --replay")
    from caur_ci.cli import on_schedule_report as report  # noqa: PLC0415 - slow to import
    from caur_ci.cli.folding import add_to_job_page  # noqa: PLC0415
    from caur_ci.cli.progress import progress_on  # noqa: PLC0415
    from caur_ci.pipeline.on_schedule.journey import on_schedule as journey  # noqa: PLC0415
    from caur_ci.pipeline.on_schedule.options import OnScheduleOptions  # noqa: PLC0415
    from caur_ci.pipeline.on_schedule.trigger import on_trigger  # noqa: PLC0415
    from caur_ci.pipeline.shared.forge import ForgePipeline  # noqa: PLC0415
    from caur_ci.review import choose_forge  # noqa: PLC0415

    session = session_of(context)
    with progress_on(session.err) as progress:
        options = OnScheduleOptions(
            repo=repo,
            remote=remote,
            push=push,
            dry_run=dry_run,
            force=force or _is_set(os.environ, "SKIP_ON_COMMIT_CHECK"),
            only=tuple(dict.fromkeys(only or _named(os.environ))),
            record=record,
            replay=replay,
            environ=os.environ,
            secrets=session.secrets,
            progress=progress,
            reviews=choose_forge(os.environ, session.secrets),
        )
        result = on_trigger(options, trigger) if trigger else journey(options)
    result = replace(result, plan=result.plan.redacted(session.secrets))
    quiet = dry_run or replay is not None
    if as_json:
        session.print_plain(report.as_json(result))
    elif as_markdown:
        session.print_plain(result.plan.to_markdown())
    if as_json or as_markdown:
        report.print_summary(session, result, dry_run=quiet)
    else:
        forge = ForgePipeline.from_environment(os.environ).forge
        report.print_report(session, result, forge=forge, dry_run=quiet)
    add_to_job_page(session, os.environ, result.plan.to_markdown())
    return ExitCode.PARTIAL if result.plan.failed or result.problems else ExitCode.OK


def _named(environ: Mapping[str, str]) -> list[str]:
    """Return the packages that a trial is limited to."""
    names = (environ.get(name, "") for name in ("CI_TEST_PACKAGE", "CI_TEST_PACKAGES"))
    return [name for text in names for name in re.split(r"[\s,:;]+", text) if name]


def _is_set(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").strip().lower() not in _NO
