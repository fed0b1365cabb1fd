"""Every setting: its variable, its key in a TOML file, what it may hold, and what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from scheduler.settings.kinds import (
    Choice,
    Decimal,
    FilePath,
    FilePaths,
    Flag,
    Json,
    Text,
    VariableType,
    Whole,
    Words,
)

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")

_FOLDER = Text(r"[^\x00-\x1f\x7f]+", "the path of a folder")
_HOST = Text(r"[A-Za-z0-9:_][A-Za-z0-9._:-]*", "a host name")
_USER = Text(r"[A-Za-z0-9_][A-Za-z0-9._@-]*", "a user name")


@dataclass(frozen=True, slots=True)
class Variable(Generic[T]):
    """One setting. `default` is for people to read; None where there is none."""

    name: str
    key: str
    kind: VariableType[T]
    summary: str
    default: str | None = ""


PACKAGE_REPOS: Variable[str] = Variable(
    "PACKAGE_REPOS",
    "source_repos",
    Json("package-repos", '{"NAME": {"url": "https://…"}}'),
    "The source repositories, by name.",
    None,
)
PACKAGE_TARGET_REPOS: Variable[str] = Variable(
    "PACKAGE_TARGET_REPOS",
    "target_repos",
    Json("package-target-repos", '{"NAME": {}}'),
    "The target repositories, by name. Workers need them for what builds depend on.",
    None,
)
PACKAGE_REPOS_NOTIFIERS: Variable[str] = Variable(
    "PACKAGE_REPOS_NOTIFIERS",
    "notifiers",
    Json("package-repos-notifiers", '{"NAME": {"id": "123456", "token": "…"}}'),
    "Where commit statuses go to, by source repository.",
)
BUILDER_FLAVOURS: Variable[str] = Variable(
    "BUILDER_FLAVOURS",
    "flavours",
    Json("flavours", '{"x86_64_v3": {"cflags": "-O3 -march=x86-64-v3"}}'),
    "How packages for an architecture are built, by its name.",
    "x86_64_v2, x86_64_v3 and x86_64_v4",
)
SHARED_PATH: Variable[Path] = Variable(
    "SHARED_PATH",
    "shared_path",
    FilePath(),
    "Folder for caches and builds; several workers and the database runner may share it.",
    "`shared` in the state folder",
)

LANDING_ZONE_PATH: Variable[str] = Variable(
    "LANDING_ZONE_PATH",
    "landing_zone.path",
    _FOLDER,
    "The landing zone. For a worker with DATABASE_HOST, a folder on that host.",
    None,
)
LANDING_ZONE_ADVERTISED_PATH: Variable[str] = Variable(
    "LANDING_ZONE_ADVERTISED_PATH",
    "landing_zone.advertised_path",
    _FOLDER,
    "The same folder as SFTP shows it, where that is different.",
)
DATABASE_HOST: Variable[str] = Variable(
    "DATABASE_HOST",
    "landing_zone.host",
    _HOST,
    "The host that workers deliver to by SFTP; without it the landing zone is on this machine.",
)
DATABASE_PORT: Variable[int] = Variable(
    "DATABASE_PORT",
    "landing_zone.port",
    Whole(1, 65535),
    "Its SSH port.",
    "that of ssh",
)
DATABASE_USER: Variable[str] = Variable(
    "DATABASE_USER", "landing_zone.user", _USER, "The user to log in as.", "that of ssh"
)
DATABASE_KEY: Variable[Path] = Variable(
    "DATABASE_KEY",
    "landing_zone.key",
    FilePath(),
    "The private SSH key to log in with.",
    "those of ssh",
)
DATABASE_KNOWN_HOSTS: Variable[Path] = Variable(
    "DATABASE_KNOWN_HOSTS",
    "landing_zone.known_hosts",
    FilePath(),
    "The known_hosts file that its key is in.",
    "those of ssh",
)
DATABASE_HOST_FINGERPRINT: Variable[str] = Variable(
    "DATABASE_HOST_FINGERPRINT",
    "landing_zone.fingerprint",
    Text(r"SHA256:[A-Za-z0-9+/]{43}=?([ ,]+SHA256:[A-Za-z0-9+/]{43}=?)*", "SHA256:…"),
    "The fingerprint that its key has, in place of a known_hosts file.",
)
BUILDER_UPLOAD_PATIENCE: Variable[int] = Variable(
    "BUILDER_UPLOAD_PATIENCE",
    "landing_zone.patience",
    Whole(0),
    "For how many seconds a worker tries again to deliver what it has built.",
    "3600",
)

BUILDER_HOSTNAME: Variable[str] = Variable(
    "BUILDER_HOSTNAME",
    "worker.name",
    Text(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,254}", "letters, digits and . _ -"),
    "The worker's name, which its key and jobs of a text class go by.",
    "the name of this machine",
)
BUILDER_CLASS: Variable[int] = Variable(
    "BUILDER_CLASS", "worker.class", Whole(1), "It builds jobs of this class and below.", "2"
)
BUILDER_ARCHITECTURES: Variable[tuple[str, ...]] = Variable(
    "BUILDER_ARCHITECTURES",
    "worker.architectures",
    Words(r"[a-z0-9_]{1,32}", "architectures such as x86_64 and x86_64_v3"),
    "It builds for these architectures; those of other machines by an emulator.",
    "that of the machine and its flavours",
)
BUILDER_TIMEOUT: Variable[int] = Variable(
    "BUILDER_TIMEOUT",
    "worker.timeout",
    Whole(1),
    "How many seconds a build may take; BUILDER_EXTRA_TIMEOUT of a package multiplies it.",
    "3600",
)
BUILDER_STALL: Variable[int] = Variable(
    "BUILDER_STALL",
    "worker.stall",
    Whole(1),
    "After how many seconds without output and work a build is ended.",
    "1800",
)
BUILDER_MIN_FREE: Variable[int] = Variable(
    "BUILDER_MIN_FREE",
    "worker.min_free",
    Whole(0),
    "How many MiB of the disk a build has to leave free.",
    "256",
)
BUILDER_USER: Variable[str] = Variable(
    "BUILDER_USER",
    "worker.user",
    Text(),
    "The account that builds run as on the host, when the worker is root.",
    "an unused user id",
)
BUILDER_KEY: Variable[Path] = Variable(
    "BUILDER_KEY",
    "worker.key",
    FilePath(),
    "The SSH key that deliveries are signed with; it is made if it is not there.",
    "`worker-key` in the state folder",
)
BUILDER_READABLE: Variable[tuple[Path, ...]] = Variable(
    "BUILDER_READABLE",
    "worker.readable",
    FilePaths(),
    "What else every build may read, such as local Git repositories; with colons in between.",
)
BUILDER_SRCDEST_CACHE_OVERRIDE: Variable[Path] = Variable(
    "BUILDER_SRCDEST_CACHE_OVERRIDE",
    "worker.srcdest_cache",
    FilePath(),
    "Folder for sources that are kept between builds.",
    "a folder beside the builds",
)
MAKEFLAGS: Variable[str] = Variable("MAKEFLAGS", "worker.makeflags", Text(), "Options for make.")
PACKAGER: Variable[str] = Variable(
    "PACKAGER", "worker.packager", Text(), "Who packages say they are from: `NAME <EMAIL>`."
)
CI_CODE_SKIP: Variable[int] = Variable(
    "CI_CODE_SKIP",
    "worker.skip_code",
    Whole(1, 255),
    "The exit code with which a build skips itself.",
    "123",
)
BUILDER_GROUP_RETRIES: Variable[int] = Variable(
    "BUILDER_GROUP_RETRIES",
    "worker.group_retries",
    Whole(0, 100),
    "How often a build in a rebuild group that failed for a reason that may pass is tried again.",
    "2",
)
BUILDER_EXECUTOR: Variable[str] = Variable(
    "BUILDER_EXECUTOR",
    "worker.executor",
    Choice(("container", "host")),
    "Where builds run: in containers, or on this machine itself.",
    "container",
)
BUILDER_INSTALL: Variable[bool] = Variable(
    "BUILDER_INSTALL",
    "worker.install",
    Flag(),
    "Whether the host executor has pacman install what packages need, as root: for machines that "
    "are thrown away.",
    "false",
)

BUILDER_IMAGE: Variable[str] = Variable(
    "BUILDER_IMAGE",
    "worker.container.image",
    Text(r"[A-Za-z0-9][A-Za-z0-9._:/@-]*", "the name of an image"),
    "The image that builds start from.",
    "docker.io/library/archlinux:base-devel",
)
CONTAINER_ENGINE: Variable[str] = Variable(
    "CONTAINER_ENGINE",
    "worker.container.engine",
    Choice(("podman", "docker")),
    "What runs the containers.",
    "whichever is there",
)
BUILDER_LIMITS_CPUS: Variable[float] = Variable(
    "BUILDER_LIMITS_CPUS",
    "worker.container.cpus",
    Decimal(),
    "How many processors a build may use; 0 is no limit.",
    "0",
)
BUILDER_LIMITS_RAM: Variable[int] = Variable(
    "BUILDER_LIMITS_RAM",
    "worker.container.memory",
    Whole(0),
    "How many MiB of memory a build may use; 0 is no limit.",
    "0",
)
BUILDER_NETWORK_MODE: Variable[str] = Variable(
    "BUILDER_NETWORK_MODE",
    "worker.container.network",
    Text(r"[A-Za-z0-9][A-Za-z0-9._:,=-]*", "what the engine's option --network takes"),
    "The engine's --network, for the steps of a build that have network.",
    "that of the engine",
)
BUILDER_USERNS: Variable[bool] = Variable(
    "BUILDER_USERNS",
    "worker.container.user_namespace",
    Flag(),
    "Whether root in a container is another user outside, where the engine can do that.",
    "true",
)

NOTIFY_URLS: Variable[str] = Variable(
    "NOTIFY_URLS",
    "notifications.urls",
    Text(),
    "Who is told everything: URLs of Apprise, with blanks in between.",
)
NOTIFY_TARGETS: Variable[str] = Variable(
    "NOTIFY_TARGETS",
    "notifications.targets",
    Json("notify-targets", '{"NAME": {"url": "tgram://…", "events": ["failed"]}}'),
    "Who is told what, by a name for each.",
)
TELEGRAM_CHAT_ID: Variable[str] = Variable(
    "TELEGRAM_CHAT_ID",
    "notifications.telegram_chat_id",
    Text(r"(-?[0-9]+|@[A-Za-z0-9_]+)(:[0-9]+)?", "the number of a chat, or @NAME of a channel"),
    "The chat that is told everything, by the bot of TELEGRAM_BOT_TOKEN.",
)
METRICS_PORT: Variable[int] = Variable(
    "METRICS_PORT",
    "metrics.port",
    Whole(1, 65535),
    "The port that metrics are served at, without anything else; 3030 with METRICS_HOST alone.",
    "none",
)
METRICS_HOST: Variable[str] = Variable(
    "METRICS_HOST",
    "metrics.host",
    _HOST,
    "The address that it listens at; 0.0.0.0 is every address of this machine.",
    "127.0.0.1",
)

REPO_PATH: Variable[Path] = Variable(
    "REPO_PATH",
    "database.repo_path",
    FilePath(),
    "Where the pacman repositories are published, as DIR/NAME/ARCH.",
    None,
)
GPG_PATH: Variable[Path] = Variable(
    "GPG_PATH",
    "database.gpg_path",
    FilePath(),
    "The home folder of GnuPG with the key that packages are signed with.",
    None,
)
GPG_KEY: Variable[str] = Variable(
    "GPG_KEY",
    "database.gpg_key",
    Text(),
    "Which key, where there are several.",
    "that of GnuPG",
)
ALLOWED_WORKERS: Variable[Path] = Variable(
    "ALLOWED_WORKERS",
    "database.allowed_workers",
    FilePath(),
    "The file with the keys of the workers whose deliveries are published.",
    None,
)
REPO_GRACE: Variable[int] = Variable(
    "REPO_GRACE",
    "database.grace",
    Whole(0),
    "How many seconds a superseded package file stays in place.",
    "86400",
)
REPO_ARCHIVE_DAYS: Variable[int] = Variable(
    "REPO_ARCHIVE_DAYS",
    "database.archive_days",
    Whole(0),
    "How many days superseded files stay in the archive.",
    "30",
)
REPO_GENERATIONS: Variable[int] = Variable(
    "REPO_GENERATIONS",
    "database.generations",
    Whole(1),
    "How many published states can be brought back.",
    "10",
)
REPO_REMOVAL_SHARE: Variable[int] = Variable(
    "REPO_REMOVAL_SHARE",
    "database.removal_share",
    Whole(0, 100),
    "A removal of more than this percentage of a repository has to be confirmed.",
    "25",
)
REPO_PORTABLE_NAMES: Variable[bool] = Variable(
    "REPO_PORTABLE_NAMES",
    "database.portable_names",
    Flag(),
    "Whether package files get names without colons and the like, as release assets and S3 need.",
    "false",
)
PUBLISH_TO: Variable[str] = Variable(
    "PUBLISH_TO",
    "database.publish_to",
    Text(),
    "The publishing target that `caur-ci repo upload` and `caur-ci run` bring the repository to.",
    "",
)
DISTRIBUTION_DATABASES: Variable[tuple[Path, ...]] = Variable(
    "DISTRIBUTION_DATABASES",
    "database.distribution",
    FilePaths(),
    "Databases of the distribution, or folders of such: their package names are not for ours, nor "
    "are the files in their .files databases.",
)

WEB_PORT: Variable[int] = Variable(
    "WEB_PORT", "web.port", Whole(1, 65535), "The port of the web server.", "8080"
)
WEB_HOST: Variable[str] = Variable(
    "WEB_HOST",
    "web.host",
    _HOST,
    "The address that it listens at; 0.0.0.0 is every address of this machine.",
    "127.0.0.1",
)
WEB_BASE_PATH: Variable[str] = Variable(
    "WEB_BASE_PATH",
    "web.base_path",
    Text(r"(/[A-Za-z0-9._~-]+)*/?", "a path such as /builds"),
    "The path that a reverse proxy shows it under.",
)
WEB_CORS: Variable[str] = Variable(
    "WEB_CORS",
    "web.cors",
    Text(r"\*|https?://[A-Za-z0-9.:\[\]_-]+([ ,]+https?://[A-Za-z0-9.:\[\]_-]+)*", "* or origins"),
    "The origins whose pages may read it, such as https://example.org; * is all of them.",
)
LOGS_URL: Variable[str] = Variable(
    "LOGS_URL",
    "web.logs_url",
    Text(r"https?://[^\s\x00-\x1f\x7f]+", "an http(s) URL"),
    "Where others find the logs, as messages and statuses link to them.",
)
TRUST_PROXY: Variable[str] = Variable(
    "TRUST_PROXY",
    "web.trust_proxy",
    Text(r"[A-Za-z0-9.:/]+([ ,]+[A-Za-z0-9.:/]+)*", "true, false, or addresses and networks"),
    "Whose X-Forwarded-For and X-Forwarded-Proto are believed: true for everybody's, or the "
    "proxies' addresses and networks; `loopback`, `linklocal` and `uniquelocal` stand for theirs.",
    "false",
)
NO_HTTP_LOG: Variable[bool] = Variable(
    "NO_HTTP_LOG", "web.no_http_log", Flag(), "Whether requests are left out of the log.", "false"
)

HISTORY_PATH: Variable[Path] = Variable(
    "HISTORY_PATH",
    "history.path",
    FilePath(),
    "Folder of the history and of the logs that have ended; not to be served to anybody.",
    "`history` in the state folder",
)
HISTORY_DAYS: Variable[int] = Variable(
    "HISTORY_DAYS",
    "history.days",
    Whole(1),
    "How many days jobs are remembered; the last success of each package is for longer.",
    "400",
)
HISTORY_LOG_DAYS: Variable[int] = Variable(
    "HISTORY_LOG_DAYS", "history.log_days", Whole(1), "How many days logs are kept.", "90"
)
HISTORY_LOG_SIZE: Variable[int] = Variable(
    "HISTORY_LOG_SIZE",
    "history.log_size",
    Whole(1),
    "How many MiB of the disk logs may take; then the oldest go.",
    "20480",
)

VARIABLES: tuple[Variable[Any], ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Variable)
)
BY_KEY = {variable.key: variable for variable in VARIABLES}
