"""`caur-ci queue groups`, `publish` and `abandon`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli.options import AsJson, Redis
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import ExitCode, InputError
from caur_ci.names import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.cli.tables import Rows
    from scheduler.queue import GroupChange, GroupView, JobView, QueueReader

Group = Annotated[
    str,
    typer.Argument(
        metavar="GROUP", help="The group, as `caur-ci queue groups` shows it, or its last part."
    ),
]


def groups(
    context: typer.Context,
    group: Annotated[
        str | None, typer.Argument(metavar="GROUP", help="Only this one.", show_default=False)
    ] = None,
    *,
    limit: Annotated[
        int,
        typer.Option(
            "--limit", metavar="N", min=1, max=100_000, help="How many members of a kind to show."
        ),
    ] = 100,
    redis: Redis = None,
    as_json: AsJson = False,
) -> None:
    """List the rebuild groups that are open, who holds them up, and what is held up with it.

    The packages of a group are built one after another, each with those of the group that it
    needs, and published in one step when all are built. One that cannot be built holds up the
    others. Then `caur-ci queue retry PACKAGE` tries it again, as does a new request for it;
    `caur-ci queue publish GROUP --partial` goes without it, and `caur-ci queue abandon GROUP` gives
    the group up.
    """
    from caur_ci.cli.data import to_json  # noqa: PLC0415
    from caur_ci.cli.queue_connection import open_queue  # noqa: PLC0415 - slow to import

    session = session_of(context)
    queue = open_queue(session, redis)
    found = queue.groups(_named(queue, group) if group else "", limit=limit)
    if as_json:
        session.print_plain(to_json([_data(view) for view in found]))
    elif not found:
        session.out.print("no rebuild groups")
    for number, view in enumerate(found if not as_json else ()):
        if number:
            session.out.print()
        session.out.print(_table(view))
        for line in _problems(view):
            session.out.print(line, markup=False, highlight=False)


def publish(
    context: typer.Context,
    *,
    group: Group,
    partial: Annotated[
        bool,
        typer.Option(
            "--partial", help="Go without the packages that are not built; they are let go."
        ),
    ] = False,
    redis: Redis = None,
    as_json: AsJson = False,
) -> int:
    """Publish a rebuild group that waits for somebody.

    With `--partial` what is built is published, and each of the others goes on by itself: a job
    that failed stays so, what waited for it is built without it. Without, it is for a group that
    could not be published, to be tried again.

    Ends with 1 if the group has to wait for packages that are not built.
    """
    from caur_ci.cli.queue_connection import open_queue  # noqa: PLC0415 - slow to import

    session = session_of(context)
    queue = open_queue(session, redis)
    name = _named(queue, group)
    change = queue.publish_group(name, partial=partial)
    left = "not in it, and on their own now" if partial else ""
    return _tell(session, name, change, "is to be published", left, as_json=as_json)


def abandon(
    context: typer.Context, *, group: Group, redis: Redis = None, as_json: AsJson = False
) -> int:
    """Give a rebuild group up: drop what is built, cancel what waits or is being built.

    Ends with 1 if it is being published already.
    """
    from caur_ci.cli.queue_connection import open_queue  # noqa: PLC0415 - slow to import

    session = session_of(context)
    queue = open_queue(session, redis)
    name = _named(queue, group)
    change = queue.abandon_group(name)
    return _tell(session, name, change, "is given up", "canceled", as_json=as_json)


def _named(queue: QueueReader, text: str) -> str:
    """Return the full name of the open group that is meant. Raises InputError."""
    known = [view.name for view in queue.groups(limit=1)]
    found = [name for name in known if text in {name, name.rpartition("/")[2]}]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"{text} may be {', or '.join(found)}", hint="Say which one.")
    near = suggestion(text, {*known, *(name.rpartition("/")[2] for name in known)})
    raise InputError(
        f"there is no rebuild group {text[:200]!r} that is open",
        hint=near or "`caur-ci queue groups` lists them.",
    )


def _tell(
    session: Session,
    name: str,
    change: GroupChange | None,
    done: str,
    left: str,
    *,
    as_json: bool,
) -> int:
    if change is None:
        raise InputError(f"the rebuild group {name} is over", hint="It was published or given up.")
    code = ExitCode.OK if change.done else ExitCode.FAILED
    if as_json:
        from caur_ci.cli.data import to_json  # noqa: PLC0415

        session.print_plain(to_json(change))
        return code
    members = ", ".join(change.members)
    if not change.done:
        session.warn(f"{name} waits for {members}; nothing was done")
        return code
    session.out.print(f"{name} {done}", markup=False, highlight=False)
    if members and left:
        session.out.print(f"{left}: {members}", markup=False, highlight=False)
    return code


def _table(view: GroupView) -> Rows:
    from caur_ci.cli.queue_view import state_of, timestamp  # noqa: PLC0415 - slow to import
    from caur_ci.cli.tables import table  # noqa: PLC0415
    from caur_ci.plaintext import first_line  # noqa: PLC0415

    title = f"{view.name} ({view.publish}), since {timestamp(view.opened)}"
    rows = table(title, view.total, "package", "state", "job", "why")
    for job in _members(view):
        rows.add(
            job.identity.rpartition("/")[2],
            state_of(job),
            str(job.job_id),
            first_line(job.reason) or _awaited(view, job),
        )
    return rows


def _members(view: GroupView) -> Iterator[JobView]:
    for some in (view.failed, view.unbuilt, view.staged, view.publishing):
        yield from some


def _awaited(view: GroupView, job: JobView) -> str:
    names = [identity.rpartition("/")[2] for identity in view.waits_for.get(job.identity, ())]
    return f"waits for {', '.join(names)}" if names else ""


def _problems(view: GroupView) -> Iterator[str]:
    from scheduler.queue.views import reasons_of_group  # noqa: PLC0415 - slow to import

    if view.is_held_up:
        yield from reasons_of_group(view)


def _data(view: GroupView) -> dict[str, object]:
    """Return a group for a JSON document, with what each failed member holds up."""
    return {
        **asdict(view),
        "held_up": {
            member.identity: view.held_up_by(member) for member in view.failed if view.is_held_up
        },
    }
