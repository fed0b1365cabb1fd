"""What the pages know of the repositories of PKGBUILDs.

Whoever starts the server may hand it something that tells (`WebServices.facts`); without it, the
pages show what queue and history know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from caur_ci.facts import (
        BrokenPackage,
        DependencyMap,
        HeldPackage,
        PackageFacts,
        PackageSummary,
        RepositoryState,
        StalePackage,
    )


class RepositoryFacts(Protocol):
    """What is known of all source repositories. Safe to use from several threads.

    Nothing here waits for a network: what is known is told, and renewed in the background.
    """

    def repositories(self) -> tuple[RepositoryState, ...]:
        """Return the source repositories, and how fresh what is known of each is."""
        ...

    def packages(self) -> tuple[PackageSummary, ...]:
        """Return all packages, sorted by name."""
        ...

    def package(self, pkgbase: str, target_repo: str = "") -> PackageFacts | None:
        """Return what is known of a package, of the first repository that has it.

        With `target_repo`, only of those that are published there. None for one that is not known.
        """
        ...

    def held(self) -> tuple[HeldPackage, ...]:
        """Return the packages that are on hold, sorted by name."""
        ...

    def stale(self) -> tuple[StalePackage, ...]:
        """Return the packages that are stale, sorted by name."""
        ...

    def broken(self) -> tuple[BrokenPackage, ...]:
        """Return the published packages that have lost something, sorted by name."""
        ...

    def dependencies(self, target_repo: str = "") -> tuple[DependencyMap, ...]:
        """Return who needs whom in each repository, or in those that are published there."""
        ...
