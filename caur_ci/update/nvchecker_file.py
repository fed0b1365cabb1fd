"""What a package's `nvchecker.toml` says, and who can answer it: our own git, or nvchecker.

Such a file may have come with a package from a stranger. It is read in a confined process, and what
it may ask for is listed: sources that only ask public web servers.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from caur_ci.errors import InputError
from caur_ci.update.public_web import check_addresses
from caur_ci.update.remote_ref import RemoteRef

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

FILES = ("nvchecker.toml", ".nvchecker.toml")
LARGEST_FILE = 64 * 1024
_SOURCE = re.compile(r"[a-z][a-z0-9_]*")
_GITHUB_PROJECT = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?")
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):")
# They ask web servers and do nothing else.
_WEB_SOURCES = frozenset(
    {
        *("android_sdk", "anitya", "apt", "archpkg", "aur", "bitbucket", "container", "cpan"),
        *("cran", "cratesio", "debianpkg", "gems", "gitea", "github", "gitlab", "go", "hackage"),
        *("htmlparser", "httpheader", "jq", "launchpad", "manual", "maven", "mercurial", "npm"),
        *("opam", "openvsx", "packagist", "pagure", "pypi", "regex", "repology", "rpmrepo"),
        *("snapcraft", "sparkle", "ubuntupkg", "vsmarketplace"),
    }
)
_OPEN = frozenset({"http", "https", "git"})
_HOST_OPTIONS = ("host", "registry", "proxy")
_ADDRESS_OPTIONS = ("url", "mirror", "repo", "mercurial", *_HOST_OPTIONS)
_SORT_KEYS = frozenset({"parse_version", "vercmp"})
_COMMANDS_HINT = "CI_NVCHECKER_COMMANDS=true in .ci/config allows it."


@dataclass(frozen=True, slots=True)
class Entry:
    """The section of a package: the kind of source, and what it is told."""

    source: str
    options: Mapping[str, Any]

    @property
    def repository(self) -> str:
        """The URL of the repository whose tags answer it, empty where it takes nvchecker.

        Raises InputError for what follows commits, or a repository that is none.
        """
        if self.source == "git":
            return self._git_url(self.options.get("git"))
        if self.source == "github" and self.options.get("use_max_tag") and not self._is_special:
            project = self.options.get("github")
            host = self.options.get("host", "github.com")
            if not isinstance(project, str) or not _GITHUB_PROJECT.fullmatch(project):
                raise InputError(f"github = {project!a} is no project")
            return self._git_url(f"https://{host}/{project}.git")
        return ""

    @property
    def _is_special(self) -> bool:
        """Whether what nvchecker looks at first is something else than tags."""
        return any(self.options.get(name) for name in ("use_latest_tag", "use_latest_release"))

    def _git_url(self, url: object) -> str:
        if not isinstance(url, str):
            raise InputError(f"git = {url!a} is no URL")
        if self.options.get("use_commit"):
            raise InputError(
                "it asks for the newest commit, which is no version",
                hint="A package that follows commits is a VCS package (CI_FORCE_VCS).",
            )
        key = self.options.get("sort_version_key", "parse_version")
        if key not in _SORT_KEYS:
            raise InputError(f"sort_version_key = {key!a} is not known here")
        return RemoteRef(url).url


def read_entry(text: str, package: str) -> list[Any]:
    """Return the source and the options of the section for `package`. Raises InputError.

    It is that of its name, or the only one. For a confined process.
    """
    try:
        sections = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"it is no TOML: {error}") from error
    sections.pop("__config__", None)
    if package in sections:
        section = sections[package]
    elif len(sections) == 1:
        (section,) = sections.values()
    else:
        names = ", ".join(sorted(sections)[:5]) or "none"
        raise InputError(f"which section is for {package} is not clear; it has {names}")
    source = section.get("source") if isinstance(section, dict) else None
    if not isinstance(source, str) or not _SOURCE.fullmatch(source):
        raise InputError(f"source = {source!a} is none that nvchecker knows")
    options = {key: value for key, value in section.items() if key != "source"}
    try:
        json.dumps(options, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"its section holds what no option is: {error}") from error
    return [source, options]


def check_entry(
    entry: Entry,
    *,
    commands: bool,
    local: bool,
    has_keys: bool,
    look_up: Callable[[str], Sequence[str]],
) -> None:
    """Raise InputError where an entry asks for more than it may.

    `commands` allows every source, `local` every server; `has_keys` tells that tokens are there,
    which must not travel to any server that an entry names. `look_up` finds the addresses of hosts.
    """
    _ = entry.repository  # raises for what is none
    if entry.source not in {*_WEB_SOURCES, "git"} and not commands:
        raise InputError(
            f"the source {entry.source} may run commands or read files of this machine",
            hint=_COMMANDS_HINT,
        )
    if (
        has_keys
        and entry.source == "github"
        and entry.options.get("host", "github.com") != ("github.com")
    ):
        raise InputError("a token for GitHub must not go to another host")
    if not local:
        for host in _hosts(entry):
            check_addresses(host, look_up(host))


def _hosts(entry: Entry) -> Iterator[str]:
    """Yield the servers that an entry names. Raises InputError for other places."""
    if entry.repository:
        yield _host_of(entry.repository)
        return
    for name, value in entry.options.items():
        if not isinstance(value, str):
            continue
        scheme = _SCHEME.match(value)
        if name in _ADDRESS_OPTIONS and "://" in value:
            yield _host_of(value.strip())
        elif name in _HOST_OPTIONS:
            if not _HOST.fullmatch(value.partition("/")[0]):
                raise InputError(f"{name} = {value[:80]!a} is no host")
            yield value.partition("/")[0].partition(":")[0]
        elif name in _ADDRESS_OPTIONS and scheme:
            raise InputError(f"{name} = {value[:80]!a} is no http or https URL")


def _host_of(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme.lower() not in _OPEN or not parts.hostname:
        raise InputError(
            f"{url[:80]!a} is asked for nothing: only http, https and git URLs are",
            hint="CI_LOCAL_SOURCES=true in .ci/config allows others.",
        )
    return parts.hostname


def as_toml(entries: Mapping[str, Entry], settings: Mapping[str, Any]) -> str:
    """Return a file for nvchecker with all entries."""
    lines = ["[__config__]", *_assignments(settings)]
    for name, entry in entries.items():
        lines += ["", f"[{_toml(name)}]", *_assignments({"source": entry.source, **entry.options})]
    return "\n".join(lines) + "\n"


def _assignments(values: Mapping[str, Any]) -> list[str]:
    return [f"{_toml(key)} = {_toml(value)}" for key, value in values.items()]


def _toml(value: Any) -> str:  # noqa: ANN401 - whatever JSON can hold
    if isinstance(value, dict):
        return f"{{{', '.join(_assignments(value))}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    # Of JSON's text, TOML's is the same but for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
