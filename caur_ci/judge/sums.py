"""Checksums: each source keeps one of the same strength or more, and it changes with its source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.judge.catalogue import finding
from caur_ci.judge.package import PKGBUILD
from caur_ci.judge.sources import matched, suffixes
from caur_ci.pkgbuild.schema import SUMS
from caur_ci.pkgbuild.values import Unsure

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from caur_ci.judge.model import Finding
    from caur_ci.judge.pair import Pair, Side
    from caur_ci.judge.sources import Matched

SKIP = "SKIP"
# The weakest first.
_STRENGTH = {name: strength for strength, name in enumerate(SUMS, start=1)} | {"b2sums": 7}
# By algorithm, the sums of one source that are none of `SKIP`.
_Sums = dict[str, str]


def judge_sums(pair: Pair, changed_files: Collection[str]) -> Iterator[Finding]:
    """Yield what changed about checksums; `changed_files` are those of the folder that did."""
    for suffix in suffixes(pair):
        both, _, added = matched(pair, suffix)
        old, new = _sums(pair.old, suffix), _sums(pair.new, suffix)
        line = max((pair.new.line(f"{name}{suffix}") for name in SUMS), default=0)
        if _is_unsure(pair.new, suffix) or _is_unsure(pair.old, suffix):
            continue
        if pair.old.elements(f"source{suffix}") and pair.new.elements(f"source{suffix}"):
            yield from _dropped(pair, suffix)
        yield from _counted(pair, suffix)
        follow = []
        for it in both:
            before, after = old.get(it.old_place, {}), new.get(it.new_place, {})
            code = _about(it, before, after, changed_files, rises=pair.rises)
            if code == "sums-follow":
                follow.append(it.new.name)
            elif code:
                yield finding(
                    code,
                    file=PKGBUILD,
                    line=line,
                    old=_shown(before),
                    new=_shown(after),
                    what=it.new.name,
                )
        if follow:
            yield finding(
                "sums-follow", file=PKGBUILD, line=line, what=f"the sums of {', '.join(follow)}"
            )
        yield from _swapped(both, old, new, line)
        for place, source in added:
            if not new.get(place) and not (source.is_repository or source.is_signature):
                yield finding(
                    "sum-skipped", file=PKGBUILD, line=line, new=source.text, what=source.name
                )


def _sums(side: Side, suffix: str) -> dict[int, _Sums]:
    """Return by the place of the source what checks it."""
    found: dict[int, _Sums] = {}
    for name in SUMS:
        for place, value in enumerate(side.elements(f"{name}{suffix}")):
            if value != SKIP and value:
                found.setdefault(place, {})[name] = value.lower()
    return found


def _is_unsure(side: Side, suffix: str) -> bool:
    return any(isinstance(side.value(f"{name}{suffix}"), Unsure) for name in SUMS)


def _dropped(pair: Pair, suffix: str) -> Iterator[Finding]:
    had = [name for name in SUMS if pair.old.elements(f"{name}{suffix}")]
    has = [name for name in SUMS if pair.new.elements(f"{name}{suffix}")]
    if had and not has:
        name = f"{had[0]}{suffix}"
        yield finding("sums-dropped", file=PKGBUILD, line=pair.old.line(name), old=name, what=name)


def _counted(pair: Pair, suffix: str) -> Iterator[Finding]:
    for name in SUMS:
        field = f"{name}{suffix}"
        counts = [
            (len(side.elements(field)), len(side.elements(f"source{suffix}")))
            for side in (pair.old, pair.new)
        ]
        (before, had), (after, has) = counts
        if after and after != has and (before == had or not before):
            yield finding(
                "sum-missing",
                file=PKGBUILD,
                line=pair.new.line(field),
                old=str(before),
                new=str(after),
                what=field,
            )


def _about(  # noqa: PLR0911 - one rule after the other
    it: Matched, before: _Sums, after: _Sums, changed_files: Collection[str], *, rises: bool
) -> str:
    """Return the code of what is to be said of one source's sums; nothing where nothing is."""
    if not before:
        return "sum-added" if after else ""
    if not after:
        # Commits and tags prove repositories right, and signatures are none to be checked.
        excused = it.new.is_repository and not it.old.is_repository
        return "" if excused or it.new.is_signature else "sum-skipped"
    if _strength(after) < _strength(before):
        return "sum-weaker"
    shared = before.keys() & after.keys()
    if shared and all(before[name] == after[name] for name in shared):
        return ""
    if it.old.text != it.new.text:
        return "sums-follow"
    if it.new.is_local and it.new.name in changed_files:
        return "sums-follow"
    return "sum-same-source" if rises else "sum-alone"


def _strength(sums: _Sums) -> int:
    return max(_STRENGTH[name] for name in sums)


def _swapped(
    both: list[Matched], old: dict[int, _Sums], new: dict[int, _Sums], line: int
) -> Iterator[Finding]:
    earlier = {value for sums in old.values() for value in sums.values()}
    for it in both:
        before = set(old.get(it.old_place, {}).values())
        moved = (set(new.get(it.new_place, {}).values()) - before) & earlier
        if moved and before:
            yield finding(
                "sums-swapped", file=PKGBUILD, line=line, new=min(moved), what=it.new.name
            )


def _shown(sums: _Sums) -> str:
    return " ".join(f"{name}={value}" for name, value in sums.items()) or SKIP
