"""The words that people say by labels, and what counts as said.

A label is a word only with somebody behind it: the forge tells who put it there and when. It counts
if that person may merge, and an approval only if the change has been the same ever since.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from caur_ci.review.forge import Account, ForgeRequest, LabelEvent, RequestHistory


class Word(StrEnum):
    """What people may say of a request."""

    APPROVED = "approved"
    APPROVED_DANGER = "approved-danger"
    HOLD = "hold"
    DANGEROUS = "dangerous"


APPROVALS = (Word.APPROVED, Word.APPROVED_DANGER)
MEANINGS = (
    (Word.APPROVED, "Take it over with the next run"),
    (Word.APPROVED_DANGER, "Take it over though something in it is a danger; besides approved"),
    (Word.HOLD, "Leave the package as it is until this label goes"),
    (Word.DANGEROUS, "Close it, and never propose these files again"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A word that counts: about the request from `branch`, whose tip was `commit`.

    `time` is the forge's, in Unix seconds; `page` is that of the request.
    """

    word: Word
    branch: str
    commit: str
    by: str
    time: int
    page: str

    def __str__(self) -> str:
        when = datetime.fromtimestamp(self.time, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return f"{self.word} by {self.by} on {when}"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` returned."""
        return cls(**{**data, "word": Word(data["word"])})

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)


def words_on(request: ForgeRequest) -> list[Word]:
    """Return the labels of a request that are words."""
    return [word for word in Word if word in request.labels]


def listen(
    request: ForgeRequest, history: RequestHistory, may_merge: Callable[[Account], bool]
) -> Iterator[Said | str]:
    """Yield the words on a request that count, and sentences about those that do not."""
    for word in words_on(request):
        event = _latest(history, word)
        if event is None or not event.account.is_person:
            yield f"the label {word} was not put there by a person"
        elif not may_merge(event.account):
            yield f"{event.account.name} said {word}, and has no right to merge"
        elif word in APPROVALS and not _is_later(event, history):
            yield f"{event.account.name} said {word} before the change was as it is now"
        else:
            yield Said(
                word=word,
                branch=request.branch,
                commit=request.commit,
                by=event.account.name,
                time=event.time,
                page=request.url,
            )


def _latest(history: RequestHistory, word: Word) -> LabelEvent | None:
    found = [event for event in history.labels if event.label == word]
    return found[-1] if found and found[-1].is_added else None


def _is_later(event: LabelEvent, history: RequestHistory) -> bool:
    # Times are whole seconds: of two in the same one nobody can tell which came first.
    return history.unchanged_since is not None and event.time > history.unchanged_since
