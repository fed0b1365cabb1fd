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
from caur_ci.pipeline.shared.memory.adoptions import Adoptions
from caur_ci.pipeline.shared.memory.aur_pushes import AurPushes
from caur_ci.pipeline.shared.memory.comments import CommentMemory
from caur_ci.pipeline.shared.memory.failed_builds import FailedBuilds
from caur_ci.pipeline.shared.memory.followed import FollowedUpstreams
from caur_ci.pipeline.shared.memory.holds import Holds
from caur_ci.pipeline.shared.memory.ledger import Ledger
from caur_ci.pipeline.shared.memory.libraries import LibraryMemory, WaitingBumps
from caur_ci.pipeline.shared.memory.outbox import Outbox
from caur_ci.pipeline.shared.memory.own_commits import OwnCommits
from caur_ci.pipeline.shared.memory.reviews import ReviewMemory
from caur_ci.pipeline.shared.memory.seen import SeenPackages
from caur_ci.pipeline.shared.memory.standalone_run import StandaloneRun
from caur_ci.pipeline.shared.memory.troubles import Troubles
from caur_ci.recalled import RECALLED, RECALLED_BRANCH, read_recalled, write_recalled

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from caur_ci.git import GitRepository, Identity
    from caur_ci.pipeline.shared.memory.adoptions import Adoption
    from caur_ci.pipeline.shared.memory.ledger import LedgerEntry
    from caur_ci.request import BuildRequest
    from caur_ci.update.source import LastSeen
    from caur_ci.update.vcs.seen import VcsSeen

MEMORY_BRANCH = RECALLED_BRANCH
_OUTBOX, _LEDGER, _SEEN, _COMMITS = "outbox", "ledger.jsonl", "seen.jsonl", "commits.json"
_REVIEWS, _HOLDS, _ADOPTIONS = "reviews.json", "holds.json", "adoptions.jsonl"
_LIBRARIES, _BUMPS, _LINKAGE = "libraries.txt", "bumps.json", "linkage.jsonl"
_TROUBLES, _VCS, _AUR = "troubles.jsonl", "vcs.jsonl", "aur.jsonl"
_COMMENTS, _RUN, _FAILED = "comments.json", "run.json", "failed.jsonl"
_OWN = (
    *(_LEDGER, _SEEN, _COMMITS, _REVIEWS, _TROUBLES, _VCS),
    *(_HOLDS, RECALLED, _ADOPTIONS, _LIBRARIES, _BUMPS, _LINKAGE, _AUR, _COMMENTS),
    *(_RUN, _FAILED),
)
_MESSAGE = "chore(caur): remember [skip ci]\n"


@dataclass(frozen=True, slots=True)
class Memory:
    """The outbox, the ledger, what was seen of packages and libraries, our commits, reviews, what
    is held, who came to maintain packages, and which of them are in trouble.

    `recalled` are packages that are not to be published; all of them are on hold. `vcs` is what is
    known of the upstream repositories of VCS packages, `aur` what the AUR has of ours, `comments`
    which comments were dealt with. `run` and `failed` are of runs without a build side.
    """

    outbox: Outbox = field(default_factory=Outbox)
    ledger: Ledger = field(default_factory=Ledger)
    seen: SeenPackages = field(default_factory=SeenPackages)
    commits: OwnCommits = field(default_factory=OwnCommits)
    reviews: ReviewMemory = field(default_factory=ReviewMemory)
    holds: Holds = field(default_factory=Holds)
    recalled: frozenset[str] = frozenset()
    adoptions: Adoptions = field(default_factory=Adoptions)
    libraries: LibraryMemory = field(default_factory=LibraryMemory)
    troubles: Troubles = field(default_factory=Troubles)
    vcs: FollowedUpstreams = field(default_factory=FollowedUpstreams)
    aur: AurPushes = field(default_factory=AurPushes)
    comments: CommentMemory = field(default_factory=CommentMemory)
    run: StandaloneRun | None = None
    failed: FailedBuilds = field(default_factory=FailedBuilds)
    # What else is on the branch, kept as it is.
    others: tuple[TreeEntry, ...] = field(default=(), compare=False)

    @classmethod
    def read(cls, git: GitRepository, commit: str | None) -> Self:
        """Read what is remembered in `commit` (None: the branch does not exist yet).

        Raises InputError for an outbox, reviews, holds, adoptions, waiting bumps and comments that
        cannot be read.
        """
        if commit is None:
            return cls()
        top = {entry.name: entry for entry in git.entries(commit)}
        folder = top.pop(_OUTBOX, None)
        own = [top.pop(name) for name in _OWN if name in top]
        requests = git.entries(folder.object_id) if folder and folder.is_folder else []
        blobs = git.read_blobs([entry.object_id for entry in (*own, *requests)])
        lines = {entry.name: next(blobs) or b"" for entry in own}
        return cls(
            Outbox.from_files({entry.name: next(blobs) or b"" for entry in requests}),
            Ledger.from_bytes(lines.get(_LEDGER, b"")),
            SeenPackages.from_bytes(lines.get(_SEEN, b"")),
            OwnCommits.from_bytes(lines.get(_COMMITS, b""), replaced=git.parents(commit)),
            ReviewMemory.from_bytes(lines.get(_REVIEWS, b"")),
            Holds.from_bytes(lines.get(_HOLDS, b"")),
            read_recalled(lines.get(RECALLED, b"")),
            Adoptions.from_bytes(lines.get(_ADOPTIONS, b"")),
            LibraryMemory(
                lines.get(_LIBRARIES, b""),
                WaitingBumps.from_bytes(lines.get(_BUMPS, b"")),
                lines.get(_LINKAGE, b""),
            ),
            Troubles.from_bytes(lines.get(_TROUBLES, b"")),
            FollowedUpstreams.from_bytes(lines.get(_VCS, b"")),
            AurPushes.from_bytes(lines.get(_AUR, b"")),
            CommentMemory.from_bytes(lines.get(_COMMENTS, b"")),
            StandaloneRun.from_bytes(lines.get(_RUN, b"")),
            FailedBuilds.from_bytes(lines.get(_FAILED, b"")),
            tuple(top.values()),
        )

    def with_run(self, request: BuildRequest, decisions: Iterable[LedgerEntry]) -> Memory:
        """Return the memory after a run that decided this, and asked for `request` if at all."""
        return replace(
            self,
            outbox=self.outbox if request.is_empty else self.outbox.add(request),
            ledger=self.ledger.add(decisions),
            holds=self.holds.without_released(package.pkgbase for package in request.packages),
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

    def with_holds(self, holds: Holds) -> Memory:
        """Return the memory with what is on hold now."""
        return replace(self, holds=holds)

    def with_adoptions(self, news: Iterable[Adoption]) -> Memory:
        """Return the memory with who has come to maintain packages since."""
        return replace(self, adoptions=self.adoptions.add(news))

    def with_libraries(self, libraries: LibraryMemory) -> Memory:
        """Return the memory with what is known of libraries now."""
        return replace(self, libraries=libraries)

    def with_comments(self, comments: CommentMemory) -> Memory:
        """Return the memory with the comments that were dealt with now."""
        return replace(self, comments=comments)

    def with_troubles(self, troubles: Troubles) -> Memory:
        """Return the memory with the packages that are in trouble now."""
        return replace(self, troubles=troubles)

    def pruned_to(self, packages: Collection[str]) -> Memory:
        """Return the memory without what was seen, or is to be built, of packages that are gone."""
        gone = self.holds.released.keys() - {*packages}
        return replace(
            self,
            seen=self.seen.only(packages),
            vcs=self.vcs.only(packages),
            holds=self.holds.without_released(gone),
            adoptions=self.adoptions.only(packages),
            troubles=self.troubles.only(packages),
            aur=self.aur.only(packages),
            failed=self.failed.only(packages),
        )

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
            _ADOPTIONS: self.adoptions.to_bytes(),
            _HOLDS: self.holds.to_bytes(),
            RECALLED: write_recalled(self.recalled),
            _LIBRARIES: self.libraries.versions,
            _BUMPS: self.libraries.waiting.to_bytes(),
            _LINKAGE: self.libraries.linkage,
            _TROUBLES: self.troubles.to_bytes(),
            _VCS: self.vcs.to_bytes(),
            _AUR: self.aur.to_bytes(),
            _COMMENTS: self.comments.to_bytes(),
            _RUN: self.run.to_bytes() if self.run else b"",
            _FAILED: self.failed.to_bytes(),
        }
        for name, content in own.items():
            if content:
                entries.append(TreeEntry(FILE_MODE, git.write_blob(content), name))
        # In a shallow clone the older ones may be missing, and are let go.
        parents = [commit for commit in self.commits.replaced if git.resolve(commit)]
        tree = git.write_tree(entries)
        return git.write_commit(tree, _MESSAGE, parents=parents, identity=identity)
