"""`caur-ci worker`, also called `builder`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from caur_ci.cli.options import Config, Redis, Strict
from caur_ci.cli.session import session_of


def worker(
    context: typer.Context,
    *,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The worker's name: jobs of a text class go to the worker of that name. "
            "Variable BUILDER_HOSTNAME, default: the name of this machine.",
            show_default=False,
        ),
    ] = None,
    build_class: Annotated[
        int | None,
        typer.Option(
            "--class",
            metavar="N",
            help="Builds jobs of this class and below. Variable BUILDER_CLASS, default 2.",
            show_default=False,
        ),
    ] = None,
    timeout: Annotated[
        int | None,
        typer.Option(
            metavar="SECONDS",
            help="How long a build may take. Variable BUILDER_TIMEOUT, default 3600.",
            show_default=False,
        ),
    ] = None,
    shared: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for source repositories and builds; several workers may share it. "
            "Variable SHARED_PATH, default: a folder in the state folder.",
            show_default=False,
        ),
    ] = None,
    landing_zone: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where built packages are put for the database runner. "
            "Variable LANDING_ZONE_PATH.",
            show_default=False,
        ),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The account that builds run as when the worker runs as root. Variable "
            "BUILDER_USER, default: an unused user id for each worker.",
            show_default=False,
        ),
    ] = None,
    executor: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="Where packages are built: container, or host for this machine itself. Variable "
            "BUILDER_EXECUTOR, default container.",
            show_default=False,
        ),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE",
            help="The container image that builds start from. Variable BUILDER_IMAGE, default: "
            "Arch Linux's base-devel.",
            show_default=False,
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="podman or docker. Variable CONTAINER_ENGINE, default: whichever is there.",
            show_default=False,
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The SSH key that deliveries are signed with; it is made if it is not there. "
            "Variable BUILDER_KEY, default: a file in the state folder.",
            show_default=False,
        ),
    ] = None,
    print_key: Annotated[
        bool,
        typer.Option(
            "--print-key",
            help="Only print the line that lets this worker's deliveries be published, for the "
            "database runner's file ALLOWED_WORKERS.",
        ),
    ] = False,
    idle_exit: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="End after this long without a job. Default: go on for ever.",
            show_default=False,
        ),
    ] = None,
    config: Config = None,
    redis: Redis = None,
    strict: Strict = False,
) -> None:
    """Build the jobs in the queue, one at a time.

    The source repositories come from the variable PACKAGE_REPOS:
    `{"NAME": {"url": "https://…"}}`, or all settings from a file (docs/settings.md). Each package
    is built with makepkg, from exactly the commit that was scheduled, as a user without rights.

    SIGTERM or Ctrl-C ends the worker; a build in progress is stopped and its job handed back. A
    second one ends it at once: the job goes back to the queue when its lease has run out. After
    `caur-ci queue drain` the worker ends when its build has ended.
    """
    from caur_ci.cli.queue_connection import open_durable  # noqa: PLC0415
    from caur_ci.cli.signals import environment_with, service  # noqa: PLC0415
    from scheduler.connection import default_state_dir  # noqa: PLC0415
    from scheduler.settings import WorkerSettings  # noqa: PLC0415
    from scheduler.worker.service import running_worker  # noqa: PLC0415 - slow to import

    session = session_of(context)
    environment = environment_with(
        CAUR_CONFIG=config,
        BUILDER_HOSTNAME=name,
        BUILDER_CLASS=build_class,
        BUILDER_TIMEOUT=timeout,
        BUILDER_USER=user,
        SHARED_PATH=shared,
        LANDING_ZONE_PATH=landing_zone,
        BUILDER_EXECUTOR=executor,
        BUILDER_IMAGE=image,
        CONTAINER_ENGINE=engine,
        BUILDER_KEY=key,
    )
    if print_key:
        session.print_plain(_allowed_line(environment, default_state_dir()))
        return
    settings = WorkerSettings.from_environment(environment, state_dir=default_state_dir())
    with (
        service(session) as stop,
        open_durable(session, redis, strict=strict) as client,
        running_worker(settings, client, stop) as running,
    ):
        running.run(idle_exit=idle_exit)


def _allowed_line(environment: Mapping[str, str], state_dir: Path) -> str:
    from scheduler.settings.worker import worker_name_and_key  # noqa: PLC0415 - slow to import
    from scheduler.workerkeys import WorkerKey  # noqa: PLC0415

    name, key = worker_name_and_key(environment, state_dir=state_dir)
    return WorkerKey.ensure(key).allowed_line(name)
