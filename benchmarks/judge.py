"""How many changes the judge gets through, and how long it takes for the slowest."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from caur_ci.git import GitRepository
from caur_ci.judge import File, PackageContext
from caur_ci.judge.history import updates
from caur_ci.judge.judging import judge
from caur_ci.judge.limited import LimitedJudge
from caur_ci.judge.package import files_of_trees
from caur_ci.pkgbuild import evaluate, parse, render_srcinfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PAIRS = 1_000
_GOAL = 1_000
_Folder = dict[str, File]
_FUNCTIONS = "".join(
    f"{name}() {{\n"
    + "".join(
        f'  cd "$srcdir/$pkgname-$pkgver"\n  make step{step} DESTDIR="$pkgdir"\n'
        for step in range(12)
    )
    + "}\n"
    for name in ("prepare", "build", "check", "package")
)


def judge_rows(history: Path | None) -> Iterator[tuple[str, str]]:
    """Judge a thousand changes, made-up ones or the newest of a real repository's history."""
    pairs = list(_made() if history is None else _real(history))
    times = []
    for old, new in pairs:
        start = time.process_time()
        judge(old, new, package=PackageContext(name="tool"))
        times.append(time.process_time() - start)
    start = time.monotonic()
    with LimitedJudge() as limited:
        for old, new in pairs:
            limited.judge(old, new, package=PackageContext(name="tool"))
    elapsed = time.monotonic() - start
    rate = 60 / statistics.mean(times)
    yield "changes", f"{len(pairs):,} ({'made up' if history is None else 'real'})"
    missed = "" if rate >= _GOAL else " (missed)"
    yield f"in a minute of one core (goal: {_GOAL:,})", f"{rate:,.0f}{missed}"
    yield "in a minute, in the process with limits", f"{60 * len(pairs) / elapsed:,.0f}"
    yield (
        "processor time: median, slowest",
        (f"{statistics.median(times) * 1e3:.1f} ms, {max(times) * 1e3:.0f} ms"),
    )


def _made() -> Iterator[tuple[_Folder, _Folder]]:
    for number in range(_PAIRS):
        old = _pkgbuild("1.2.0", "a1" * 32, "step")
        # Every third one is for people.
        new = _pkgbuild("1.3.0", "b2" * 32, "step" if number % 3 else "other")
        yield _folder(old), _folder(new)


def _pkgbuild(version: str, digest: str, step: str) -> str:
    return (
        f"pkgname=tool\npkgver={version}\npkgrel=1\narch=(x86_64)\nurl=https://example.org\n"
        'depends=(glibc "libfoo>=$pkgver")\nsource=("$url/tool-$pkgver.tar.gz")\n'
        f"sha256sums=({digest})\n{_FUNCTIONS.replace('step', step)}"
    )


def _folder(pkgbuild: str) -> _Folder:
    data = pkgbuild.encode()
    return {"PKGBUILD": File(data), ".SRCINFO": File(render_srcinfo(evaluate(parse(data))))}


def _real(history: Path) -> Iterator[tuple[_Folder, _Folder]]:
    git = GitRepository.open(history)
    for update in updates(git)[: 2 * _PAIRS]:
        old, new = files_of_trees(git, update.old, update.new)
        if old != new:
            yield old, new
