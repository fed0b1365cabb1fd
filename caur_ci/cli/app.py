"""The command tree."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from caur_ci import __version__
from caur_ci.cli import (
    add,
    auto_repo_remove,
    broken,
    build,
    comments,
    database,
    demo,
    deptree,
    diff,
    explain,
    hold,
    init,
    judge,
    logs,
    manual,
    migrate,
    notify,
    on_commit,
    on_schedule,
    recall,
    reconcile,
    run,
    schedule,
    srcinfo,
    stale,
    status,
    validate,
    web,
    why,
    worker,
)
from caur_ci.cli.doctor import command as doctor
from caur_ci.cli.help import Application
from caur_ci.cli.lazy import lazy_group
from caur_ci.cli.redis import app as redis_app
from caur_ci.cli.session import session_of

app = Application(
    name="caur-ci",
    help="Keeps a Git repository of PKGBUILD folders current, decides what to build, and builds, "
    "signs and publishes it.",
    epilog="`caur-ci demo` shows all of it on this machine, without touching anything of it.\n\n"
    "Exit codes: 0 all is well, 1 it failed or something is wrong, 2 it was called wrongly, 3 a "
    "part of it could not be done, 70 a bug, 75 try again later, 130 Ctrl-C.",
    no_args_is_help=True,
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


_PIPELINE, _BY_HAND = "In pipelines", "To change the repository by hand"
_BUILD_SIDE, _LOOKING = "On builders and servers", "To look and to act"

_pipeline = partial(app.command, rich_help_panel=_PIPELINE)
_pipeline("on-commit")(on_commit.on_commit)
_pipeline("on-schedule")(on_schedule.on_schedule)
_pipeline("run")(run.run)
_pipeline("comments")(comments.comments)
_pipeline("schedule")(schedule.schedule)
_pipeline("auto-repo-remove")(auto_repo_remove.auto_repo_remove)

_by_hand = partial(app.command, rich_help_panel=_BY_HAND)
_by_hand("init")(init.init)
_by_hand("migrate")(migrate.migrate)
_by_hand("add")(add.add)
_by_hand("bump")(manual.bump)
_by_hand("drop")(manual.drop)
_by_hand("rename")(manual.rename)
_by_hand("update-pipelines")(manual.update_pipelines)

_build_side = partial(app.command, rich_help_panel=_BUILD_SIDE)
_build_side("worker")(worker.worker)
_build_side("builder", hidden=True, help="The same as `worker`.")(worker.worker)
_build_side("database")(database.database)
_build_side("web")(web.web)
_build_side("notify")(notify.notify)
app.add_typer(redis_app, rich_help_panel=_BUILD_SIDE)

_looking = partial(app.command, rich_help_panel=_LOOKING)
_looking("status")(status.status)
_looking("why")(why.why)
_looking("logs")(logs.logs)
_looking("explain")(explain.explain)
_looking("build")(build.build)
_looking("hold")(hold.hold)
_looking("unhold")(hold.unhold)
_looking("recall")(recall.recall)
_looking("stale")(stale.stale)
app.add_typer(
    Application(cls=lazy_group("caur_ci.cli.queue.app")),
    name="queue",
    help="Look at the queue, and change it.\n\nPACKAGE is a `pkgbase`, `target/pkgbase`, "
    "`target/arch/pkgbase`, or the number of a job.",
    no_args_is_help=True,
    rich_help_panel=_LOOKING,
)
app.add_typer(
    Application(cls=lazy_group("caur_ci.cli.repo.app")),
    name="repo",
    help="Look at the published repositories, bring earlier states back, and prove them right.",
    no_args_is_help=True,
    rich_help_panel=_LOOKING,
)
_looking("broken")(broken.broken)
_looking("rebuild")(broken.rebuild)
_looking("reconcile")(reconcile.reconcile)
_looking("deptree")(deptree.deptree)
_looking("srcinfo")(srcinfo.srcinfo)
_looking("validate")(validate.validate)
_looking("diff")(diff.diff)
_looking("judge")(judge.judge)
app.add_typer(
    Application(cls=lazy_group("caur_ci.cli.aur")),
    name="aur",
    help="Push packages that are maintained here to the AUR, and tell how they stand with it.",
    no_args_is_help=True,
    rich_help_panel=_LOOKING,
)
app.add_typer(
    Application(cls=lazy_group("caur_ci.cli.policy")),
    name="policy",
    help="Look at the trust policy of the repository, .ci/policy.toml, and prove it right.",
    no_args_is_help=True,
    rich_help_panel=_LOOKING,
)
app.add_typer(
    Application(cls=lazy_group("caur_ci.cli.shadow")),
    name="shadow",
    help="Beside a pipeline of the existing system, tell where our decisions would differ.\n\n"
    "Changes nothing: `plan` before the other pipeline runs, `compare` after it.",
    no_args_is_help=True,
    rich_help_panel=_LOOKING,
)
_looking("doctor")(doctor.doctor)
_looking("demo")(demo.demo)
