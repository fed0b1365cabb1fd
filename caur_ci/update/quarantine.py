"""Where foreign objects wait until they are known to be whole and sound.

They are fetched into small repositories next to the checkout's own objects, and moved over pack by
pack. So git's own files of the checkout (refs, FETCH_HEAD, `shallow`, its configuration with the
tokens that forges write into it) have no part in it, several fetches can go on side by side, and
one that breaks off leaves nothing behind.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.git import TreeEntry
from caur_ci.git.repository import TREE_MODE
from caur_ci.locks import locked, try_lock
from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from caur_ci.git import GitRepository

# Below it, a tree for each fetch: git's garbage collection leaves alone what is in them.
KEPT_REFS = "refs/caur/fetched/"
_FOLDER = "caur-fetching"
# The index makes a pack known: it comes last.
_PACK_FILES = (".rev", ".pack", ".idx")


class Quarantine:
    """The fetching repositories of one run, and what it has moved over so far.

    For several threads at once, but for `close`.
    """

    def __init__(self, git: GitRepository) -> None:
        self._git = git
        found = git.git(
            *("rev-parse", "--path-format=absolute", "--show-object-format"),
            *("--git-common-dir", "--git-path", "objects"),
        )
        self._format, common, objects = os.fsdecode(found).splitlines()
        self._packs = Path(objects, "pack")
        self._numbers = itertools.count()
        everything = Path(common, _FOLDER)
        everything.mkdir(exist_ok=True)
        with locked(everything):
            self._sweep(everything)
            self._folder = Path(tempfile.mkdtemp(dir=everything))
            # As long as this process lives, and not longer whatever happens to it.
            self._alive = try_lock(self._folder)

    @contextmanager
    def repository(self) -> Iterator[Path]:
        """Make an empty bare repository that is removed when the block ends."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        try:
            init = ["git", "init", "--quiet", "--bare", "--template="]
            run([*init, f"--object-format={self._format}", "--", folder])
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def take_over(self, repository: Path) -> None:
        """Move the packs of a fetching repository to the checkout's objects."""
        packs = sorted(repository.glob("objects/pack/pack-*.pack"))
        self._packs.mkdir(exist_ok=True)
        for pack in packs:
            for suffix in _PACK_FILES:
                file = pack.with_suffix(suffix)
                if file.exists():
                    file.replace(self._packs / file.name)

    def keep(self, trees: Iterable[str]) -> None:
        """Keep trees that were taken over from garbage collection, until `close`.

        The commits themselves cannot be kept: their parents are not here.
        """
        entries = [TreeEntry(TREE_MODE, tree, tree) for tree in sorted(set(trees))]
        if entries:
            ref = f"{KEPT_REFS}{self._folder.name}/{next(self._numbers)}"
            self._git.update_refs({ref: (self._git.write_tree(entries), None)})

    def close(self) -> None:
        """Let go of everything."""
        self._forget([name for name in self._kept() if _run_of(name) == self._folder.name])
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._alive is not None:
            os.close(self._alive)

    def _sweep(self, everything: Path) -> None:
        """Remove what runs have left that did not come to their end."""
        alive = set()
        for folder in everything.iterdir():
            lock = try_lock(folder)
            if lock is None:
                alive.add(folder.name)
                continue
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
        self._forget([name for name in self._kept() if _run_of(name) not in alive])

    def _kept(self) -> list[str]:
        return self._git.git("for-each-ref", "--format=%(refname)", KEPT_REFS).decode().split()

    def _forget(self, refs: list[str]) -> None:
        if refs:
            commands = "".join(f"delete {ref}\0\0" for ref in refs)
            self._git.git("update-ref", "--stdin", "-z", stdin=commands.encode())


def _run_of(ref: str) -> str:
    return ref.removeprefix(KEPT_REFS).partition("/")[0]
