"""What a repository does not want to be told: `.ci/validate.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Self

from caur_ci.names import suggestion
from caur_ci.validation.catalogue import RULES, finding
from caur_ci.validation.snapshot import SILENCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from caur_ci.validation.model import Finding

_KEYS = frozenset({"codes", "packages", "reason"})
# A silence must not silence what is wrong with silences.
_ALWAYS_TOLD = frozenset({"silences-unusable"})


@dataclass(frozen=True, slots=True)
class Silence:
    """Codes that are not told of some packages, all where none are named, and why.

    `packages` are names or patterns of the shell.
    """

    codes: frozenset[str]
    packages: tuple[str, ...]
    reason: str

    def covers(self, found: Finding) -> bool:
        """Tell whether a finding is silenced."""
        if found.code not in self.codes or found.code in _ALWAYS_TOLD:
            return False
        return not self.packages or any(fnmatchcase(found.package, it) for it in self.packages)

    def __str__(self) -> str:
        """Return it for people."""
        where = f" of {', '.join(self.packages)}" if self.packages else ""
        return f"{', '.join(sorted(self.codes))}{where}"


@dataclass(slots=True)
class Silences:
    """All silences of a repository; `problem` says why the file cannot be used."""

    silences: tuple[Silence, ...] = ()
    problem: str = ""
    _used: set[int] = field(default_factory=set)

    @classmethod
    def parse(cls, data: bytes | None) -> Self:
        """Read `.ci/validate.toml`. A mistake in it makes all of it count for nothing."""
        if data is None:
            return cls()
        try:
            return cls(tuple(_silences(tomllib.loads(data.decode("utf-8-sig")))))
        except (ValueError, RecursionError) as error:  # a TOMLDecodeError is a ValueError
            return cls(problem=str(error) or "it is nested too deeply")

    def without_silenced(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Yield the findings that are told."""
        for found in findings:
            covering = [at for at, it in enumerate(self.silences) if it.covers(found)]
            self._used.update(covering)
            if not covering:
                yield found

    def findings(self, *, everything: bool) -> Iterator[Finding]:
        """Yield what is wrong with the file; which silences none needs only after `everything`."""
        if self.problem:
            yield finding("silences-unusable", file=SILENCES, what=self.problem)
        for at, silence in enumerate(self.silences if everything else ()):
            if at not in self._used:
                yield finding("silence-unused", file=SILENCES, what=str(silence))


def silences_schema() -> dict[str, Any]:
    """Return the JSON Schema of `.ci/validate.toml` as TOML reads it."""
    texts = {"type": "array", "items": {"type": "string", "minLength": 1}}
    codes = {"type": "array", "items": {"enum": sorted(RULES)}, "minItems": 1}
    silence = {
        "type": "object",
        "description": "Findings that are meant to be so.",
        "additionalProperties": False,
        "required": ["codes", "reason"],
        "properties": {
            "codes": {**codes, "description": "Codes of docs/validate.md."},
            "packages": {
                **texts,
                "description": "Names, or patterns of the shell. Default: all packages, and what "
                "is found about the repository itself.",
            },
            "reason": {"type": "string", "pattern": "\\S", "description": "Why, for people."},
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What caur-ci validate does not tell (.ci/validate.toml)",
        "type": "object",
        "additionalProperties": False,
        "properties": {"silence": {"type": "array", "items": silence}},
    }


def _silences(data: dict[str, Any]) -> Iterator[Silence]:
    tables = data.pop("silence", [])
    if data:
        raise ValueError(f"it has {', '.join(sorted(data))}; only [[silence]] is known")
    if not (isinstance(tables, list) and all(isinstance(it, dict) for it in tables)):
        raise ValueError("silence is written [[silence]], with two brackets, and has keys")
    for number, table in enumerate(tables, start=1):
        yield _silence(table, f"[[silence]] number {number}")


def _silence(table: dict[str, Any], place: str) -> Silence:
    for key in table.keys() - _KEYS:
        raise ValueError(f"{place} has {key}. {suggestion(key, _KEYS, 1)}".rstrip())
    codes, packages = _texts(table, "codes", place), _texts(table, "packages", place)
    for code in codes:
        if code not in RULES:
            meant = suggestion(code, RULES, 1)
            raise ValueError(f"{place} names the code {code}, which is none. {meant}".rstrip())
    reason = table.get("reason")
    if not codes:
        raise ValueError(f"{place} names no codes")
    if not isinstance(reason, str) or not reason.strip():
        raise ValueError(f"{place} has no reason")
    return Silence(frozenset(codes), packages, reason)


def _texts(table: dict[str, Any], key: str, place: str) -> tuple[str, ...]:
    found = table.get(key, [])
    if not isinstance(found, list) or not all(isinstance(it, str) and it for it in found):
        raise ValueError(f"{place}: {key} is a list of texts")
    return tuple(found)
