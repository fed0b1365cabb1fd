"""What GitLab tells of comments, read."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from caur_ci.review.comments import Comment, Place, PlaceKind
from caur_ci.review.forge import Account

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PLACES = {"Issue": PlaceKind.ISSUE, "MergeRequest": PlaceKind.REQUEST}


def comments_of(event: Mapping[str, Any], page: str) -> Iterator[Comment]:
    """Yield the comment that an event is about, if it is one of a person on issues or requests."""
    note = event.get("note") or {}
    kind = _PLACES.get(note.get("noteable_type", ""))
    author = note.get("author")
    if kind is None or not author or note.get("system"):
        return
    name, number = str(author["username"]), int(note["noteable_iid"])
    folder = "issues" if kind is PlaceKind.ISSUE else "merge_requests"
    internally = bool(note.get("internal") or note.get("confidential"))
    yield Comment(
        id=int(note["id"]),
        place=Place(kind, number, internally),
        text=note["body"] or "",
        account=Account(int(author["id"]), name, is_person=not is_token(name)),
        time=seconds(note["created_at"]),
        url=f"{page}/-/{folder}/{number}#note_{note['id']}" if page else "",
    )


def is_token(name: str) -> bool:
    """Tell whether an account is that of an access token of a project or a group."""
    kind, _, rest = name.partition("_")
    number, _, bot = rest.partition("_")
    return kind in {"project", "group"} and number.isdecimal() and bot.startswith("bot")


def seconds(text: str) -> int:
    """Return a time of GitLab's in Unix seconds."""
    return int(datetime.fromisoformat(text).timestamp())
