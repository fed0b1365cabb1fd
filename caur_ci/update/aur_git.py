"""Where the git repositories of the AUR's packages are: with the AUR itself, or at a mirror."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from caur_ci.credentials import without_credentials
from caur_ci.errors import ConfigError
from caur_ci.update.remote_ref import RemoteRef

DEFAULT = "{url}/{pkgbase}.git"
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class AurGit:
    """One pattern of CI_AUR_GIT. The AUR's own repositories are never behind what it says."""

    pattern: str
    is_own: bool

    @classmethod
    def parse(cls, pattern: str, aur_url: str) -> Self:
        """Read a pattern. Raises ConfigError where packages have no place in it."""
        if "{pkgbase}" not in pattern:
            raise ConfigError(
                f"CI_AUR_GIT: {without_credentials(pattern)} does not say where packages are",
                hint="Put {pkgbase} in: https://example.org/{pkgbase}.git, or "
                "https://example.org/mirror.git#branch={pkgbase}.",
            )
        filled = pattern.replace("{url}", aur_url)
        return cls(filled, _is_own(filled.partition("#")[0], aur_url))

    def remote_ref(self, pkgbase: str) -> RemoteRef:
        """Return where a package is. Raises InputError where its name cannot be there."""
        return RemoteRef.parse(self.pattern.replace("{pkgbase}", pkgbase))

    def __str__(self) -> str:
        """Return it for people."""
        return without_credentials(self.pattern)


def _is_own(url: str, aur_url: str) -> bool:
    git, web = urlsplit(url), urlsplit(aur_url)
    if not git.hostname or git.hostname != web.hostname:
        return False
    return git.scheme == "ssh" or _port(url) == _port(aur_url)


def _port(url: str) -> int | None:
    parts = urlsplit(url)
    return parts.port or _PORTS.get(parts.scheme)
