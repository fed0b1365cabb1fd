"""The kinds of values that configuration keys take.

A kind is a regular expression, the words that tell people what it allows, and a conversion. The
expression is what the loader checks and what the JSON Schema of the file says, so they cannot
differ; it stays within the syntax that Python and ECMAScript share.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from caur_ci.config.interval import INTERVAL, VcsInterval, read_interval
from caur_ci.request import normalize_build_class

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_NAME = r"[A-Za-z0-9@._+-]+"
_GIT_URL = r"(?:(?:https?|git|ssh|file)://\S+|[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:\S+)"
_HOST_KEY = r"(?:ssh|ecdsa|sk)-[a-z0-9@.-]+[ \t]+[A-Za-z0-9+/]{40,2000}={0,2}"
_FINGERPRINT = r"SHA256:[A-Za-z0-9+/]{43}=?"
_PORT = r"(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"


@dataclass(frozen=True)
class ValueType(Generic[T]):
    """One kind of value: what the text must look like, and what it becomes."""

    pattern: str
    allowed: str
    convert: Callable[[str], T]

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern, re.ASCII)

    def parse(self, text: str) -> T:
        """Convert `text`, or raise ValueError with the words for what is allowed."""
        if self._compiled.fullmatch(text) is None:
            raise ValueError(self.allowed)
        return self.convert(text)


@dataclass(frozen=True, slots=True)
class PkgbuildSource:
    """Where a package's files come from. `location` is the project or URL, where there is one."""

    kind: Literal["aur", "custom", "gitlab", "git"]
    location: str = ""


@dataclass(frozen=True, slots=True)
class Bump:
    """How much `pkgrel` is raised: by 0.`count`.

    With a `version` (`[epoch:]pkgver-pkgrel`), only as long as the package is at that version.
    """

    count: int
    version: str = ""


def _source(text: str) -> PkgbuildSource:
    if text in {"aur", "custom"}:
        return PkgbuildSource("aur" if text == "aur" else "custom")
    if text.startswith("gitlab:"):
        return PkgbuildSource("gitlab", text.removeprefix("gitlab:"))
    return PkgbuildSource("git", text)


def _bump(text: str) -> Bump:
    version, _, count = text.rpartition("/")
    if version:
        return Bump(int(count), version)
    return Bump(int(text)) if text.isdecimal() else Bump(1, text)


def _split_at(separator: str | None) -> Callable[[str], tuple[str, ...]]:
    return lambda text: tuple(text.split(separator))


def number(smallest: int, largest: int, pattern: str) -> ValueType[int]:
    """Return the kind of whole numbers that `pattern` lets through."""
    return ValueType(pattern, f"a whole number from {smallest} to {largest}", int)


BOOLEAN = ValueType(r"true|false|1|0", "true or false (1 or 0)", lambda text: text in {"true", "1"})
PUBLISHING = ValueType(r"together|partial", "together or partial", str)
SRCINFO = ValueType(r"committed|generate", "committed or generate", lambda text: text == "generate")
SECONDS = ValueType(r"[0-9]{1,5}(?:\.[0-9]{1,3})?", "a number of seconds, such as 0 or 2.5", float)
EXIT_CODE = number(1, 255, r"[1-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5]")
PORT = number(1, 65535, _PORT)
FEW = number(1, 20, r"[1-9]|1[0-9]|20")
COUNT = number(1, 999, r"[1-9][0-9]{0,2}")
PERCENT = number(1, 100, r"[1-9]|[1-9][0-9]|100")
NATURAL = number(0, 9999, r"[0-9]{1,4}")
TEXT = ValueType(r"\S.*", "any text on one line", str)
WORD = ValueType(r"[A-Za-z0-9_.-]+", "one word of letters, digits and _ . -", str)
PERSON = ValueType(r"[^\s<>][^<>]*", "a name without < and >", str)
EMAIL = ValueType(r"[^\s<>]+", "an e-mail address without blanks, < and >", str)
HOST = ValueType(r"[A-Za-z0-9](?:[A-Za-z0-9.:-]*[A-Za-z0-9])?", "a host name or IP address", str)
FINGERPRINTS = ValueType(
    rf"{_FINGERPRINT}(?:[ \t]+{_FINGERPRINT})*",
    "fingerprints like SHA256:…, with blanks in between",
    str,
)
USER = ValueType(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", "a user name", str)
REPOSITORY = ValueType(
    r"[A-Za-z0-9_][A-Za-z0-9@._+-]*", "a repository name: letters, digits and @ . _ + -", str
)
WEB_URL = ValueType(r"https?://\S+", "an http or https URL", str)
GIT_URL = ValueType(_GIT_URL, "the URL of a git repository", str)
SSH_URL = ValueType(
    rf"ssh://[A-Za-z0-9_][A-Za-z0-9_.-]*@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::{_PORT})?"
    r"(?:/[A-Za-z0-9._/-]*)?",
    "an SSH URL with a user: ssh://USER@HOST, ssh://USER@HOST:PORT/PATH",
    str,
)
HOST_KEYS = ValueType(
    rf"{_HOST_KEY}(?:[ \t]*,[ \t]*{_HOST_KEY})*",
    "public host keys, each TYPE and KEY as in a .pub file, with commas in between",
    lambda text: tuple(re.split(r"[ \t]*,[ \t]*", text)),
)
GIT_URLS = ValueType(
    rf"{_GIT_URL}(?:[ \t]+{_GIT_URL})*",
    "URLs of git repositories, with blanks in between",
    _split_at(None),
)
PROXY = ValueType(
    r"(?:https?|socks4a?|socks5h?)://\S+|[A-Za-z0-9.-]+:[0-9]{1,5}",
    "a proxy URL (http, https, socks5, socks5h) or HOST:PORT",
    str,
)
URLS = ValueType(
    r"(?:https?|file)://\S+(?:[ \t]+(?:https?|file)://\S+)*",
    "URLs with blanks in between",
    _split_at(None),
)
DATABASE_URL = ValueType(r"(?:https?|file)://\S+", "the URL of a package database", str)
ARCHITECTURES = ValueType(
    r"[a-z0-9_]{1,32}(?:[ \t]+[a-z0-9_]{1,32})*",
    "architectures such as x86_64 and x86_64_v3, with blanks in between",
    lambda text: tuple(dict.fromkeys(text.split())),
)
NAMES = ValueType(
    rf"{_NAME}(?::{_NAME})*", "package names with colons in between: a:b:c", _split_at(":")
)
BUILD_CLASS = ValueType(
    r"[0-9]{1,4}|[A-Za-z_][A-Za-z0-9._-]*",
    "a number (the least class of the worker) or the name of a worker",
    normalize_build_class,
)
SOURCE = ValueType(
    rf"aur|custom|gitlab:[A-Za-z0-9._/-]+|{_GIT_URL}",
    "aur, custom, gitlab:PROJECT_ID or the URL of a git repository",
    _source,
)
BUMP = ValueType(
    r"[0-9]{1,4}|(?:[0-9]+:)?[^\s:/-]+-[0-9]+(?:\.[0-9]+)?(?:/[0-9]{1,4})?",
    "a number N, or [EPOCH:]PKGVER-PKGREL/N such as 1:2.3-1/2",
    _bump,
)
VCS_INTERVAL: ValueType[VcsInterval] = ValueType(
    INTERVAL,
    "none, or one or more of 7d (days), 20c (commits) and 22-6 or 22-6@Europe/Berlin (hours, in "
    "UTC or a time zone that this machine knows), with blanks in between",
    read_interval,
)
# Several extended regular expressions; what is inside them is looked at where they are used.
EXPRESSIONS = ValueType(r"\S.*", "regular expressions with semicolons in between", _split_at(";"))
