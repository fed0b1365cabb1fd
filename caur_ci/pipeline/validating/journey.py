"""The journey of a validation: what is looked at, what is known beside it, what is mended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.names import suggestion
from caur_ci.validation import Checker, Report, Surroundings
from caur_ci.validation.evaluating import RecipeReader, nvchecker_problems
from caur_ci.validation.mending import Edit, mended
from caur_ci.validation.reading import committed_snapshot, working_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from caur_ci.git import GitRepository
    from caur_ci.pipeline.validating.scope import Scope
    from caur_ci.validation import Finding, Snapshot


@dataclass(frozen=True, slots=True)
class Validation:
    """The report; what was or would be mended, and the findings that are gone because of it."""

    report: Report
    edits: tuple[Edit, ...] = ()
    mended: tuple[Finding, ...] = ()


def validate(
    git: GitRepository,
    scope: Scope,
    surroundings: Surroundings,
    *,
    fix: bool = False,
    not_checked: Iterable[str] = (),
) -> Validation:
    """Look at a repository; with `fix`, mend what is certain, in memory only.

    `not_checked` are sentences for the report.

    Raises InputError for packages that are not there, GitError.
    """
    snapshot = _snapshot(git, scope)
    reader = RecipeReader(_state(git))

    def report(state: Snapshot) -> Report:
        return _report(reader, state, surroundings, with_repository=scope.with_repository)

    edits: tuple[Edit, ...] = ()
    gone: tuple[Finding, ...] = ()
    if fix:
        snapshot, edits, gone = mended(snapshot, lambda state: report(state).findings)
    return Validation(replace(report(snapshot), not_checked=tuple(not_checked)), edits, gone)


def _snapshot(git: GitRepository, scope: Scope) -> Snapshot:
    if scope.commit is not None:
        snapshot = committed_snapshot(git, scope.commit, scope.packages)
    else:
        snapshot = working_snapshot(git, scope.packages)
    wanted = scope.packages if scope.is_named and scope.packages else frozenset()
    for name in sorted(wanted.difference(snapshot.folders, snapshot.unusable, snapshot.submodules)):
        raise InputError(
            f"there is no package folder {name}", hint=suggestion(name, snapshot.folders)
        )
    return snapshot


def _report(
    reader: RecipeReader, snapshot: Snapshot, surroundings: Surroundings, *, with_repository: bool
) -> Report:
    checker = Checker(snapshot, surroundings=surroundings)
    folders = snapshot.folders
    wanted = [folders[name] for name in sorted(snapshot.checked)]
    if checker.config.generate_srcinfo:
        # What others need and make is known from their PKGBUILDs only.
        wanted += [
            it for name, it in folders.items() if name not in snapshot.checked and not it.srcinfo
        ]
    checker.recipes = reader.read(wanted)
    checker.nvchecker = nvchecker_problems(folders[name] for name in checker.following_nvchecker())
    return checker.report(with_repository=with_repository)


def _state(git: GitRepository) -> Path:
    told = git.git("rev-parse", "--git-common-dir").decode().rstrip("\n")
    return git.folder / told / "caur-ci"
