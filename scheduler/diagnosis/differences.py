"""What is different from the last build that went well."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scheduler.diagnosis.model import Contrast, Differences, VersionChange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scheduler.diagnosis.model import FirstError, FolderCommit, FolderCommits
    from scheduler.diagnosis.survey import Facts, Origin
    from scheduler.history import PastJob

# What builds depend on whether they say so or not.
_TOOLCHAIN = re.compile(
    r"(?:lib32-)?(?:gcc(?:-libs)?|binutils|glibc|clang|llvm(?:-libs)?|lld|make|cmake|meson|ninja"
    r"|autoconf|automake|libtool|pkgconf|python|python-setuptools|rust|go|nodejs|npm|jdk\S*"
    r"|ghc|ocaml|perl|ruby|qt6-base|pacman|fakeroot)"
)
_PREFIX = re.compile(r"^(?:lib32-|python-|perl-|ruby-|haskell-|ocaml-|lib)")
_SHORTEST_STEM = 3
_OF_ONE_RUN = re.compile(r"-[0-9a-f]{10}$")
_MIB = 1024 * 1024


def differences(
    job: PastJob,
    good: PastJob,
    *,
    now: Facts,
    before: Facts,
    error: FirstError | None,
    commits: FolderCommits | None,
) -> Differences:
    """Return what is different between `job` and the good build before it.

    `now` and `before` are what their logs tell.
    """
    same = job.tree == good.tree if job.tree and good.tree else None
    if job.commit == good.commit:
        same = True
    between: Sequence[FolderCommit] | None = () if same else None
    if not same and commits is not None:
        between = commits(job.pkgbase, good.commit, job.commit)
    return Differences(
        job_id=good.job_id,
        commit=good.commit,
        finished=good.finished,
        same_folder=same,
        commits=None if between is None else tuple(between),
        installed=tuple(_changes(before.installed, now.installed, _words_of(error))),
        contrasts=tuple(_contrasts(job, good, before.origin, now.origin)),
    )


def _changes(
    before: Mapping[str, str], now: Mapping[str, str], words: str
) -> Iterator[VersionChange]:
    """Yield what changed of the installed packages: what the error names, toolchains, the rest."""
    if not before or not now:
        return

    def order(name: str) -> tuple[bool, bool, str]:
        stem = _PREFIX.sub("", name).lower()
        is_named = len(stem) >= _SHORTEST_STEM and stem in words
        return not is_named, _TOOLCHAIN.fullmatch(name) is None, name

    for name in sorted(before.keys() | now.keys(), key=order):
        versions = before.get(name, ""), now.get(name, "")
        if versions[0] != versions[1]:
            yield VersionChange(name, *versions)


def _words_of(error: FirstError | None) -> str:
    """Return the text in which the error may name what it is about."""
    if error is None:
        return ""
    return "\n".join(line.text for line in (*error.before, error.line, *error.after)).lower()


def _contrasts(
    job: PastJob, good: PastJob, before: Origin | None, now: Origin | None
) -> Iterator[Contrast]:
    pairs = [
        ("worker", _machine(good.worker), _machine(job.worker)),
        ("build class", good.build_class, job.build_class),
    ]
    if before is not None and now is not None:
        pairs.append(("executor", before.executor, now.executor))
        pairs.append(("image", before.image, now.image))
    for what, old, new in pairs:
        if old and new and old != new:
            yield Contrast(what, old, new)
    if good.build_seconds is not None and job.build_seconds is not None:
        yield Contrast("duration", _seconds(good.build_seconds), _seconds(job.build_seconds))
    old_peak, new_peak = good.usage.peak_memory, job.usage.peak_memory
    if old_peak and new_peak:
        yield Contrast("memory", f"{old_peak // _MIB} MiB", f"{new_peak // _MIB} MiB")


def _machine(worker: str) -> str:
    """Return the name of a worker without what is new each time that it starts."""
    return _OF_ONE_RUN.sub("", worker)


def _seconds(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
