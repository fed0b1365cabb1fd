"""Where something is in other people's git repositories, as configuration and the AUR name it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from caur_ci.config.values import GIT_URL
from caur_ci.credentials import split_login, without_credentials
from caur_ci.errors import InputError
from caur_ci.names import is_ref_name

_KINDS_OF_REFS = {"branch": "refs/heads/", "tag": "refs/tags/"}


@dataclass(frozen=True, slots=True, order=True)
class RemoteRef:
    """A ref in a repository: a full name, or HEAD for the branch that a clone would get."""

    url: str
    ref: str = "HEAD"

    def __post_init__(self) -> None:
        try:
            GIT_URL.parse(self.url)
        except ValueError as error:
            raise InputError(f"{without_credentials(self.url)!a} is not {error}") from None
        if not (self.url.isprintable() and _has_usable_host(self.url)):
            raise InputError(
                f"{without_credentials(self.url)!a} is not the URL of a repository",
                hint="In a password, everything but letters and digits has to be percent-encoded: "
                "%2F for /, %23 for #.",
            )
        if self.ref != "HEAD" and not (self.ref.startswith("refs/") and is_ref_name(self.ref)):
            raise InputError(f"{self.ref!a} is no name that a branch or tag can have")

    @classmethod
    def parse(cls, location: str) -> Self:
        """Read `URL`, `URL#branch=NAME` or `URL#tag=NAME`. Raises InputError."""
        url, _, fragment = location.partition("#")
        if not fragment:
            return cls(url)
        kind, _, name = fragment.partition("=")
        if kind not in _KINDS_OF_REFS or not name:
            raise InputError(
                f"{without_credentials(location)!a} ends in something that cannot be followed",
                hint="A URL can be followed by #branch=NAME or #tag=NAME.",
            )
        return cls(url, f"{_KINDS_OF_REFS[kind]}{name}")

    @property
    def host(self) -> str:
        """The server, with its port where one is given; empty for a repository on this machine."""
        if "://" in self.url:
            return urlsplit(split_login(self.url)[1]).netloc.lower()
        return self.url.partition(":")[0].rpartition("@")[2].lower()

    def __str__(self) -> str:
        """Return it for people, without credentials."""
        url = without_credentials(self.url)
        kind = "tag" if self.ref.startswith(_KINDS_OF_REFS["tag"]) else "branch"
        name = self.ref.removeprefix(_KINDS_OF_REFS[kind])
        return url if self.ref == "HEAD" else f"{url}#{kind}={name}"


def _has_usable_host(url: str) -> bool:
    """Tell whether what should be a host and a port is that: half of a password is not."""
    if "://" not in url:
        return True
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if it is none
    except ValueError:
        return False
    return True
