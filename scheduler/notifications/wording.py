"""The messages: what is alike is one of them, however much of it there is."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.notifications.markup import Line, Markup, Span, length, written
from scheduler.settings.telling import Told

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scheduler.notifications.model import Note, Waiting

LogLink = Callable[["Note"], str]

_OF_REMOVALS = frozenset({Told.CLEANUP, Told.CLEANUP_FAILED})

_A_PAGE = "https://archlinux.org/"


@dataclass(frozen=True, slots=True)
class Group:
    """Notes of one kind about one repository, in the order in which it happened."""

    told: Told
    repository: str
    waiting: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. `title` is empty where the text has it."""

    title: str
    body: str


def groups(waiting: Iterable[Waiting]) -> list[Group]:
    """Put together what is told in one message each, those first that begin first."""
    found: dict[tuple[Told, str], list[Waiting]] = {}
    for each in waiting:
        found.setdefault((each.note.told, each.note.repository), []).append(each)
    return [Group(*place, tuple(members)) for place, members in found.items()]


def message(
    group: Group, markup: Markup, log_link: LogLink, *, limit: int, has_title: bool
) -> Message:
    """Return the message about a group, with as many packages as there is room for.

    `limit` is how long the body may be. With `has_title` the first line goes there.
    """
    notes = [each.note for each in group.waiting]
    title = headline(notes)
    first = [] if has_title else [Line((Span(title, bold=True),))]
    lines = [] if group.told in _OF_REMOVALS else _package_lines(notes, log_link)
    if group.told is Told.CLEANUP_FAILED:
        lines = [Line((Span(reason),), quoted=True) for reason in _reasons(notes)]
    if has_title and not lines:
        first = [Line((Span(title),))]
    return Message(title if has_title else "", _fitting(first, lines, markup, limit))


def trial(markup: Markup, *, has_title: bool) -> Message:
    """Return a message that says nothing but that messages arrive."""
    title = "🔔 A test of caur-ci"
    text = Line((Span("Messages arrive here, and links work: "), Span("Arch Linux", url=_A_PAGE)))
    first = [] if has_title else [Line((Span(title, bold=True),))]
    return Message(title if has_title else "", written([*first, text], markup))


def headline(notes: Sequence[Note]) -> str:
    """Return what happened, without the packages: the words of the existing system."""
    told, repository = notes[0].told, notes[0].repository
    nodes = {note.node for note in notes}
    on = f" on {nodes.pop()}" if len(nodes) == 1 and "" not in nodes else ""
    times = f" ({len(notes)} times)" if len(notes) > 1 else ""
    return {
        Told.DEPLOYED: f"📣 New deployment to {repository}{on}:",
        Told.FAILED: f"🚨 Failed deploying to {repository}{on}:",
        Told.TIMED_OUT: f"⏳ Build for {repository} failed due to a timeout:",
        Told.SOFTWARE_FAILURE: f"💥 The code blew up while deploying to {repository}{on}:",
        Told.CLEANUP: f"✅ Cleanup job for {repository} finished successfully{times}",
        Told.CLEANUP_FAILED: f"🚫 Cleanup job {repository} failed to remove packages{times}",
    }[told]


def _package_lines(notes: Sequence[Note], log_link: LogLink) -> list[Line]:
    """Return a line for each package; of several notes about one, that of the latest."""
    latest = {note.identity: note for note in notes}
    return [_package_line(note, log_link(note)) for note in latest.values()]


def _package_line(note: Note, log_url: str) -> Line:
    spans = [Span(note.pkgbase)]
    for label, url in (("logs", log_url), ("commit", note.commit_url)):
        if url:
            spans += [Span(" - "), Span(label, url=url)]
    return Line(tuple(spans), quoted=True)


def _reasons(notes: Sequence[Note]) -> list[str]:
    return list(dict.fromkeys(note.reason for note in notes if note.reason))


def _fitting(first: Sequence[Line], packages: Sequence[Line], markup: Markup, limit: int) -> str:
    """Return the text of all lines, or as much of it as fits.

    What there is no room for is named without its links; and of what is left, the number is told.
    """
    text = written([*first, *packages], markup)
    if length(text) <= limit:
        return text
    number = _most(len(packages), limit // 2, lambda n: [*first, *packages[:n]], markup)
    shown = [*first, *packages[:number]]
    names = [line.spans[0].text for line in packages[number:]]
    named = _most(len(names), limit, lambda n: [*shown, _names(names, n)], markup)
    return written([*shown, _names(names, named)], markup)


def _most(number: int, limit: int, lines: Callable[[int], Sequence[Line]], markup: Markup) -> int:
    """Return the largest number, up to `number`, whose lines are within the limit, or 0."""
    within = bisect_right(range(number + 1), limit, key=lambda n: length(written(lines(n), markup)))
    return max(0, within - 1)


def _names(names: Sequence[str], number: int) -> Line:
    """Return a line with some of the names, and how many more there are."""
    text = ", ".join(names[:number])
    if number < len(names):
        text += f"{' ' if text else ''}… and {len(names) - number} more"
    return Line((Span(text),), quoted=True)
