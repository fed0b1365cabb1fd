"""Looks at everything that packages are kept current by, all sources side by side."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from caur_ci.aur import Aur
from caur_ci.confined import Confined
from caur_ci.environment import Secrets, first_of
from caur_ci.errors import CaurError
from caur_ci.pipeline.on_schedule.release_sources import ReleaseServers, release_sources
from caur_ci.srcinfo import SRCINFO
from caur_ci.update.aur import AurSource
from caur_ci.update.fetching import Fetcher
from caur_ci.update.git_url import GitUrlSource
from caur_ci.update.source import FindingKind, SourceFinding
from caur_ci.update.transport import GitTransport
from caur_ci.update.vcs.finding import TipFinder
from caur_ci.update.vcs.source import VcsSource, is_vcs_package
from caur_ci.web import Web

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from caur_ci.git import GitRepository
    from caur_ci.pipeline.on_schedule.followed_repository import FollowedRepository
    from caur_ci.pipeline.shared.progress import Progress
    from caur_ci.update.recording import Outside
    from caur_ci.update.source import FollowedPackage, Source

_log = logging.getLogger(__name__)
_SERVERS = ReleaseServers()

# Of two findings about a package the one that stands first here is what happens.
_ORDER = (
    FindingKind.FILES,
    FindingKind.BUILD,
    FindingKind.FAILED,
    FindingKind.WAITING,
    FindingKind.GONE,
    FindingKind.UNCHANGED,
)
_OUT_OF_REACH = frozenset({FindingKind.FAILED, FindingKind.WAITING, FindingKind.GONE})
_GITHUB_TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")
_NO_SECRETS = Secrets()


class _Looks(Protocol):
    """What is asked of a source once it is known which packages are its own."""

    @property
    def name(self) -> str:
        """The name for people."""

    def look(self, packages: Sequence[FollowedPackage]) -> Mapping[str, SourceFinding]:
        """Return a finding for each of `packages`, by name."""


@contextmanager
def look_at_sources(
    git: GitRepository,
    repository: FollowedRepository,
    outside: Outside,
    *,
    now: float,
    progress: Progress,
    servers: ReleaseServers = _SERVERS,
    secrets: Secrets = _NO_SECRETS,
) -> Iterator[Mapping[str, SourceFinding]]:
    """Provide what the sources found about each package that one of them covers.

    Until the block ends, what was fetched is kept from garbage collection. A token for GitHub among
    `secrets` opens its API.
    """
    config = repository.committed.config
    proxies = {f"{config.aur_url}/": config.aur_proxy} if config.aur_proxy else {}
    fetching = Fetcher(
        git,
        parallel=config.max_parallel,
        delay=config.clone_delay,
        transport=outside.transport(GitTransport(proxies=proxies)),
        sleep=outside.sleep,
    )
    with fetching as fetcher, Confined() as confined:
        web = Web(proxy=config.aur_proxy, adapter=outside.web_adapter, sleep=outside.sleep)
        sources: list[Source] = [
            AurSource(
                Aur(web, config.aur_url),
                fetcher,
                url=config.aur_url,
                patterns=config.aur_git,
                watermark=repository.watermark,
                now=now,
            ),
            GitUrlSource(fetcher),
            *release_sources(servers, fetcher, confined, outside, config),
        ]
        work: list[tuple[_Looks, list[FollowedPackage]]] = [
            (source, _covered(source, repository)) for source in sources
        ]
        upstream = _upstream(fetcher, repository, outside, now=now, secrets=secrets)
        work.append((upstream, [*filter(is_vcs_package, repository.packages.values())]))
        yield _found(work, progress)


def _upstream(
    fetcher: Fetcher,
    repository: FollowedRepository,
    outside: Outside,
    *,
    now: float,
    secrets: Secrets,
) -> VcsSource:
    config, folders = repository.committed.config, repository.committed.folders

    def read_sources(packages: Collection[str]) -> dict[str, tuple[bytes, bytes]]:
        files = folders.contents((SRCINFO, "PKGBUILD"), packages)
        return {
            name: (its.get(SRCINFO, b""), its.get("PKGBUILD", b"")) for name, its in files.items()
        }

    token = first_of(secrets, *_GITHUB_TOKENS)
    finder = TipFinder(fetcher, outside, parallel=config.max_parallel, token=token)
    return VcsSource(finder, read_sources=read_sources, interval=config.vcs_interval, now=now)


def _found(
    work: list[tuple[_Looks, list[FollowedPackage]]], progress: Progress
) -> Mapping[str, SourceFinding]:
    progress.begin("Looking at sources", sum(len(packages) for _, packages in work))

    def look(source: _Looks, packages: list[FollowedPackage]) -> Mapping[str, SourceFinding]:
        if not packages:
            return {}
        findings = _looked(source, packages)
        progress.advance(len(packages))
        lost = SourceFinding(
            kind=FindingKind.FAILED, reason=f"the source {source.name} gave no answer"
        )
        return {package.name: findings.get(package.name, lost) for package in packages}

    with ThreadPoolExecutor(len(work)) as pool:
        parts = list(pool.map(lambda pair: look(*pair), work))
    found: dict[str, SourceFinding] = {}
    for part in parts:
        for name, finding in part.items():
            found[name] = merged(found[name], finding) if name in found else finding
    return found


def merged(one: SourceFinding, other: SourceFinding) -> SourceFinding:
    """Return what two sources found about the same package, with what each wants remembered.

    `one` is about the package's files.
    """
    first, second = sorted((one, other), key=lambda finding: _ORDER.index(finding.kind))
    reason, remarks = first.reason, (*one.remarks, *other.remarks)
    if second.kind in _OUT_OF_REACH:
        remarks = (second.reason, *remarks)
    elif second.kind is not FindingKind.UNCHANGED and second.reason:
        reason = f"{reason}; {second.reason}" if reason else second.reason
    return replace(
        first,
        reason=reason,
        seen=one.seen or other.seen,
        state={**other.state, **one.state},
        remarks=remarks,
        record=one.record or other.record,
        vcs=one.vcs or other.vcs,
        files=min(one.files_kind, other.files_kind, key=_ORDER.index),
        tree=one.tree or other.tree,
    )


def _looked(source: _Looks, packages: list[FollowedPackage]) -> Mapping[str, SourceFinding]:
    """Ask a source; what it breaks down at costs its own packages this run, and nobody else."""
    try:
        return source.look(packages)
    except CaurError:  # of the run as a whole: a recording without this answer
        raise
    except Exception as error:  # noqa: BLE001 - whatever is outside, the others go on
        _log.debug("%s", source.name, exc_info=True)
        reason = f"the source {source.name} gave no answer that makes sense: {error!r}"
        return {one.name: SourceFinding(kind=FindingKind.FAILED, reason=reason) for one in packages}


def _covered(source: Source, repository: FollowedRepository) -> list[FollowedPackage]:
    return [one for one in repository.packages.values() if source.covers(one.config)]
