"""`caur-ci notify`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli.options import AsJson, Config, Redis
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import ConfigError, ExitCode, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scheduler.notifications.target import Target
    from scheduler.queue import QueueReader

Test = Annotated[
    bool, typer.Option("--test", help="Send a message to each target, and tell who took it.")
]
ListWaiting = Annotated[
    bool,
    typer.Option(
        "--list", help="List what has not arrived yet: notifications, commit statuses and issues."
    ),
]
Targets = Annotated[
    list[str] | None,
    typer.Argument(metavar="TARGET", help="The targets to test. Default: all.", show_default=False),
]


def notify(
    context: typer.Context,
    *,
    targets: Targets = None,
    test: Test = False,
    waiting: ListWaiting = False,
    config: Config = None,
    redis: Redis = None,
    as_json: AsJson = False,
) -> int:
    """Try out who is notified, or list what they have not been told yet.

    `caur-ci database` notifies: of what is published, of failures and of removals. Whom, say the
    variables TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID, NOTIFY_URLS and NOTIFY_TARGETS.

    With --test it ends with 3 if one of the targets did not take the message.
    """
    from caur_ci.cli.signals import environment_with  # noqa: PLC0415

    session = session_of(context)
    if test == waiting:
        raise InputError("say what to do: --test or --list")
    if waiting and targets:
        raise InputError("--list shows what waits for all of them; name none")
    if waiting:
        return _list(session, redis, as_json=as_json)
    environment = environment_with(CAUR_CONFIG=config)
    return _test(session, _chosen(session, environment, targets or ()), as_json=as_json)


def _chosen(session: Session, environment: Mapping[str, str], names: Sequence[str]) -> list[Target]:
    from caur_ci.cli.telling import open_targets, telling_settings  # noqa: PLC0415

    targets = open_targets(telling_settings(session, environment))
    if not targets:
        raise ConfigError(
            "nobody is notified",
            hint="Set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID, NOTIFY_URLS or NOTIFY_TARGETS.",
        )
    known = {target.name: target for target in targets}
    if unknown := [name for name in names if name not in known]:
        raise InputError(
            f"no target is called {unknown[0]}", hint=f"There are: {', '.join(known)}."
        )
    return [known[name] for name in names] or targets


def _test(session: Session, targets: list[Target], *, as_json: bool) -> int:
    from caur_ci.cli.data import to_json  # noqa: PLC0415 - slow to import
    from scheduler.notifications.wording import trial  # noqa: PLC0415
    from scheduler.outbox import DeliveryError  # noqa: PLC0415

    results: dict[str, str] = {}
    for target in targets:
        try:
            target.send(trial(target.markup, has_title=target.has_title))
            results[target.name] = ""
        except DeliveryError as error:
            results[target.name] = error.message
    if as_json:
        rows = [{"target": name, "error": why or None} for name, why in results.items()]
        session.print_plain(to_json(rows))
    else:
        for target in targets:
            why = results[target.name]
            said = f"did not take it: {why}" if why else "has taken it"
            session.out.print(f"{target.name} ({target.service}) {said}", markup=False)
    return ExitCode.PARTIAL if any(results.values()) else ExitCode.OK


def _list(session: Session, redis: str | None, *, as_json: bool) -> int:
    from caur_ci.cli.data import to_json  # noqa: PLC0415 - slow to import
    from caur_ci.cli.queue_connection import open_queue  # noqa: PLC0415

    rows = _waiting(open_queue(session, redis))
    if as_json:
        session.print_plain(to_json(rows))
    else:
        _show(session, rows)
    return ExitCode.OK


@dataclass(frozen=True, slots=True)
class _Row:
    """What waits for one target, or source repository; times are Unix times."""

    outbox: str
    target: str
    waiting: int
    oldest: float | None
    next_try: float | None
    trouble: str | None


def _waiting(queue: QueueReader) -> list[_Row]:
    """Return what waits, and for whom, also where only something is wrong with them."""
    from scheduler import issues, notifications, statuses  # noqa: PLC0415 - slow to import
    from scheduler.issues.model import Report  # noqa: PLC0415
    from scheduler.notifications.model import Waiting  # noqa: PLC0415
    from scheduler.outbox import Outbox, Patience  # noqa: PLC0415
    from scheduler.statuses.model import Update  # noqa: PLC0415

    names = (notifications.OUTBOX, statuses.OUTBOX, issues.OUTBOX)
    notes, updates, reports = (Outbox(queue.client, name).entries() for name in names)
    found = [(names[0], it.target, it.note.time) for it in Waiting.all_of(notes)]
    found += [(names[1], it.subject.source_repo, it.time) for it in Update.all_of(updates).values()]
    found += [(names[2], it.source_repo, it.time) for it in Report.all_of(reports).values()]
    times: dict[tuple[str, str], list[float]] = {}
    for name, whom, time in found:
        times.setdefault((name, whom), []).append(time)
    rests = {
        (name, whom): rest
        for name in names
        for whom, rest in Patience(Outbox(queue.client, name)).rests().items()
    }
    return [
        _Row(
            outbox=place[0],
            target=place[1],
            waiting=len(times.get(place, ())),
            oldest=min(times.get(place, ()), default=None),
            next_try=rests[place].until if place in rests else None,
            trouble=rests[place].reason if place in rests else None,
        )
        for place in sorted(times.keys() | rests.keys())
    ]


def _show(session: Session, rows: list[_Row]) -> None:
    from caur_ci.cli.queue_view import timestamp  # noqa: PLC0415 - slow to import
    from caur_ci.cli.tables import table  # noqa: PLC0415

    if not rows:
        session.out.print("nothing waits to be told")
        return
    shown = table("", None, "what", "to", "waiting", "oldest", "next try", "trouble")
    for row in rows:
        shown.add(
            row.outbox,
            row.target,
            str(row.waiting),
            timestamp(row.oldest or 0),
            timestamp(row.next_try or 0),
            row.trouble or "",
        )
    session.out.print(shown)
