"""No part of a password is shown, however it was written into a URL."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caur_ci.credentials import split_login, without_credentials, without_credentials_in

# Not in the rest of the URLs and texts below, so that whatever is left over is seen.
_LETTERS = "QWXYZ" + string.digits
_HOSTILE = "@/:?#%&=+;,!$'\"<>[]\\|~é"
SCHEMES = st.sampled_from(["https", "HTTPS", "http", "ssh", "git+https", "redis", "rediss"])
HOSTS = st.sampled_from(["host", "git.host.org", "[fe::a]", "host.org:x"])
PATHS = st.sampled_from(["", "/", "/a.git", "/a/b?c=d#e", "?q", "#branch=a"])
USERS = st.text(_LETTERS + ".-_", min_size=1)
PASSWORDS = st.text(_LETTERS + _HOSTILE, min_size=1)


def _shows(text: str, secret: str) -> bool:
    return any(part in text for part in re.findall(f"[{_LETTERS}]+", secret))


@given(scheme=SCHEMES, user=USERS, password=st.text(_LETTERS + _HOSTILE + " \t"), host=HOSTS)
@pytest.mark.parametrize("path", ["", "/a.git", "/a/b?c=d#e", "#branch=a"])
def test_a_url_is_shown_without_its_login(
    scheme: str, user: str, password: str, host: str, path: str
) -> None:
    shown = without_credentials(f"{scheme}://{user}:{password}@{host}{path}")

    assert shown in {f"{scheme}://{host}{path}", f"{scheme}://***@{host}{path}"}


@given(
    logins=st.lists(st.tuples(USERS, PASSWORDS), min_size=1, max_size=4),
    scheme=SCHEMES,
    host=HOSTS,
    path=PATHS,
    between=st.sampled_from([" ", "\n", ": ", "' and '", "\t"]),
)
def test_a_text_with_urls_is_shown_without_their_logins(
    logins: list[tuple[str, str]], scheme: str, host: str, path: str, between: str
) -> None:
    urls = [f"{scheme}://{user}:{password}@{host}{path}" for user, password in logins]
    shown = without_credentials_in(f"fatal: '{between.join(urls)}' not found")

    assert not _shows(shown, "".join(f"{user}{password}" for user, password in logins))
    assert shown.count(f"{host}{path}") >= 1
    assert shown.startswith("fatal: '")
    assert shown.endswith("' not found")


@given(user=USERS, password=st.text(_LETTERS + _HOSTILE + " ", min_size=4), host=HOSTS)
def test_a_known_url_and_its_password_are_found_in_a_text(
    user: str, password: str, host: str
) -> None:
    url = f"https://{user}:{password}@{host}/a"
    shown = without_credentials_in(f"no {url}, with {password}", known=[url])

    assert not _shows(shown, password)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:p@ss@host/x", "https://host/x"),
        ("https://user:p/ss@host/x", "https://***@host/x"),
        ("https://user:4711/w0rd@host/x", "https://***@host/x"),
        ("redis://:p?ss@host", "redis://***@host"),
        ("redis://:p#ss@host/0", "redis://***@host/0"),
        ("https://t0ken@example.org/a@b.git", "https://example.org/a@b.git"),
        ("https://example.org/@scope/a", "https://example.org/@scope/a"),
        ("https://example.org:8443/a", "https://example.org:8443/a"),
        ("git@example.org:a/b@c", "git@example.org:a/b@c"),
        ("file:///srv/a@b.git", "file:///srv/a@b.git"),
        ("ssh://git@example.org/a.git", "ssh://example.org/a.git"),
        ("", ""),
    ],
)
def test_what_is_left_of_a_url(url: str, shown: str) -> None:
    assert without_credentials(url) == shown
    assert without_credentials_in(url) == shown


@pytest.mark.parametrize(
    ("url", "login", "rest"),
    [
        ("https://a:b%40c@host:1/x?y", "a:b%40c", "https://host:1/x?y"),
        ("https://a:p@ss@host/x", "a:p@ss", "https://host/x"),
        ("HTTPS://host/x@y", "", "HTTPS://host/x@y"),
    ],
)
def test_a_login_is_split_off(url: str, login: str, rest: str) -> None:
    assert split_login(url) == (login, rest)
