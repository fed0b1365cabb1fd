"""From the address of a publishing target to the target."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from caur_ci.credentials import without_credentials
from caur_ci.errors import ConfigError
from scheduler.hosting.folder import FolderTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scheduler.hosting.protocol import PublishingTarget

FORMS = {
    "/FOLDER": "a folder of this machine",
    "ssh://[USER@]HOST[:PORT]/FOLDER": "a folder of another machine, by rsync over SSH",
    "s3://BUCKET[/PREFIX]": "storage that speaks S3; ?endpoint=URL&region=NAME as needed",
    "github-release:OWNER/REPOSITORY": "release assets at GitHub",
    "git+URL#BRANCH": "a branch that a forge serves as pages",
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What opening a target may need besides its address: variables, and those that are secret."""

    environ: Mapping[str, str]
    secrets: Mapping[str, str]


def open_target(address: str, surroundings: Surroundings) -> PublishingTarget:
    """Return the target at `address`. Nothing is asked for yet. Raises ConfigError."""
    if address.startswith(("/", "./", "../", "~/")):
        return FolderTarget(Path(address).expanduser())
    scheme, colon, rest = address.partition(":")
    opener = _OPENERS.get("git" if scheme.startswith("git+") else scheme)
    if opener is None or not colon or not rest:
        raise ConfigError(
            f"{without_credentials(address)!r} is no publishing target",
            hint="It has one of these forms: " + "; ".join(FORMS),
        )
    return opener(address, surroundings)


def _folder(address: str, surroundings: Surroundings) -> PublishingTarget:
    del surroundings
    url = urlsplit(address)
    if url.netloc not in {"", "localhost"} or not url.path.startswith("/"):
        raise ConfigError(
            f"{address!r} names no folder of this machine", hint="As file:///srv/http"
        )
    return FolderTarget(Path(unquote(url.path)))


def _ssh(address: str, surroundings: Surroundings) -> PublishingTarget:
    from scheduler.hosting.rsync import RsyncTarget  # noqa: PLC0415 - few use each of them

    return RsyncTarget.at(_url(address), surroundings.environ, surroundings.secrets)


def _s3(address: str, surroundings: Surroundings) -> PublishingTarget:
    from scheduler.hosting.s3 import S3Target  # noqa: PLC0415 - slow to import

    url = _url(address)
    options = {name: values[-1] for name, values in parse_qs(url.query).items()}
    unknown = options.keys() - {"endpoint", "region"}
    if unknown or not url.netloc:
        what = f"has {min(unknown)!r}, which means nothing there" if unknown else "has no bucket"
        raise ConfigError(
            f"{without_credentials(address)!r} {what}",
            hint="As s3://BUCKET/PREFIX?endpoint=URL&region=NAME; the latter two as needed.",
        )
    return S3Target(
        url.netloc,
        unquote(url.path).strip("/"),
        endpoint=options.get("endpoint", ""),
        region=options.get("region", ""),
        secrets=surroundings.secrets,
    )


def _github_release(address: str, surroundings: Surroundings) -> PublishingTarget:
    from scheduler.hosting.releases import ReleaseTarget  # noqa: PLC0415 - slow to import

    return ReleaseTarget.at(address.partition(":")[2], surroundings.environ, surroundings.secrets)


def _git(address: str, surroundings: Surroundings) -> PublishingTarget:
    from scheduler.hosting.pages import PagesTarget  # noqa: PLC0415 - few use it

    url, _, branch = address.removeprefix("git+").partition("#")
    return PagesTarget(url, branch or "gh-pages", secrets=surroundings.secrets)


def _url(address: str) -> SplitResult:
    try:
        url = urlsplit(address)
        _ = url.port
    except ValueError as error:
        raise ConfigError(f"{without_credentials(address)!r} is no URL: {error}") from error
    if url.password:
        raise ConfigError(
            f"{without_credentials(address)!r} has a password in it",
            hint="Secrets are in variables of their own; see docs/hosting.md.",
        )
    return url


_OPENERS: dict[str, Callable[[str, Surroundings], PublishingTarget]] = {
    "file": _folder,
    "ssh": _ssh,
    "s3": _s3,
    "github-release": _github_release,
    "git": _git,
}
