"""Whether a `.SRCINFO` says what its PKGBUILD says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.judge.catalogue import finding
from caur_ci.judge.pair import are_sums
from caur_ci.judge.version_step import doubt_about_pkgver
from caur_ci.pkgbuild.compare import compare_srcinfo, read_sections
from caur_ci.pkgbuild.values import Unsure
from caur_ci.srcinfo import SRCINFO
from caur_ci.versions import vercmp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.judge.model import Finding
    from caur_ci.judge.pair import Pair

# By package (empty for the base) and field.
_Values = dict[tuple[str, str], tuple[str, ...]]


def judge_srcinfo(pair: Pair, old: bytes | None, new: bytes | None) -> Iterator[Finding]:
    """Yield where a `.SRCINFO` does not follow from its PKGBUILD.

    What of the PKGBUILD is not sure may differ from the old `.SRCINFO` by the version only.
    """
    if new is None:
        if old is not None:
            yield finding("srcinfo-missing", file=SRCINFO)
        return
    try:
        differences = compare_srcinfo(pair.new.evaluation, new)
        given = _values(new)
    except InputError as error:
        yield finding("srcinfo-unreadable", file=SRCINFO, what=error.message)
        return
    before = _readable(old)
    for difference in differences:
        where = f"{difference.package}: " if difference.package else ""
        yield finding(
            "srcinfo-differs",
            file=SRCINFO,
            line=_line(new, difference.field),
            old=" ".join(difference.expected),
            new=" ".join(difference.committed),
            what=f"{where}{difference.field}",
        )
    yield from _unsure(pair, before, given, new)
    yield from _moved(pair, before, given)
    if (
        old is not None
        and old != new
        and not differences
        and pair.old.script.tree.data == (pair.new.script.tree.data)
    ):
        yield finding("srcinfo-follows", file=SRCINFO)


def _unsure(pair: Pair, before: _Values, given: _Values, new: bytes) -> Iterator[Finding]:
    """Yield the fields that the PKGBUILD leaves open, and that changed."""
    evaluation = pair.new.evaluation
    open_fields = {
        ("", name) for name, it in evaluation.variables.items() if isinstance(it.value, Unsure)
    } | {
        (package, name)
        for package, fields in evaluation.overrides.items()
        for name, it in fields.items()
        if isinstance(it.value, Unsure)
    }
    lost = evaluation.lost is not None
    for place in dict.fromkeys((*given, *before)):
        if not lost and place not in open_fields:
            continue
        old, now = before.get(place, ()), given.get(place, ())
        if sorted(map(pair.forms.old, old)) == sorted(map(pair.forms.new, now)):
            continue
        # The PKGBUILD, which finds them out itself, is the same.
        if not (pair.rises and pair.same_text(place[1]) and are_sums(old, now)):
            yield finding(
                "srcinfo-differs",
                file=SRCINFO,
                line=_line(new, place[1]),
                old=" ".join(old),
                new=" ".join(now),
                what=f"{place[1]}, which cannot be told from it, has changed",
            )


def _moved(pair: Pair, before: _Values, given: _Values) -> Iterator[Finding]:
    """Yield what is odd about a pkgver that is pkgver()'s, not the PKGBUILD's."""
    place = ("", "pkgver")
    old, new = "".join(before.get(place, ())), "".join(given.get(place, ()))
    if not old or not new or old == new or new == pair.new.text("pkgver"):
        return
    if pair.old.text("pkgver") != pair.new.text("pkgver"):
        yield finding("srcinfo-differs", file=SRCINFO, what="pkgver", old=old, new=new)
        return
    epochs = ("".join(values.get(("", "epoch"), ())) for values in (before, given))
    if vercmp(new, old) < 0 and len(set(epochs)) == 1:
        yield finding("version-lowered", file=SRCINFO, what=f"{old} → {new}", old=old, new=new)
    elif doubt := doubt_about_pkgver(old, new):
        yield finding("version-step", file=SRCINFO, what=doubt, old=old, new=new)


def _readable(data: bytes | None) -> _Values:
    try:
        return {} if data is None else _values(data)
    except InputError:
        return {}


def _values(data: bytes) -> _Values:
    return {
        ("" if section.kind == "pkgbase" else section.name, name): values
        for section in read_sections(data)
        for name, values in section.fields
    }


def _line(data: bytes, field: str) -> int:
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.partition(b"=")[0].strip() == field.encode("utf-8", "surrogateescape"):
            return number
    return 0
