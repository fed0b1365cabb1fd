"""User names and passwords in URLs: told apart from the rest, and kept out of what people read.

What is shown is cut with the worst in mind: passwords that nobody has percent-encoded, so that a
program reads half of them as a host or a path (RFC 3986, section 3.2.1 says what they may hold).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "***"
_URL = re.compile(r"://(\S+)")
_END_OF_AUTHORITY = re.compile(r"[/?#\\\s]")
_DOTTED_HOST = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
# Shorter ones occur everywhere.
_SHORTEST_SECRET = 4


def split_login(url: str) -> tuple[str, str]:
    """Return what stands before the host of a well-formed URL, and the URL without it.

    Both are as they were, percent-encoded. Raises ValueError where the URL cannot be split.
    """
    parts = urlsplit(url)
    login, _, host = parts.netloc.rpartition("@")
    return login, parts._replace(netloc=host).geturl() if login else url


def without_credentials(url: str) -> str:
    """Return a URL without user name and password.

    Where it cannot be told how far they go, stars stand for everything that may belong to them.
    What is no URL, `git@host:path` among it, stays as it is.
    """
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{_shown(rest)}"


def without_credentials_in(text: str, known: Iterable[str] = ()) -> str:
    """Return a text with the credentials of all URLs in it left out.

    A URL ends at a blank there. Those that are `known` to be the text's subject are found whatever
    they hold, and so are their passwords alone.
    """
    for url in known:
        text = text.replace(url, without_credentials(url))
        for secret in secrets_of(url):
            text = text.replace(secret, HIDDEN)
    return _URL.sub(lambda found: f"://{_shown(found[1])}", text)


def _shown(rest: str) -> str:
    """Return what follows `://` without credentials."""
    login, at, after = rest.rpartition("@")
    end = _END_OF_AUTHORITY.search(rest)
    authority = rest[: end.start()] if end else rest
    if not at or not authority:
        return rest
    if len(login) < len(authority):
        return after
    # An `@` behind the host: of the path, or the end of a password with a slash in it.
    host = authority.rpartition("@")[2]
    if ":" not in login and _DOTTED_HOST.fullmatch(host):
        return f"{host}{rest[len(authority) :]}"
    return f"{HIDDEN}@{after}"


def secrets_of(url: str) -> list[str]:
    """Return what is secret in a URL, as it is written and as it is meant, longest first."""
    login, at, _ = url.partition("://")[2].rpartition("@")
    if not at:
        return []
    user, _, password = login.partition(":")
    found = {login, password or user, unquote(password or user)}
    return sorted((it for it in found if len(it) >= _SHORTEST_SECRET), key=len, reverse=True)
