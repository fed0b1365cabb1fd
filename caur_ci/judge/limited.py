"""The judge in a process of its own, with limits of time and memory.

What it reads is a stranger's: whatever it does to the parser, the caller goes on, and the change is
major.
"""

from __future__ import annotations

import base64
import signal
from typing import TYPE_CHECKING, Any, Protocol, Self

from caur_ci.confined import Confined
from caur_ci.errors import GaveUpError, InputError
from caur_ci.judge.catalogue import finding
from caur_ci.judge.model import Judgement, PackageContext
from caur_ci.judge.package import PKGBUILD, File, files_of
from caur_ci.srcinfo import SRCINFO

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from types import TracebackType

# Seconds of processor time: one for each file that changed, but no more than this for a folder.
_MOST_SECONDS = 10
_MEMORY = 300 * 1024**2
_NOTHING = PackageContext()


class ChangeJudge(Protocol):
    """Whatever judges a change without being harmed by it."""

    def judge(
        self,
        old: Mapping[str, File | bytes],
        new: Mapping[str, File | bytes],
        *,
        package: PackageContext = ...,
    ) -> Judgement:
        """Judge the change of a folder from `old` to `new`, files by their paths."""
        ...


class LimitedJudge:
    """Judges changes in children of this process, which end with the block.

    For several threads at once, each with a child. A child is started with the first change.
    """

    def __init__(self) -> None:
        self._confined = Confined(cpu_seconds=_MOST_SECONDS, memory=_MEMORY)

    def __enter__(self) -> Self:
        self._confined.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._confined.__exit__(kind, error, trace)

    def judge(
        self,
        old: Mapping[str, File | bytes],
        new: Mapping[str, File | bytes],
        *,
        package: PackageContext = _NOTHING,
    ) -> Judgement:
        """Judge a change as `judging.judge` does.

        Where that takes too much time or memory, or fails, the change is major.
        """
        before, after = files_of(old), files_of(new)
        changed = {
            path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
        }
        if not changed:
            return Judgement.of(())
        wanted = changed | {PKGBUILD, SRCINFO}
        try:
            answer = self._confined.call(
                _judged,
                min(len(changed), _MOST_SECONDS),
                _packed(before, wanted),
                _packed(after, wanted),
                _packed_context(package),
            )
        except InputError as error:
            blamed = PKGBUILD if PKGBUILD in changed else min(changed)
            late = isinstance(error, GaveUpError) and "time" in error.message
            code = "took-too-long" if late else "judge-failed"
            return Judgement.of([finding(code, file=blamed, what=error.message)])
        return Judgement.from_dict(answer)


def _judged(
    seconds: int, old: dict[str, Any], new: dict[str, Any], package: dict[str, Any]
) -> dict[str, Any]:
    """Judge what came from the other process; this one is ended where it takes longer."""
    from caur_ci.judge.judging import judge  # noqa: PLC0415 - the one that asks never parses

    signal.setitimer(signal.ITIMER_PROF, seconds)
    context = PackageContext(
        name=package["name"],
        allow=tuple(package["allow"]),
        others=frozenset(package["others"]),
        known=frozenset(package["known"]),
        generates_srcinfo=package["generates_srcinfo"],
    )
    return judge(_unpacked(old), _unpacked(new), package=context).to_dict()


def _packed(files: Mapping[str, File], wanted: Collection[str]) -> dict[str, list[object]]:
    """Return the files as JSON has them; of those that stay as they are, the names will do."""
    return {
        path: [
            base64.b64encode(it.content).decode() if path in wanted else "",
            it.executable,
            it.link,
        ]
        for path, it in files.items()
    }


def _unpacked(packed: Mapping[str, Any]) -> dict[str, File]:
    return {
        path: File(base64.b64decode(content), executable=executable, link=link)
        for path, (content, executable, link) in packed.items()
    }


def _packed_context(package: PackageContext) -> dict[str, object]:
    return {
        "name": package.name,
        "allow": list(package.allow),
        "others": sorted(package.others),
        "known": sorted(package.known),
        "generates_srcinfo": package.generates_srcinfo,
    }
