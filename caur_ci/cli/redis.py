"""`caur-ci redis`: the embedded server, and what a server of one's own needs."""

from __future__ import annotations

from typing import Annotated

import typer

from caur_ci.cli.help import Application
from caur_ci.cli.options import Redis
from caur_ci.cli.session import session_of
from caur_ci.errors import ExitCode

app = Application(
    name="redis",
    help="Start and stop the server that is used where none is named; prepare one of your own.",
    no_args_is_help=True,
)


@app.command()
def start(context: typer.Context) -> None:
    """Start the server, unless it is running, and print its address.

    Commands that need it do so by themselves.
    """
    from scheduler import embedded  # noqa: PLC0415 - slow to import
    from scheduler.connection import default_state_dir  # noqa: PLC0415

    session_of(context).print_plain(embedded.ensure(default_state_dir()))


@app.command()
def status(context: typer.Context) -> int:
    """Print the server's address. Ends with 1 if it is not running."""
    from scheduler import embedded  # noqa: PLC0415 - slow to import
    from scheduler.connection import default_state_dir  # noqa: PLC0415

    session = session_of(context)
    url = embedded.running(default_state_dir())
    if url is None:
        session.note(f"no server is running for {default_state_dir()}")
        return ExitCode.FAILED
    session.print_plain(url)
    return ExitCode.OK


@app.command()
def stop(context: typer.Context) -> None:
    """End the server. What is in it stays on disk, for the next start."""
    from scheduler import embedded  # noqa: PLC0415 - slow to import
    from scheduler.connection import default_state_dir  # noqa: PLC0415

    stopped = embedded.stop(default_state_dir())
    session_of(context).note("stopped" if stopped else "it was not running")


@app.command()
def load(
    context: typer.Context,
    *,
    prune: Annotated[
        bool, typer.Option("--prune", help="Take the functions of all other versions out.")
    ] = False,
    redis: Redis = None,
) -> None:
    """Load the queue's functions into a server, for users that may send no scripts.

    It needs a user with the right to FUNCTION, and Redis 7 or Valkey; docs/redis.md says what for.
    Functions of other versions stay, unless `--prune` is given.
    """
    from scheduler.connection import connect  # noqa: PLC0415 - slow to import
    from scheduler.queue import library  # noqa: PLC0415

    session = session_of(context)
    with connect(redis, secrets=session.secrets) as client:
        session.print_plain(library.load_library(client))
        for name in library.other_libraries(client):
            if prune:
                library.unload_library(client, name)
            session.note(f"{name}, of another version, {'is taken out' if prune else 'stays'}")
