"""The repositories that packages come from and go to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scheduler.settings.kinds import absolute
from scheduler.settings.variables import PACKAGE_REPOS, PACKAGE_TARGET_REPOS

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.settings.values import Values


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRepository:
    """A Git repository of PKGBUILD folders. The URL may hold credentials: never show it."""

    name: str
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraRepository:
    """A pacman repository that builds take dependencies from.

    `sig_level` is what pacman.conf calls SigLevel; empty for the default. Flavours find in it what
    there is for their base, unless they are among `architectures`, or it is the repository that
    they are built for.
    """

    name: str
    servers: tuple[str, ...]
    sig_level: str = ""
    architectures: tuple[str, ...] = ()


# Beside the architectures of a target repository: a repository for each open rebuild group.
STAGING_FOLDER = ".staging"


def staging_name(group: str) -> str:
    """Return the name of the repository with what is staged for a rebuild group."""
    return f"staging-{group}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRepository:
    """A pacman repository that packages are published in.

    Packages of architecture `any` go to all of `architectures`. Builds for it take dependencies
    from `extra_repos`, one of which may be the repository itself. Beside the keyring packages
    `extra_keyrings`, builds trust the PGP keys in the files `keys`, paths on the worker.
    """

    name: str
    architectures: tuple[str, ...] = ("x86_64",)
    extra_repos: tuple[ExtraRepository, ...] = ()
    extra_keyrings: tuple[str, ...] = ()
    keys: tuple[Path, ...] = ()

    def staging(self, group: str, arch: str) -> ExtraRepository | None:
        """Return the repository with what is staged for a rebuild group; None where that is not
        known, because the repository itself is not among `extra_repos`.
        """
        own = next((extra for extra in self.extra_repos if extra.name == self.name), None)
        if own is None:
            return None
        homes = (
            server.replace("$repo", self.name).rstrip("/").rpartition("/")[0]
            for server in own.servers
        )
        name = staging_name(group)
        return ExtraRepository(
            name=name,
            servers=tuple(f"{home}/{STAGING_FOLDER}/{name}/{arch}" for home in homes),
            sig_level=own.sig_level,
        )


def source_repos(values: Values, *, needed: bool = True) -> dict[str, SourceRepository]:
    """Return the source repositories by name. Raises ConfigError."""
    return {
        name: SourceRepository(name=name, url=value["url"])
        for name, value in values.table(PACKAGE_REPOS, needed=needed).items()
    }


def target_repos(values: Values, *, needed: bool = True) -> dict[str, TargetRepository]:
    """Return the target repositories by name. Raises ConfigError."""
    return {
        name: TargetRepository(
            name=name,
            architectures=tuple(value.get("architectures", ("x86_64",))),
            extra_repos=tuple(
                ExtraRepository(
                    name=extra["name"],
                    servers=tuple(extra["servers"]),
                    sig_level=extra.get("sig_level", ""),
                    architectures=tuple(extra.get("architectures", ())),
                )
                for extra in value.get("extra_repos", ())
            ),
            extra_keyrings=tuple(value.get("extra_keyrings", ())),
            keys=tuple(absolute(key) for key in value.get("keys", ())),
        )
        for name, value in values.table(PACKAGE_TARGET_REPOS, needed=needed).items()
    }
