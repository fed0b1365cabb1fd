"""Checksums of sources as makepkg would see them, within limits, from public servers."""

from __future__ import annotations

import gzip
import hashlib
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import CaurError, InputError
from caur_ci.update.public_web import (
    LocalAddressError,
    addresses_of,
    check_addresses,
    is_public,
)
from caur_ci.update.source_sums import KINDS, Limits, SourceError, SourceSums, digests
from tests.support.source_server import Answer, SourceServer, source_server

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT = b"the source\n" * 100


@pytest.fixture
def there() -> Iterator[SourceServer]:
    with source_server() as made:
        yield made


def sums_of(url: str, **limits: float) -> dict[str, str]:
    chosen = Limits(**limits)  # type: ignore[arg-type]
    return SourceSums(allow_local=True, limits=chosen, sleep=lambda _: None).of(url, ["sha256"])


def problem_of(url: str, **limits: float) -> str:
    with pytest.raises(SourceError) as caught:
        sums_of(url, **limits)
    return caught.value.message


def sha256(content: bytes) -> dict[str, str]:
    return {"sha256": hashlib.sha256(content).hexdigest()}


def test_every_kind_is_that_of_the_tools(there: SourceServer) -> None:
    found = SourceSums(allow_local=True).of(there.put("/a.tgz", CONTENT), KINDS)

    assert found["b2"] == hashlib.blake2b(CONTENT).hexdigest()
    assert found["sha512"] == hashlib.sha512(CONTENT).hexdigest()
    assert found == digests(KINDS, CONTENT)
    assert len(found) == 7


def test_what_is_compressed_is_not_unpacked(there: SourceServer) -> None:
    packed = gzip.compress(CONTENT)
    url = there.put("/a", Answer(packed, headers={"Content-Encoding": "gzip"}))

    assert sums_of(url) == sha256(packed)
    assert there.headers[0]["Accept-Encoding"] == "identity"


def test_redirects_are_followed(there: SourceServer) -> None:
    there.put("/b", CONTENT)
    url = there.put("/a", Answer(status=302, headers={"Location": "/b"}))
    assert sums_of(url) == sha256(CONTENT)


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://example.org/x", "/a"])
def test_redirects_elsewhere_are_not(there: SourceServer, place: str) -> None:
    url = there.put("/a", Answer(status=302, headers={"Location": place}))
    with pytest.raises(InputError):
        sums_of(url)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/x", "data:,x", "x"])
def test_only_http_is_asked(url: str) -> None:
    with pytest.raises(InputError, match="only http and https"):
        sums_of(url)


def test_what_is_not_there_is_told(there: SourceServer) -> None:
    assert "status 404" in problem_of(f"{there.url}/a?secret=1")
    assert "secret" not in problem_of(f"{there.url}/a?secret=1")


def test_what_may_pass_is_asked_again(there: SourceServer) -> None:
    url = there.put("/a", Answer(status=503, times=1), CONTENT)
    assert sums_of(url) == sha256(CONTENT)


def test_what_does_not_pass_is_given_up(there: SourceServer) -> None:
    url = there.put("/a", Answer(status=503, headers={"Retry-After": "86400"}))
    assert "status 503" in problem_of(url)
    assert there.asked == ["/a"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(CONTENT, length=5000), "broke off"),
        (Answer(b""), "is empty"),
        (Answer(b"<html>", kind="text/html; charset=utf-8"), "a page instead of a file"),
    ],
)
def test_what_is_no_file_is_refused(there: SourceServer, answer: Answer, told: str) -> None:
    assert told in problem_of(there.put("/a.tar.gz", answer))


def test_size_is_limited(there: SourceServer) -> None:
    url = there.put("/a", Answer(b"x" * 100_000, endless=True))
    assert "larger than 3000000 bytes" in problem_of(url, size=3_000_000)


def test_time_is_limited(there: SourceServer) -> None:
    url = there.put("/a", Answer(b"x" * 100_000, endless=True))
    assert "in time" in problem_of(url, seconds=0.2)
    assert "in time" in problem_of(url, seconds_of_run=0.0)


class TestPublic:
    """Strangers do not reach the networks that a pipeline runs in."""

    @pytest.mark.parametrize(
        "address",
        [
            *("127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254"),
            *("100.64.0.1", "224.0.0.1", "::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1"),
            *("64:ff9b::7f00:1", "2002:7f00:1::", "::", "x"),
        ],
    )
    def test_private_addresses(self, address: str) -> None:
        assert not is_public(address)

    @pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
    def test_public_addresses(self, address: str) -> None:
        assert is_public(address)

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "0x7f000001", "[::1]"])
    def test_nothing_is_sent_to_a_private_one(self, there: SourceServer, host: str) -> None:
        port = there.url.rpartition(":")[2]
        there.put("/a", CONTENT)
        with pytest.raises(CaurError):
            SourceSums(sleep=lambda _: None).of(f"http://{host}:{port}/a", ["sha256"])
        assert there.asked == []

    def test_the_error_says_what_allows_it(self, there: SourceServer) -> None:
        with pytest.raises(InputError, match="not public") as caught:
            SourceSums().of(there.put("/a", CONTENT), ["sha256"])
        assert "CI_LOCAL_SOURCES" in caught.value.hint

    def test_names_are_looked_up(self) -> None:
        with pytest.raises(LocalAddressError):
            check_addresses("localhost", addresses_of("localhost"))
        assert addresses_of("no-such-host.invalid") == []
