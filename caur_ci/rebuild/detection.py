"""Which packages need something that is lost."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.linkage import Found
from caur_ci.rebuild.state import Loss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from caur_ci.linkage import PackageLinkage
    from caur_ci.rebuild.offers import Offer
    from caur_ci.rebuild.state import RebuildState


@dataclass(frozen=True, slots=True, kw_only=True)
class LostNeed:
    """Something that a package needs and that is not there any more.

    `pkgname` is the package, `files` some of its files that need it. `since` is when that was
    noticed, a Unix time; 0 for what is still to come. `elsewhere` tells that it is there, but not
    where everybody looks. `label` is what to call it, where that is more than its name.
    """

    capability: str
    pkgname: str
    files: tuple[str, ...]
    offered_by: str
    since: int
    elsewhere: bool = False
    label: str = ""

    @property
    def name(self) -> str:
        """The library by its soname, an interpreter and its version, or names of a library."""
        return self.label or shown_name(self.capability)

    @property
    def library(self) -> str:
        """The name of the package that offered it."""
        return self.offered_by.partition(" ")[0].rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenPackage:
    """A package base some of whose packages do not work any more, in the published version.

    `not_rebuilt` says why it is not rebuilt for that, empty where it is to be.
    """

    pkgbase: str
    version: str
    lost: tuple[LostNeed, ...]
    not_rebuilt: str = ""

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What it has lost, each once."""
        return tuple(sorted({need.capability for need in self.lost}))

    @property
    def reason(self) -> str:
        """What to tell of why it is rebuilt, in a line."""
        names = sorted({need.name for need in self.lost})
        more = f" and {len(names) - 2} more" if len(names) > 2 else ""
        gone = "is gone" if len(names) == 1 else "are gone"
        return f"{', '.join(names[:2])}{more} {gone}"


def shown_name(capability: str) -> str:
    """Return a capability as people call it: a soname, or an interpreter and its version."""
    kind, _, name = capability.partition(":")
    if kind == "lib32":
        return f"{name} (32 bits)"
    return name if kind == "lib" else f"{kind} {name}"


def find_broken(
    packages: Iterable[PackageLinkage],
    state: RebuildState,
    *,
    why_not: Callable[[str, tuple[LostNeed, ...]], str],
    offers: Mapping[str, Offer] | None = None,
) -> list[BrokenPackage]:
    """Return the package bases that are broken, by name; `offers` is what there is now.

    `why_not` tells of a base and what it has lost why it is not rebuilt, or an empty string. One
    that was rebuilt for all that it has lost, or is to be, is not rebuilt once more.
    """
    found = _broken(packages, state, offers or {})
    for base, broken in found.items():
        if not set(broken.capabilities) - set(state.asked.get(base, ())):
            reason = "a rebuild was asked for already"
        else:
            reason = why_not(base, broken.lost)
        if reason:
            found[base] = BrokenPackage(
                pkgbase=base, version=broken.version, lost=broken.lost, not_rebuilt=reason
            )
    return list(found.values())


def lost_ahead(now: Mapping[str, Offer], ahead: Mapping[str, Offer]) -> dict[str, Loss]:
    """Return what is offered now and will not be, by the offers of repositories further ahead."""
    return {
        capability: Loss(0, offer)
        for capability, offer in now.items()
        if capability not in ahead or ahead[capability].found < offer.found
    }


def _broken(
    packages: Iterable[PackageLinkage], state: RebuildState, offers: Mapping[str, Offer]
) -> dict[str, BrokenPackage]:
    lost: defaultdict[str, list[LostNeed]] = defaultdict(list)
    versions: dict[str, str] = {}
    for package in sorted(packages, key=lambda it: it.name):
        for capability in sorted(package.needs.keys() & state.losses.keys()):
            loss, offer = state.losses[capability], offers.get(capability)
            versions.setdefault(package.base, package.version)
            lost[package.base].append(
                LostNeed(
                    capability=capability,
                    pkgname=package.name,
                    files=package.needs[capability],
                    offered_by=loss.before.by,
                    since=loss.since,
                    elsewhere=offer is not None and offer.found is Found.ELSEWHERE,
                )
            )
        for damage in state.damages.get(package.name, ()):
            if damage.version == package.version:
                versions.setdefault(package.base, package.version)
                lost[package.base].append(
                    LostNeed(
                        capability=damage.capability,
                        pkgname=package.name,
                        files=(damage.path,),
                        offered_by=damage.before,
                        since=damage.since,
                        label=damage.label,
                    )
                )
    return {
        base: BrokenPackage(pkgbase=base, version=versions[base], lost=tuple(lost[base]))
        for base in sorted(lost)
    }
