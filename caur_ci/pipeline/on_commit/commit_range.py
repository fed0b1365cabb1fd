"""Which commits on-commit has to look at: from the tag `scheduled` to HEAD."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from caur_ci.errors import GitError

if TYPE_CHECKING:
    from caur_ci.git import GitRepository, Remote

# How many more commits are fetched each time a shallow clone turns out too short; then all.
_DEEPEN_STEPS = (50, 500, 5000)


class TagPosition(Enum):
    """How the tag lies to HEAD."""

    NO_TAG = "there is no tag, only the last commit counts"
    SAME = "the tag is at HEAD, there is nothing new"
    BEHIND = "HEAD goes on from the tag"
    AHEAD = "a later run has already scheduled HEAD"
    REWRITTEN = "the branch was rewritten, the tag is no longer in its history"
    UNRELATED = "HEAD and the tag have no history in common"


@dataclass(frozen=True, slots=True)
class CommitRange:
    """The commits to look at.

    The net difference is that of the trees `diff_base` and `head`; the messages are those of the
    commits in the history of `head` but not of `messages_after` (None: only of `head`).
    """

    head: str
    tag: str | None
    position: TagPosition
    diff_base: str
    messages_after: str | None

    @property
    def is_empty(self) -> bool:
        return self.position in {TagPosition.SAME, TagPosition.AHEAD}


def find_range(
    git: GitRepository, remote: Remote | None, *, head: str, tag: str | None
) -> CommitRange:
    """Find the range that ends at `head`, given the object the tag names (None: no tag).

    In a shallow clone the missing history is fetched from `remote`. Raises GitError when the
    objects needed cannot be had.
    """
    if tag is None:
        return CommitRange(head, None, TagPosition.NO_TAG, _tree_before(git, remote, head), None)
    tagged = _tagged_commit(git, remote, tag)
    position = tag_position(git, remote, head=head, tag=tagged)
    messages_after = None if position is TagPosition.UNRELATED else tagged
    return CommitRange(head, tagged, position, tagged, messages_after)


def _tree_before(git: GitRepository, remote: Remote | None, head: str) -> str:
    """Return what `head` is compared with where there is no tag: its first parent."""
    parents = git.parents(head)
    if not parents:
        return git.empty_tree()
    if git.resolve(parents[0]) is None:
        if remote is None:
            raise GitError(
                f"the parent of {head[:12]} is not in this shallow clone",
                hint="Fetch at least two commits (`git fetch --depth=2`).",
            )
        remote.deepen(head, by=1)
    return git.commit_id(parents[0])


def _tagged_commit(git: GitRepository, remote: Remote | None, tag: str) -> str:
    if git.resolve(tag) is None and remote is not None:
        remote.fetch(tag)
    return git.commit_id(tag)


def tag_position(git: GitRepository, remote: Remote | None, *, head: str, tag: str) -> TagPosition:
    """Find out how the commit `tag` lies to `head`, with history from `remote` as it is needed.

    Raises GitError and TemporaryError where that cannot be had.
    """
    if head == tag:
        return TagPosition.SAME
    steps = iter((*_DEEPEN_STEPS, None))
    while True:
        if git.is_ancestor(tag, head):
            return TagPosition.BEHIND
        if git.is_ancestor(head, tag):
            return TagPosition.AHEAD
        if remote is None or not git.is_shallow():
            break
        remote.deepen(head, tag, by=next(steps))
    return TagPosition.REWRITTEN if git.have_common_history(head, tag) else TagPosition.UNRELATED
