"""What is wrong with package folders, in sentences: many of a kind are one sentence."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from caur_ci.deptree.graph import ProblemKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from caur_ci.deptree.graph import Problem

_ALIKE = {
    ProblemKind.MISSING: "folders have no .SRCINFO that is a regular file",
    ProblemKind.UNSURE: "folders have a PKGBUILD that does not tell the .SRCINFO without being run "
    "(commit one: `caur-ci srcinfo --write PACKAGE`)",
    ProblemKind.UNREADABLE: ".SRCINFO files cannot be read",
    ProblemKind.RELATION: "dependencies in .SRCINFO files are neither packages nor sonames",
    ProblemKind.SHARED_NAME: "packages are made by more than one folder each",
    ProblemKind.OTHER_PKGBASE: "folders are named otherwise than the pkgbase that they hold",
}
_NAMED = 5


def problem_sentences(
    problems: Iterable[Problem], *, foremost: Collection[str] = (), alone: int = 3
) -> Iterator[str]:
    """Yield a sentence about each problem, those of the `foremost` packages first.

    More than `alone` problems of one kind with other packages become one sentence.
    """
    by_kind: dict[ProblemKind, list[Problem]] = defaultdict(list)
    for problem in problems:
        if problem.package in foremost:
            yield problem.message
        else:
            by_kind[problem.kind].append(problem)
    for kind, alike in by_kind.items():
        if len(alike) <= alone:
            yield from (problem.message for problem in alike)
        else:
            names = list(dict.fromkeys(problem.package for problem in alike))
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            yield f"{len(alike)} {_ALIKE[kind]}: {', '.join(names[:_NAMED])}{more}"
