"""Git repositories and objects, written without starting git: a test may need hundreds of them.

The layout is git's own: `gitrepository-layout(5)`, and loose objects as in `git help hash-object`.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from caur_ci.git import GitRepository

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_SOMEBODY = "Somebody <somebody@example.org> 1700000000 +0000"
MISSING = "0123456789" * 4


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """A new repository, and what is in it."""

    git: GitRepository
    folder: Path

    @classmethod
    def create(cls, folder: Path, *, bare: bool = True) -> Self:
        """Make an empty repository at `folder`; with a working tree, its branch is `main`."""
        inner = folder if bare else folder / ".git"
        for name in ("objects", "refs/heads", "refs/tags"):
            (inner / name).mkdir(parents=True)
        (inner / "HEAD").write_text("ref: refs/heads/main\n")
        (inner / "config").write_text(
            f"[core]\n\trepositoryformatversion = 0\n\tbare = {str(bare).lower()}\n"
        )
        return cls(GitRepository(folder, bare=bare), inner)

    def tree(self, files: Mapping[str, str]) -> str:
        """Store a folder with these files, by path, and return its id."""
        here: dict[str, bytes] = {}
        below: dict[str, dict[str, str]] = {}
        for path, content in files.items():
            first, slash, rest = path.partition("/")
            if slash:
                below.setdefault(first, {})[rest] = content
            else:
                blob = self._write("blob", content.encode())
                here[first] = f"100644 {first}\0".encode() + bytes.fromhex(blob)
        for name, inner in below.items():
            entry = f"40000 {name}\0".encode() + bytes.fromhex(self.tree(inner))
            here[f"{name}/"] = entry  # git sorts folders as if their names ended so
        return self._write("tree", b"".join(here[name] for name in sorted(here)))

    def commit(
        self, files: Mapping[str, str], *parents: str, message: str = "feat: something"
    ) -> str:
        """Store a commit with these files and nothing else, and return its id."""
        lines = [f"tree {self.tree(files)}", *(f"parent {parent}" for parent in parents)]
        lines += [f"author {_SOMEBODY}", f"committer {_SOMEBODY}", "", message]
        return self._write("commit", "\n".join(lines).encode())

    def commits(self, *messages: str) -> Sequence[str]:
        """Store commits without files, each on top of the one before, and return their ids."""
        made: list[str] = []
        for message in messages:
            made.append(self.commit({}, *made[-1:], message=message))
        return made

    def tag(self, object_id: str, kind: str = "commit") -> str:
        """Store an annotated tag and return its id."""
        lines = [f"object {object_id}", f"type {kind}", "tag x", f"tagger {_SOMEBODY}", "", "x", ""]
        return self._write("tag", "\n".join(lines).encode())

    def ref(self, name: str, object_id: str) -> str:
        """Set a ref, and return the id."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{object_id}\n")
        return object_id

    def files(self, tree: str) -> dict[str, str]:
        """Return all files of a tree or commit."""
        records = self.git.git("ls-tree", "-r", "-z", "--full-tree", tree).decode().split("\0")
        named = {record.partition("\t")[2]: record.split()[2] for record in records if record}
        contents = self.git.read_blobs(list(named.values()))
        return {name: (next(contents) or b"").decode() for name in named}

    def _write(self, kind: str, content: bytes) -> str:
        stored = f"{kind} {len(content)}\0".encode() + content
        object_id = hashlib.sha1(stored, usedforsecurity=False).hexdigest()
        path = self.folder / "objects" / object_id[:2] / object_id[2:]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(zlib.compress(stored, 1))
        return object_id
