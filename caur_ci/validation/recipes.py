"""Folders, their names, PKGBUILDs, and whether `.SRCINFO` files say the same."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from caur_ci.srcinfo import SRCINFO
from caur_ci.validation.catalogue import cut, finding
from caur_ci.validation.model import Mend
from caur_ci.validation.snapshot import PKGBUILD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.pkgbuild.compare import Difference
    from caur_ci.validation.model import Finding
    from caur_ci.validation.snapshot import Snapshot
    from caur_ci.validation.view import PackageView, RepositoryView

_NAMED = 3
_LONGEST_VALUE = 80


def check_folders(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield what is wrong with folders that are no packages."""
    for name in snapshot.unusable:
        yield finding("folder-name", file=name)
    for name in snapshot.submodules:
        yield finding("folder-submodule", file=name)


def check_recipe(view: PackageView, *, generates: bool) -> Iterator[Finding]:
    """Yield what is wrong with PKGBUILD and `.SRCINFO`.

    `generates`: a `.SRCINFO` that follows from the PKGBUILD need not be committed (CI_SRCINFO).
    """
    folder = view.folder
    if folder.is_empty:
        yield finding("folder-empty", package=view.name, file=view.name)
        return
    if PKGBUILD not in folder.files:
        yield _without_pkgbuild(view)
        if folder.srcinfo is None:
            return
    if view.recipe is not None and view.recipe.refusals:
        for refusal in view.recipe.refusals[:_NAMED]:
            of = f" of {refusal.package}" if refusal.package else ""
            what = f"{refusal.field}{of} {refusal.reason}"
            yield view.found("pkgbuild-refused", PKGBUILD, refusal.line, what=what)
    yield from _srcinfo(view, generates=generates)
    if view.fields is not None:
        yield from _names(view)


def _without_pkgbuild(view: PackageView) -> Finding:
    source = view.config.source if view.config is not None else None
    if source is None or source.kind == "custom":
        return view.found("pkgbuild-missing", PKGBUILD)
    where = {"aur": "the AUR", "git": source.location}.get(source.kind, f"gitlab:{source.location}")
    return view.found("pkgbuild-awaited", PKGBUILD, what=where)


def _srcinfo(view: PackageView, *, generates: bool) -> Iterator[Finding]:
    recipe, committed = view.recipe, view.folder.srcinfo
    made = recipe.srcinfo if recipe is not None else None
    mend = None if made is None else Mend(view.folder.path(SRCINFO), lambda _: made)
    if committed is None:
        if not generates:
            yield _about_srcinfo(view, "srcinfo-missing", "", mend)
        elif made is None and not (recipe is not None and recipe.refusals):
            doubt = recipe.doubt if recipe is not None else "there is no PKGBUILD"
            what = f", and what it would be is not sure: {doubt}"
            yield _about_srcinfo(view, "srcinfo-missing", what)
    elif view.problem:
        yield _about_srcinfo(view, "srcinfo-unreadable", view.problem, mend)
    elif recipe is not None and recipe.differences:
        told = "; ".join(map(_difference, recipe.differences[:_NAMED]))
        more = len(recipe.differences) - _NAMED
        what = f"{told}; and {more} more" if more > 0 else told
        yield _about_srcinfo(view, "srcinfo-stale", what, mend)


def _about_srcinfo(view: PackageView, code: str, what: str, mend: Mend | None = None) -> Finding:
    return finding(
        code,
        package=view.name,
        file=view.folder.path(SRCINFO),
        what=what,
        mend=mend,
        remedy=f"`caur-ci srcinfo --write {view.name}` writes it"
        + (", or `--fix`." if mend else "."),
    )


def _difference(difference: Difference) -> str:
    of = f" of {difference.package}" if difference.package else ""
    ours, theirs = set(difference.committed), set(difference.expected)
    committed = [it for it in difference.committed if it not in theirs] or difference.committed
    expected = [it for it in difference.expected if it not in ours] or difference.expected
    has, says = (
        cut(", ".join(values), _LONGEST_VALUE) or "nothing" for values in (committed, expected)
    )
    return f"{difference.field}{of} is {has}, the PKGBUILD says {says}"


def _names(view: PackageView) -> Iterator[Finding]:
    fields = view.fields
    assert fields is not None  # noqa: S101 - asked before
    if fields.pkgbase != view.name and not view.may_be_renamed:
        yield view.about("pkgbase-other", "pkgbase", what=fields.pkgbase)
    for name in dict.fromkeys((view.name, *fields.pkgnames)):
        if name != name.lower():
            yield view.about("name-capitals", "pkgname", what=name)


def check_shared_names(repository: RepositoryView) -> Iterator[Finding]:
    """Yield which packages are made by several folders."""
    makers: defaultdict[str, list[str]] = defaultdict(list)
    for view in repository.packages.values():
        allowed = view.config.allow_names if view.config is not None else ()
        if view.fields is not None and not view.may_be_renamed:
            for name in set(view.fields.pkgnames).difference(allowed):
                makers[name].append(view.name)
    for name, folders in sorted(makers.items()):
        for folder in folders if len(folders) > 1 else ():
            if folder in repository.checked:
                others = ", ".join(it for it in folders if it != folder)
                what = f"{name} is made by {others} as well"
                yield repository.packages[folder].about(
                    "pkgname-shared", "pkgname", name, what=what
                )
