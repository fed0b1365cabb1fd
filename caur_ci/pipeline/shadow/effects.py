"""What a run does to a package, in words that hold for both systems; and where these differ."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


class Deed(StrEnum):
    """Something that is done to a package."""

    UPDATE = "update"  # other files were committed
    BUMP = "bump"
    REVIEW = "review"  # other files are on a branch
    BUILD = "build"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What is done to one package, and why.

    `version` is that of the files, for updates; `build_class` goes with builds. Either is empty
    where nobody knows.
    """

    deeds: frozenset[Deed] = frozenset()
    version: str = ""
    build_class: str = ""
    reason: str = ""

    def __str__(self) -> str:
        parts = [deed.value for deed in Deed if deed in self.deeds]
        if self.version:
            parts.append(f"to {self.version}")
        if self.build_class:
            parts.append(f"by {self.build_class}")
        return " ".join(parts) or "nothing"


NOTHING = Effect()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A package that the two systems treat differently: what each of them does, and why."""

    package: str
    ours: str
    theirs: str
    our_reason: str
    their_reason: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Where two systems differ, and in how many packages they do the same, and not nothing."""

    differences: tuple[Difference, ...] = ()
    agreed: int = 0
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "differences": [it.to_dict() for it in self.differences],
            "agreed": self.agreed,
            "notes": list(self.notes),
        }


def differences(
    ours: Mapping[str, Effect], theirs: Mapping[str, Effect], *, comparable: Collection[Deed]
) -> Comparison:
    """Compare what both do. Only deeds of the `comparable` kinds are known of both."""
    found = list(_different(ours, theirs, frozenset(comparable)))
    names = {*ours, *theirs}
    busy = sum(
        bool((ours.get(name, NOTHING).deeds | theirs.get(name, NOTHING).deeds) & {*comparable})
        for name in names
    )
    return Comparison(differences=tuple(found), agreed=busy - len(found))


def _different(
    ours: Mapping[str, Effect], theirs: Mapping[str, Effect], comparable: frozenset[Deed]
) -> Iterator[Difference]:
    for name in sorted({*ours, *theirs}):
        mine = _limited(ours.get(name, NOTHING), comparable)
        other = _limited(theirs.get(name, NOTHING), comparable)
        if (
            mine.deeds != other.deeds
            or _contradict(mine.version, other.version)
            or (_contradict(mine.build_class, other.build_class))
        ):
            yield Difference(
                package=name,
                ours=str(mine),
                theirs=str(other),
                our_reason=mine.reason or "nothing new was found",
                their_reason=other.reason or "nothing of it was seen",
            )


def _limited(effect: Effect, comparable: frozenset[Deed]) -> Effect:
    deeds = effect.deeds & comparable
    return Effect(
        deeds=deeds,
        version=effect.version if Deed.UPDATE in deeds else "",
        build_class=effect.build_class if Deed.BUILD in deeds else "",
        reason=effect.reason,
    )


def _contradict(one: str, other: str) -> bool:
    return bool(one and other) and one != other
