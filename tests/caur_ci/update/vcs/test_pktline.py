"""The lines of git's protocol, as servers send them and as nobody should."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caur_ci.update.vcs.pktline import (
    AdvertisedRefs,
    ProtocolError,
    ls_refs_request,
    read_advertisement,
    read_ls_refs,
)

ID, OTHER = "a" * 40, "b" * 64
_TEXTS = st.text(st.characters(codec="ascii"), max_size=50)


def packets(*lines: str) -> bytes:
    return b"".join(b"%04x%s" % (len(line) + 4, line.encode()) for line in lines)


def test_a_request_is_as_the_protocol_says() -> None:
    assert ls_refs_request(["HEAD", "refs/heads/x"]) == (
        b"0014command=ls-refs\n0001000csymrefs\n"
        b"0014ref-prefix HEAD\n001cref-prefix refs/heads/x\n0000"
    )


def test_an_answer_is_read_up_to_its_end() -> None:
    head = f"{ID} HEAD symref-target:refs/heads/main future:x\n"
    answer = packets(head, f"{OTHER} refs/heads/main") + b"0000more"

    assert read_ls_refs(answer) == AdvertisedRefs(
        {"HEAD": ID, "refs/heads/main": OTHER}, "refs/heads/main"
    )
    assert read_ls_refs(b"0000") == AdvertisedRefs()


@pytest.mark.parametrize("size", range(0, 60, 7))
def test_an_answer_that_breaks_off_is_none(size: int) -> None:
    answer = packets(f"{ID} refs/heads/main\n") + b"0000"

    with pytest.raises(ProtocolError):
        read_ls_refs(answer[:size])


@pytest.mark.parametrize(
    "answer",
    [b"", b"<html>", b"zzzz", b"0005", packets("x HEAD"), packets(ID), packets("A" * 40 + " HEAD")],
)
def test_what_makes_no_sense_is_refused(answer: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_ls_refs(answer + b"0000" if answer.startswith(b"00") else answer)


def test_what_a_server_says_is_harmless() -> None:
    with pytest.raises(ProtocolError, match="the server says: no repository") as caught:
        read_ls_refs(packets("ERR no\nrepository\x1b[31m" + "x" * 1000))

    assert len(caught.value.says) <= 200
    assert "\x1b" not in caught.value.says


def test_greetings_of_both_protocols_are_told_apart() -> None:
    service = packets("# service=git-upload-pack\n") + b"0000"
    refs = packets(f"{ID} HEAD\0thin-pack symref=HEAD:refs/heads/x agent=y\n", f"{ID} refs/tags/1")

    assert read_advertisement(service + packets("version 2\n", "ls-refs\n") + b"0000") is None
    assert read_advertisement(packets("version 2\n")) is None
    assert read_advertisement(service + refs + b"0000") == AdvertisedRefs(
        {"HEAD": ID, "refs/tags/1": ID}, "refs/heads/x"
    )
    empty = packets(f"{'0' * 40} capabilities^{{}}\0thin-pack\n") + b"0000"
    assert read_advertisement(service + empty) == AdvertisedRefs()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=60) | st.lists(_TEXTS, max_size=4).map(lambda it: packets(*it)))
def test_nothing_else_is_raised(answer: bytes) -> None:
    for read in (read_ls_refs, read_advertisement):
        with contextlib.suppress(ProtocolError):
            read(answer)
