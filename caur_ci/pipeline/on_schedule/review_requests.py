"""What requests at the forge say: written from what is remembered, whatever a run found anew."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import GitError
from caur_ci.pipeline.shared.memory.reviews import WaitingChange
from caur_ci.review import BRANCH_PREFIX, ChangeText, ReviewRequest, upstream_pages
from caur_ci.review.request import LABELS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from caur_ci.pipeline.on_schedule.followed_repository import FollowedRepository
    from caur_ci.pipeline.on_schedule.planning import PlannedUpdate
    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.pipeline.shared.memory.own_commits import ReviewBranch

_BRANCHES = "refs/heads/"
_PEOPLE = re.compile(r"[\s,;@]+")
# Of a diff; what is larger is not read anyway.
_LARGEST = 4 * 1024**2
_WORD = "[A-Za-z0-9_]+|[^[:space:]]"
_DIFF = ("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")


def waiting_changes(
    planned: Iterable[PlannedUpdate],
    branches: Mapping[str, ReviewBranch],
    before: Mapping[str, WaitingChange],
) -> dict[str, WaitingChange]:
    """Return what is known of the change on each branch: as planned just now, or as `before`."""
    proposed = {one.package.name: one for one in planned if one.tree and not one.merges}
    known: dict[str, WaitingChange] = {}
    for name, branch in branches.items():
        one = proposed.get(name)
        if one is not None and one.tree == branch.tree:
            known[name] = _waiting(one, branch.commit)
        elif name in before and before[name].commit == branch.commit:
            known[name] = before[name]
    return known


def _waiting(one: PlannedUpdate, commit: str) -> WaitingChange:
    seen = one.seen or one.package.seen
    return WaitingChange(
        commit=commit,
        before=one.decision.before,
        after=one.decision.after,
        link=one.decision.link,
        maintainer=seen.maintainer,
        points=one.points,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWriter:
    """Writes the requests of one run, for packages that are as at the commit `base`."""

    context: RunContext
    repository: FollowedRepository
    base: str

    def requests(
        self,
        branches: Mapping[str, ReviewBranch],
        known: Mapping[str, WaitingChange],
        *,
        without: Collection[str],
    ) -> Iterator[ReviewRequest]:
        """Yield the requests for the branches that there are, but for some packages."""
        for name in sorted({*branches} - {*without}):
            yield self._request(name, branches[name], known.get(name))

    def _request(
        self, name: str, branch: ReviewBranch, known: WaitingChange | None
    ) -> ReviewRequest:
        config = self.repository.committed.config
        package = self.repository.packages.get(name)
        deptree = self.repository.committed.deptree
        known = known or WaitingChange(commit=branch.commit)
        follows = ("nvchecker",) if package and package.config.nvchecker else ()
        return ReviewRequest(
            package=name,
            branch=f"{BRANCH_PREFIX}{name}",
            target=self.context.branch.removeprefix(_BRANCHES),
            commit=branch.commit,
            points=known.points,
            before=known.before,
            after=known.after,
            link=known.link,
            maintainer=known.maintainer,
            dependants=tuple(sorted(deptree.dependants(name))) if name in deptree else (),
            labels=(*LABELS, *follows),
            assignees=_people(config.human_review_assignee),
            reviewers=_people(config.human_review_reviewers),
            text=lambda: self._text(name, branch),
        )

    def _text(self, name: str, branch: ReviewBranch) -> ChangeText:
        """Return what the branch changes in the package as it is now."""
        old, new = f"{self.base}:{name}", f"{branch.commit}:{name}"
        try:
            self.context.shared.fetch_missing([branch.commit])
            words = self._diff("--unified=0", f"--word-diff-regex={_WORD}", old, new)
            patch = self._diff("--unified=3", old, new)
            return ChangeText(words, patch, self._upstream(old, new))
        except GitError:
            return ChangeText()  # too large, or gone: the forge's own page shows it

    def _diff(self, *arguments: str) -> str:
        output = self.context.git.git(*_DIFF, *arguments, "--", largest_output=_LARGEST)
        return output.decode(errors="replace")

    def _upstream(self, old: str, new: str) -> tuple[tuple[str, str], ...]:
        files = [f"{tree}/.SRCINFO" for tree in (old, new)]
        before, after = (data or b"" for data in self.context.git.read_blobs(files))
        return upstream_pages(before.decode(errors="replace"), after.decode(errors="replace"))


def _people(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in _PEOPLE.split(text) if name))
