"""Sources: where they come from, and how they are pinned."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.judge.addresses import Address, bad_address
from caur_ci.judge.catalogue import finding
from caur_ci.judge.package import PKGBUILD
from caur_ci.judge.versions import is_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.judge.model import Finding
    from caur_ci.judge.pair import Pair

SIGNATURES = (".sig", ".asc", ".sign", ".gpg", ".minisig")
_SAFE = frozenset({"https", "ssh", "sftp"})
_PINS = frozenset({"commit", "tag", "revision"})
_HASH = re.compile(r"(?<![0-9a-zA-Z])(?:[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})(?![0-9a-zA-Z])")
_FRAGMENT = re.compile(r"#(?P<key>[a-z]+)=(?P<value>[^?#]*)")


@dataclass(frozen=True, slots=True)
class Source:
    """An element of `source`. `pin` is what its fragment names, as `commit`, or empty."""

    text: str
    name: str
    url: str
    address: Address | None
    pin: str = ""
    pinned: str = ""
    signed: bool = False

    @classmethod
    def of(cls, text: str) -> Source:
        """Read an element of `source`."""
        name, separator, url = text.partition("::")
        if not separator:
            name, url = "", text
        fragment = _FRAGMENT.search(url)
        address = Address.of(url)
        return cls(
            text=text,
            name=name or url.partition("#")[0].partition("?")[0].rstrip("/").rpartition("/")[2],
            url=url,
            address=address,
            pin=fragment["key"] if fragment else "",
            pinned=fragment["value"] if fragment else "",
            signed="?signed" in url,
        )

    @property
    def is_local(self) -> bool:
        """Whether it is a file of the package's folder."""
        return self.address is None and not self.url.startswith("lp:")

    @property
    def is_signature(self) -> bool:
        """Whether it proves another source right."""
        return self.name.endswith(SIGNATURES) or self.url.endswith(SIGNATURES)

    @property
    def is_repository(self) -> bool:
        """Whether it is a repository, which makepkg clones."""
        return self.address is not None and bool(
            self.address.vcs or self.address.scheme in {"git", "svn", "hg", "bzr", "fossil"}
        )


@dataclass(frozen=True, slots=True)
class Matched:
    """A source before and after, each with its place in the array."""

    old: Source
    new: Source
    old_place: int
    new_place: int


def suffixes(pair: Pair) -> list[str]:
    """Return what is behind `source` in the names of the arrays: nothing, or an architecture."""
    found = [name.removeprefix("source") for name in pair.names if is_source_field(name)]
    return sorted(set(found))


def is_source_field(name: str) -> bool:
    """Tell whether a variable of this name has sources."""
    return name == "source" or name.startswith("source_")


def matched(
    pair: Pair, suffix: str
) -> tuple[list[Matched], list[tuple[int, Source]], list[tuple[int, Source]]]:
    """Return the sources that are the same or took each other's place; those gone; those new."""
    old = dict(enumerate(map(Source.of, pair.old.elements(f"source{suffix}"))))
    new = dict(enumerate(map(Source.of, pair.new.elements(f"source{suffix}"))))
    found: list[Matched] = []

    def match(old_place: int, new_place: int) -> None:
        found.append(Matched(old.pop(old_place), new.pop(new_place), old_place, new_place))

    for mark_old, mark_new in ((str, str), (pair.forms.old, pair.forms.new)):
        places: dict[str, list[int]] = {}
        for place, source in old.items():
            places.setdefault(mark_old(source.text), []).append(place)
        for place, source in list(new.items()):
            if waiting := places.get(mark_new(source.text)):
                match(place if place in waiting else waiting[0], place)
                waiting.remove(found[-1].old_place)
    if len(old) == len(new):
        for before, after in zip(list(old), list(new), strict=True):
            match(before, after)
    else:
        for place, source in list(new.items()):
            same = [it for it, other in old.items() if _are_alike(pair, other, source)]
            if same:
                match(same[0], place)
    return found, list(old.items()), list(new.items())


def _are_alike(pair: Pair, old: Source, new: Source) -> bool:
    if old.is_local or new.is_local:
        return old.is_local and new.is_local and pair.forms.same(old.name, new.name)
    return pair.forms.same(old.name, new.name) or (
        old.address is not None
        and new.address is not None
        and old.address.host == new.address.host
        and old.is_signature == new.is_signature
        and bool(old.address.owner)
        and (old.address.owner, old.address.repository)
        == (new.address.owner, new.address.repository)
    )


def judge_sources(pair: Pair) -> Iterator[Finding]:
    """Yield what changed about sources, but for their checksums."""
    hosts = {
        source.address.host
        for suffix in suffixes(pair)
        for source in map(Source.of, pair.old.elements(f"source{suffix}"))
        if source.address
    }
    for suffix in suffixes(pair):
        name = f"source{suffix}"
        line = pair.new.line(name)
        both, gone, added = matched(pair, suffix)
        for it in both:
            if it.old.text != it.new.text:
                yield from _about_change(pair, it, line, derived=pair.same_text(name))
        for _, source in gone:
            code = "signature-dropped" if source.is_signature else "source-removed"
            yield finding(
                code,
                file=PKGBUILD,
                line=pair.old.line(name),
                old=source.text,
                what=source.name,
            )
        for _, source in added:
            yield finding(
                "source-added", file=PKGBUILD, line=line, new=source.text, what=source.text
            )
            if source.address is not None and source.address.host not in hosts:
                yield finding(
                    "source-host", file=PKGBUILD, line=line, new=source.text, what=source.name
                )
            yield from _insecure_from_the_start(source, line)
        for _, source in [*added, *((0, it.new) for it in both if it.old.text != it.new.text)]:
            if code := bad_address(source.url):
                yield finding(code, file=PKGBUILD, line=line, new=source.text, what=source.url)


def _insecure_from_the_start(source: Source, line: int) -> Iterator[Finding]:
    if source.address is not None and source.address.scheme not in _SAFE:
        yield finding(
            "source-insecure", file=PKGBUILD, line=line, new=source.text, what=source.name
        )


def _about_change(pair: Pair, it: Matched, line: int, *, derived: bool) -> Iterator[Finding]:
    old, new = it.old, it.new

    def found(code: str) -> Finding:
        return finding(
            code, file=PKGBUILD, line=line, old=old.text, new=new.text, what=new.name or new.text
        )

    codes = [*_about_place(pair, old, new), *_about_pin(old, new)]
    if ".." in re.split(r"[/?#=]", new.url) and ".." not in old.url:
        codes.append("version-walks")
    if not codes:
        explained = pair.rises and (
            pair.forms.same(old.text, new.text) or (derived and pair.is_set_once)
        )
        explained = explained or (pair.rises and (_are_hashes(pair, old, new) or _is_pin(old, new)))
        codes.append("source-follows" if explained else "source-path")
    yield from (found(code) for code in codes)


def _are_hashes(pair: Pair, old: Source, new: Source) -> bool:
    """Tell whether two sources differ by the version, and by sums or ids of commits in them."""
    return pair.forms.same(_HASH.sub("?", old.text), _HASH.sub("?", new.text))


def _is_pin(old: Source, new: Source) -> bool:
    """Tell whether two sources differ by the commit that they are pinned to only."""
    return (
        old.pin == new.pin
        and is_id(old.pinned)
        and is_id(new.pinned)
        and len(old.pinned) == len(new.pinned)
        and old.text.replace(old.pinned, "") == new.text.replace(new.pinned, "")
    )


def _about_place(pair: Pair, old: Source, new: Source) -> Iterator[str]:
    if old.address is None or new.address is None:
        if (old.address is None) != (new.address is None):
            yield "source-host" if new.address is not None else "source-path"
        return
    if old.address.scheme in _SAFE and new.address.scheme not in _SAFE:
        yield "source-insecure"
    if old.address.host != new.address.host:
        yield "source-host"
    elif old.address.owner != new.address.owner:
        yield "source-owner"
    elif not pair.forms.same(old.address.repository, new.address.repository):
        yield "source-repository"


def _about_pin(old: Source, new: Source) -> Iterator[str]:
    if old.signed and not new.signed:
        yield "signature-dropped"
    was, becomes = old.pin in _PINS, new.pin in _PINS
    loose = new.is_repository and not becomes
    if loose and (was or not old.is_repository):
        yield "source-unpinned"
    elif old.pin != new.pin and old.is_repository:
        yield "source-pin-changed"
