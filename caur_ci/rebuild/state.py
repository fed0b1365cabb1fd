"""What is remembered of capabilities: how well they were offered, and since when they are lost.

Stored as lines of JSON, sorted: git stores the difference, and few capabilities change between two
runs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from caur_ci.errors import InputError
from caur_ci.linkage import Found
from caur_ci.rebuild.offers import Offer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from collections.abc import Set as AbstractSet

# When very much is gone at once, a database is not what it should be.
_MOST_LOST = 0.5
_FEW = 20


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that was offered, `before` by whom and how well, and is not since `since`.

    `since` is the Unix time at which that was noticed.
    """

    since: int
    before: Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildState:
    """`offers` and `losses` are by capability.

    `asked` has for a pkgbase the losses for which it was rebuilt, or is to be. `tags` are what
    servers said of the state of each database, by URL.
    """

    offers: Mapping[str, Offer] = field(default_factory=dict)
    losses: Mapping[str, Loss] = field(default_factory=dict)
    asked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    def advanced(
        self,
        wanted: AbstractSet[str],
        offers: Mapping[str, Offer],
        *,
        repositories: Collection[str],
        now: float,
        complete: bool = True,
    ) -> RebuildState:
        """Return the state after a look at what these repositories offer now.

        What other repositories offered is forgotten, and so is what nobody needs any more; but not
        where not all packages are known (not `complete`). Raises InputError where more is gone than
        can be.
        """
        known = {
            capability: offer
            for capability, offer in self.offers.items()
            if (capability in wanted or not complete) and offer.by.partition("/")[0] in repositories
        }
        losses = {it: loss for it, loss in self.losses.items() if it in known.keys() - wanted}
        fresh = 0
        for capability in wanted:
            offer, before = offers.get(capability), known.get(capability)
            if before is not None and (offer is None or offer.found < before.found):
                fresh += capability not in self.losses
                losses[capability] = self.losses.get(capability) or Loss(int(now), before)
            elif offer is not None:
                known[capability] = offer
        if fresh > max(_FEW, _MOST_LOST * len(known)):
            raise InputError(
                f"{fresh} of {len(known)} libraries and interpreters are gone at once",
                hint="Look at the databases in CI_LIB_DB: one of them is likely not whole.",
            )
        return replace(self, offers=known, losses=losses, asked=_asked(self.asked, losses))

    def asking(self, broken: Mapping[str, Iterable[str]]) -> RebuildState:
        """Return the state after rebuilds were asked for: pkgbases and what they have lost."""
        return replace(
            self,
            asked={
                **self.asked,
                **{
                    base: tuple(sorted({*self.asked.get(base, ()), *lost}))
                    for base, lost in broken.items()
                },
            },
        )

    def to_bytes(self) -> bytes:
        """Return what is to be stored: nothing where there is nothing to remember."""
        lines: list[dict[str, Any]] = []
        for capability, offer in sorted(self.offers.items()):
            line: dict[str, Any] = {"needs": capability, "found": int(offer.found), "by": offer.by}
            if capability in self.losses:
                line["lost"] = self.losses[capability].since
            lines.append(line)
        lines += ({"asked": base, "for": list(lost)} for base, lost in sorted(self.asked.items()))
        lines += ({"url": url, "tag": tag} for url, tag in sorted(self.tags.items()))
        return b"".join(json.dumps(it, separators=(",", ":")).encode() + b"\n" for it in lines)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read what is stored; a line that makes no sense is as if it was not there."""
        offers: dict[str, Offer] = {}
        losses: dict[str, Loss] = {}
        asked: dict[str, tuple[str, ...]] = {}
        tags: dict[str, str] = {}
        for data in _lines(content):
            try:
                if "needs" in data:
                    offer = Offer(Found(data["found"]), str(data["by"]))
                    offers[str(data["needs"])] = offer
                    if "lost" in data:
                        losses[str(data["needs"])] = Loss(int(data["lost"]), offer)
                elif "asked" in data:
                    asked[str(data["asked"])] = tuple(map(str, data["for"]))
                else:
                    tags[str(data["url"])] = str(data["tag"])
            except (KeyError, TypeError, ValueError):
                continue
        return cls(offers=offers, losses=losses, asked=asked, tags=tags)


def _asked(
    asked: Mapping[str, tuple[str, ...]], losses: Mapping[str, Loss]
) -> dict[str, tuple[str, ...]]:
    left = {base: tuple(it for it in lost if it in losses) for base, lost in asked.items()}
    return {base: lost for base, lost in left.items() if lost}


def _lines(content: bytes) -> Iterable[dict[str, Any]]:
    for line in content.split(b"\n"):
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict):
            yield data
