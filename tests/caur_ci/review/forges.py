"""A forge of each kind on this machine, and the client that is tested."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.review.github import GitHubForge
from caur_ci.review.gitlab import GitLabForge
from caur_ci.review.patience import Patience
from tests.support.forges.github_api import GitHubApi
from tests.support.forges.gitlab_api import GitLabApi
from tests.support.forges.model import Forge
from tests.support.forges.server import TOKEN, Api, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from caur_ci.review.forge import ReviewForge

KINDS = ("gitlab", "github")


@dataclass
class ForgeUnderTest:
    """The forge, its client, and how long the client has waited between tries."""

    kind: str
    forge: Forge
    client: ReviewForge
    url: str
    slept: list[float] = field(default_factory=list)

    def new_client(self) -> ReviewForge:
        """Return a client that knows nothing yet."""
        return _client(self.kind, self.url, self.slept)


@contextmanager
def forge_of_kind(kind: str, remote: Path | None = None) -> Iterator[ForgeUnderTest]:
    """Run a forge in which `bot` is the owner of the token; no call may be of a wrong shape."""
    forge = Forge(remote)
    forge.person("bot", is_bot=True)
    make: Callable[[Forge, str], Api] = GitLabApi if kind == "gitlab" else GitHubApi
    with serving(make, forge) as server:
        slept: list[float] = []
        url = server.api.url
        yield ForgeUnderTest(kind, forge, _client(kind, url, slept), url, slept)
    assert forge.wrong == []


def _client(kind: str, url: str, slept: list[float]) -> ReviewForge:
    if kind == "gitlab":
        patience = Patience("GitLab", TOKEN, sleep=slept.append)
        return GitLabForge(
            url, "7", TOKEN, page="https://gitlab.example.org/g/p", patience=patience
        )
    patience = Patience("GitHub", TOKEN, sleep=slept.append)
    page = "https://github.example.org/owner/name"
    return GitHubForge(url, "owner/name", TOKEN, page=page, patience=patience, pauses=(0.0, 0.0))
