"""Branch `caur`: what this project remembers from run to run.

The branch has one commit that is replaced each time, so it never grows; who replaces it says which
state they saw, so nothing of somebody else is lost. Its parents, if any, are commits of our own
that others took the place of: builds that were asked for at these still find them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from caur_ci.git import TreeEntry
from caur_ci.git.repository import FILE_MODE, TREE_MODE
from caur_ci.pipeline.shared.memory.followed import FollowedUpstreams
from caur_ci.pipeline.shared.memory.ledger import Ledger
from caur_ci.pipeline.shared.memory.outbox import Outbox
from caur_ci.pipeline.shared.memory.own_commits import OwnCommits
from caur_ci.pipeline.shared.memory.reviews import ReviewMemory
from caur_ci.pipeline.shared.memory.seen import SeenPackages

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from caur_ci.git import GitRepository, Identity
    from caur_ci.pipeline.shared.memory.ledger import LedgerEntry
    from caur_ci.request import BuildRequest
    from caur_ci.update.source import LastSeen
    from caur_ci.update.vcs.seen import VcsSeen

MEMORY_BRANCH = "refs/heads/caur"
_OUTBOX, _LEDGER, _SEEN, _COMMITS = "outbox", "ledger.jsonl", "seen.jsonl", "commits.json"
_REVIEWS, _VCS = "reviews.json", "vcs.jsonl"
_MESSAGE = "chore(caur): remember [skip ci]\n"


@dataclass(frozen=True, slots=True)
class Memory:
    """The outbox, the ledger, what was seen of the packages' sources, our commits, and reviews.

    `vcs` is what is known of the upstream repositories of VCS packages.
    """

    outbox: Outbox = field(default_factory=Outbox)
    ledger: Ledger = field(default_factory=Ledger)
    seen: SeenPackages = field(default_factory=SeenPackages)
    commits: OwnCommits = field(default_factory=OwnCommits)
    reviews: ReviewMemory = field(default_factory=ReviewMemory)
    vcs: FollowedUpstreams = field(default_factory=FollowedUpstreams)
    # What else is on the branch, kept as it is.
    others: tuple[TreeEntry, ...] = field(default=(), compare=False)

    @classmethod
    def read(cls, git: GitRepository, commit: str | None) -> Self:
        """Read what is remembered in `commit` (None: the branch does not exist yet).

        Raises InputError for an outbox, and for reviews, that cannot be read.
        """
        if commit is None:
            return cls()
        top = {entry.name: entry for entry in git.entries(commit)}
        folder = top.pop(_OUTBOX, None)
        names = (_LEDGER, _SEEN, _COMMITS, _REVIEWS, _VCS)
        own = [top.pop(name) for name in names if name in top]
        requests = git.entries(folder.object_id) if folder and folder.is_folder else []
        blobs = git.read_blobs([entry.object_id for entry in (*own, *requests)])
        lines = {entry.name: next(blobs) or b"" for entry in own}
        return cls(
            Outbox.from_files({entry.name: next(blobs) or b"" for entry in requests}),
            Ledger.from_bytes(lines.get(_LEDGER, b"")),
            SeenPackages.from_bytes(lines.get(_SEEN, b"")),
            OwnCommits.from_bytes(lines.get(_COMMITS, b""), replaced=git.parents(commit)),
            ReviewMemory.from_bytes(lines.get(_REVIEWS, b"")),
            FollowedUpstreams.from_bytes(lines.get(_VCS, b"")),
            tuple(top.values()),
        )

    def with_run(self, request: BuildRequest, decisions: Iterable[LedgerEntry]) -> Memory:
        """Return the memory after a run that decided this, and asked for `request` if at all."""
        return replace(
            self,
            outbox=self.outbox if request.is_empty else self.outbox.add(request),
            ledger=self.ledger.add(decisions),
        )

    def with_sources(self, seen: Mapping[str, LastSeen], commits: OwnCommits) -> Memory:
        """Return the memory with what a run saw of the packages that it dealt with, and made."""
        return replace(self, seen=self.seen.updated(seen), commits=commits)

    def with_upstreams(self, news: Mapping[str, VcsSeen]) -> Memory:
        """Return the memory with what a run found of upstream repositories."""
        return replace(self, vcs=self.vcs.updated(news))

    def with_reviews(self, reviews: ReviewMemory) -> Memory:
        """Return the memory with what is known of reviews now."""
        return replace(self, reviews=reviews)

    def pruned_to(self, packages: Collection[str]) -> Memory:
        """Return the memory without what was seen of packages that are gone."""
        return replace(self, seen=self.seen.only(packages), vcs=self.vcs.only(packages))

    def acknowledged(self, request_ids: Collection[str]) -> Memory:
        """Return the memory without the requests that the queue has acknowledged."""
        return replace(self, outbox=self.outbox.without(request_ids))

    def write(self, git: GitRepository, identity: Identity) -> str:
        """Store the memory and return the commit to which the branch is to be set."""
        entries = list(self.others)
        files = [
            TreeEntry(FILE_MODE, git.write_blob(content), name)
            for name, content in self.outbox.to_files().items()
        ]
        if files:
            entries.append(TreeEntry(TREE_MODE, git.write_tree(files), _OUTBOX))
        own = {
            _LEDGER: self.ledger.to_bytes(),
            _SEEN: self.seen.to_bytes(),
            _COMMITS: self.commits.to_bytes(),
            _REVIEWS: self.reviews.to_bytes(),
            _VCS: self.vcs.to_bytes(),
        }
        for name, content in own.items():
            if content:
                entries.append(TreeEntry(FILE_MODE, git.write_blob(content), name))
        # In a shallow clone the older ones may be missing, and are let go.
        parents = [commit for commit in self.commits.replaced if git.resolve(commit)]
        tree = git.write_tree(entries)
        return git.write_commit(tree, _MESSAGE, parents=parents, identity=identity)
