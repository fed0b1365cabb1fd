"""What the AUR would refuse of a folder that is pushed there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.aur_repository.belonging import PKGBUILD, paths_that_belong
from caur_ci.aur_repository.rules import broken_rules
from caur_ci.git.trees import TreeFile

if TYPE_CHECKING:
    from caur_ci.validation.snapshot import Folder

_UNKNOWN = "0" * 40


def aur_refusals(folder: Folder, *, generates: bool) -> list[tuple[str, str]]:
    """Return the files that the AUR would refuse, each with the reason.

    Where the repository `generates` what is not committed, nothing is said of a folder without a
    `.SRCINFO`: only with one can be told which files belong there.
    """
    srcinfo = folder.srcinfo
    if srcinfo is None and generates:
        return []
    files = [
        TreeFile(folder.files[path].mode, _UNKNOWN, path, folder.files[path].size)
        for path in paths_that_belong(folder.files, srcinfo)
    ]
    return [
        (rule.file or PKGBUILD, f"{rule.problem}. {rule.remedy}")
        for rule in broken_rules(folder.name, srcinfo, files)
    ]
