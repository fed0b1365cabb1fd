"""What is remembered of capabilities: how well they were offered, and since when they are lost.

Stored as lines of JSON, sorted: git stores the difference, and few capabilities change between two
runs.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from caur_ci.errors import InputError
from caur_ci.linkage import Found
from caur_ci.rebuild.abi import LibraryAbi, told
from caur_ci.rebuild.offers import Offer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from collections.abc import Set as AbstractSet

# The kind of what a library gives no longer, as the part of a capability before the colon.
ABI = "abi"
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
class Damage:
    """A package in one version takes `names` from a library that this one gives no longer.

    `before` is the package that did, as in an offer, `after` its version that does not, `path` a
    file that takes them. `since` is a Unix time.
    """

    base: str
    version: str
    library: str
    before: str
    after: str
    path: str
    names: tuple[str, ...]
    since: int

    @property
    def capability(self) -> str:
        """What is lost, as capabilities are written."""
        return f"{ABI}:{self.library} {self.after}"

    @property
    def label(self) -> str:
        """What is lost, for people."""
        return f"{told(self.names)} of {self.library}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildState:
    """`offers` and `losses` are by capability.

    `asked` has for a pkgbase the losses for which it was rebuilt, or is to be. `tags` are what
    servers said of the state of each database, by URL. `abis` are what watched packages exported
    when they were seen last, `damages` what packages miss of that since, by pkgname.
    """

    offers: Mapping[str, Offer] = field(default_factory=dict)
    losses: Mapping[str, Loss] = field(default_factory=dict)
    asked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    abis: Mapping[str, LibraryAbi] = field(default_factory=dict)
    damages: Mapping[str, tuple[Damage, ...]] = field(default_factory=dict)

    @property
    def lost_names(self) -> set[str]:
        """The capabilities that are lost, to whomever."""
        damages = (damage.capability for some in self.damages.values() for damage in some)
        return {*self.losses, *damages}

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
        return _forgetting(replace(self, offers=known, losses=losses))

    def with_abis(
        self, abis: Mapping[str, LibraryAbi], damages: Mapping[str, tuple[Damage, ...]]
    ) -> RebuildState:
        """Return the state with what watched packages export now, and what is missed of them."""
        return _forgetting(replace(self, abis=abis, damages=damages))

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
        lines += ({"abi": name, **it.to_dict()} for name, it in sorted(self.abis.items()))
        lines += (
            {"damaged": name, **asdict(it)}
            for name, some in sorted(self.damages.items())
            for it in some
        )
        return b"".join(json.dumps(it, separators=(",", ":")).encode() + b"\n" for it in lines)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read what is stored; a line that makes no sense is as if it was not there."""
        offers: dict[str, Offer] = {}
        losses: dict[str, Loss] = {}
        asked: dict[str, tuple[str, ...]] = {}
        tags: dict[str, str] = {}
        abis: dict[str, LibraryAbi] = {}
        damages: dict[str, tuple[Damage, ...]] = {}
        for data in _lines(content):
            try:
                if "needs" in data:
                    offer = Offer(Found(data["found"]), str(data["by"]))
                    offers[str(data["needs"])] = offer
                    if "lost" in data:
                        losses[str(data["needs"])] = Loss(int(data["lost"]), offer)
                elif "asked" in data:
                    asked[str(data["asked"])] = tuple(map(str, data["for"]))
                elif "abi" in data:
                    abis[str(data["abi"])] = LibraryAbi.from_dict(data)
                elif "damaged" in data:
                    name = str(data.pop("damaged"))
                    names = tuple(map(str, data.pop("names")))
                    damages[name] = (*damages.get(name, ()), Damage(**data, names=names))
                else:
                    tags[str(data["url"])] = str(data["tag"])
            except (KeyError, TypeError, ValueError):
                continue
        return cls(offers=offers, losses=losses, asked=asked, tags=tags, abis=abis, damages=damages)


def _forgetting(state: RebuildState) -> RebuildState:
    """Return the state without rebuilds for what is not lost any more."""
    lost = state.lost_names
    left = {base: tuple(it for it in some if it in lost) for base, some in state.asked.items()}
    return replace(state, asked={base: some for base, some in left.items() if some})


def _lines(content: bytes) -> Iterable[dict[str, Any]]:
    for line in content.split(b"\n"):
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict):
            yield data
