"""A repository whose packages are pushed to an AUR, and runs of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from caur_ci.environment import Secrets
from caur_ci.git import GitRepository
from caur_ci.pipeline.aur_pushing.journey import push_to_aur
from caur_ci.pipeline.aur_pushing.round import AurRound
from caur_ci.pipeline.shared.context import RunContext
from caur_ci.pipeline.shared.memory.branch import Memory
from caur_ci.pipeline.shared.options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.pipeline.aur_pushing.outcome import AurReport
    from tests.support.aur_ssh import AurSsh
    from tests.support.git import Checkout, Content

NOW = 1_800_000_000.0
MANAGED = "CI_MANAGE_AUR=true\n"


def package(name: str, version: str = "1", **more: str) -> dict[str, Content]:
    """Return the files of a package that the AUR takes; `more` are further ones, by path."""
    lines = [f"pkgname={name}", f"pkgver={version}", "pkgrel=1", "arch=(any)"]
    srcinfo = f"pkgbase = {name}\n\tpkgver = {version}\n\tpkgrel = 1\n\tarch = any\n"
    files = {
        "PKGBUILD": "".join(f"{line}\n" for line in lines),
        ".SRCINFO": f"{srcinfo}\npkgname = {name}\n",
        ".CI/config": MANAGED,
        **{path.replace("__", "/"): content for path, content in more.items()},
    }
    return {f"{name}/{path}": content for path, content in files.items()}


def with_sources(name: str, *sources: str, version: str = "1", **more: str) -> dict[str, Content]:
    """Return the files of a package with sources."""
    files = package(name, version, **more)
    names = " ".join(f"'{source}'" for source in sources)
    sums = " ".join("SKIP" for _ in sources)
    pkgbuild, srcinfo = files[f"{name}/PKGBUILD"], files[f"{name}/.SRCINFO"]
    assert isinstance(pkgbuild, str)
    assert isinstance(srcinfo, str)
    fields = "".join(f"\tsource = {it}\n" for it in sources)
    fields += "".join("\tsha256sums = SKIP\n" for _ in sources)
    base, _, end = srcinfo.partition("\npkgname")
    files[f"{name}/PKGBUILD"] = f"{pkgbuild}source=({names})\nsha256sums=({sums})\n"
    files[f"{name}/.SRCINFO"] = f"{base}{fields}\npkgname{end}"
    return files


@dataclass
class AurWorld:
    """A clone, its remote, and an AUR."""

    checkout: Checkout
    aur: AurSsh
    config: str = ""
    now: float = NOW
    environ: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None

    def begin(self, *files: Mapping[str, Content], config: str = "") -> None:
        """Push a first state with these packages."""
        more = {".ci/config": f"{self.aur.config}{config}"}
        self.push(more, *files)

    def push(self, *files: Mapping[str, Content], message: str = "feat: packages") -> str:
        """Push a commit with these files to `main`."""
        together = {path: content for some in files for path, content in some.items()}
        commit = self.checkout.commit(message, together)
        self.checkout.push()
        return commit

    @staticmethod
    def aur_files(name: str, version: str) -> dict[str, str]:
        """Return what the AUR has of a version of a plain package."""
        files = package(name, version)
        return {path: str(files[f"{name}/{path}"]) for path in ("PKGBUILD", ".SRCINFO")}

    def context(self) -> RunContext:
        key = self.aur.key if self.key is None else self.key
        options = RunOptions(
            repo=self.checkout.folder,
            environ=self.environ,
            secrets=Secrets({"AUR_KEY": key} if key else {}),
        )
        return RunContext.open(options)

    def run(self, *packages: str, **wanted: Any) -> AurReport:  # noqa: ANN401
        """Do what a run does at its end."""
        self.now += 1800
        return push_to_aur(
            self.context(), AurRound(run="on-commit", now=self.now, packages=packages, **wanted)
        )

    def states(self, *packages: str, **wanted: Any) -> dict[str, str]:  # noqa: ANN401
        """Do the same, and return how the packages stand."""
        return {it.package: it.state.value for it in self.run(*packages, **wanted).outcomes}

    def memory(self) -> Memory:
        remote = GitRepository.open(self.checkout.remote)
        return Memory.read(remote, remote.resolve("refs/heads/caur"))

    def decided(self, name: str) -> list[str]:
        """Return what the ledger has about a package, newest first."""
        return [f"{it.decision}: {it.reason}" for it in self.memory().ledger.about(name)]
