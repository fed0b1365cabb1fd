"""The outbox: build requests that the queue has not acknowledged yet, kept on branch `caur`.

It holds at most one request for each package, because a newer one takes over what an older one
asked of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from caur_ci.request import BuildRequest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Outbox:
    """Requests in the order in which they are to be handed over."""

    requests: tuple[BuildRequest, ...] = ()

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Take an outbox as it is stored. Raises InputError."""
        return cls(
            tuple(
                BuildRequest.from_json(files[name], origin=f"outbox/{name} on branch caur")
                for name in sorted(files)
            )
        )

    def to_files(self) -> dict[str, bytes]:
        """Return the outbox as it is stored: a file for each request."""
        return {
            f"{position:06d}-{request.request_id}.json": request.to_json().encode()
            for position, request in enumerate(self.requests)
        }

    def add(self, request: BuildRequest) -> Outbox:
        """Return the outbox with `request` as its last."""
        older = (_without(earlier, request) for earlier in self.requests)
        return replace(self, requests=(*(rest for rest in older if not rest.is_empty), request))

    def taken_back(self, packages: Collection[str]) -> tuple[Outbox, dict[str, str]]:
        """Return the outbox without builds of some packages, and why each of them was asked for."""
        reasons = {
            package.pkgbase: package.reason
            for request in self.requests
            for package in request.packages
            if package.pkgbase in packages
        }
        if not reasons:
            return self, {}
        left = (
            replace(it, packages=tuple(p for p in it.packages if p.pkgbase not in reasons))
            for it in self.requests
        )
        return replace(self, requests=tuple(it for it in left if not it.is_empty)), reasons

    def without(self, request_ids: Collection[str]) -> Outbox:
        """Return the outbox without the requests that were acknowledged."""
        left = tuple(r for r in self.requests if r.request_id not in request_ids)
        return replace(self, requests=left)

    def for_architectures(self, architectures: Collection[str]) -> Outbox:
        """Return the outbox without builds for others than these."""
        left = (
            replace(
                it,
                packages=tuple(p for p in it.packages if (p.arch or it.arch) in architectures),
            )
            for it in self.requests
        )
        return replace(self, requests=tuple(it for it in left if not it.is_empty))

    def settled(
        self, builds: Mapping[str, Collection[tuple[str, str]]], removals: Collection[str]
    ) -> Outbox:
        """Return the outbox without what was done.

        That is builds, as architecture and folder, by the id of their request, and the removals of
        the requests with these ids.
        """
        left = (
            replace(
                it,
                packages=tuple(
                    package
                    for package, what in zip(it.packages, _built(it), strict=True)
                    if what not in builds.get(it.request_id, ())
                ),
                remove=() if it.request_id in removals else it.remove,
            )
            for it in self.requests
        )
        return replace(self, requests=tuple(it for it in left if not it.is_empty))


def _without(earlier: BuildRequest, newer: BuildRequest) -> BuildRequest:
    """Return what is left of a request after a newer one for the same repository."""
    if earlier.target_repo != newer.target_repo:
        return earlier
    built = set(_built(newer))
    gone = {(arch, name) for arch in newer.removes_from for name in newer.remove}

    def is_settled(name: str) -> bool:
        places = {(arch, name) for arch in earlier.removes_from}
        return places <= gone or not places.isdisjoint(built)

    return replace(
        earlier,
        packages=tuple(
            package
            for package, what in zip(earlier.packages, _built(earlier), strict=True)
            if what not in built | gone
        ),
        remove=tuple(name for name in earlier.remove if not is_settled(name)),
    )


def _built(request: BuildRequest) -> Iterator[tuple[str, str]]:
    """Yield architecture and folder of each build that is asked for."""
    for package in request.packages:
        yield package.arch or request.arch, package.pkgbase
