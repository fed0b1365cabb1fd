"""What every answer has, whatever is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler.settings import WebSettings

if TYPE_CHECKING:
    import httpx
    from starlette.testclient import TestClient


def test_it_is_there(web: httpx.Client) -> None:
    answer = web.get("/healthz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "parts": {}}


def test_browsers_are_told_to_load_nothing_from_elsewhere(client: TestClient) -> None:
    for path in ("/healthz", "/nothing/here"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "server" not in headers


def test_what_is_not_there_is_told(client: TestClient) -> None:
    answer = client.get("/api/nothing")

    assert answer.status_code == 404
    assert answer.json() == {"error": "Not Found", "hint": ""}


@pytest.mark.parametrize("settings", [WebSettings(port=0, base_path="/ci")], ids=["prefix"])
@pytest.mark.parametrize("path", ["/healthz", "/ci/healthz"])
def test_the_proxy_may_remove_its_prefix_or_not(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200


def test_what_is_the_same_is_not_sent_again(client: TestClient) -> None:
    tag = client.get("/healthz").headers["etag"]

    assert client.get("/healthz", headers={"If-None-Match": f'"other", {tag}'}).status_code == 304
    assert client.get("/healthz", headers={"If-None-Match": '"other"'}).status_code == 200
