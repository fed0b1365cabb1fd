"""Which servers are asked for versions, and with which keys."""

from __future__ import annotations

from caur_ci.config import RepositoryConfig
from caur_ci.pipeline.on_schedule.release_sources import ReleaseServers
from caur_ci.update.gitlab_tags import GitLabServer

CI = {"GITLAB_CI": "true", "CI_SERVER_URL": "https://git.example.org", "NVCHECKER_KEYFILE": "/k"}
SECRETS = {"ACCESS_TOKEN": "s3cret"}


def test_environment_and_configuration_say_it() -> None:
    own = GitLabServer("https://git.example.org", "s3cret")
    assert ReleaseServers.of(RepositoryConfig(), CI, SECRETS) == ReleaseServers(own, "/k")

    config = RepositoryConfig(gitlab_url="https://gitlab.com")
    assert ReleaseServers.of(config, CI, SECRETS) == ReleaseServers(GitLabServer(), "/k")
    assert ReleaseServers.of(RepositoryConfig(), {}, SECRETS) == ReleaseServers()
