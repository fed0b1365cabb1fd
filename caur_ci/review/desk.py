"""Where requests are kept in step with the branches of reviews, before and after a run's push.

Before it, the forge is asked what is open and what people said. After it, requests are opened,
brought up to date and closed. Whatever the forge refuses is told, and done by the next run: nothing
is remembered about it, only what the forge and the branches show.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from caur_ci.review.description import describe, is_about
from caur_ci.review.forge import ForgeError, ForgeRequest, Proposal, RequestState
from caur_ci.review.harmless import as_code
from caur_ci.review.request import BRANCH_PREFIX
from caur_ci.review.words import APPROVALS, MEANINGS, Said, listen, words_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from caur_ci.review.forge import Account, ReviewForge
    from caur_ci.review.request import ReviewRequest

# What forges say where there is such a request already.
_IS_THERE = frozenset({409, 422})
# After so many failures alike, the others will not go better.
_ENOUGH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the forge told before the run: what people said, in which words do not count and why.

    `is_complete` is False where the forge did not tell everything: somebody may have said more.
    """

    said: tuple[Said, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    is_complete: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "said": [one.to_dict() for one in self.said],
            "notes": list(self.notes),
            "problems": list(self.problems),
            "is_complete": self.is_complete,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` returned."""
        return cls(
            said=tuple(Said.from_dict(one) for one in data["said"]),
            notes=tuple(data["notes"]),
            problems=tuple(data["problems"]),
            is_complete=data["is_complete"],
        )


@dataclass(slots=True)
class FollowUp:
    """What became of the requests: their pages by package, and what could not be done."""

    pages: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class ReviewDesk:
    """The requests of one run into the branch `target`."""

    def __init__(self, forge: ReviewForge, target: str) -> None:
        self._forge = forge
        self._target = target
        self._is_known = False
        self._open: dict[str, ForgeRequest] = {}
        self._closed: dict[str, ForgeRequest] = {}
        self._has_labels = False

    def hear(self, branches: Mapping[str, str]) -> Heard:
        """Ask what is open, and what people said; `branches` are those of reviews of ours, with
        their commits.

        Raises nothing for what the forge refuses.
        """
        said: list[Said] = []
        notes: list[str] = []
        try:
            found = self._forge.open_requests(self._target)
            self._open = {one.branch: one for one in found if one.branch.startswith(BRANCH_PREFIX)}
            self._is_known = True
            self._find_closed(branches)
            for request in (*self._open.values(), *self._closed.values()):
                if not words_on(request):
                    continue
                history = self._forge.history(request)
                for word in listen(request, history, self._may_merge):
                    if isinstance(word, Said):
                        said.append(word)
                    else:
                        notes.append(f"{request.url}: {word}")
        except ForgeError as error:
            problem = f"what people said of requests is not known: {_told(error)}"
            return Heard(
                said=tuple(said), notes=tuple(notes), problems=(problem,), is_complete=False
            )
        return Heard(said=tuple(said), notes=tuple(notes))

    def follow_up(
        self,
        wanted: Iterable[ReviewRequest],
        *,
        branches: Iterable[str],
        rejected: Mapping[str, Said],
    ) -> FollowUp:
        """Open or update what is `wanted`, and close what has no branch any more.

        `branches` are all of reviews that are there now, `rejected` are branches whose request is
        to be closed by what somebody said. Raises nothing for what the forge refuses.
        """
        done = FollowUp()
        if not self._is_known:
            done.notes.append("requests are left to the next run: what is open is not known")
            return done
        there = set(branches)
        work: list[Callable[[], None]] = [
            partial(self._close, request, rejected.get(branch))
            for branch, request in sorted(self._open.items())
            if branch in rejected or branch not in there
        ]
        work += [partial(self._settle, done, one) for one in wanted]
        failures: Counter[int] = Counter()
        for number, step in enumerate(work, start=1):
            try:
                step()
            except ForgeError as error:
                done.problems.append(_told(error))
                failures[error.status] += 1
                left = len(work) - number
                if left and (error.final or failures[error.status] == _ENOUGH):
                    done.problems.append(f"{left} more requests are left to the next run")
                    break
        return done

    def _may_merge(self, account: Account) -> bool:
        return self._forge.may_merge(account, self._target)

    def _find_closed(self, branches: Mapping[str, str]) -> None:
        """Find out which branches without an open request have one that somebody closed."""
        for branch, commit in branches.items():
            if branch not in self._open:
                latest = self._forge.latest(branch, self._target)
                if latest and latest.commit == commit and latest.state is RequestState.CLOSED:
                    self._closed[branch] = latest

    def _close(self, request: ForgeRequest, said: Said | None) -> None:
        self._forge.close(
            request,
            f"Closed for good: {said.word}, said {as_code(said.by)}."
            if said
            else "Closed: its branch was merged or is obsolete, and has been removed.",
        )

    def _settle(self, done: FollowUp, wanted: ReviewRequest) -> None:
        """See that there is an open request that says what is wanted."""
        closed = self._closed.get(wanted.branch)
        if closed is not None and closed.commit == wanted.commit:
            done.notes.append(
                f"{wanted.package} waits on the branch {wanted.branch}: {closed.url} was closed"
            )
            return
        request = self._open.get(wanted.branch) or self._opened(wanted)
        done.pages[wanted.package] = request.url
        if not is_about(wanted, request.description):
            stale = [word for word in APPROVALS if word in request.labels]
            self._forge.rewrite(request, self._proposal(wanted), drop=stale)
        if not request.labels.issuperset(wanted.labels):
            # Labels come last: where they are, everything else has been done.
            refused = self._forge.complete(request, self._proposal(wanted))
            done.notes.extend(
                f"{request.url}: {self._forge.name} does not let {name} be asked for a review"
                for name in refused
            )

    def _opened(self, wanted: ReviewRequest) -> ForgeRequest:
        if not self._has_labels:
            self._forge.provide_labels(MEANINGS)
            self._has_labels = True
        try:
            return self._forge.create(self._proposal(wanted))
        except ForgeError as error:
            if error.status not in _IS_THERE:
                raise
            found = self._forge.latest(wanted.branch, self._target)
            if found is None or found.state is not RequestState.OPEN:
                raise
            return found

    def _proposal(self, wanted: ReviewRequest) -> Proposal:
        comparison = self._forge.comparison(wanted.branch, wanted.target)
        return Proposal(
            branch=wanted.branch,
            target=wanted.target,
            title=wanted.title,
            description=describe(wanted, comparison=comparison),
            labels=wanted.labels,
            assignees=wanted.assignees,
            reviewers=wanted.reviewers,
        )


def _told(error: ForgeError) -> str:
    return f"{error.message}. {error.hint}" if error.hint else error.message
