"""What is answered to comments: in our words, with those of others shown as code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.plaintext import link_in_markdown, one_line
from caur_ci.review import ForgeError
from caur_ci.review.harmless import as_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from caur_ci.pipeline.shared.memory.comments import Answer
    from caur_ci.review import Comment, Place
    from caur_ci.review.comments import CommentForge

_MOST_SENTENCES = 60
_LONGEST_DETAIL = 400
# Of one comment, in characters: GitHub takes 65,536.
_LONGEST_COMMENT = 50_000


@dataclass(frozen=True, slots=True)
class Told:
    """One sentence: what it is about, our `words`, and `details` that may be anybody's."""

    about: str
    words: str
    details: tuple[str, ...] = ()

    def in_markdown(self, redact: Callable[[str], str]) -> str:
        """Return it as items of a list, without secrets."""
        below = (as_code(redact(it), longest=_LONGEST_DETAIL) for it in self.details)
        lines = [f"- {as_code(redact(self.about))}: {self.words}"]
        return "\n".join([*lines, *(f"  - {it}" for it in below if it)])

    def __str__(self) -> str:
        details = f" ({'; '.join(self.details)})" if self.details else ""
        return one_line(f"{self.about}: {self.words}{details}")


def answer_text(comment: Comment, told: Sequence[Told], redact: Callable[[str], str]) -> str:
    """Return what is answered to a comment."""
    page = link_in_markdown("this comment", comment.url)
    head = f"{as_code(comment.account.name)} asked for this{f' in {page}' if page else ''}:"
    lines = [it.in_markdown(redact) for it in told[:_MOST_SENTENCES]]
    if len(told) > _MOST_SENTENCES:
        lines.append(f"- and {len(told) - _MOST_SENTENCES} more, which the log of the run has")
    return "\n".join([head, "", *lines])


@dataclass(frozen=True, slots=True)
class Given:
    """The comments that need no answer any more, and what went wrong."""

    comments: frozenset[int]
    problems: tuple[str, ...] = ()


def give(forge: CommentForge, answers: Iterable[Answer]) -> Given:
    """Give answers: one comment for each place, unless that would be too long.

    Those that the forge cannot take now are left; those that it refuses are not. Raises nothing
    for what the forge refuses.
    """
    bundles = list(_bundles(answers))
    given: set[int] = set()
    problems: list[str] = []
    for number, (place, bundle) in enumerate(bundles):
        try:
            forge.answer(place, "\n\n".join(it.text for it in bundle))
        except ForgeError as error:
            problems.append(f"{error.message}. {error.hint}" if error.hint else error.message)
            if error.final:
                left = len(bundles) - number
                problems.append(f"{left} answer{'s' if left != 1 else ''} left to the next run")
                break
        given.update(it.comment for it in bundle)
    return Given(frozenset(given), tuple(problems))


def _bundles(answers: Iterable[Answer]) -> Iterator[tuple[Place, list[Answer]]]:
    by_place: dict[Place, list[Answer]] = {}
    for answer in answers:
        by_place.setdefault(answer.place, []).append(answer)
    for place, some in by_place.items():
        bundle: list[Answer] = []
        for answer in some:
            if bundle and sum(len(it.text) + 2 for it in (*bundle, answer)) > _LONGEST_COMMENT:
                yield place, bundle
                bundle = []
            bundle.append(answer)
        yield place, bundle
