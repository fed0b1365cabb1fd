"""From what people write to a publishing target."""

from __future__ import annotations

import pytest

from caur_ci.errors import ConfigError
from scheduler.hosting.opening import Surroundings, open_target

_SECRETS = {"GITHUB_TOKEN": "ghs_1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}


@pytest.mark.parametrize(
    ("address", "shown", "server"),
    [
        ("/srv/http", "/srv/http", "file:///srv/http/$repo/$arch"),
        ("file:///srv/my%20http", "/srv/my http", "file:///srv/my http/$repo/$arch"),
        ("ssh://me@host:2222/srv/http/", "ssh://me@host:2222/srv/http", ""),
        ("ssh://host/srv", "ssh://host/srv", ""),
        (
            "s3://bucket/some/where?endpoint=https://s3.example.org&region=eu",
            "s3://bucket/some/where",
            "https://s3.example.org/bucket/some/where/$repo/$arch",
        ),
        (
            "github-release:me/packages",
            "github-release:me/packages",
            "https://github.com/me/packages/releases/download/$repo-$arch",
        ),
        ("git+https://example.org/me/x.git#pages", "git+https://example.org/me/x.git#pages", ""),
        ("git+https://example.org/me/x.git", "git+https://example.org/me/x.git#gh-pages", ""),
    ],
)
def test_addresses(address: str, shown: str, server: str) -> None:
    target = open_target(address, Surroundings({}, _SECRETS))

    assert (target.address, target.server) == (shown, server)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "is no publishing target"),
        ("srv/http", "is no publishing target"),
        ("ftp://host/srv", "is no publishing target"),
        ("github-release:", "is no publishing target"),
        ("github-release:packages", "no repository at GitHub"),
        ("file://host/srv", "no folder of this machine"),
        ("ssh:///srv", "names no folder of a host"),
        ("ssh://host", "names no folder of a host"),
        ("ssh://host/srv/$(id)", "names no folder of a host"),
        ("ssh://-oProxyCommand=id/srv", "is no host name"),
        ("ssh://host:port/srv", "is no URL"),
        ("s3://", "has no bucket"),
        ("s3://bucket?acl=public", "has 'acl', which means nothing there"),
        ("s3://bucket?endpoint=s3.example.org", "which is no address of a server"),
        ("git+https://example.org/x.git#a..b", "no name of a branch"),
        ("git+http://example.org/x.git", "would send the token"),
    ],
)
def test_what_is_no_address_is_told(address: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace("(", r"\(")):
        open_target(address, Surroundings({}, _SECRETS))


@pytest.mark.parametrize(
    "address",
    ["ssh://me:hunter22@host/srv", "s3://me:hunter22@bucket/x", "git+https://me:hunter22@host/x"],
)
def test_a_password_in_an_address_is_refused_and_not_shown(address: str) -> None:
    with pytest.raises(ConfigError, match="has a password in it") as caught:
        open_target(address, Surroundings({}, _SECRETS))
    assert "hunter22" not in f"{caught.value} {caught.value.hint}"


def test_release_assets_need_a_token() -> None:
    with pytest.raises(ConfigError, match="needs a token"):
        open_target("github-release:me/packages", Surroundings({}, {}))
