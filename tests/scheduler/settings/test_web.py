"""The settings of the web server."""

from __future__ import annotations

import pytest

from caur_ci.errors import ConfigError
from scheduler.settings import WebSettings

TOKEN = "0123456789abcdef"


def read(**variables: str) -> WebSettings:
    return WebSettings.from_environment(variables)


def test_by_default_it_is_for_this_machine_and_for_reading() -> None:
    settings = read()

    assert (settings.host, settings.port, settings.token) == ("127.0.0.1", 8080, "")
    assert (settings.cors, settings.trusted_proxies, settings.base_path) == ((), (), "")
    assert settings.log_requests


def test_all_of_it() -> None:
    settings = WebSettings.from_environment(
        {
            "WEB_PORT": "80",
            "WEB_HOST": "::",
            "WEB_BASE_PATH": "/a/b/",
            "WEB_CORS": "https://aur.chaotic.cx, http://localhost:3000",
            "LOGS_URL": "https://x.example/logs/logs.html",
            "TRUST_PROXY": "10.1.2.3 192.168.0.0/16",
            "NO_HTTP_LOG": "1",
        },
        token=f" {TOKEN}\n",
    )

    assert settings == WebSettings(
        port=80,
        host="::",
        base_path="/a/b",
        cors=("https://aur.chaotic.cx", "http://localhost:3000"),
        logs_url="https://x.example/logs/logs.html",
        trusted_proxies=("10.1.2.3/32", "192.168.0.0/16"),
        log_requests=False,
        token=TOKEN,
    )


@pytest.mark.parametrize(
    ("text", "proxies"),
    [
        ("true", ("*",)),
        ("false", ()),
        ("loopback", ("127.0.0.0/8", "::1/128")),
        ("::1", ("::1/128",)),
    ],
)
def test_proxies(text: str, proxies: tuple[str, ...]) -> None:
    assert read(TRUST_PROXY=text).trusted_proxies == proxies


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("WEB_PORT", "0"), ("WEB_PORT", "x"), ("WEB_HOST", "a b"), ("WEB_BASE_PATH", "ci")),
        *(("WEB_BASE_PATH", "/a/../b?"), ("WEB_CORS", "example.org"), ("LOGS_URL", "x")),
        *(("TRUST_PROXY", "1"), ("TRUST_PROXY", "10.0.0.1/8"), ("TRUST_PROXY", "proxy.example")),
    ],
)
def test_what_does_not_fit_is_told_by_name(name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=name):
        read(**{name: text})


@pytest.mark.parametrize("token", ["short", "with blanks in between it", "ünïcödé" * 3])
def test_a_token_that_is_none_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(ConfigError, match="API_TOKEN") as caught:
        WebSettings.from_environment({}, token=token)
    assert token not in f"{caught.value.message} {caught.value.hint}"
