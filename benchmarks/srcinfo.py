"""How many PKGBUILDs of a repository are evaluated surely, whether makepkg agrees, and how fast."""

from __future__ import annotations

import random
import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError
from caur_ci.pkgbuild import UnparsableError, doubts, evaluate, parse, render_srcinfo
from caur_ci.pkgbuild.compare import compare_srcinfo
from caur_ci.pkgbuild.makepkg import printed_srcinfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(slots=True)
class _Counts:
    """What was found so far; `times` are seconds of processor time for each PKGBUILD."""

    times: list[float] = field(default_factory=list)
    sure: dict[Path, bytes] = field(default_factory=dict)
    committed: int = 0
    same_bytes: int = 0
    same_meaning: int = 0


def srcinfo_rows(root: Path, asked: int) -> Iterator[tuple[str, str]]:
    """Evaluate every PKGBUILD below `root`; ask makepkg about `asked` of those that are sure.

    makepkg takes a second or more for each. Where it disagrees is told on standard error.
    """
    counts = _Counts()
    for pkgbuild in sorted(root.rglob("PKGBUILD")):
        if ".git" not in pkgbuild.parts and pkgbuild.is_file():
            _count(counts, pkgbuild)
    total, sure = len(counts.times), len(counts.sure)
    yield "PKGBUILDs", f"{total:,}"
    if not sure:
        return
    yield "sure", _share(sure, total)
    yield (
        "time for each: median, slowest",
        (f"{statistics.median(counts.times) * 1e3:.1f} ms, {max(counts.times) * 1e3:.0f} ms"),
    )
    yield "sure, and a .SRCINFO committed", f"{counts.committed:,}"
    if counts.committed:
        yield "the same as committed, to the byte", _share(counts.same_bytes, counts.committed)
        yield "the same in meaning", _share(counts.same_meaning, counts.committed)
    yield from _agreement(counts, asked)


def _count(counts: _Counts, pkgbuild: Path) -> None:
    folder = pkgbuild.parent
    start = time.thread_time()
    try:
        tree = parse(pkgbuild.read_bytes(), origin=str(pkgbuild))
        evaluation = evaluate(tree, files=[path.name for path in folder.iterdir()])
        rendered = None if doubts(evaluation) else render_srcinfo(evaluation)
    except UnparsableError:
        return
    finally:
        counts.times.append(time.thread_time() - start)
    if rendered is None:
        return
    counts.sure[folder] = rendered
    committed = folder / ".SRCINFO"
    if committed.is_file():
        data = committed.read_bytes()
        counts.committed += 1
        counts.same_bytes += data.rstrip() == rendered.rstrip()
        try:
            counts.same_meaning += not compare_srcinfo(evaluation, data)
        except CaurError as error:
            print(f"{committed}: {error.message}", file=sys.stderr)


def _agreement(counts: _Counts, asked: int) -> Iterator[tuple[str, str]]:
    folders = sorted(counts.sure)
    chosen = random.Random(0).sample(folders, min(asked, len(folders)))
    equal = silent = 0
    for folder in chosen:
        try:
            answer = printed_srcinfo(folder)
        except CaurError as error:
            silent += 1
            print(f"{folder}: no answer: {error.message}", file=sys.stderr)
            continue
        equal += answer == counts.sure[folder]
        if answer != counts.sure[folder]:
            print(f"{folder}: makepkg says something else", file=sys.stderr)
    if chosen:
        yield "makepkg asked about", f"{len(chosen):,} of the sure ones"
        yield "makepkg says the same, to the byte", _share(equal, len(chosen))
        yield "makepkg has no answer", f"{silent:,}"


def _share(part: int, whole: int) -> str:
    return f"{part:,} ({part / whole:.2%})"
