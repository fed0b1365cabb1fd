"""What somebody should know about changed packages before they are built, rather than after it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from caur_ci.confined import Confined
from caur_ci.errors import CaurError, GaveUpError
from caur_ci.expectation import FILES, usable_expectations
from caur_ci.pkgbuild.foreign import fields_out_of_step
from caur_ci.srcinfo import parse_fields

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from caur_ci.deptree import DependencyTree
    from caur_ci.expectation import Expectation
    from caur_ci.git import GitRepository
    from caur_ci.pkgbuild.compare import Difference


# Some milliseconds each; who changes more than that at once has `caur-ci srcinfo --check`.
_MAX_COMPARED = 300
_MAX_NAMED = 3
_MAX_VALUE = 80


def unchanged_versions(
    git: GitRepository, old: str, new: str, changed: Sequence[str]
) -> Iterator[str]:
    """Yield a sentence about each package that changed between two commits but for its version.

    What makes no sense in either is left to others to tell.
    """
    if not changed:
        return
    before = _expectations(git, old, changed)
    for name, now in _expectations(git, new, changed).items():
        then = before.get(name)
        if then is not None and _version(then) == _version(now) and not now.pkgver_is_free:
            yield (
                f"{name} was changed, but its version is {_version(now)} as before: where that is "
                "published already, the new build will not be. Raise pkgrel, or set "
                f"CI_PACKAGE_BUMP in {name}/.CI/config"
            )


def _version(expected: Expectation) -> str:
    epoch = f"{expected.epoch}:" if expected.epoch else ""
    return f"{epoch}{expected.pkgver}-{'/'.join(sorted(expected.pkgrels or ()))}"


def _expectations(git: GitRepository, commit: str, names: Sequence[str]) -> dict[str, Expectation]:
    wanted = [(name, file) for name in names for file in FILES]
    blobs = git.read_blobs([f"{commit}:{name}/{file}" for name, file in wanted])
    files: dict[str, dict[str, bytes]] = defaultdict(dict)
    for (name, file), content in zip(wanted, blobs, strict=True):
        if content is not None:
            files[name][file] = content
    return usable_expectations(files)


def stale_srcinfos(git: GitRepository, commit: str, names: Collection[str]) -> Iterator[str]:
    """Yield a sentence about each package whose `.SRCINFO` does not follow from its PKGBUILD.

    Only what is sure counts; files that cannot be read are left to others to tell, but for those
    that take too much.
    """
    wanted = sorted(names)[:_MAX_COMPARED]
    blobs = git.read_blobs(
        [f"{commit}:{name}/{file}" for name in wanted for file in ("PKGBUILD", ".SRCINFO")]
    )
    with Confined() as confined:
        for name, pkgbuild, srcinfo in zip(wanted, blobs, blobs, strict=False):
            if pkgbuild is not None and srcinfo is not None:
                yield from _stale_srcinfo(confined, name, pkgbuild, srcinfo)


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
    git: GitRepository, old: str, removed: Collection[str], tree: DependencyTree
) -> Iterator[str]:
    """Yield a sentence about each package of removed folders that others in `tree` still need.

    `old` is the commit or tree that had the folders.
    """
    if not removed:
        return
    names = sorted(removed)
    blobs = git.read_blobs([f"{old}:{name}/.SRCINFO" for name in names])
    needing: dict[str, list[str]] = defaultdict(list)
    for package, wanted in tree.wanted.items():
        for name in wanted:
            needing[name].append(package)
    left = {name for package in tree for name in (*tree.pkgnames(package), *tree.provides(package))}
    for folder, content in zip(names, blobs, strict=True):
        try:
            fields = parse_fields(content or b"", origin=f"{folder}/.SRCINFO")
        except CaurError:
            continue
        for pkgname in fields.pkgnames:
            if pkgname in needing and pkgname not in left:
                yield (
                    f"{pkgname} goes with the folder {folder}, and is still needed by "
                    f"{', '.join(sorted(needing[pkgname]))}"
                )
