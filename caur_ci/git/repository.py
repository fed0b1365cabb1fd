"""One git repository on disk."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci import process
from caur_ci.errors import GitError, ProcessError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

TREE_MODE = "040000"
FILE_MODE = "100644"
_OBJECT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LOCAL_TIMEOUT = 300.0
# Trees come from strangers; of a package repository's own, one entry has some 80 bytes.
_LARGEST_LISTING = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One entry of a tree. `name` holds surrogates where it is not UTF-8."""

    mode: str
    object_id: str
    name: str

    @property
    def is_folder(self) -> bool:
        return self.mode == TREE_MODE


@dataclass(frozen=True, slots=True)
class TreeChange:
    """One top-level entry that differs between two trees."""

    name: str
    old_mode: str
    new_mode: str

    @property
    def was_folder(self) -> bool:
        return self.old_mode == TREE_MODE

    @property
    def is_folder(self) -> bool:
        return self.new_mode == TREE_MODE


@dataclass(frozen=True, slots=True)
class CommitMessage:
    """A commit's id and its whole message."""

    commit: str
    text: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who our commits are by; empty parts are left to git's own configuration."""

    name: str = ""
    email: str = ""


class GitRepository:
    """A repository that exists on disk, bare or with a working tree."""

    def __init__(self, folder: Path, *, bare: bool) -> None:
        self.folder = folder
        self.bare = bare
        # Where somebody has set safe.bareRepository=explicit, a bare one has to be named as such.
        self._location = ["-C", str(folder), *(["--git-dir=."] if bare else [])]

    @classmethod
    def open(cls, path: Path) -> GitRepository:
        """Open the repository that `path` lies in.

        Raises GitError where there is none, or where git does not trust whose it is.
        """
        from git import Repo  # noqa: PLC0415 - slow to import
        from git.exc import InvalidGitRepositoryError, NoSuchPathError  # noqa: PLC0415

        try:
            with Repo(path, search_parent_directories=True) as repo:
                folder = repo.git_dir if repo.bare else repo.working_tree_dir
                opened = cls(Path(folder or repo.git_dir), bare=repo.bare)
        except (InvalidGitRepositoryError, NoSuchPathError) as error:
            raise GitError(
                f"{path} is not in a git repository",
                hint="Go to the repository of PKGBUILDs, or name it with --repo DIR.",
            ) from error
        # Questions that may go unanswered would take git's refusal for an empty repository.
        opened.git("rev-parse", "--git-dir")
        promisor = opened.promisor()
        if promisor:
            from caur_ci.git.partial import PartialClone  # noqa: PLC0415 - it is one of these

            return PartialClone(opened.folder, bare=opened.bare, promisor=promisor)
        return opened

    def promisor(self) -> str:
        """Return the remote that has what a partial clone lacks; nothing for a whole one."""
        key = r"^remote\..*\.promisor$"
        found = self.git("config", "--get-regexp", key, allowed=(0, 1)).decode()
        for line in found.splitlines():
            name, _, value = line.partition(" ")
            if value == "true":
                return name.removeprefix("remote.").removesuffix(".promisor")
        return ""

    def git(
        self,
        *arguments: str,
        stdin: bytes = b"",
        allowed: Collection[int] = (0,),
        environment: Mapping[str, str] | None = None,
        timeout: float = _LOCAL_TIMEOUT,
        largest_output: int | None = None,
    ) -> bytes:
        """Run one git command here and return what it printed.

        `timeout` is in seconds, `largest_output` in bytes. Raises GitError.
        """
        try:
            return process.run(
                ["git", *self._location, *arguments],
                stdin=stdin,
                allowed=allowed,
                environment=environment,
                timeout=timeout,
                largest_output=largest_output,
            ).stdout
        except ProcessError as error:
            said = error.stderr.decode(errors="replace").strip()
            message = f"git {arguments[0]} failed: {said}" if said else error.message
            raise GitError(message, hint=_hint(message) or error.hint) from error

    def branch(self) -> str:
        """Return the full ref name of the branch that is checked out, "" where none is."""
        return self.git("symbolic-ref", "--quiet", "HEAD", allowed=(0, 1)).decode().strip()

    def resolve(self, revision: str) -> str | None:
        """Return the id of the commit that `revision` names (tags are followed), or None."""
        if revision.startswith("-"):
            return None
        output = self.git(
            "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", allowed=(0, 1, 128)
        )
        found = output.decode().strip()
        return found if _OBJECT_ID.fullmatch(found) else None

    def object_id(self, ref: str) -> str | None:
        """Return what the full ref name points to, a tag object where it is one, or None."""
        output = self.git("rev-parse", "--verify", "--quiet", ref, allowed=(0, 1, 128))
        return output.decode().strip() or None

    def commit_id(self, revision: str) -> str:
        """Return the id of the commit that `revision` names. Raises GitError if there is none."""
        found = self.resolve(revision)
        if found is None:
            raise GitError(
                f"{revision} is no commit in {self.folder}",
                hint="Is the repository empty, or is this clone too shallow to hold it?",
            )
        return found

    def is_shallow(self) -> bool:
        """Tell whether history is cut off in this clone."""
        return self.git("rev-parse", "--is-shallow-repository").strip() == b"true"

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Tell whether `newer` has `older` in its (known) history."""
        return self._succeeds("merge-base", "--is-ancestor", older, newer)

    def have_common_history(self, one: str, other: str) -> bool:
        """Tell whether two commits share an ancestor."""
        return self._succeeds("merge-base", one, other)

    def parents(self, commit: str) -> list[str]:
        """Return the parents of `commit` as it was made, whether they are here or not."""
        header, _, _ = self.git("cat-file", "commit", commit).partition(b"\n\n")
        lines = header.decode("utf-8", "replace").splitlines()
        return [line.removeprefix("parent ") for line in lines if line.startswith("parent ")]

    def empty_tree(self) -> str:
        """Return the id of the tree without entries."""
        return self.git("hash-object", "-t", "tree", "--stdin").decode().strip()

    def messages(self, old: str | None, new: str) -> list[CommitMessage]:
        """Return the commits in the history of `new` but not of `old`, oldest first.

        Without `old`, only the commit `new` itself.
        """
        scope = [new, "--max-count=1"] if old is None else [new, f"^{old}"]
        output = self.git(
            "log",
            "-z",
            "--no-show-signature",
            "--topo-order",
            "--reverse",
            "--encoding=UTF-8",
            "--format=%H%n%B",
            *scope,
        )
        records = (
            record.decode("utf-8", "replace").partition("\n")
            for record in output.split(b"\0")
            if record
        )
        return [CommitMessage(commit, text) for commit, _, text in records]

    def has_folder(self, commit: str, name: str) -> bool:
        """Tell whether the top folder of `commit` has a folder `name`."""
        kind = self.git("cat-file", "-t", f"{commit}:{name}", allowed=(0, 128))
        return kind.strip() == b"tree"

    def entries(self, tree: str) -> list[TreeEntry]:
        """Return the entries of a tree (or of a commit's top folder). Raises GitError."""
        output = self.git("ls-tree", "-z", tree, largest_output=_LARGEST_LISTING)
        return [
            TreeEntry(mode, object_id, name)
            for (mode, _, object_id), name in _ls_tree_records(output)
        ]

    def changes(self, old: str, new: str) -> list[TreeChange]:
        """Return the top-level entries in which two trees or commits differ."""
        output = self.git("diff-tree", "-z", "--no-renames", old, new)
        fields = output.decode("utf-8", "surrogateescape").split("\0")[:-1]
        changes = []
        for head, name in zip(fields[::2], fields[1::2], strict=True):
            old_mode, new_mode, *_ = head.removeprefix(":").split(" ")
            changes.append(TreeChange(name, old_mode, new_mode))
        return changes

    def read_blobs(self, names: Sequence[str]) -> Iterator[bytes | None]:
        """Return the content behind each object name (`ID`, `ID:PATH`), None where it is no file.

        One process answers for all; the names must not hold line breaks.
        """
        for kind, content in self.read_objects(names):
            yield content if kind == b"blob" else None

    def read_objects(self, names: Sequence[str]) -> Iterator[tuple[bytes, bytes]]:
        """Return type and content behind each object name, both empty where there is none such.

        As `git cat-file --batch` has them; see `read_blobs`.
        """
        if not names:
            return
        request = "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape")
        output = self.git("cat-file", "--batch", stdin=request)
        position = 0
        for _ in names:
            end = output.index(b"\n", position)
            header = output[position:end].rsplit(b" ", 2)
            position = end + 1
            if len(header) < 3 or not header[2].isdigit():  # "NAME missing"
                yield b"", b""
                continue
            size = int(header[2])
            yield header[1], output[position : position + size]
            position += size + 1

    def object_types(self, names: Sequence[str]) -> list[str]:
        """Return for each object name (`ID`, `ID:PATH`) its type, "" where there is none such.

        One process answers for all; the names must not hold line breaks. Types are git's own:
        `blob`, `tree`, `commit`, `tag`.
        """
        if not names:
            return []
        request = "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape")
        output = self.git("cat-file", "--batch-check=%(objecttype)", stdin=request)
        lines = output.decode("utf-8", "replace").splitlines()
        return ["" if line.endswith(" missing") else line for line in lines]

    def write_blob(self, content: bytes) -> str:
        """Store a file's content and return its id."""
        return self.git("hash-object", "-w", "--stdin", stdin=content).decode().strip()

    def write_blobs(self, contents: Sequence[bytes]) -> list[str]:
        """Store many files' contents by one process and return their ids, in the same order."""
        commands = b"".join(
            b"blob\nmark :%d\ndata %d\n%s\nget-mark :%d\n" % (mark, len(content), content, mark)
            for mark, content in enumerate(contents, start=1)
        )
        # Done is done: without it, an input that breaks off would look like a short one.
        output = self.git("fast-import", "--quiet", "--done", stdin=commands + b"done\n")
        return output.decode().split()

    def write_tree(self, entries: Iterable[TreeEntry]) -> str:
        """Store a tree and return its id."""
        lines = [
            f"{entry.mode} {'tree' if entry.is_folder else 'blob'} {entry.object_id}\t{entry.name}"
            for entry in entries
        ]
        listing = "".join(f"{line}\0" for line in lines).encode("utf-8", "surrogateescape")
        return self.git("mktree", "-z", stdin=listing).decode().strip()

    def write_commit(
        self, tree: str, message: str, *, parents: Iterable[str] = (), identity: Identity
    ) -> str:
        """Store a commit without touching any branch or the working tree, and return its id."""
        options = [option for parent in parents for option in ("-p", parent)]
        return (
            self.git(
                "commit-tree",
                tree,
                *options,
                stdin=message.encode(),
                environment=self._identity_environment(identity),
            )
            .decode()
            .strip()
        )

    def refs(self, *patterns: str) -> dict[str, str]:
        """Return the ids of the refs below these patterns (as of `git for-each-ref`)."""
        output = self.git("for-each-ref", "--format=%(objectname) %(refname)", *patterns)
        lines = output.decode("utf-8", "surrogateescape").splitlines()
        return {ref: object_id for object_id, ref in (line.split(" ", 1) for line in lines)}

    def update_refs(self, updates: Mapping[str, tuple[str, str | None]]) -> None:
        """Set refs to (new id, expected old id or None), all of them or none.

        An empty new id removes the ref.
        """
        commands = "".join(
            f"update {ref}\0{new}\0{old or '0' * len(new)}\0" if new else f"delete {ref}\0{old}\0"
            for ref, (new, old) in updates.items()
        )
        self.git("update-ref", "--stdin", "-z", stdin=commands.encode())

    def remotes(self) -> list[str]:
        """Return the names of the remotes."""
        return self.git("remote").decode("utf-8", "surrogateescape").splitlines()

    def _succeeds(self, *arguments: str) -> bool:
        try:
            self.git(*arguments)
        except GitError as error:
            cause = error.__cause__
            if isinstance(cause, ProcessError) and cause.returncode == 1:
                return False
            raise
        return True

    def _identity_environment(self, identity: Identity) -> dict[str, str]:
        configured = self.git("config", "--get", "user.email", allowed=(0, 1)).strip()
        fallback = "" if configured else "caur-ci"
        name = identity.name or fallback
        email = identity.email or (f"{fallback}@localhost" if fallback else "")
        environment = {}
        for role in ("AUTHOR", "COMMITTER"):
            if name:
                environment[f"GIT_{role}_NAME"] = name
            if email:
                environment[f"GIT_{role}_EMAIL"] = email
        return environment


def _ls_tree_records(output: bytes) -> Iterator[tuple[list[str], str]]:
    for record in output.decode("utf-8", "surrogateescape").split("\0"):
        if record:
            head, _, name = record.partition("\t")
            yield head.split(" "), name


def _hint(message: str) -> str:
    if "dubious ownership" in message:
        return (
            "The repository belongs to another user. Where that is intended, tell git so: "
            "`git config --global --add safe.directory DIR`."
        )
    return ""
