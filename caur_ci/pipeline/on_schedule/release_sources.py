"""The sources whose findings are versions: tags at GitLab, and what nvchecker knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from caur_ci.update.gitlab import GitLabSource
from caur_ci.update.gitlab_tags import GitLabServer, GitLabTags, choose_server
from caur_ci.update.nvchecker import NvcheckerSource
from caur_ci.update.nvchecker_run import KEYFILE, Nvchecker
from caur_ci.update.release import ReleaseWriter
from caur_ci.update.source_sums import SourceSums

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.config import RepositoryConfig
    from caur_ci.confined import Confined
    from caur_ci.update.fetching import Fetcher
    from caur_ci.update.recording import Outside
    from caur_ci.update.source import Source


@dataclass(frozen=True, slots=True)
class ReleaseServers:
    """The GitLab server that is asked, and the path of nvchecker's key file, if there is one."""

    gitlab: GitLabServer = field(default_factory=GitLabServer)
    keyfile: str = ""

    @classmethod
    def of(
        cls, config: RepositoryConfig, environ: Mapping[str, str], secrets: Mapping[str, str]
    ) -> Self:
        """Return what configuration and environment say."""
        server = choose_server(config.gitlab_url, environ, secrets)
        return cls(server, environ.get(KEYFILE, ""))


def release_sources(
    servers: ReleaseServers,
    fetcher: Fetcher,
    confined: Confined,
    outside: Outside,
    config: RepositoryConfig,
) -> list[Source]:
    """Return the sources. What strangers wrote is read by `confined`."""
    sums = SourceSums(allow_local=config.local_sources, sleep=outside.sleep)
    writer = ReleaseWriter(fetcher.git, confined, sums, outside)
    tags = GitLabTags(servers.gitlab, sleep=outside.sleep)
    nvchecker = Nvchecker(keyfile=servers.keyfile)
    return [
        GitLabSource(servers.gitlab, tags, writer, outside, parallel=config.max_parallel),
        NvcheckerSource(fetcher, nvchecker, writer, confined, outside, config=config),
    ]
