"""`caur-ci worker`, also called `builder`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from caur_ci.cli.options import Config, IdleExit, LandingZone, Redis, Strict
from caur_ci.cli.session import Session, session_of

Name = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="NAME",
        help="The worker's name: jobs of a text class go to the worker of that name. "
        "Variable BUILDER_HOSTNAME, default: the name of this machine.",
        show_default=False,
    ),
]
BuildClass = Annotated[
    int | None,
    typer.Option(
        "--class",
        metavar="N",
        help="Builds jobs of this class and below. Variable BUILDER_CLASS, default 2.",
        show_default=False,
    ),
]
Timeout = Annotated[
    int | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        help="How long a build may take. Variable BUILDER_TIMEOUT, default 3600.",
        show_default=False,
    ),
]
Shared = Annotated[
    Path | None,
    typer.Option(
        "--shared",
        metavar="DIR",
        help="Folder for source repositories and builds; several workers may share it. "
        "Variable SHARED_PATH, default: a folder in the state folder.",
        show_default=False,
    ),
]
User = Annotated[
    str | None,
    typer.Option(
        "--user",
        metavar="NAME",
        help="The account that builds run as when the worker runs as root. Variable "
        "BUILDER_USER, default: an unused user id for each worker.",
        show_default=False,
    ),
]
Executor = Annotated[
    str | None,
    typer.Option(
        "--executor",
        metavar="host|container",
        help="Where packages are built: in containers, or on this machine itself. Variable "
        "BUILDER_EXECUTOR, default container.",
        autocompletion=lambda: ["host", "container"],
        show_default=False,
    ),
]
Image = Annotated[
    str | None,
    typer.Option(
        "--image",
        metavar="IMAGE",
        help="The container image that builds start from. Variable BUILDER_IMAGE, default: "
        "Arch Linux's base-devel.",
        show_default=False,
    ),
]
Engine = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="podman|docker",
        help="What runs the containers. Variable CONTAINER_ENGINE, default: whichever is there.",
        autocompletion=lambda: ["podman", "docker"],
        show_default=False,
    ),
]
Key = Annotated[
    Path | None,
    typer.Option(
        "--key",
        metavar="FILE",
        help="The SSH key that deliveries are signed with; it is made if it is not there. "
        "Variable BUILDER_KEY, default: a file in the state folder.",
        show_default=False,
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        metavar="N",
        min=1,
        help="Ends after this many jobs, however they ended; for machines that are made for one "
        "job and thrown away.",
        show_default=False,
    ),
]
PrintKey = Annotated[
    bool,
    typer.Option(
        "--print-key",
        help="Only print the line that lets this worker's deliveries be published, for the "
        "database runner's file ALLOWED_WORKERS.",
    ),
]


def worker(
    context: typer.Context,
    *,
    name: Name = None,
    build_class: BuildClass = None,
    timeout: Timeout = None,
    shared: Shared = None,
    landing_zone: LandingZone = None,
    user: User = None,
    executor: Executor = None,
    image: Image = None,
    engine: Engine = None,
    key: Key = None,
    print_key: PrintKey = False,
    idle_exit: IdleExit = None,
    jobs: Jobs = None,
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
    from caur_ci.cli.signals import environment_with  # noqa: PLC0415

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
        session.print_plain(_allowed_line(environment))
    else:
        _run(session, environment, redis, strict=strict, idle_exit=idle_exit, jobs=jobs)


def _run(
    session: Session,
    environment: Mapping[str, str],
    redis: str | None,
    *,
    strict: bool,
    idle_exit: float | None,
    jobs: int | None,
) -> None:
    from caur_ci.cli.queue_connection import open_durable  # noqa: PLC0415
    from caur_ci.cli.signals import service  # noqa: PLC0415
    from scheduler.connection import default_state_dir  # noqa: PLC0415
    from scheduler.settings import WorkerSettings  # noqa: PLC0415
    from scheduler.worker.service import running_worker  # noqa: PLC0415 - slow to import

    settings = WorkerSettings.from_environment(environment, state_dir=default_state_dir())
    with (
        open_durable(session, redis, strict=strict) as client,
        service(session) as stop,
        running_worker(settings, client, stop, secrets=session.secrets.values()) as running,
    ):
        running.run(idle_exit=idle_exit, jobs=jobs)


def _allowed_line(environment: Mapping[str, str]) -> str:
    from scheduler.connection import default_state_dir  # noqa: PLC0415
    from scheduler.settings.worker import worker_name_and_key  # noqa: PLC0415 - slow to import
    from scheduler.workerkeys import WorkerKey  # noqa: PLC0415

    name, key = worker_name_and_key(environment, state_dir=default_state_dir())
    return WorkerKey.ensure(key).allowed_line(name)
