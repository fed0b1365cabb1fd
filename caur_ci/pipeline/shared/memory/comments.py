"""Which comments were dealt with, and which answers are still to be given."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from caur_ci.errors import InputError
from caur_ci.review import Place, PlaceKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_NONSENSE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to be said of the comment `comment`, where it was made."""

    comment: int
    place: Place
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentMemory:
    """What is remembered. Times are the forge's, in Unix seconds.

    Comments that were made at `floor` or before are never looked at; 0: none were ever read. Of the
    later ones, those in `done` were dealt with, each with its time.
    """

    floor: int = 0
    done: Mapping[int, int] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Take what is stored. Raises InputError where that makes no sense."""
        if not content:
            return cls()
        try:
            data = json.loads(content)
            return cls(
                floor=int(data["floor"]),
                done={int(comment): int(time) for comment, time in data["done"].items()},
                answers=tuple(map(_answer, data["answers"])),
            )
        except _NONSENSE as error:
            raise InputError(
                f"comments.json on branch caur cannot be read: {error!r}",
                hint="Restore an older state of the branch, or remove the file: then comments "
                "that were not dealt with yet are never read.",
            ) from error

    def to_bytes(self) -> bytes:
        """Return what is to be stored: nothing where no comments were ever read."""
        if self == CommentMemory():
            return b""
        data = {
            "floor": self.floor,
            "done": {str(comment): time for comment, time in self.done.items()},
            "answers": [asdict(answer) for answer in self.answers],
        }
        return json.dumps(data, indent=1).encode() + b"\n"

    def with_done(self, times: Mapping[int, int], answers: Iterable[Answer]) -> CommentMemory:
        """Return it with further comments dealt with, whose answers are to be given."""
        return replace(self, done={**self.done, **times}, answers=(*self.answers, *answers))

    def from_floor(self, floor: int) -> CommentMemory:
        """Return it with comments up to `floor` never to be looked at; it only rises."""
        floor = max(floor, self.floor)
        done = {comment: time for comment, time in self.done.items() if time > floor}
        return replace(self, floor=floor, done=done)

    def answered(self, comments: Collection[int]) -> CommentMemory:
        """Return it without the answers to some comments, which were given or never can be."""
        left = tuple(it for it in self.answers if it.comment not in comments)
        return replace(self, answers=left)


def _answer(data: Mapping[str, Any]) -> Answer:
    place = data["place"]
    if not isinstance(data["text"], str):
        raise TypeError(data)
    return Answer(
        comment=int(data["comment"]),
        place=Place(PlaceKind(place["kind"]), int(place["number"]), bool(place["internally"])),
        text=data["text"],
    )
