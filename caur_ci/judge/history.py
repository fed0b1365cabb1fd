"""Judges again what a repository took over in the past: how much of it would people have seen?"""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from caur_ci.errors import CaurError
from caur_ci.git.repository import TREE_MODE
from caur_ci.judge.limited import LimitedJudge
from caur_ci.judge.model import PackageContext, Severity, Verdict
from caur_ci.judge.package import files_of_trees

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from caur_ci.git import GitRepository
    from caur_ci.judge.model import Judgement

UPDATES = "chore(update)"
_SLOWEST = 10


class Update(NamedTuple):
    """A package's folder in one commit: the ids of its tree before and after."""

    commit: str
    package: str
    old: str
    new: str


@dataclass(slots=True)
class Replay:
    """What came of it. `codes` counts the changes with such a finding, `alone` the major ones with
    no other; `seconds` are those that each change took, `unreadable` those that were not judged.
    `for_people` counts those that go to people by the policy that was asked for.
    """

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    alone: Counter[str] = field(default_factory=Counter)
    dangers: int = 0
    for_people: int = 0
    unreadable: int = 0
    own_files_only: int = 0
    seconds: list[tuple[float, Update]] = field(default_factory=list)

    @property
    def judged(self) -> int:
        """How many changes were judged."""
        return self.verdicts.total()

    @property
    def slowest(self) -> list[tuple[float, Update]]:
        """The changes that took longest, the slowest first."""
        return sorted(self.seconds, reverse=True)[:_SLOWEST]

    def count(
        self, update: Update, judgement: Judgement, seconds: float, *, for_people: bool
    ) -> None:
        """Take one judgement into account."""
        self.for_people += for_people
        self.seconds.append((seconds, update))
        self.verdicts[judgement.verdict] += 1
        self.codes.update({finding.code for finding in judgement.findings})
        grave = {it.code for it in judgement.findings if it.severity is not Severity.NOTE}
        if len(grave) == 1:
            self.alone.update(grave)
        self.dangers += judgement.has_danger

    def to_dict(self) -> dict[str, Any]:
        """Return it for machines."""
        return {
            "judged": self.judged,
            "verdicts": {verdict.value: self.verdicts[verdict] for verdict in Verdict},
            "with_danger": self.dangers,
            "for_people": self.for_people,
            "own_files_only": self.own_files_only,
            "unreadable": self.unreadable,
            "codes": dict(self.codes.most_common()),
            "only_reason": dict(self.alone.most_common()),
            "slowest": [
                {"seconds": round(seconds, 3), "package": it.package, "commit": it.commit}
                for seconds, it in self.slowest
            ],
        }


def updates(
    git: GitRepository, *, since: str = "", subject: str = UPDATES, head: str = "HEAD"
) -> list[Update]:
    """Return the changes of packages in commits whose subject begins with `subject`.

    `since` is a date as git reads it. Each change is there once, in whatever commits it is; the
    newest come first.
    """
    options = [f"--since={since}"] if since else []
    log = git.git("log", "--no-merges", "--format=%H %s", *options, head, "--")
    commits = [
        line.partition(" ")[0]
        for line in log.decode("utf-8", "replace").splitlines()
        if line.partition(" ")[2].startswith(subject)
    ]
    listing = "".join(f"{commit}\n" for commit in commits).encode()
    output = git.git("diff-tree", "--stdin", "-z", "--no-renames", stdin=listing)
    found = {(it.package, it.old, it.new): it for it in reversed(list(_parsed(output)))}
    return list(reversed(found.values()))


def _parsed(output: bytes) -> Iterator[Update]:
    fields = iter(output.decode("utf-8", "surrogateescape").split("\0"))
    commit = ""
    for head in fields:
        if not head.startswith(":"):
            commit = head.strip() or commit
            continue
        name = next(fields)
        old_mode, new_mode, old, new, _ = head.removeprefix(":").split(" ")
        if old_mode == new_mode == TREE_MODE and not name.startswith("."):
            yield Update(commit, name, old, new)


def is_major(_package: str, judgement: Judgement) -> bool:
    """Tell whether people see a change where there is no policy."""
    return judgement.verdict is Verdict.MAJOR


def replay(
    git: GitRepository,
    changes: Iterable[Update],
    *,
    jobs: int = 1,
    is_for_people: Callable[[str, Judgement], bool] = is_major,
    advance: Callable[[], None] = lambda: None,
) -> Replay:
    """Judge all changes, `jobs` at once, each in a process with limits.

    `is_for_people` tells of a package and what was found in its change whether somebody has to see
    it.
    """
    result = Replay()
    lock = threading.Lock()

    def work(update: Update) -> None:
        if judged := _judged(git, update, judge, result, lock):
            judgement, seconds = judged
            with lock:
                result.count(
                    update,
                    judgement,
                    seconds,
                    for_people=is_for_people(update.package, judgement),
                )
        advance()

    with LimitedJudge() as judge, ThreadPoolExecutor(jobs) as pool:
        for _ in pool.map(work, changes):
            pass
    return result


def _judged(
    git: GitRepository, update: Update, judge: LimitedJudge, result: Replay, lock: threading.Lock
) -> tuple[Judgement, float] | None:
    """Return what was found and in how many seconds, None where there was nothing to judge."""
    try:
        old, new = files_of_trees(git, update.old, update.new)
    except CaurError:
        with lock:
            result.unreadable += 1
        return None
    if old == new:
        with lock:
            result.own_files_only += 1
        return None
    start = time.monotonic()
    judgement = judge.judge(old, new, package=PackageContext(name=update.package))
    return judgement, time.monotonic() - start
