"""What the web server needs to know."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from caur_ci.errors import ConfigError
from scheduler.settings import variables as v
from scheduler.settings.values import Values

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_WEB_PORT = 8080
DEFAULT_WEB_HOST = "127.0.0.1"

# A token that can be tried out is none.
_SHORTEST_TOKEN = 16
_EVERYBODY = "*"
# The words of the existing system, which are those of its web framework.
_KINDS_OF_NETWORKS = {
    "loopback": ("127.0.0.0/8", "::1/128"),
    "linklocal": ("169.254.0.0/16", "fe80::/10"),
    "uniquelocal": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """What the web server needs to know.

    `base_path` begins with a slash and does not end with one, or is empty. `cors` are the origins
    that may read, `*` for all. `trusted_proxies` are addresses, networks, or `*`. `token` is the
    secret that those who want to change something have to know; without one nothing can be
    changed. `logs_url` is where others find the logs.
    """

    port: int = DEFAULT_WEB_PORT
    host: str = DEFAULT_WEB_HOST
    base_path: str = ""
    cors: tuple[str, ...] = ()
    logs_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    log_requests: bool = True
    token: str = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], *, token: str = "") -> Self:
        """Read the settings; `token` is the secret API_TOKEN. Raises ConfigError."""
        values = Values(environ)
        return cls(
            port=values.get(v.WEB_PORT, DEFAULT_WEB_PORT),
            host=values.get(v.WEB_HOST, DEFAULT_WEB_HOST),
            base_path=values.get(v.WEB_BASE_PATH, "").rstrip("/"),
            cors=_words(values.get(v.WEB_CORS, "")),
            logs_url=values.get(v.LOGS_URL, ""),
            trusted_proxies=_proxies(_words(values.get(v.TRUST_PROXY, ""))),
            log_requests=not values.get(v.NO_HTTP_LOG, False),
            token=_checked_token(token),
        )


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[\s,]+", text) if word)


def _proxies(words: tuple[str, ...]) -> tuple[str, ...]:
    if [word.lower() for word in words] in ([], ["false"], ["no"]):
        return ()
    if [word.lower() for word in words] in (["true"], ["yes"]):
        return (_EVERYBODY,)
    return tuple(network for word in words for network in _networks(word))


def _networks(word: str) -> tuple[str, ...]:
    if word.lower() in _KINDS_OF_NETWORKS:
        return _KINDS_OF_NETWORKS[word.lower()]
    try:
        # A bare number would be read as an address.
        return (str(ipaddress.ip_network(word if re.search("[.:]", word) else "")),)
    except ValueError:
        raise ConfigError(
            f"TRUST_PROXY: {word!r} is neither an address nor a network",
            hint="Name the proxies, such as `127.0.0.1` or `10.0.0.0/8`, or say `true` where "
            "nobody but a proxy can get to the port.",
        ) from None


def _checked_token(token: str) -> str:
    token = token.strip()
    if token and not re.fullmatch(rf"[\x21-\x7e]{{{_SHORTEST_TOKEN},}}", token):
        raise ConfigError(
            f"API_TOKEN is not one of at least {_SHORTEST_TOKEN} printable characters",
            hint="Make one with `openssl rand -hex 32`.",
        )
    return token
