"""What is read of a repository, in the form in which it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.errors import GitError
from caur_ci.facts import (
    BrokenPackage,
    Decision,
    DependencyMap,
    FolderCommit,
    HeldPackage,
    LostNeed,
    PackageFacts,
    StalePackage,
)
from caur_ci.keyvalue import KeyValueFile
from caur_ci.pipeline.shared.memory.troubles import MOST_COUNTED
from caur_ci.plaintext import is_web_address, one_line
from caur_ci.srcinfo import SRCINFO

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from caur_ci.deptree import Cause
    from caur_ci.pipeline.facts.reading import Reading
    from caur_ci.pipeline.shared.memory.holds import Hold
    from caur_ci.pipeline.shared.memory.ledger import LedgerEntry
    from caur_ci.pipeline.shared.memory.troubles import Trouble
    from caur_ci.rebuild import BrokenPackage as Lost

_DECISIONS = 50
_COMMITS = 20
_LOG_TIMEOUT = 20.0
_LONGEST = 300


def held_in(reading: Reading) -> list[HeldPackage]:
    """Return the packages that are on hold."""
    return [_held(reading, name, hold) for name, hold in reading.memory.holds.packages.items()]


def stale_in(reading: Reading, *, now: float) -> list[StalePackage]:
    """Return the packages that are stale at the time `now`, in Unix seconds."""
    config = reading.repository.config
    found = reading.memory.troubles.stale(
        failures=config.stale_failures, days=config.stale_days, now=now
    )
    return [_stale(reading, name, trouble) for name, trouble in found.items()]


def broken_in(reading: Reading, found: Iterable[Lost]) -> list[BrokenPackage]:
    """Return the packages that have lost something, each need once."""
    return [
        BrokenPackage(
            package=reading.summary(package.pkgbase),
            version=package.version,
            lost=tuple(
                LostNeed(
                    name=need.name,
                    pkgname=need.pkgname,
                    offered_by=need.offered_by,
                    since=need.since,
                )
                for need in {need.capability: need for need in package.lost}.values()
            ),
            not_rebuilt=package.not_rebuilt,
        )
        for package in found
    ]


def dependencies_in(reading: Reading) -> DependencyMap:
    """Return who needs whom."""
    tree = reading.repository.deptree
    return DependencyMap(
        source_repo=reading.name,
        target_repo=reading.target_repo,
        needs={name: tuple(tree.dependencies(name)) for name in reading.summaries},
    )


def package_in(
    reading: Reading, package: str, broken: Iterable[BrokenPackage]
) -> PackageFacts | None:
    """Return all that is known of a package, None where it was never heard of."""
    decisions = reading.memory.ledger.about(package)
    hold = reading.memory.holds.get(package)
    known = package in reading.summaries
    if not known and hold is None and all(it.package != package for it in decisions):
        return None
    tree = reading.repository.deptree
    trouble = reading.memory.troubles.packages.get(package)
    description, url = _described(reading, package) if known else ("", "")
    return PackageFacts(
        package=reading.summary(package),
        pkgnames=tree.pkgnames(package),
        description=description,
        url=url,
        upstream_commit=_upstream_commit(reading, package),
        decisions=tuple(_decision(entry) for entry in decisions[:_DECISIONS]),
        hold=_held(reading, package, hold) if hold else None,
        trouble=_stale(reading, package, trouble) if trouble else None,
        broken=next((it for it in broken if it.package.pkgbase == package), None),
        commits=tuple(_commits(reading, package)) if known else (),
        problems=tuple(it.message for it in tree.problems if it.package == package),
        needs=_edges(tree.dependencies(package)),
        needed_by=_edges(tree.dependants(package)),
    )


def _held(reading: Reading, package: str, hold: Hold) -> HeldPackage:
    return HeldPackage(
        package=reading.summary(package),
        by=hold.by,
        since=hold.since,
        reason=hold.reason,
        automatic=hold.automatic,
        left_out=hold.left_out,
        recalled=package in reading.memory.recalled,
    )


def _stale(reading: Reading, package: str, trouble: Trouble) -> StalePackage:
    return StalePackage(
        package=reading.summary(package),
        failures=trouble.failures,
        counted_on=trouble.failures >= MOST_COUNTED,
        failing_since=trouble.failing_since,
        ahead_since=trouble.ahead_since,
        reason=trouble.reason,
    )


def _decision(entry: LedgerEntry) -> Decision:
    return Decision(
        time=entry.time,
        run=entry.run,
        commit=entry.commit,
        decision=entry.decision,
        reason=entry.reason,
        before=entry.before,
        after=entry.after,
        page=entry.page,
        link=entry.link,
    )


def _edges(edges: Mapping[str, tuple[Cause, ...]]) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(f"{cause.need.value} {cause.relation}" for cause in causes)
        for name, causes in edges.items()
    }


def _described(reading: Reading, package: str) -> tuple[str, str]:
    """Return description and address as the package's `.SRCINFO` has them."""
    tree = reading.repository.folders.tree(package)
    (data,) = reading.git.read_blobs([f"{tree}:{SRCINFO}"])
    found: dict[str, str] = {}
    for line in (data or b"").decode("utf-8", "replace").splitlines():
        key, _, value = line.strip().partition(" = ")
        if key in {"pkgdesc", "url"}:
            found.setdefault(key, value[:_LONGEST])
    url = found.get("url", "")
    return one_line(found.get("pkgdesc", "")), url if is_web_address(url) else ""


def _upstream_commit(reading: Reading, package: str) -> str:
    """Return the commit of the package's source that was taken over last, from branch `state`."""
    if reading.tips.state is None:
        return ""
    (data,) = reading.git.read_blobs([f"{reading.tips.state}:{package}"])
    state = KeyValueFile.parse(data or b"", origin=f"{package} on branch state")
    found = state.assignments().get("CI_GIT_COMMIT")
    return found.value if found else ""


def _commits(reading: Reading, package: str) -> list[FolderCommit]:
    """Return the latest commits of the package's folder, as far as they are here."""
    try:
        output = reading.git.git(
            *("log", "-z", f"--max-count={_COMMITS}", "--format=%H%n%ct%n%an%n%s"),
            *(reading.tips.packages, "--", package),
            environment={"GIT_LITERAL_PATHSPECS": "1"},
            timeout=_LOG_TIMEOUT,
        )
    except GitError:
        return []  # the history takes too long to walk through: it is only an extra
    found = []
    for record in output.decode("utf-8", "replace").split("\0"):
        commit, time, author, subject = (*record.split("\n", 3), "", "", "", "")[:4]
        if commit:
            found.append(
                FolderCommit(
                    commit=commit, time=float(time), author=one_line(author), subject=subject
                )
            )
    return found
