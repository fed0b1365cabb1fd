"""A repository at a forge whose comments are read."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.environment import Secrets
from caur_ci.git import GitRepository
from caur_ci.pipeline.commenting.journey import obey_comments
from caur_ci.pipeline.shared.memory.branch import Memory
from caur_ci.pipeline.shared.options import RunOptions
from caur_ci.review import ForgeChoice
from tests.caur_ci.review.forges import ForgeUnderTest, forge_of_kind
from tests.support.forges.server import TOKEN
from tests.support.git import Checkout, git, srcinfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.pipeline.commenting.journey import CommentsResult
    from tests.support.forges.model import Forge

FILES: dict[str, str | bytes | None] = {
    ".ci/config": "REPO_NAME=repo\n",
    "app/PKGBUILD": "pkgname=app",
    "app/.SRCINFO": srcinfo("app", names=("app", "app-doc")),
    "lib/PKGBUILD": "pkgname=lib",
    "lib/.SRCINFO": srcinfo("lib"),
    "mine/PKGBUILD": "pkgname=mine",
    "mine/.SRCINFO": srcinfo("mine"),
    "mine/.CI/config": "CI_MANAGE_AUR=true\nBUILDER_CLASS=2\n",
}


@dataclass
class Commented:
    """A repository at a forge; `alice` may push there, `mallory` may not."""

    checkout: Checkout
    there: ForgeUnderTest

    @property
    def forge(self) -> Forge:
        return self.there.forge

    def run(self, *, dry_run: bool = False) -> CommentsResult:
        options = RunOptions(
            repo=self.checkout.folder, dry_run=dry_run, secrets=Secrets({"ACCESS_TOKEN": TOKEN})
        )
        return obey_comments(options, ForgeChoice(self.there.new_client()))

    def says(self, text: str, who: str = "alice", number: int = 1) -> None:
        self.forge.remark(who, text, number=number)

    def memory(self) -> Memory:
        remote = GitRepository.open(self.checkout.remote)
        return Memory.read(remote, remote.resolve("refs/heads/caur"))

    def asked(self) -> dict[str, str]:
        return {
            package.pkgbase: package.reason
            for request in self.memory().outbox.requests
            for package in request.packages
        }

    def answer(self, number: int = 1) -> str:
        """Return the only answer, as it is read: without what parts words nobody sees."""
        (found,) = self.forge.answers(number)
        return found.replace("\N{WORD JOINER}", "")

    def remote(self, *arguments: str) -> str:
        return git(self.checkout.remote, *arguments)


@contextmanager
def commented(kind: str, checkout: Checkout) -> Iterator[Commented]:
    with forge_of_kind(kind) as there:
        there.forge.person("alice", 30)
        there.forge.person("mallory", 20)
        there.forge.remark("alice", "/caur hold lib: said before")
        yield Commented(checkout, there)
