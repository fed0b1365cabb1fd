"""The judge: two package folders, one verdict.

Only for processes with limits of time and memory: what it reads is a stranger's. See `limited`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.judge.allow import allowed
from caur_ci.judge.catalogue import finding
from caur_ci.judge.disguise import judge_text
from caur_ci.judge.fields import judge_binary, judge_fields
from caur_ci.judge.functions import judge_functions, judge_substitutions, judge_top_level
from caur_ci.judge.local_files import LocalFiles
from caur_ci.judge.model import Judgement, PackageContext, Severity
from caur_ci.judge.package import PKGBUILD, File, files_of
from caur_ci.judge.pair import Pair, Side
from caur_ci.judge.people import judge_people
from caur_ci.judge.powers import text_powers
from caur_ci.judge.relations import judge_names
from caur_ci.judge.sources import judge_sources
from caur_ci.judge.srcinfo import judge_srcinfo
from caur_ci.judge.sums import judge_sums
from caur_ci.pkgbuild import UnparsableError
from caur_ci.srcinfo import SRCINFO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from caur_ci.judge.model import Finding

# Where all is new, these say nothing.
_BY_COMPARISON = frozenset(
    {"pkgbase-changed", "pkgname-changed", "source-host", "install-added", "pgp-key-changed"}
)
_NOTHING = PackageContext()


def judge(
    old: Mapping[str, File | bytes],
    new: Mapping[str, File | bytes],
    *,
    package: PackageContext = _NOTHING,
) -> Judgement:
    """Judge the change of a package's folder from `old` to `new`, files by their paths.

    The repository's own files (`package_folders.OWN`) are left out. Whatever is not known to be
    harmless is major.
    """
    before, after = files_of(old), files_of(new)
    if before == after:
        return Judgement.of(())
    findings = list(_findings(before, after, package))
    if PKGBUILD in after and PKGBUILD not in before:
        findings = _of_new_package(findings)
    lines = _lines(before), _lines(after)
    return Judgement.of(allowed(findings, package.allow, *lines))


def _of_new_package(findings: list[Finding]) -> list[Finding]:
    """Return what is odd in itself, of a package where all is new."""
    odd = [
        it for it in findings if it.severity is Severity.DANGER and it.code not in _BY_COMPARISON
    ]
    return [finding("pkgbuild-added", file=PKGBUILD), *odd]


def _findings(
    old: Mapping[str, File], new: Mapping[str, File], package: PackageContext
) -> Iterator[Finding]:
    pair: Pair | None = None
    trouble: list[Finding] = []
    try:
        pair = _pair(old, new)
    except UnparsableError as error:
        trouble.append(finding("unreadable", file=PKGBUILD, what=error.message))
    yield from trouble
    local = LocalFiles(old, new, pair)
    yield from local.findings()
    for path in (PKGBUILD, SRCINFO):
        before, after = _content(old, path), _content(new, path)
        if after is not None and before != after:
            yield from judge_text(path, before, after, has_long_lines=path == SRCINFO)
    if pair is None:
        if PKGBUILD not in new:
            yield finding("pkgbuild-missing", file=PKGBUILD)
        return
    yield from _about_pkgbuild(pair, package, local)
    if SRCINFO in new or not package.generates_srcinfo:
        yield from judge_srcinfo(pair, _content(old, SRCINFO), _content(new, SRCINFO))


def _pair(old: Mapping[str, File], new: Mapping[str, File]) -> Pair | None:
    """Return both PKGBUILDs, None where the new one is missing. Raises UnparsableError."""
    after = _content(new, PKGBUILD)
    if after is None:
        return None
    # One that is new is compared with nothing, so that all of it is.
    return Pair(Side.of(_content(old, PKGBUILD) or b"", list(old)), Side.of(after, list(new)))


def _about_pkgbuild(pair: Pair, package: PackageContext, local: LocalFiles) -> Iterator[Finding]:
    old, new = pair.old.script, pair.new.script
    if old.tree.data == new.tree.data:
        return
    if new.has_errors or old.has_errors:
        line = next(iter(new.tree.error_lines(1)), 0)
        yield finding("syntax-error", file=PKGBUILD, line=line)
        yield from _about_lines(pair)
    elif lost := pair.new.evaluation.lost or pair.old.evaluation.lost:
        code = "not-evaluated" if pair.old.evaluation.lost else "evaluation-lost"
        yield finding(code, file=PKGBUILD, line=lost.line, what=lost.reason)
    yield from judge_fields(pair, package)
    yield from judge_names(pair, package)
    yield from judge_sources(pair)
    yield from judge_binary(pair, package)
    yield from judge_sums(pair, local.changed)
    yield from judge_substitutions(pair)
    yield from judge_functions(pair)
    yield from judge_top_level(pair)
    yield from judge_people(pair)


def _about_lines(pair: Pair) -> Iterator[Finding]:
    """Yield what new lines hold that are no part of a tree."""
    had = set(pair.old.script.lines)
    for number, line in enumerate(pair.new.script.lines, start=1):
        if line not in had and not line.lstrip().startswith("#"):
            for code, what in text_powers(line):
                yield finding(code, file=PKGBUILD, line=number, new=line, what=what)


def _content(files: Mapping[str, File], path: str) -> bytes | None:
    file = files.get(path)
    return None if file is None or file.link else file.content


def _lines(files: Mapping[str, File]) -> list[str]:
    return (_content(files, PKGBUILD) or b"").decode("utf-8", "replace").split("\n")
