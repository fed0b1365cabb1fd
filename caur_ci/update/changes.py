"""What changed in a package, and whether that may be taken over without anybody looking at it.

Only what the judge calls identical or minor is quiet. All else is for people to see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.judge.limited import LimitedJudge
from caur_ci.judge.model import PackageContext
from caur_ci.judge.package import files_of_trees

if TYPE_CHECKING:
    from caur_ci.git import GitRepository
    from caur_ci.judge.limited import ChangeJudge
    from caur_ci.judge.model import Judgement


def judge_change(
    git: GitRepository, old: str, new: str, *, judge: ChangeJudge, package: PackageContext
) -> Judgement:
    """Judge what changes where a package's tree `old` becomes `new`.

    Raises InputError for more than a package may have, GitError.
    """
    before, after = files_of_trees(git, old, new)
    return judge.judge(before, after, package=package)


def review_reasons(git: GitRepository, old: str, new: str) -> tuple[str, ...]:
    """Return what somebody should look at before a package's tree `old` becomes `new`.

    Nothing where the change is quiet. For users of the library, and single changes: each is judged
    in a process of its own. Raises as `judge_change` does.
    """
    with LimitedJudge() as judge:
        return judge_change(git, old, new, judge=judge, package=PackageContext()).reasons
