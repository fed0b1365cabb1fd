"""The commits that on-schedule made, as they are stored and changed."""

from __future__ import annotations

import json

import pytest

from caur_ci.pipeline.shared.memory.own_commits import OwnCommits, ReviewBranch

A, B, C = "a" * 40, "b" * 40, "c" * 64
REVIEW = ReviewBranch(commit=A, base=B, tree=C)


@pytest.mark.parametrize(
    "commits",
    [
        OwnCommits(last=A),
        OwnCommits(last=C),
        OwnCommits(reviews={"x@y": REVIEW}),
        OwnCommits(last=A, reviews={"b": REVIEW, "a": REVIEW}),
    ],
)
def test_what_is_stored_is_read_again(commits: OwnCommits) -> None:
    assert OwnCommits.from_bytes(commits.to_bytes(), replaced=()) == commits


def test_packages_are_stored_sorted() -> None:
    one = OwnCommits(reviews={"b": REVIEW, "a": REVIEW})

    assert one.to_bytes() == OwnCommits(reviews={"a": REVIEW, "b": REVIEW}).to_bytes()


def test_nothing_is_stored_as_nothing() -> None:
    assert OwnCommits(replaced=(A,)).to_bytes() == b""
    assert OwnCommits.from_bytes(b"", replaced=[A]) == OwnCommits(replaced=(A,))


def stored(**changes: object) -> bytes:
    review = {"commit": A, "base": B, "tree": C}
    return json.dumps({"last": A, "reviews": {"a": review}} | changes).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b'{"last": "%s"}' % A.encode(),
        stored(last=None),
        stored(last=1),
        stored(last="--upload-pack=x"),
        stored(last=A.upper()),
        stored(last=A[:-1]),
        stored(reviews=[]),
        stored(reviews={"a": A}),
        stored(reviews={"a": {"commit": A, "base": B}}),
        stored(reviews={"a": {"commit": A, "base": B, "tree": C, "mood": "good"}}),
        stored(reviews={"a": {"commit": A, "base": "HEAD", "tree": C}}),
        stored(reviews={"a": {"commit": A, "base": B, "tree": None}}),
    ],
)
def test_what_makes_no_sense_is_as_good_as_nothing(content: bytes) -> None:
    assert OwnCommits.from_bytes(content, replaced=(B,)) == OwnCommits(replaced=(B,))


def test_what_makes_sense_is_read_with_its_parents() -> None:
    found = OwnCommits.from_bytes(stored(), replaced=[B, C])

    assert found == OwnCommits(last=A, reviews={"a": REVIEW}, replaced=(B, C))


def test_a_new_commit_follows_or_replaces() -> None:
    first = OwnCommits(reviews={"a": REVIEW}).with_commit(A)
    second = first.with_commit(B, instead_of=A)
    third = second.with_commit(C, instead_of=B)

    assert first == OwnCommits(last=A, reviews={"a": REVIEW})
    assert second == OwnCommits(last=B, reviews={"a": REVIEW}, replaced=(A,))
    assert third.replaced == (B, A)
    assert third.with_commit(A).replaced == (B, A)


def test_of_those_that_were_replaced_the_newest_fifty_are_kept() -> None:
    commits = OwnCommits(last="0")
    for number in range(1, 61):
        commits = commits.with_commit(str(number), instead_of=commits.last)

    assert commits.replaced == tuple(str(number) for number in range(59, 9, -1))


def test_other_reviews_take_the_place_of_all() -> None:
    commits = OwnCommits(last=A, reviews={"a": REVIEW}, replaced=(B,))

    assert commits.with_reviews({"b": REVIEW}) == OwnCommits(
        last=A, reviews={"b": REVIEW}, replaced=(B,)
    )
