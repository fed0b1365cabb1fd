"""Secrets in logs: masked whole, wherever portions end, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.worker.masking import Masker

KNOWN = ("s3cret/token+value", "with some blanks in it", "first line of a key\nsecond line of it")
KEY = (
    b"-----BEGIN OPENSSH PRIVATE KEY-----\r\nb3BlbnNzaC1rZXktdjEAAAAA\r\nAAAAB3NzaC1yc2E=\r\n"
    b"-----END OPENSSH PRIVATE KEY-----"
)
SECRETS = {
    "known": b"s3cret/token+value",
    "in a URL": b"s3cret%2Ftoken%2Bvalue",
    "blanks": b"with some blanks in it",
    "one of several lines": b"second line of it",
    "gitlab": b"glpat-abcDEF0123456789-_xy",
    "github": b"ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "github, new": b"github_pat_11AAAAAAA0abcdefghijklmnop_qrstuv",
    "aws": b"AKIAIOSFODNN7EXAMPLE",
    "key": KEY,
}


def masked(text: bytes, *sizes: int) -> bytes:
    """Feed a text in portions of these sizes, in turn, and return what is shown."""
    masker, shown, place, turn = Masker(KNOWN), bytearray(), 0, 0
    while place < len(text):
        size = max(1, sizes[turn % len(sizes)]) if sizes else len(text)
        shown += masker.feed(text[place : place + size])
        place, turn = place + size, turn + 1
    return bytes(shown + masker.close())


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_secret_is_masked_wherever_portions_end(kind: str, size: int) -> None:
    text = b"+ TOKEN=" + SECRETS[kind] + b"!\r\nand on\r\n" + SECRETS[kind]
    assert masked(text, size) == b"+ TOKEN=***!\r\nand on\r\n***"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (b"https://me:p4ss@example.org/a.git", b"https://***@example.org/a.git"),
        (b"https://t0ken@example.org", b"https://***@example.org"),
        (b"redis://:p4ss@[::1]:6379/0", b"redis://***@[::1]:6379/0"),
        (b"git+ssh://git@example.org/a", b"git+ssh://git@example.org/a"),
        (b"ssh://aur@aur.archlinux.org/a.git", b"ssh://aur@aur.archlinux.org/a.git"),
        (b"https://example.org/@scope/pkg", b"https://example.org/@scope/pkg"),
        (b"https://example.org 'me@example.org'", b"https://example.org 'me@example.org'"),
    ],
    ids=["login", "token", "password", "ssh", "aur", "path", "address"],
)
def test_passwords_go_from_urls(url: bytes, shown: bytes) -> None:
    assert masked(b"from " + url + b"\n", 5) == b"from " + shown + b"\n"


@pytest.mark.parametrize(
    "text",
    [
        b"ghp_short glpat-short AKIAshort xAKIAIOSFODNN7EXAMPLE",
        b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        b"\x1b[1mbytes \xff\x00\x1b[0m " * 50,
        b"x" * 5000,
        b"",
    ],
    ids=["nearly", "certificate", "bytes", "long", "empty"],
)
def test_what_is_no_secret_stays_as_it_is(text: bytes) -> None:
    assert masked(text) == masked(text, 1) == text


def test_a_key_without_end_hides_no_more_than_a_key_could_be() -> None:
    begun = b"-----BEGIN RSA PRIVATE KEY-----\n"
    shown = masked(begun + b"cheese.c: found a key mark\n" + b"\nline of a log" * 5000, 1000)
    assert shown.startswith(b"***.c: found")
    assert len(masked(begun + b"A" * 50_000, 1000)) > 30_000


def test_what_is_clear_is_shown_at_once() -> None:
    masker = Masker(KNOWN)
    assert masker.feed(b"==> Making package\r\n[ 50%] Buil") == b"==> Making package\r\n[ 50%] "
    assert masker.feed(b"ding\r") == b"Building\r"
    assert masker.feed(b"a" * 10_000).startswith(b"aaaa")


@settings(max_examples=80)
@given(
    parts=st.lists(
        st.one_of(
            st.sampled_from(sorted(SECRETS.values())),
            st.binary(max_size=12),
            st.sampled_from([b" ", b"\n", b"://", b"ghp_", b"-----BEGIN ", b"with some"]),
        ),
        max_size=12,
    ),
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=6),
)
def test_portions_make_no_difference(parts: list[bytes], sizes: list[int]) -> None:
    text = b"".join(parts)
    assert masked(text, *sizes) == masked(text)
