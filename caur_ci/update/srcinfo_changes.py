"""Whether a `.SRCINFO` changed as its PKGBUILD did, when only version and checksums were changed.

What else a `.SRCINFO` says follows from the PKGBUILD's text, which is the same as before, and the
version: the whole of it or its first parts, with other separators perhaps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from caur_ci.errors import InputError
from caur_ci.srcinfo import SrcinfoFields, parse_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from caur_ci.update.pkgbuild import PkgbuildOutline

_LINE = re.compile(r"[ \t]*([A-Za-z0-9_]+) =(?: (.*))?")
_SUITS_ARCHITECTURE = r"(?:_[a-z0-9_]+)?"
_SUMS = re.compile(r"(?:ck|md5|sha1|sha224|sha256|sha384|sha512|b2)sums" + _SUITS_ARCHITECTURE)
_RELATIONS = re.compile(
    r"(?:depends|makedepends|checkdepends|provides|conflicts|replaces)" + _SUITS_ARCHITECTURE
)
_ADDRESSES = re.compile(r"(?:source|noextract|url)" + _SUITS_ARCHITECTURE)
_RELATION = re.compile(r"([^<>=]+)([<>=]+)(.+)")
_HOST = re.compile(r"://([^/]*)")


@dataclass(frozen=True, slots=True)
class SrcinfoText:
    """A `.SRCINFO`, with all that it says in its order."""

    fields: SrcinfoFields
    lines: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a `.SRCINFO`. Raises InputError for what makepkg would not write."""
        fields = parse_fields(data)
        lines = []
        for line in data.decode().split("\n"):
            if line.strip() and not line.lstrip().startswith("#"):
                match = _LINE.fullmatch(line)
                if match is None:
                    raise InputError(f"{line.strip()[:80]!a} is not as makepkg writes it")
                lines.append((match[1], match[2] or ""))
        for key in ("pkgver", "pkgrel"):
            if sum(name == key for name, _ in lines) != 1:
                raise InputError(f"it has not one {key}")
        return cls(fields, tuple(lines))

    def values(self, key: str) -> tuple[str, ...]:
        return tuple(value for name, value in self.lines if name == key)


def doubts_about_srcinfo(
    old: SrcinfoText, new: SrcinfoText, pkgbuild: PkgbuildOutline
) -> Iterator[str]:
    """Yield what in `new` does not follow from `pkgbuild` and from `old`."""
    for key in ("pkgver", "pkgrel"):
        (said,) = new.values(key)
        (expected,) = (getattr(pkgbuild, key),) if getattr(pkgbuild, key) else old.values(key)
        if said != expected:
            yield f"the .SRCINFO does not follow the PKGBUILD: its {key} is {said}, not {expected}"
    if [key for key, _ in old.lines] != [key for key, _ in new.lines]:
        yield "the .SRCINFO was changed in more than its version and checksums"
        return
    forms = _forms(old.fields, new.fields)
    if not all(
        _follows(key, before, after, forms)
        for (key, before), (_, after) in zip(old.lines, new.lines, strict=True)
    ):
        yield "the .SRCINFO was changed in more than its version and checksums"
    yield from _about_sums(old, new, pkgbuild)


def _about_sums(old: SrcinfoText, new: SrcinfoText, pkgbuild: PkgbuildOutline) -> Iterator[str]:
    names = dict.fromkeys(key for key, _ in new.lines if _SUMS.fullmatch(key))
    for name in dict.fromkeys((*names, *pkgbuild.sums)):
        before, after = old.values(name), new.values(name)
        if after != pkgbuild.sums.get(name, before):
            yield f"the .SRCINFO does not follow the PKGBUILD: its {name} are others"
        _, _, architecture = name.partition("sums")
        old_sources = old.values(f"source{architecture}")
        new_sources = new.values(f"source{architecture}")
        changed = [
            place for place, (was, it) in enumerate(zip(before, after, strict=True)) if was != it
        ]
        for place in changed:
            if old_sources[place : place + 1] == new_sources[place : place + 1]:
                yield f"one of {name} was changed, but its source was not"
        if {after[place] for place in changed} & set(before):
            yield f"{name} changed places"


def _follows(key: str, old: str, new: str, forms: Sequence[tuple[str, str]]) -> bool:
    if old == new or key in {"pkgver", "pkgrel"} or _SUMS.fullmatch(key):
        return True
    if _RELATIONS.fullmatch(key):
        return _is_same_relation(old, new, forms)
    if _ADDRESSES.fullmatch(key):
        return _HOST.findall(old) == _HOST.findall(new) and _marked(
            old, {before: number for number, (before, _) in enumerate(forms)}
        ) == _marked(new, {after: number for number, (_, after) in enumerate(forms)})
    return False


def _is_same_relation(old: str, new: str, forms: Sequence[tuple[str, str]]) -> bool:
    before, after = _RELATION.fullmatch(old), _RELATION.fullmatch(new)
    if before is None or after is None:
        return False
    return before[1] == after[1] and before[2] == after[2] and (before[3], after[3]) in forms


def _marked(text: str, forms: Mapping[str, int]) -> list[str | int]:
    """Return a text in pieces, with numbers in place of the forms of a version in it."""
    longest_first = sorted(forms, key=len, reverse=True)
    pattern = "|".join(
        rf"{'(?<![0-9])' if form[0].isdecimal() else ''}{re.escape(form)}"
        rf"{'(?![0-9])' if form[-1].isdecimal() else ''}"
        for form in longest_first
    )
    pieces = re.split(f"({pattern})", text)
    return [
        forms[piece] if place % 2 else piece  # every other one is a form
        for place, piece in enumerate(pieces)
    ]


def _forms(old: SrcinfoFields, new: SrcinfoFields) -> list[tuple[str, str]]:
    """Return the forms in which versions occur elsewhere, old and new, each of one kind.

    Of several kinds with the same old form, the first counts.
    """
    pairs = list(zip(_forms_of(old), _forms_of(new), strict=True))
    before, after = old.pkgver.split("."), new.pkgver.split(".")
    pairs += [
        (".".join(before[:count]), ".".join(after[:count]))
        for count in range(min(len(before), len(after)) - 1, 0, -1)
    ]
    return [pair for pair in pairs if all(pair)]


def _forms_of(fields: SrcinfoFields) -> list[str]:
    pkgver = fields.pkgver
    epoch = f"{fields.epoch}:" if fields.epoch else ""
    return [
        fields.version,
        f"{pkgver}-{fields.pkgrel}",
        f"{epoch}{pkgver}",
        pkgver,
        *(pkgver.replace(".", other) for other in ("_", "-", "")),
        *(pkgver.replace("_", other) for other in ("-", ".")),
    ]
