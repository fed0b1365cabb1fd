"""A repository of PKGBUILD folders with a memory, as the pages and `why` tell about it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from caur_ci.git import Identity
from caur_ci.pipeline.shared.memory.branch import MEMORY_BRANCH, Memory
from caur_ci.pipeline.shared.memory.holds import Hold
from caur_ci.pipeline.shared.memory.ledger import LedgerEntry
from caur_ci.pipeline.shared.memory.troubles import Trouble, Troubles
from caur_ci.pipeline.shared.state_branch import STATE_BRANCH
from caur_ci.update.source import LastSeen
from tests.support.git import srcinfo
from tests.support.objects import ObjectStore

if TYPE_CHECKING:
    from pathlib import Path

_MAIN = "refs/heads/main"
_SOMEBODY = Identity("Somebody", "somebody@example.org")


@dataclass
class PackagesWorld:
    """The repository and its files; what is added to it is committed by `commit`."""

    store: ObjectStore
    files: dict[str, str] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)

    @classmethod
    def create(cls, folder: Path, config: str = "BUILD_REPO=source\nREPO_NAME=repo\n") -> Self:
        """Make one without packages."""
        return cls(ObjectStore.create(folder), {".ci/config": config})

    @property
    def url(self) -> str:
        """Where it can be fetched."""
        return self.store.folder.as_uri()

    def package(
        self, name: str, *lines: str, config: str = "", names: tuple[str, ...] = ()
    ) -> None:
        """Add a package with lines for its `.SRCINFO`."""
        self.files |= {
            f"{name}/PKGBUILD": f"pkgname={name}\n",
            f"{name}/.SRCINFO": srcinfo(name, *lines, names=names),
        }
        if config:
            self.files[f"{name}/.CI/config"] = config

    def decided(self, package: str, reason: str, **fields: Any) -> None:  # noqa: ANN401 - any field
        """Remember a decision about a package."""
        values: dict[str, Any] = {"time": 1_700_000_000, "run": "on-schedule"}
        values |= {"commit": "c" * 40, "decision": "update"} | fields
        entry = LedgerEntry(package=package, reason=reason, **values)
        self.memory = replace(self.memory, ledger=self.memory.ledger.add([entry]))

    def held(self, package: str, **fields: Any) -> None:  # noqa: ANN401 - any field
        """Put a package on hold."""
        hold = Hold(**{"by": "alice", "since": 1_700_000_000, "reason": "wait", **fields})
        self.memory = self.memory.with_holds(self.memory.holds.with_hold(package, hold))

    def in_trouble(self, package: str, **fields: Any) -> None:  # noqa: ANN401 - any field
        """Remember that a package is in trouble."""
        packages = {**self.memory.troubles.packages, package: Trouble(**fields)}
        self.memory = self.memory.with_troubles(Troubles(packages))

    def maintained(self, package: str, maintainer: str, comaintainers: str = "") -> None:
        """Remember who maintains a package."""
        seen = LastSeen(maintainer=maintainer, comaintainers=comaintainers, submitted=1)
        self.memory = replace(self.memory, seen=self.memory.seen.updated({package: seen}))

    def commit(self, message: str = "feat: something") -> str:
        """Commit it all, and return the commit's id."""
        parents = [it for it in [self.store.git.resolve(_MAIN)] if it]
        self.remember()
        return self.store.ref(_MAIN, self.store.commit(self.files, *parents, message=message))

    def remember(self) -> None:
        """Put what is remembered on branch `caur`."""
        if self.memory != Memory():
            self.store.ref(MEMORY_BRANCH, self.memory.write(self.store.git, _SOMEBODY))

    def state(self, files: dict[str, str]) -> None:
        """Set branch `state`."""
        self.store.ref(STATE_BRANCH, self.store.commit(files))
