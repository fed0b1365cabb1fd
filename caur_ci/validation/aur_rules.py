"""What the AUR would refuse of packages that are pushed to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.aur_repository.belonging import paths_that_belong
from caur_ci.aur_repository.rules import broken_rules
from caur_ci.git.trees import TreeFile
from caur_ci.validation.catalogue import finding
from caur_ci.validation.snapshot import PKGBUILD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.validation.model import Finding
    from caur_ci.validation.view import PackageView


def check_aur(view: PackageView, *, generates: bool) -> Iterator[Finding]:
    """Yield what is wrong with a package for the AUR, where it is one that is pushed there.

    `generates` as in `recipes.check_recipe`. What is missing for anybody is told there.
    """
    folder, config = view.folder, view.config
    srcinfo = folder.srcinfo
    if srcinfo is None and generates and view.recipe is not None:
        srcinfo = view.recipe.srcinfo
    if config is None or not config.manage_aur or srcinfo is None or PKGBUILD not in folder.files:
        return
    if view.problem:
        return
    belonging = paths_that_belong(folder.files, srcinfo)
    listed = [TreeFile(folder.files[it].mode, "", it, folder.files[it].size) for it in belonging]
    for rule in broken_rules(view.name, srcinfo, sorted(listed, key=lambda it: it.path)):
        path = folder.path(rule.file) if rule.file in folder.files else view.name
        yield finding(
            "aur-refuses", package=view.name, file=path, what=rule.problem, remedy=rule.remedy
        )
