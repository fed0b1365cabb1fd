"""`caur-ci demo`."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from caur_ci.cli.interruption import leave_to_handlers
from caur_ci.cli.session import session_of
from caur_ci.errors import ExitCode

if TYPE_CHECKING:
    from caur_ci.demo.summary import DemoReport


def demo(
    context: typer.Context,
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            metavar="DIR",
            help="Where the repository, its key and the logs are left. Has to be empty, or from an "
            "earlier demonstration, which is removed.",
        ),
    ] = Path("demo-output"),
    executor: Annotated[
        Literal["host", "container"],
        typer.Option(
            "--executor",
            help="Where to build: on this machine, or in containers by podman or docker.",
        ),
    ] = "host",
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Leave the work folder too: Git repositories, queue, keys."),
    ] = False,
    serve: Annotated[
        bool,
        typer.Option(
            "--serve", help="When all is done, show it on a page of the web server until Ctrl-C."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> int:
    """Show the whole journey on this machine: commit, build, sign, publish, install.

    Makes a Git repository with twelve small packages and a bare remote, commits a change, decides
    with `on-commit` what to build, builds it with two workers and makepkg, signs and publishes it
    as a pacman repository. Then an update and an attack appear in a small AUR: `on-schedule` takes
    over the one, and stops the other. A library gets another soname, and `on-schedule` has the
    program that needs it rebuilt. pacman installs from the repository, into a folder of its own.
    Nothing of the machine's own pacman, git or gpg is touched. Takes about a minute.

    Ends with 1 if anything did not happen as it should.
    """
    from caur_ci.demo.journey import DemoOptions, demonstrate  # noqa: PLC0415
    from caur_ci.demo.summary import show  # noqa: PLC0415 - slow to import
    from scheduler.settings import ExecutorKind  # noqa: PLC0415

    session = session_of(context)
    leave_to_handlers()

    def tell(report: DemoReport) -> None:
        if as_json:
            session.print_plain(json.dumps(report.to_dict(), indent=2))
        else:
            show(report, session.out)

    def present(report: DemoReport, address: str) -> None:
        tell(report)
        session.err.print(f"All of it is shown at {address} until Ctrl-C.", markup=False)
        threading.Event().wait()

    options = DemoOptions(output=output, executor=ExecutorKind(executor), keep=keep)
    report = demonstrate(options, session.err, present if serve else None)
    if not serve:
        tell(report)
    return ExitCode.OK if report.ok else ExitCode.FAILED
