"""Who came to maintain packages at the AUR, and when that was seen: a line of JSON for each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

from caur_ci.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

# Of a repository of 2,500 packages these are the changes of many years.
_MOST = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """Somebody who is new: `account` takes the place of `before`, or becomes a co-maintainer.

    One of the two is empty where the package was an orphan, or becomes one. `time` is in Unix
    seconds.
    """

    package: str
    account: str
    before: str = ""
    time: int
    comaintainer: bool = False

    def says_the_same_as(self, other: Adoption) -> bool:
        """Tell whether both are about the same people, whenever that was seen."""
        return asdict(self) | {"time": 0} == asdict(other) | {"time": 0}


@dataclass(frozen=True, slots=True)
class Adoptions:
    """All that were seen, the newest last."""

    entries: tuple[Adoption, ...] = ()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Take what is stored. Raises InputError where that makes no sense."""
        try:
            return cls(tuple(Adoption(**json.loads(it)) for it in content.splitlines() if it))
        except (ValueError, TypeError) as error:
            raise InputError(
                f"adoptions.jsonl on branch caur cannot be read: {error}",
                hint="Restore an older state of the branch. Without the file, nobody knows who is "
                "new as a maintainer.",
            ) from error

    def to_bytes(self) -> bytes:
        """Return what is to be stored."""
        lines = (
            json.dumps(
                {key: value for key, value in asdict(it).items() if value or key == "account"}
            )
            for it in self.entries
        )
        return "".join(f"{line}\n" for line in lines).encode()

    def unknown(self, seen: Iterable[Adoption]) -> tuple[Adoption, ...]:
        """Return those that were not seen before."""
        return tuple(it for it in seen if not self._is_known(it))

    def add(self, news: Iterable[Adoption]) -> Adoptions:
        """Return them with what is new; of very many, the oldest are forgotten."""
        fresh = self.unknown(news)
        return Adoptions((*self.entries, *fresh)[-_MOST:]) if fresh else self

    def only(self, packages: Collection[str]) -> Adoptions:
        """Return them without the packages that are gone."""
        kept = tuple(it for it in self.entries if it.package in packages)
        return Adoptions(kept) if len(kept) < len(self.entries) else self

    def of(self, package: str) -> list[Adoption]:
        """Return those of one package, the newest last."""
        return [it for it in self.entries if it.package == package]

    def _is_known(self, news: Adoption) -> bool:
        """Tell whether it was seen already, by a run that did not deal with the package."""
        older = (
            it
            for it in reversed(self.entries)
            if it.package == news.package and it.comaintainer == news.comaintainer
        )
        if news.comaintainer:
            return any(it.says_the_same_as(news) for it in older)
        last = next(older, None)
        return last is not None and last.says_the_same_as(news)
