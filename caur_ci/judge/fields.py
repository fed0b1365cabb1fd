"""What the variables of a PKGBUILD say before and after a change."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caur_ci.judge.addresses import Address, bad_address
from caur_ci.judge.catalogue import finding
from caur_ci.judge.package import PKGBUILD
from caur_ci.judge.pair import VERSION, are_sums, elements_of
from caur_ci.judge.powers import text_powers
from caur_ci.judge.relations import CODES, DEPENDENCIES, Relations
from caur_ci.judge.sources import SIGNATURES, Source, is_source_field, suffixes
from caur_ci.judge.version_step import doubt_about_pkgrel, doubt_about_pkgver
from caur_ci.pkgbuild.environment import machine_variable
from caur_ci.pkgbuild.schema import ARRAYS, BY_ARCHITECTURE, STRINGS, SUMS
from caur_ci.pkgbuild.syntax import line_of
from caur_ci.pkgbuild.values import Array, Unsure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.judge.model import Finding, PackageContext
    from caur_ci.judge.pair import Pair
from caur_ci.pkgbuild.values import Value

_PLAIN = re.compile(r"[A-Za-z0-9._+~:]*")
_SENSITIVE = re.compile(
    r"etc/(?:passwd|shadow|group|gshadow|sudoers|pam\.d|ssh|pacman|fstab|crypttab|profile|ld\.so|"
    r"hosts|nsswitch|polkit|security|ca-certificates|mkinitcpio|environment|bash)"
)
# They say something to people and do nothing.
_TEXTS = frozenset({"pkgdesc", "license"})
_OF_FILES = frozenset({"install", "changelog"})


def judge_fields(pair: Pair, context: PackageContext) -> Iterator[Finding]:
    """Yield what changed in variables, but for sources, checksums and names."""
    if pair.is_lost:
        yield from _lost(pair)
        return
    yield from _version(pair)
    relations = Relations(pair, context)
    for name in pair.names:
        if name in VERSION or name in {"pkgname", "pkgbase"}:
            continue
        old, new = pair.old.value(name), pair.new.value(name)
        if isinstance(old, Unsure) or isinstance(new, Unsure):
            yield from _unsure(pair, name, new)
        elif old != new:
            yield from _changed(pair, relations, name, old, new)
        elif _is_set_on_the_way(pair, name):
            yield _variable(pair, name, old, new)
    yield from _overrides(pair, relations)


def _changed(
    pair: Pair, relations: Relations, name: str, old: Value | None, new: Value | None
) -> Iterator[Finding]:
    base = name.partition("_")[0]
    if is_source_field(name) or (base in SUMS and base in name.split("_")):
        return
    if base in DEPENDENCIES or base in CODES:
        yield from relations.findings(name, old, new)
    elif name == "validpgpkeys":
        yield from _keys(pair)
    elif name == "url":
        yield from _url(pair)
    elif name == "backup":
        yield from _backup(pair)
    elif name in _OF_FILES:
        yield from _install(pair, name)
    elif name in ARRAYS or name in STRINGS or _is_by_architecture(name):
        if not (old is not None and new is not None and pair.follows(name, old, new)):
            code = "text-changed" if name in _TEXTS else "field-changed"
            yield _about(pair, code, name, old, new)
    else:
        yield from _own_variable(pair, name, old, new)


def _is_by_architecture(name: str) -> bool:
    return name.partition("_")[0] in BY_ARCHITECTURE


def _version(pair: Pair) -> Iterator[Finding]:
    for name in VERSION:
        old, new = pair.old.value(name), pair.new.value(name)
        sure = isinstance(new, str | None) and isinstance(old, str | None)
        if not sure and (old != new or not pair.same_text(name)):
            yield _about(pair, "version-unplain", name, old, new)
            return
        if isinstance(new, str) and old != new and (not _PLAIN.fullmatch(new) or ".." in new):
            yield _about(pair, "version-walks", name, old, new)
            return
    old_version, new_version = pair.old.version, pair.new.version
    if old_version == new_version:
        return
    if not old_version.is_complete:
        return
    step = f"{old_version} → {new_version}"
    shown = {"old": str(old_version), "new": str(new_version)}
    changed = [name for name in VERSION if pair.old.text(name) != pair.new.text(name)]
    line = pair.new.line(changed[0])
    order = new_version.compare(old_version)
    if order < 0:
        yield finding("version-lowered", file=PKGBUILD, line=line, what=step, **shown)
        return
    if doubt := _doubt(pair):
        yield finding("version-step", file=PKGBUILD, line=line, what=doubt, **shown)
    elif order == 0:
        what = f"another version that is no higher: {step}"
        yield finding("version-step", file=PKGBUILD, line=line, what=what, **shown)
    else:
        yield finding("version-raised", file=PKGBUILD, line=line, what=step, **shown)


def _doubt(pair: Pair) -> str:
    old, new = pair.old.version, pair.new.version
    if old.epoch != new.epoch and not _is_next(old.epoch or "0", new.epoch or "0"):
        return f"from epoch {old.epoch or 0} to {new.epoch or 0} is an unusual step"
    if old.pkgver != new.pkgver and (doubt := doubt_about_pkgver(old.pkgver, new.pkgver)):
        return doubt
    return doubt_about_pkgrel(old.pkgrel, new.pkgrel) if old.pkgrel != new.pkgrel else ""


def _is_next(old: str, new: str) -> bool:
    """Tell whether `new` is one more than `old`; nothing is that is no number of usual length."""
    if not all(epoch.isdecimal() and len(epoch) < 10 for epoch in (old, new)):
        return False
    return int(new) == int(old) + 1


def _unsure(pair: Pair, name: str, new: Value | None) -> Iterator[Finding]:
    if pair.same_text(name):
        return
    why = f"{name} ({new.reason})" if isinstance(new, Unsure) else name
    line = pair.new.line(name)
    acted_on = machine_variable(name) is not None and not name.endswith("FLAGS")
    yield finding(
        "makepkg-variable" if acted_on else "unsure-value", file=PKGBUILD, line=line, what=why
    )
    for node in pair.new.script.assignments.get(name, ()):
        text = pair.new.script.text(node)
        for code, what in text_powers(text):
            yield finding(code, file=PKGBUILD, line=line_of(node), new=text, what=what)


def _lost(pair: Pair) -> Iterator[Finding]:
    """Yield what is written otherwise, where what it says cannot be told."""
    for name in pair.names:
        if not pair.same_text(name):
            yield finding("unsure-value", file=PKGBUILD, line=pair.new.line(name), what=name)


def _is_set_on_the_way(pair: Pair, name: str) -> bool:
    """Tell whether a variable ends as it did, but has other values before that."""
    several = len(pair.new.script.assignments.get(name, ())) > 1
    return several and not pair.same_text(name) and bool(pair.new_tokens(name))


def _own_variable(pair: Pair, name: str, old: Value | None, new: Value | None) -> Iterator[Finding]:
    """Yield what is to be said of a variable that means something to this PKGBUILD only."""
    if old is None or new is None:
        yield _variable(pair, name, old, new)
        if new is not None:
            yield from _text_of(pair, name, new)
        return
    before, after = elements_of(old), elements_of(new)
    if pair.follows(name, old, new) or (
        pair.rises and (name in pair.moving or are_sums(before, after))
    ):
        yield _about(pair, "value-raised", name, old, new)
        return
    yield _variable(pair, name, old, new)
    yield from _text_of(pair, name, new)


def _text_of(pair: Pair, name: str, new: Value) -> Iterator[Finding]:
    line = pair.new.line(name)
    for text in elements_of(new):
        if ".." in text.split("/"):
            yield finding("version-walks", file=PKGBUILD, line=line, new=text, what=name)
        for code, what in text_powers(text):
            yield finding(code, file=PKGBUILD, line=line, new=text, what=what)


def _keys(pair: Pair) -> Iterator[Finding]:
    old, new = set(pair.old.elements("validpgpkeys")), set(pair.new.elements("validpgpkeys"))
    added, gone = sorted(new - old), sorted(old - new)
    line = pair.new.line("validpgpkeys")
    if not new:
        line = pair.old.line("validpgpkeys")
        yield finding("pgp-keys-dropped", file=PKGBUILD, line=line, what=", ".join(gone))
    elif added:
        yield finding(
            "pgp-key-changed",
            file=PKGBUILD,
            line=line,
            old=", ".join(gone),
            new=", ".join(added),
            what=", ".join(added),
        )
    elif gone:
        what = f"validpgpkeys without {', '.join(gone)}"
        yield finding("field-changed", file=PKGBUILD, line=line, old=", ".join(gone), what=what)
    if added and not _is_signed(pair):
        yield finding("pgp-key-unused", file=PKGBUILD, line=line, what=", ".join(added))


def _is_signed(pair: Pair) -> bool:
    return any(
        source.is_signature or source.signed or source.name.endswith(SIGNATURES)
        for suffix in suffixes(pair)
        for source in map(Source.of, pair.new.elements(f"source{suffix}"))
    )


def _url(pair: Pair) -> Iterator[Finding]:
    old, new = pair.old.text("url"), pair.new.text("url")
    line = pair.new.line("url")
    before, after = Address.of(old), Address.of(new)
    same_place = before is not None and after is not None and before.host == after.host
    if not (same_place and pair.rises and pair.forms.same(old, new)):
        yield finding("url-changed", file=PKGBUILD, line=line, old=old, new=new, what=new)
    if code := bad_address(new):
        yield finding(code, file=PKGBUILD, line=line, new=new, what=new)


def judge_binary(pair: Pair, context: PackageContext) -> Iterator[Finding]:
    """Yield whether a `-bin` package has its program from others than its `url` names."""
    name = context.name or pair.new.text("pkgbase") or pair.new.text("pkgname")
    if not name.endswith("-bin"):
        return
    was, becomes = _foreign(pair, old=True), _foreign(pair, old=False)
    for suffix, source in becomes:
        if source.text not in {other.text for _, other in was} and not (was and pair.rises):
            yield finding(
                "bin-owner",
                file=PKGBUILD,
                line=pair.new.line(f"source{suffix}"),
                new=source.text,
                what=source.url,
            )


def _foreign(pair: Pair, *, old: bool) -> list[tuple[str, Source]]:
    """Return the sources of another owner than the project's page, where both are at a forge."""
    side = pair.old if old else pair.new
    home = Address.of(side.text("url"))
    if home is None or not home.owner:
        return []
    return [
        (suffix, source)
        for suffix in suffixes(pair)
        for source in map(Source.of, side.elements(f"source{suffix}"))
        if source.address is not None
        and source.address.owner
        and source.address.owner != home.owner
    ]


def _backup(pair: Pair) -> Iterator[Finding]:
    old, new = pair.old.elements("backup"), pair.new.elements("backup")
    added = [path for path in new if path not in old]
    line = pair.new.line("backup") or pair.old.line("backup")
    for path in added:
        if _SENSITIVE.match(path):
            yield finding("sensitive-backup", file=PKGBUILD, line=line, new=path, what=path)
    yield _about(pair, "field-changed", "backup", pair.old.value("backup"), Array.of(new))


def _install(pair: Pair, name: str) -> Iterator[Finding]:
    old, new = pair.old.text(name), pair.new.text(name)
    if name == "install" and new and not old:
        yield _about(pair, "install-added", name, old, new)
    elif name == "install":
        yield _about(pair, "install-changed", name, old, new)
    else:
        yield _about(pair, "field-changed", name, old, new)


def _overrides(pair: Pair, relations: Relations) -> Iterator[Finding]:
    """Yield what package functions set otherwise than before, as makepkg reads it."""
    for package, fields in pair.new.evaluation.overrides.items():
        before = pair.old.evaluation.overrides.get(package, {})
        for name in dict.fromkeys((*fields, *before)):
            old = before[name].value if name in before else None
            new = fields[name].value if name in fields else None
            if old == new or isinstance(old, Unsure) or isinstance(new, Unsure):
                continue
            base = name.partition("_")[0]
            if base in DEPENDENCIES or base in CODES:
                yield from relations.findings(name, old, new)
            elif name == "install" and new:
                line = fields[name].line
                text = "".join(elements_of(new))
                code = "install-changed" if old else "install-added"
                yield finding(code, file=PKGBUILD, line=line, new=text, what=text)
            elif name == "backup" and new is not None:
                for path in elements_of(new):
                    if _SENSITIVE.match(path):
                        line = fields[name].line
                        yield finding(
                            "sensitive-backup", file=PKGBUILD, line=line, new=path, what=path
                        )


def _variable(pair: Pair, name: str, old: Value | None, new: Value | None) -> Finding:
    return _about(pair, "variable-changed", name, old, new)


def _about(
    pair: Pair, code: str, name: str, old: Value | str | None, new: Value | str | None
) -> Finding:
    line = pair.new.line(name) or pair.old.line(name)
    return finding(
        code,
        file=PKGBUILD,
        line=line,
        old=_shown(old),
        new=_shown(new),
        what=_named(code, name, new),
    )


def _named(code: str, name: str, new: Value | str | None) -> str:
    return f"{name}={_shown(new)}" if code.startswith("install") else name


def _shown(value: Value | str | None) -> str:
    if value is None:
        return ""
    if isinstance(value, Unsure):
        return f"({value.reason})"
    return " ".join(elements_of(value))
