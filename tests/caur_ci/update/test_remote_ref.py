"""How places in other people's repositories are named."""

from __future__ import annotations

import pytest

from caur_ci.errors import InputError
from caur_ci.update.remote_ref import RemoteRef


@pytest.mark.parametrize(
    ("location", "url", "ref"),
    [
        ("https://example.org/a.git", "https://example.org/a.git", "HEAD"),
        ("https://example.org/m#branch=libc++", "https://example.org/m", "refs/heads/libc++"),
        ("git@example.org:a/b#branch=x/y", "git@example.org:a/b", "refs/heads/x/y"),
        ("file:///srv/a#tag=v1.0", "file:///srv/a", "refs/tags/v1.0"),
    ],
)
def test_a_branch_or_tag_follows_the_url(location: str, url: str, ref: str) -> None:
    place = RemoteRef.parse(location)

    assert place == RemoteRef(url, ref)
    assert str(place) == location


@pytest.mark.parametrize(
    "location",
    [
        "",
        "-oProxyCommand=x",
        "--upload-pack=x",
        "/srv/a.git",
        "ext::sh -c x",
        "https://example.org/a b",
        "https://example.org/\x1b[31m",
        "https://example.org/a#commit=abc",
        "https://example.org/a#branch=",
        "https://example.org/a#branch=a:refs/heads/b",
        "https://example.org/a#branch=*",
        "https://example.org/a#branch=a\nb",
        "https://example.org/a#branch=a..b",
        "https://example.org/a#branch=.a",
        "https://example.org/a#branch=a.lock",
        "https://example.org/a#branch=a/",
        "https://example.org/a#branch=a@{1}",
        "https://example.org/a#branch=^a",
    ],
)
def test_what_could_mean_something_else_is_refused(location: str) -> None:
    with pytest.raises(InputError):
        RemoteRef.parse(location)


def test_credentials_are_never_shown() -> None:
    place = RemoteRef.parse("https://me:s3cret@example.org:8443/a#branch=b")

    assert str(place) == "https://example.org:8443/a#branch=b"
    assert place.host == "example.org:8443"
    with pytest.raises(InputError) as caught:
        RemoteRef.parse("https://me:s3cret@example.org/a b")
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "host"),
    [("git@Example.org:a/b", "example.org"), ("file:///a", ""), ("ssh://aur@b/c", "b")],
)
def test_the_server_of_a_url(url: str, host: str) -> None:
    assert RemoteRef(url).host == host
