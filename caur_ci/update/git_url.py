"""Packages that come from any git repository, or from a branch or tag of one."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from caur_ci.credentials import without_credentials
from caur_ci.errors import InputError
from caur_ci.update.fetching import Fetcher, FetchProblem
from caur_ci.update.remote_ref import RemoteRef
from caur_ci.update.source import FindingKind, FollowedPackage, LastSeen, SourceFinding
from caur_ci.update.srcinfos import read_srcinfos

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caur_ci.config import PackageConfig

_COMMIT_PAGES = {"github.com": "commit", "codeberg.org": "commit"}
_GITLAB_COMMIT_PAGE = "-/commit"


class GitUrlSource:
    """Follows the repositories that configurations name."""

    name = "git"

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    def covers(self, config: PackageConfig) -> bool:
        """Tell whether packages with this configuration are followed here."""
        return config.source is not None and config.source.kind == "git"

    def look(self, packages: Sequence[FollowedPackage]) -> Mapping[str, SourceFinding]:
        """Return a finding for each of `packages`, by name."""
        findings: dict[str, SourceFinding] = {}
        remote_refs: dict[str, RemoteRef] = {}
        for package in packages:
            try:
                remote_refs[package.name] = RemoteRef.parse(_location(package))
            except InputError as error:
                findings[package.name] = SourceFinding(
                    kind=FindingKind.FAILED, reason=error.message
                )
        tips = self._fetcher.tips(remote_refs.values())
        moved = []
        for package in packages:
            remote_ref = remote_refs.get(package.name)
            if remote_ref is None:
                continue
            tip = tips[remote_ref]
            if isinstance(tip, FetchProblem) or not tip:
                findings[package.name] = _nothing_there(remote_ref, tip)
            elif package.seen.origin == _origin(package) and package.seen.commit == tip:
                findings[package.name] = SourceFinding(kind=FindingKind.UNCHANGED)
            else:
                moved.append((package, remote_ref))
        return findings | self._moved(moved)

    def _moved(
        self, moved: Sequence[tuple[FollowedPackage, RemoteRef]]
    ) -> dict[str, SourceFinding]:
        fetched = self._fetcher.fetch(remote_ref for _, remote_ref in moved)
        commits = {commit for commit in fetched.values() if commit and isinstance(commit, str)}
        trees = {commit: self._fetcher.tree(commit) for commit in commits}
        srcinfos = read_srcinfos(self._fetcher.git, trees.values())
        findings = {}
        for package, remote_ref in moved:
            commit = fetched[remote_ref]
            if isinstance(commit, FetchProblem) or not commit:
                findings[package.name] = _nothing_there(remote_ref, commit)
                continue
            fields = srcinfos[trees[commit]]
            # Files without a usable .SRCINFO are refused when they are taken over.
            version = "" if isinstance(fields, InputError) else fields.version
            findings[package.name] = SourceFinding(
                kind=FindingKind.FILES,
                reason=f"{remote_ref} is at {commit[:12]} now",
                tree=trees[commit],
                seen=LastSeen(origin=_origin(package), commit=commit, version=version),
                link=commit_link(remote_ref.url, commit),
            )
        return findings


def _nothing_there(remote_ref: RemoteRef, tip: str | FetchProblem) -> SourceFinding:
    if isinstance(tip, FetchProblem):
        return SourceFinding(kind=FindingKind.FAILED, reason=tip.reason)
    return SourceFinding(kind=FindingKind.GONE, reason=f"there is nothing at {remote_ref}")


def commit_link(url: str, commit: str) -> str:
    """Return a page about a commit where it is known how the server names it, else the URL."""
    parts = urlsplit(without_credentials(url))
    if parts.scheme not in {"http", "https"}:
        return ""
    base = parts._replace(path=parts.path.rstrip("/").removesuffix(".git")).geturl()
    host = parts.hostname or ""
    page = _GITLAB_COMMIT_PAGE if host.startswith("gitlab.") else _COMMIT_PAGES.get(host)
    return f"{base}/{page}/{quote(commit)}" if page else parts.geturl()


def _location(package: FollowedPackage) -> str:
    return package.config.source.location if package.config.source else ""


def _origin(package: FollowedPackage) -> str:
    return without_credentials(_location(package))
