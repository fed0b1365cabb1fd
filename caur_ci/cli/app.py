"""The command tree."""

from __future__ import annotations

from typing import Annotated

import typer

from caur_ci import __version__
from caur_ci.cli import (
    auto_repo_remove,
    database,
    demo,
    deptree,
    logs,
    on_commit,
    on_schedule,
    reconcile,
    schedule,
    srcinfo,
    status,
    why,
    worker,
)
from caur_ci.cli.lazy import lazy_group
from caur_ci.cli.redis import app as redis_app
from caur_ci.cli.session import session_of

app = typer.Typer(
    name="caur-ci",
    help="Keeps a Git repository of PKGBUILD folders current, decides what to build, and builds, "
    "signs and publishes it.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"caur-ci {__version__}")
        raise typer.Exit


@app.callback()
def global_options(
    context: typer.Context,
    *,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the Python trace of an error.")
    ] = False,
    version: Annotated[  # noqa: ARG001 - acted on by its callback
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Take the options that stand before the command."""
    session_of(context).debug = debug


app.command("on-commit")(on_commit.on_commit)
app.command("on-schedule")(on_schedule.on_schedule)
app.command("schedule")(schedule.schedule)
app.command("auto-repo-remove")(auto_repo_remove.auto_repo_remove)
app.command("deptree")(deptree.deptree)
app.command("srcinfo")(srcinfo.srcinfo)
app.command("worker")(worker.worker)
app.command("builder", hidden=True, help="The same as `worker`.")(worker.worker)
app.command("database")(database.database)
app.command("demo")(demo.demo)
app.command("status")(status.status)
app.command("why")(why.why)
app.command("logs")(logs.logs)
app.command("reconcile")(reconcile.reconcile)
app.add_typer(
    typer.Typer(cls=lazy_group("caur_ci.cli.queue.app"), rich_markup_mode="markdown"),
    name="queue",
    help="Look at the queue, and change it.\n\nPACKAGE is a `pkgbase`, `target/pkgbase`, "
    "`target/arch/pkgbase`, or the number of a job.",
    no_args_is_help=True,
)
app.add_typer(
    typer.Typer(cls=lazy_group("caur_ci.cli.repo"), rich_markup_mode="markdown"),
    name="repo",
    help="Look at the published repositories, bring earlier states back, and prove them right.",
    no_args_is_help=True,
)
app.add_typer(redis_app)
