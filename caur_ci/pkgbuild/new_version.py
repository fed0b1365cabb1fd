"""Another version in a PKGBUILD: what has to change with it, and whether that is sure.

What travels is what JSON can hold: this is done in a confined process, because the PKGBUILD is a
stranger's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from caur_ci.pkgbuild.evaluate import evaluate
from caur_ci.pkgbuild.rewrite import (
    RewriteError,
    exchanged,
    plain_text,
    replace_in_elements,
    set_elements,
    set_text,
)
from caur_ci.pkgbuild.schema import SUMS
from caur_ci.pkgbuild.syntax import parse
from caur_ci.pkgbuild.values import Array, Unsure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from caur_ci.confined import Confined
    from caur_ci.pkgbuild.evaluate import Evaluation
    from caur_ci.pkgbuild.syntax import SyntaxTree

SKIP = "SKIP"
_BYTES = "latin-1"
_PKGVER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+]*")
_ID = re.compile(r"(?<![0-9a-zA-Z])(?:[0-9a-f]{64}|[0-9a-f]{40})(?![0-9a-zA-Z])")
_VCS = re.compile(r"(?:git|hg|svn|bzr|fossil)(?:\+[a-z]+)?://")
# makepkg sums these by git's archive of them, and no others.
_ARCHIVED = re.compile(r"git\+[^#]+#(?:commit|tag)=")
_PINNED = re.compile(r"#(?:commit|tag|revision)=")
# Where the id of a commit stands for the whole of what is built.
_BUILT_AT = re.compile(rf"(?:#commit=|/archive/|/tarball/|/snapshot/)[^#]*?(?P<id>{_ID.pattern})")
_MOST_ARCHITECTURES = 8
# Other texts, such as a plain number, occur by chance.
_TELLING = re.compile(r"[0-9A-Za-z_+-]*[0-9]+\..*|[A-Za-z].*[0-9].*|.*[0-9].{3,}[0-9]")
# Another variable may have the same number: of another project, as `_electronver=30`.
_OF_ITS_OWN = re.compile(
    r"_+(?:pkg|src|upstream|real|full|git|base|orig|raw|new|my)?_?"
    r"(?:ver|version|pkgver|tag|tagname|tag_name|release|relver)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """A version to write into a PKGBUILD.

    `tag` and `commit` are where upstream has it, as far as that is known; `old_tag` is the tag of
    the version that the PKGBUILD has, `old_commits` are those of upstream's tags, and `place` is
    what URLs of the repository have in common, as `host/group/name`.
    """

    version: str
    tag: str = ""
    commit: str = ""
    old_tag: str = ""
    old_commits: tuple[str, ...] = ()
    place: str = ""


@dataclass(frozen=True, slots=True)
class WantedSum:
    """A checksum that has to be renewed: element `index` of `array`, for `source`."""

    array: str
    index: int
    source: str


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A PKGBUILD with another version, and the checksums that do not fit any more."""

    pkgbuild: bytes
    wanted: tuple[WantedSum, ...] = field(default=())


def with_new_version(
    confined: Confined, pkgbuild: bytes, new: NewVersion, *, origin: str
) -> Rewritten:
    """Return the PKGBUILD with `new`, and pkgrel 1.

    Variables that hold the old version, tag or commit change with it, and so do sources. Raises
    InputError where any of that is not sure.
    """
    change = [new.version, new.tag, new.commit, new.old_tag, list(new.old_commits), new.place]
    found = confined.call(_renewed, pkgbuild.decode(_BYTES), origin, change)
    return Rewritten(
        found["pkgbuild"].encode(_BYTES), tuple(WantedSum(*one) for one in found["wanted"])
    )


def with_sums(
    confined: Confined, pkgbuild: bytes, sums: Mapping[WantedSum, str], *, origin: str
) -> bytes:
    """Return the PKGBUILD with other checksums. Raises InputError where that is not sure."""
    values = [[one.array, one.index, value] for one, value in sums.items()]
    found: str = confined.call(_summed, pkgbuild.decode(_BYTES), origin, values)
    return found.encode(_BYTES)


def _renewed(pkgbuild: str, origin: str, change: Sequence[Any]) -> dict[str, Any]:
    version, tag, commit, old_tag, old_commits, place = change
    if not _PKGVER.fullmatch(version):
        raise RewriteError(f"{version[:80]!r} cannot be a pkgver")
    tree = parse(pkgbuild.encode(_BYTES), origin=origin)
    before = _sure(evaluate(tree), origin)
    sources = _sources(tree, before)
    old = _plain(before, "pkgver", origin)
    ids = _old_ids(sources, old_commits, place)
    if len(ids) > 1 and commit:
        raise RewriteError(f"{origin}: its sources are at several commits of the same repository")
    pairs = [(old_tag, tag), (old, version), *((one, commit) for one in ids)]
    pairs = [(a, b) for a, b in pairs if a and b and a != b]
    if not commit:
        _check_not_built_at_a_commit(sources, origin)
    tree = _with_variables(tree, before, pairs)
    if evaluate(tree).value("pkgver") != version:
        tree = set_text(tree, "pkgver", version)
    tree = set_text(tree, "pkgrel", "1")
    tree = _with_sources(tree, sources, pairs)
    after = _sure(evaluate(tree), origin)
    _check_version(after, version, origin)
    renewed = _sources(tree, after)
    _check_moved(sources, renewed, [version, tag, commit], origin)
    wanted = list(_wanted(after, sources, renewed, origin))
    return {"pkgbuild": tree.data.decode(_BYTES), "wanted": wanted}


def _summed(pkgbuild: str, origin: str, values: Sequence[Sequence[Any]]) -> str:
    tree = parse(pkgbuild.encode(_BYTES), origin=origin)
    before = _sure(evaluate(tree), origin)
    arrays: dict[str, list[str | None]] = {}
    for array, index, value in values:
        elements = before.elements(array)
        if isinstance(elements, Unsure):
            raise RewriteError(f"{origin}: {array} is not sure: {elements.reason}")
        arrays.setdefault(array, [None] * len(elements))[index] = value
    for array, news in arrays.items():
        tree = set_elements(tree, array, news)
    after = _sure(evaluate(tree), origin)
    for array, news in arrays.items():
        olds = before.elements(array)
        assert not isinstance(olds, Unsure)  # noqa: S101 - looked at above
        expected = tuple(a if b is None else b for a, b in zip(olds, news, strict=True))
        if after.elements(array) != expected:
            raise RewriteError(f"{origin}: {array} is changed again after it is set")
    return tree.data.decode(_BYTES)


def _sure(evaluation: Evaluation, origin: str) -> Evaluation:
    if evaluation.lost is not None:
        line = f", line {evaluation.lost.line}" if evaluation.lost.line else ""
        raise RewriteError(f"{origin}{line}: {evaluation.lost.reason}")
    return evaluation


def _plain(evaluation: Evaluation, name: str, origin: str) -> str:
    value = evaluation.value(name)
    if not isinstance(value, str):
        why = f": {value.reason}" if isinstance(value, Unsure) else ""
        raise RewriteError(f"{origin}: {name} is not known{why}")
    return value


def _check_version(evaluation: Evaluation, version: str, origin: str) -> None:
    for name, value in (("pkgver", version), ("pkgrel", "1")):
        if evaluation.value(name) != value:
            raise RewriteError(f"{origin}: {name} is changed again after it is set")


def _sources(tree: SyntaxTree, evaluation: Evaluation) -> dict[str, tuple[str, ...]]:
    """Return the sources by the array that has them, each as its architecture sees it."""
    architectures = evaluation.elements("arch")
    if isinstance(architectures, Unsure) or len(architectures) > _MOST_ARCHITECTURES:
        raise RewriteError(f"{tree.origin}: its architectures are not sure")
    seen = {
        arch: evaluate(tree, carch=arch) for arch in architectures if arch not in {"any", "x86_64"}
    }
    found: dict[str, tuple[str, ...]] = {}
    for name in ("source", *(f"source_{arch}" for arch in architectures if arch != "any")):
        if evaluation.value(name) is None:
            continue
        own = seen.get(name.partition("_")[2])
        views = [own] if own else [evaluation, *(seen.values() if name == "source" else ())]
        answers = {view.elements(name) for view in views}
        elements = answers.pop()
        if isinstance(elements, Unsure):
            raise RewriteError(f"{tree.origin}: {name} is not sure: {elements.reason}")
        if answers:
            raise RewriteError(f"{tree.origin}: {name} is another one for each architecture")
        found[name] = elements
    return found


def _old_ids(
    sources: Mapping[str, Sequence[str]], old_commits: Sequence[str], place: str
) -> list[str]:
    """Return the ids of commits of the followed repository that sources name."""
    known = set(old_commits)
    found: dict[str, None] = {}
    for source in _all(sources):
        for match in _ID.finditer(source):
            if match[0] in known or (place and place in source):
                found[match[0]] = None
    return list(found)


def _check_not_built_at_a_commit(sources: Mapping[str, Sequence[str]], origin: str) -> None:
    for source in _all(sources):
        if match := _BUILT_AT.search(source):
            raise RewriteError(
                f"{origin}: a source is at the commit {match['id'][:12]}, and which one the new "
                "version is at is not known"
            )


def _with_variables(
    tree: SyntaxTree, before: Evaluation, pairs: Sequence[tuple[str, str]]
) -> SyntaxTree:
    """Return the PKGBUILD with the new version where its own variables have the old one."""
    for name in before.variables:
        value = plain_text(tree, name) if name.startswith("_") else None
        for old, new in pairs:
            if value == old and (_ID.fullmatch(old) or _OF_ITS_OWN.fullmatch(name)):
                tree = set_text(tree, name, new)
                break
    return tree


def _with_sources(
    tree: SyntaxTree, before: Mapping[str, Sequence[str]], pairs: Sequence[tuple[str, str]]
) -> SyntaxTree:
    """Return the PKGBUILD with the new version where sources have the old one as plain text."""
    telling = [(old, new) for old, new in pairs if _is_telling(old)]
    # A new version may begin with the old one: where it stands already, nothing is exchanged.
    pieces = {_piece(new): new for _, new in telling} | {_piece(old): new for old, new in telling}
    current = _sources(tree, _sure(evaluate(tree), tree.origin))
    for name in before:
        changes = [
            pieces if _is_remote(source) and exchanged(source, pieces) != source else {}
            for source in current[name]
        ]
        if not any(changes):
            continue
        tree = replace_in_elements(tree, name, changes)
        expected = tuple(map(exchanged, current[name], changes))
        if _sources(tree, _sure(evaluate(tree), tree.origin))[name] != expected:
            raise RewriteError(f"{tree.origin}: {name} has the old version in a way of its own")
    return tree


def _piece(text: str) -> re.Pattern[str]:
    start = r"(?<![0-9])(?<![0-9]\.)" if text[0].isdecimal() else r"(?<![0-9A-Za-z])"
    return re.compile(rf"{start}{re.escape(text)}(?![0-9]|\.[0-9])")


def _is_telling(text: str) -> bool:
    return _TELLING.fullmatch(text) is not None or _ID.fullmatch(text) is not None


def _is_remote(source: str) -> bool:
    return "://" in source


def _check_moved(
    before: Mapping[str, Sequence[str]],
    after: Mapping[str, Sequence[str]],
    names: Sequence[str],
    origin: str,
) -> None:
    """Raise RewriteError where the sources are not those of the new version."""
    old = set(_all(before))
    remote = [source for source in _all(after) if _is_remote(source)]
    if not remote:
        return
    moved = [source for source in remote if source not in old]
    if any(name and name in source for source in moved for name in names):
        return
    if moved and any(_without_separators(names[0]) in _without_separators(one) for one in moved):
        return
    if any(_VCS.search(source) and not _PINNED.search(source) for source in remote):
        return  # built from wherever its branch is
    raise RewriteError(f"{origin}: no source changes with the version")


def _without_separators(text: str) -> str:
    return re.sub(r"[._+-]", "", text)


def _wanted(
    after: Evaluation,
    before: Mapping[str, Sequence[str]],
    renewed: Mapping[str, Sequence[str]],
    origin: str,
) -> Iterator[list[Any]]:
    """Yield array, index and source of each checksum that has to be another one."""
    for name, sources in renewed.items():
        suffix = name.removeprefix("source")
        if len(before[name]) != len(sources):
            raise RewriteError(f"{origin}: {name} has another number of elements now")
        sums = {f"{kind}{suffix}": after.value(f"{kind}{suffix}") for kind in SUMS}
        for array, values in sums.items():
            if values is None:
                continue
            if not isinstance(values, Array) or len(values.values) != len(sources):
                raise RewriteError(f"{origin}: {array} does not fit {name}")
            for index, (old, new, value) in enumerate(
                zip(before[name], sources, values.values, strict=True)
            ):
                if old != new and value != SKIP:
                    _check_can_be_summed(new, array, origin)
                    yield [array, index, new]
        if sources and not any(value is not None for value in sums.values()):
            raise RewriteError(f"{origin}: there are no checksums for {name}")


def _check_can_be_summed(source: str, array: str, origin: str) -> None:
    url = source.partition("::")[2] or source
    if _VCS.match(url) and not _ARCHIVED.match(url):
        raise RewriteError(f"{origin}: the checksum of a checkout cannot be renewed: {source}")
    if array.startswith("cksums"):
        raise RewriteError(f"{origin}: cksums cannot be renewed")


def _all(sources: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for elements in sources.values():
        yield from elements
