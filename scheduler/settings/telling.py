"""What has to be known to tell others: chats, forges and those who collect metrics."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote

from caur_ci.errors import ConfigError
from scheduler.settings import variables as v
from scheduler.settings.kinds import absolute
from scheduler.settings.repositories import source_repos
from scheduler.settings.values import Values

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_METRICS_PORT = 3030
DEFAULT_METRICS_HOST = "127.0.0.1"
DEFAULT_CHECK_NAME = "%pkgbase%"
DEFAULT_REBUILD_TITLE = "[Rebuild] %pkgbase%"
# Shorter ones occur everywhere.
_SHORTEST_SECRET = 6
_GITLAB = "https://gitlab.com"
_TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")


class Told(StrEnum):
    """What somebody may want to be told."""

    DEPLOYED = "deployed"
    FAILED = "failed"
    TIMED_OUT = "timed-out"
    SOFTWARE_FAILURE = "software-failure"
    CLEANUP = "cleanup"
    CLEANUP_FAILED = "cleanup-failed"


class ForgeKind(StrEnum):
    """Whose API a forge has."""

    GITLAB = "gitlab"
    GITHUB = "github"
    FORGEJO = "forgejo"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationTarget:
    """Somebody who is told things. The URL is one of Apprise and a secret.

    `packages` are names and patterns, `repositories` target repositories; empty is all of them.
    """

    name: str
    url: str = field(repr=False)
    events: frozenset[Told] = frozenset(Told)
    packages: tuple[str, ...] = ()
    repositories: frozenset[str] = frozenset()

    def secrets(self) -> list[str]:
        """Return what must not be shown: the URL, and what makes it secret; the longest first."""
        parts = re.split(r"[/?&=@]", self.url.partition("://")[2])
        found = {self.url, *parts, *map(unquote, parts)}
        return sorted((it for it in found if len(it) >= _SHORTEST_SECRET), key=len, reverse=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusNotifier:
    """Where the statuses of the commits of a source repository go to, and issues about it.

    `project` is a number or a path, `server` an address such as `https://gitlab.com`. In
    `check_name` and `rebuild_title`, `%pkgbase%` stands for the package. With `issues`, packages
    that fail get one, in which those in `mention` are mentioned; and those that are called
    `rebuild_title` are closed once the package is published.
    """

    source_repo: str
    forge: ForgeKind
    server: str
    project: str
    token: str = field(repr=False)
    check_name: str = DEFAULT_CHECK_NAME
    statuses: bool = True
    issues: bool = False
    mention: tuple[str, ...] = ()
    rebuild_title: str = DEFAULT_REBUILD_TITLE


@dataclass(frozen=True, slots=True, kw_only=True)
class TellingSettings:
    """Whom to tell what.

    `logs_url` is the page of logs, empty where there is none. Without a `metrics_port` metrics
    have no port of their own. `repository_urls` are the URLs of the source repositories, which may
    hold credentials.
    """

    logs_url: str = ""
    targets: tuple[NotificationTarget, ...] = ()
    notifiers: Mapping[str, StatusNotifier] = field(default_factory=dict)
    repository_urls: Mapping[str, str] = field(default_factory=dict, repr=False)
    metrics_port: int | None = None
    metrics_host: str = DEFAULT_METRICS_HOST

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], secrets: Mapping[str, str]) -> Self:
        """Read the settings; `secrets` are the variables that were taken out of `environ`.

        Raises ConfigError.
        """
        values = Values({**environ, **secrets})
        given = v.METRICS_HOST.name in values.texts
        urls = {}
        if v.PACKAGE_REPOS.name in values.texts:
            urls = {name: each.url for name, each in source_repos(values).items()}
        return cls(
            logs_url=values.get(v.LOGS_URL, ""),
            targets=(*_telegram(values, secrets), *_plain_targets(values), *_targets(values)),
            notifiers=_notifiers(values, urls),
            repository_urls=urls,
            metrics_port=values.get(v.METRICS_PORT, DEFAULT_METRICS_PORT if given else None),
            metrics_host=values.get(v.METRICS_HOST, DEFAULT_METRICS_HOST),
        )


def _telegram(values: Values, secrets: Mapping[str, str]) -> tuple[NotificationTarget, ...]:
    token, chat = secrets.get("TELEGRAM_BOT_TOKEN", "").strip(), values.get(v.TELEGRAM_CHAT_ID, "")
    if not token and not chat:
        return ()
    if not token or not chat:
        missing = v.TELEGRAM_CHAT_ID.name if token else "TELEGRAM_BOT_TOKEN"
        raise ConfigError(f"{missing} is not set", hint="Telegram needs both, bot and chat.")
    if not _TOKEN.fullmatch(token):
        raise ConfigError(
            "TELEGRAM_BOT_TOKEN is not the token of a bot", hint="It looks like 1234567890:AAAA…"
        )
    return (NotificationTarget(name="telegram", url=f"tgram://{token}/{chat}"),)


def _plain_targets(values: Values) -> tuple[NotificationTarget, ...]:
    urls = values.get(v.NOTIFY_URLS, "").split()
    if any("://" not in url for url in urls):
        raise ConfigError(
            f"{values.named(v.NOTIFY_URLS)}: one of the addresses is no URL",
            hint="They look like tgram://TOKEN/CHAT or mailto://USER:PASSWORD@example.org.",
        )
    return tuple(
        NotificationTarget(name=f"url-{number}", url=url) for number, url in enumerate(urls, 1)
    )


def _targets(values: Values) -> tuple[NotificationTarget, ...]:
    return tuple(
        NotificationTarget(
            name=name,
            url=_secret(values.named(v.NOTIFY_TARGETS), name, data, "url"),
            events=frozenset(map(Told, data.get("events", Told))),
            packages=tuple(data.get("packages", ())),
            repositories=frozenset(data.get("repositories", ())),
        )
        for name, data in values.table(v.NOTIFY_TARGETS, needed=False).items()
    )


def _notifiers(values: Values, urls: Mapping[str, str]) -> dict[str, StatusNotifier]:
    where = values.named(v.PACKAGE_REPOS_NOTIFIERS)
    table = values.table(v.PACKAGE_REPOS_NOTIFIERS, needed=False)
    return {
        name: _notifier(name, data, urls.get(name, ""), _secret(where, name, data, "token"))
        for name, data in table.items()
    }


def _notifier(name: str, data: Mapping[str, Any], url: str, token: str) -> StatusNotifier:
    server = str(data.get("url") or _server_of(url) or _GITLAB).rstrip("/")
    host = server.partition("://")[2].lower()
    guess = ForgeKind.GITLAB
    if host == "github.com":
        guess = ForgeKind.GITHUB
    elif host == "codeberg.org":
        guess = ForgeKind.FORGEJO
    kind = ForgeKind(data.get("forge", guess))
    project = str(data["id"])
    if kind is not ForgeKind.GITLAB and not re.fullmatch(r"[\w.-]+/[\w.-]+", project):
        raise ConfigError(
            f"{v.PACKAGE_REPOS_NOTIFIERS.name}: $.{name}.id is not OWNER/NAME",
            hint="At GitHub and Forgejo a repository goes by its path.",
        )
    return StatusNotifier(
        source_repo=name,
        forge=kind,
        server=server,
        project=project,
        token=token,
        check_name=data.get("check_name", DEFAULT_CHECK_NAME),
        statuses=data.get("statuses", True),
        issues=data.get("issues", False),
        mention=tuple(data.get("mention", ())),
        rebuild_title=data.get("rebuild_title", DEFAULT_REBUILD_TITLE),
    )


def _server_of(url: str) -> str:
    found = re.match(r"(https?)://(?:[^/@]*@)?([^/@\s]+)/", url)
    return f"{found[1]}://{found[2]}" if found else ""


def _secret(where: str, name: str, data: Mapping[str, Any], key: str) -> str:
    """Return a secret that is given as it is, or in a file. Raises ConfigError."""
    if text := data.get(key):
        return str(text)
    path = data.get(f"{key}_file")
    if not path:
        raise ConfigError(f"{where}: $.{name} has neither {key} nor {key}_file")
    try:
        text = absolute(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where}: the {key} of {name} cannot be read from {path}") from error
    if not text or any(character.isspace() for character in text):
        raise ConfigError(f"{where}: {path} does not hold one {key}")
    return text
