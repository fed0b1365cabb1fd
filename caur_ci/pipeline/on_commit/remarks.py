"""What somebody should know about changed packages before they are built, rather than after it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

from caur_ci.confined import Confined
from caur_ci.errors import CaurError, GaveUpError
from caur_ci.expectation import usable_expectations
from caur_ci.pkgbuild.foreign import fields_out_of_step
from caur_ci.srcinfo import SRCINFO, parse_fields

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from caur_ci.deptree import DependencyTree
    from caur_ci.expectation import Expectation
    from caur_ci.package_folders import CommittedFolders
    from caur_ci.pkgbuild.compare import Difference

# The files of packages, by their names.
Files: TypeAlias = "Mapping[str, Mapping[str, bytes]]"

_RECIPE = {"PKGBUILD", SRCINFO}
# Some milliseconds each; who changes more than that at once has `caur-ci srcinfo --check`.
_MAX_COMPARED = 300
_MAX_NAMED = 3
_MAX_VALUE = 80


def unchanged_versions(before: Files, now: Files) -> Iterator[str]:
    """Yield a sentence about each package that changed but for its version.

    What makes no sense in either state is left to others to tell.
    """
    then = usable_expectations(before)
    for name, expected in usable_expectations(now).items():
        old = then.get(name)
        if old is None or _version(old) != _version(expected) or expected.pkgver_is_free:
            continue
        yield (
            f"{name} was changed, but its version is {_version(expected)} as before: where that is "
            "published already, the new build will not be. Raise pkgrel, or set "
            f"CI_PACKAGE_BUMP in {name}/.CI/config"
        )


def _version(expected: Expectation) -> str:
    epoch = f"{expected.epoch}:" if expected.epoch else ""
    return f"{epoch}{expected.pkgver}-{'/'.join(sorted(expected.pkgrels or ()))}"


def stale_srcinfos(now: Files) -> Iterator[str]:
    """Yield a sentence about each package whose `.SRCINFO` does not follow from its PKGBUILD.

    Only what is sure counts; files that cannot be read are left to others to tell, but for those
    that take too much.
    """
    with Confined() as confined:
        for name, files in sorted(now.items())[:_MAX_COMPARED]:
            if files.keys() >= _RECIPE:
                recipe = files["PKGBUILD"], files[SRCINFO]
                yield from _stale_srcinfo(confined, name, *recipe)


def _stale_srcinfo(confined: Confined, name: str, pkgbuild: bytes, srcinfo: bytes) -> Iterator[str]:
    try:
        found = fields_out_of_step(confined, pkgbuild, srcinfo, folder=name)
    except GaveUpError as error:
        yield f"whether {name}/.SRCINFO follows from the PKGBUILD is not sure: {error.message}"
        return
    except CaurError:
        return
    if found:
        yield (
            f"{name}/.SRCINFO does not follow from the PKGBUILD: "
            f"{'; '.join(map(_difference, found[:_MAX_NAMED]))}. "
            f"`caur-ci srcinfo --write {name}` writes it anew"
        )


def _difference(difference: Difference) -> str:
    of = f" of {difference.package}" if difference.package else ""
    committed, expected = (
        ", ".join(values)[:_MAX_VALUE] or "nothing"
        for values in (difference.committed, difference.expected)
    )
    return f"{difference.field}{of} is {committed}, the PKGBUILD says {expected}"


def missed_packages(
    before: CommittedFolders, removed: Collection[str], tree: DependencyTree
) -> Iterator[str]:
    """Yield a sentence about each package of removed folders that others in `tree` still need.

    `before` are the folders as they were.
    """
    if not removed:
        return
    needing: dict[str, list[str]] = defaultdict(list)
    for package, wanted in tree.wanted.items():
        for name in wanted:
            needing[name].append(package)
    left = {name for package in tree for name in (*tree.pkgnames(package), *tree.provides(package))}
    for folder, content in before.srcinfos(sorted(removed)):
        try:
            fields = parse_fields(
                content if isinstance(content, bytes) else b"", origin=f"{folder}/.SRCINFO"
            )
        except CaurError:
            continue
        for pkgname in fields.pkgnames:
            if pkgname in needing and pkgname not in left:
                yield (
                    f"{pkgname} goes with the folder {folder}, and is still needed by "
                    f"{', '.join(sorted(needing[pkgname]))}"
                )
