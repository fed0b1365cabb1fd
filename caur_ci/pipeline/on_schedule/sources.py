"""Looks at everything that packages are kept current by, all sources side by side."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from caur_ci.aur import Aur
from caur_ci.confined import Confined
from caur_ci.errors import CaurError
from caur_ci.pipeline.on_schedule.release_sources import ReleaseServers, release_sources
from caur_ci.update.aur import AurSource
from caur_ci.update.fetching import Fetcher
from caur_ci.update.git_url import GitUrlSource
from caur_ci.update.source import FindingKind, SourceFinding
from caur_ci.update.transport import GitTransport
from caur_ci.web import Web

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from caur_ci.git import GitRepository
    from caur_ci.pipeline.on_schedule.followed_repository import FollowedRepository
    from caur_ci.pipeline.shared.progress import Progress
    from caur_ci.update.recording import Outside
    from caur_ci.update.source import FollowedPackage, Source

_log = logging.getLogger(__name__)
_SERVERS = ReleaseServers()


@contextmanager
def look_at_sources(
    git: GitRepository,
    repository: FollowedRepository,
    outside: Outside,
    *,
    now: float,
    progress: Progress,
    servers: ReleaseServers = _SERVERS,
) -> Iterator[Mapping[str, SourceFinding]]:
    """Provide what the sources found about each package that one of them covers.

    Until the block ends, what was fetched is kept from garbage collection.
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
        yield _found(sources, repository, progress)


def _found(
    sources: list[Source], repository: FollowedRepository, progress: Progress
) -> Mapping[str, SourceFinding]:
    work = [(source, _covered(source, repository)) for source in sources]
    progress.begin("Looking at sources", sum(len(packages) for _, packages in work))

    def look(source: Source, packages: list[FollowedPackage]) -> Mapping[str, SourceFinding]:
        findings = _looked(source, packages)
        progress.advance(len(packages))
        lost = SourceFinding(
            kind=FindingKind.FAILED, reason=f"the source {source.name} gave no answer"
        )
        return {package.name: findings.get(package.name, lost) for package in packages}

    with ThreadPoolExecutor(len(work)) as pool:
        parts = list(pool.map(lambda pair: look(*pair), work))
    return {name: finding for part in parts for name, finding in part.items()}


def _looked(source: Source, packages: list[FollowedPackage]) -> Mapping[str, SourceFinding]:
    """Ask a source; what it breaks down at costs its own packages this run, and nobody else."""
    try:
        return source.look(packages) if packages else {}
    except CaurError:  # of the run as a whole: a recording without this answer
        raise
    except Exception as error:  # noqa: BLE001 - whatever is outside, the others go on
        _log.debug("%s", source.name, exc_info=True)
        reason = f"the source {source.name} gave no answer that makes sense: {error!r}"
        return {one.name: SourceFinding(kind=FindingKind.FAILED, reason=reason) for one in packages}


def _covered(source: Source, repository: FollowedRepository) -> list[FollowedPackage]:
    return [one for one in repository.packages.values() if source.covers(one.config)]
