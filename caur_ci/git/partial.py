"""Clones without their files' contents (`git clone --filter=blob:none`).

Git gets a content from the remote when it is asked for it, one request for each. What is wanted
together is fetched together here, before git is asked.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING

from caur_ci.errors import GitError
from caur_ci.git.repository import GitRepository

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_FETCH = (
    *("-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--stdin", "--filter=blob:none"),
    *("--no-tags", "--no-write-fetch-head", "--recurse-submodules=no"),
)
_FETCH_TIMEOUT = 900.0


class PartialClone(GitRepository):
    """A repository that gets contents which it lacks from `promisor`, a remote."""

    def __init__(self, folder: Path, *, bare: bool, promisor: str) -> None:
        super().__init__(folder, bare=bare)
        self._promisor = promisor

    def read_blobs(self, names: Sequence[str]) -> Iterator[bytes | None]:
        """Do as others do, with what is wanted fetched first."""
        self._fetch_contents(names)
        return super().read_blobs(names)

    def object_types(self, names: Sequence[str]) -> list[str]:
        """Do as others do, with what is wanted fetched first: git knows no type without it."""
        self._fetch_contents(names)
        return super().object_types(names)

    def _fetch_contents(self, names: Sequence[str]) -> None:
        """Get the contents behind object names (`ID` or `TREE:PATH`) that are not here, at once.

        What cannot be had that way is left to git.
        """
        if not names:
            return
        with suppress(GitError):
            here = _objects_here(self)
            wanted = {
                name
                for name in _ids_of(self, names, here)
                if name not in here and not set(name) - set("0123456789abcdef")
            }
            if wanted:
                self.git(
                    *(*_FETCH, self._promisor),
                    stdin="".join(f"{name}\n" for name in sorted(wanted)).encode(),
                    environment={"GIT_TERMINAL_PROMPT": "0"},
                    timeout=_FETCH_TIMEOUT,
                )


def _objects_here(git: GitRepository) -> frozenset[str]:
    listing = git.git(
        "cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objectname)"
    )
    return frozenset(listing.decode().split())


def _ids_of(git: GitRepository, names: Iterable[str], here: frozenset[str]) -> Iterator[str]:
    """Yield what the names stand for, by reading the trees, which are here."""
    waiting: defaultdict[str, set[str]] = defaultdict(set)
    for name in names:
        start, colon, path = name.partition(":")
        if colon:
            waiting[start].add(path)
        else:
            yield start
    while waiting:
        trees = [start for start in waiting if start in here]
        below: defaultdict[str, set[str]] = defaultdict(set)
        for tree, entries in zip(trees, _read_trees(git, trees), strict=True):
            for path in waiting[tree]:
                first, slash, rest = path.partition("/")
                found = entries.get(first, "")
                if slash and found:
                    below[found].add(rest)
                elif found:
                    yield found
        waiting = below


def _read_trees(git: GitRepository, trees: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """Yield the ids of the entries of each tree, a commit's among them, by name."""
    if not trees:
        return
    objects = git.read_objects([f"{tree}^{{tree}}" for tree in trees])
    for tree, (kind, content) in zip(trees, objects, strict=True):
        yield dict(_entries(content, len(tree) // 2)) if kind == b"tree" else {}


def _entries(tree: bytes, id_size: int) -> Iterator[tuple[str, str]]:
    """Yield name and id of each entry: `MODE NAME`, a NUL byte, the id (gitformat-tree)."""
    position = 0
    while position < len(tree):
        end = tree.index(b"\0", position)
        _, _, name = tree[position:end].partition(b" ")
        position = end + 1 + id_size
        yield name.decode("utf-8", "surrogateescape"), tree[end + 1 : position].hex()
