"""Packages come into the repository, with their files."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from caur_ci.config import PackageConfig
from caur_ci.errors import InputError
from caur_ci.git import TreeEntry
from caur_ci.git.repository import FILE_MODE, TREE_MODE
from caur_ci.keyvalue import KeyValueFile
from caur_ci.pipeline.manual.candidates import (
    CandidateFinder,
    check_folders,
    distribution_names,
    license_notes,
)
from caur_ci.pipeline.manual.operation import Edit, done_by
from caur_ci.pipeline.shared.commit_messages import add_message
from caur_ci.pipeline.shared.context import RunContext
from caur_ci.plaintext import one_line
from caur_ci.policy import Action
from caur_ci.update.recording import opened_outside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from caur_ci.git import GitRepository
    from caur_ci.pipeline.manual.candidates import Candidate, Wanted
    from caur_ci.pipeline.manual.operation import Branch
    from caur_ci.pipeline.shared.options import RunOptions

_FOLDER, _, _CONFIG = PackageConfig.FILE.partition("/")
_INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who asked for packages, and why: what `.CI/info` keeps of it."""

    origin: str = ""
    reason: str = ""

    def to_bytes(self) -> bytes:
        """Return the content of `.CI/info`, nothing where nothing is known."""
        known = {"REQ_ORIGIN": one_line(self.origin), "REQ_REASON": one_line(self.reason)}
        file = KeyValueFile.parse(b"", origin=_INFO)
        for key, value in known.items():
            if value:
                file.set(key, value)
        return file.render()


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPackages:
    """Add `packages`, and those of `needed`, which they depend on, where they are to come along.

    With `despite_findings`, what judge and policy find about them stops nobody.
    """

    name = "add"

    packages: tuple[Candidate, ...]
    needed: tuple[Candidate, ...] = ()
    with_dependencies: bool = False
    despite_findings: bool = False
    request: Request = Request()

    @property
    def added(self) -> tuple[Candidate, ...]:
        """What is added."""
        return (*self.packages, *(self.needed if self.with_dependencies else ()))

    def obstacles(self) -> Iterator[str]:
        """Yield what judge and policy have against it."""
        for one in self.added:
            decided = one.decided
            if decided.action is not Action.APPLY:
                yield from (f"{one.name}: {reason}" for reason in decided.reasons)
            elif time.time() < decided.not_before:
                until = datetime.fromtimestamp(decided.not_before, UTC)
                yield f"{one.name}: the policy lets it in after {until:%Y-%m-%d %H:%M} UTC"

    def edit(self, branch: Branch) -> Edit:
        """Return the change.

        Raises InputError for packages that are there already, and for what judge and policy have
        found.
        """
        obstacles = list(self.obstacles())
        if obstacles and not self.despite_findings:
            raise InputError(
                "not added, because somebody has to look at it:\n  " + "\n  ".join(obstacles),
                hint="With --despite-findings it is added all the same.",
            )
        _check_new(branch, self.added)
        git, content = branch.git, self.request.to_bytes()
        reasons = {
            one.name: done_by("added", branch.person, _why(one, self.request)) for one in self.added
        }
        return Edit(
            message=add_message(reasons, branch.pipeline),
            folders={one.name: _folder(git, one, content) for one in self.added},
            reasons=reasons,
            seen={one.name: one.seen for one in self.added if one.seen is not None},
            notes=tuple(self._notes(branch)),
        )

    def _notes(self, branch: Branch) -> Iterator[str]:
        distributed = distribution_names(branch.memory, branch.repository.config)
        for one in self.added:
            if one.name in distributed:
                yield f"{one.name} is in the distribution already, as CI_LIB_DB knows it"
            yield from license_notes(one)
            yield from (f"{one.name}: {remark}" for remark in one.remarks)
        if self.needed and not self.with_dependencies:
            for one in self.needed:
                yield (
                    f"{one.wanted.needed_by} needs {one.name} of the AUR, which is not here: "
                    "--with-dependencies adds it"
                )


@contextmanager
def additions(
    options: RunOptions,
    wanted: Sequence[Wanted],
    *,
    request: Request,
    with_dependencies: bool = False,
    despite_findings: bool = False,
) -> Iterator[AddPackages]:
    """Provide the operation that adds packages, with all files that it takes.

    Raises InputError for packages that cannot be had, and as `by_hand` does.
    """
    context = RunContext.open(options)
    snapshot = context.shared.snapshot(context.branch)
    commit, memory = snapshot.branch or context.head, context.shared.memory(snapshot)
    with opened_outside(context.head) as outside:
        finder = CandidateFinder(context, commit, outside)
        with finder.found(wanted, memory, closure=True) as found:
            names = {it.name for it in wanted}
            yield AddPackages(
                packages=tuple(it for it in found if it.name in names),
                needed=tuple(it for it in found if it.name not in names),
                with_dependencies=with_dependencies,
                despite_findings=despite_findings,
                request=request,
            )


def _check_new(branch: Branch, added: Sequence[Candidate]) -> None:
    """Raise InputError for folders and packages that are there already."""
    there = {entry.name for entry in branch.git.entries(branch.repository.commit)}
    tree = branch.repository.deptree
    makers = {name: folder for folder in tree for name in tree.pkgnames(folder)}
    check_folders((one.name for one in added), there)
    for one in added:
        for pkgname in one.fields.pkgnames:
            if pkgname in makers:
                raise InputError(
                    f"the package {pkgname} of {one.name} comes from {makers[pkgname]}"
                )
            makers[pkgname] = one.name


def _why(candidate: Candidate, request: Request) -> str:
    if candidate.wanted.needed_by:
        return f"{candidate.wanted.needed_by} needs it"
    return ", ".join(filter(None, (one_line(request.reason), one_line(request.origin))))


def _folder(git: GitRepository, candidate: Candidate, info: bytes) -> str:
    """Return the tree of a package's folder, with the configuration that says where it is from."""
    files = {_CONFIG: candidate.wanted.config_line.encode(), **({_INFO: info} if info else {})}
    inner = git.write_tree(
        [TreeEntry(FILE_MODE, git.write_blob(content), name) for name, content in files.items()]
    )
    return git.write_tree([*git.entries(candidate.tree), TreeEntry(TREE_MODE, inner, _FOLDER)])
