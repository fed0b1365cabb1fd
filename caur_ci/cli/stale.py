"""`caur-ci stale`."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caur_ci.cli.options import AsJson, Remote, Repo
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.pipeline.shared.memory.troubles import Trouble

Failures = Annotated[
    int | None,
    typer.Option(
        "--failures",
        metavar="N",
        min=1,
        help="List packages that failed in N runs in a row. Default: CI_STALE_FAILURES of "
        ".ci/config, or 3.",
        show_default=False,
    ),
]
Days = Annotated[
    int | None,
    typer.Option(
        "--days",
        metavar="N",
        min=0,
        help="List packages that are behind upstream for N days. Default: CI_STALE_DAYS of "
        ".ci/config, or 7.",
        show_default=False,
    ),
]


def stale(
    context: typer.Context,
    *,
    failures: Failures = None,
    days: Days = None,
    repo: Repo = Path(),
    remote: Remote = None,
    as_json: AsJson = False,
) -> int:
    """List the packages whose updates fail run after run, or that stay behind upstream.

    A package fails where its source cannot be asked, its hook ends with an error or its files
    cannot be used; what fails for very many at once, such as an AUR that is out of reach, is not
    counted. It is behind while an update waits for a review, for a mirror or for something that
    on-schedule cannot do surely; why is told.
    """
    from caur_ci.cli.data import to_json  # noqa: PLC0415 - slow to import
    from caur_ci.cli.head_config import head_config  # noqa: PLC0415
    from caur_ci.git import GitRepository  # noqa: PLC0415
    from caur_ci.pipeline.shared.forge import ForgePipeline  # noqa: PLC0415
    from caur_ci.pipeline.shared.refs import SharedRepository  # noqa: PLC0415

    session = session_of(context)
    git = GitRepository.open(repo)
    config = head_config(git)
    credentials = ForgePipeline.from_environment(os.environ).credentials(session.secrets)
    shared = SharedRepository.open(git, remote=remote, credentials=credentials)
    found = shared.memory(shared.snapshot()).troubles.stale(
        failures=config.stale_failures if failures is None else failures,
        days=config.stale_days if days is None else days,
        now=time.time(),
    )
    if as_json:
        session.print_plain(to_json([{"package": name, **_data(it)} for name, it in found.items()]))
    else:
        _show(session, found)
    return ExitCode.OK


def _data(trouble: Trouble) -> dict[str, Any]:
    return {
        "failures": trouble.failures,
        "failing_since": trouble.failing_since or None,
        "ahead_since": trouble.ahead_since or None,
        "reason": trouble.reason,
    }


def _show(session: Session, found: Mapping[str, Trouble]) -> None:
    from caur_ci.cli.queue_view import timestamp  # noqa: PLC0415 - slow to import
    from caur_ci.cli.tables import table  # noqa: PLC0415

    if not found:
        session.out.print("no package is stale")
        return
    rows = table("", None, "package", "failed runs", "failing since", "behind since", "reason")
    for name, trouble in found.items():
        rows.add(
            name,
            _count(trouble.failures),
            timestamp(trouble.failing_since),
            timestamp(trouble.ahead_since),
            trouble.reason,
        )
    session.out.print(rows)


def _count(failures: int) -> str:
    from caur_ci.pipeline.shared.memory.troubles import MOST_COUNTED  # noqa: PLC0415

    return f"{failures} or more" if failures >= MOST_COUNTED else str(failures or "")
