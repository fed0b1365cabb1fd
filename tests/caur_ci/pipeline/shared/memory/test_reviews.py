"""What is remembered of reviews."""

from __future__ import annotations

import json

import pytest

from caur_ci.errors import InputError
from caur_ci.pipeline.shared.memory.reviews import Rejection, ReviewMemory, WaitingChange
from caur_ci.review import ReviewPoint, Said, Word

SAID = Said(
    word=Word.DANGEROUS, branch="update-a", commit="c" * 40, by="bob", time=9, page="https://e/1"
)
POINT = ReviewPoint(message="odd", severity="danger", code="x", file="PKGBUILD", line=3)
FULL = ReviewMemory(
    waiting={
        "a": WaitingChange(
            commit="c" * 40, before="1-1", after="2-1", link="l", maintainer="m", points=(POINT,)
        )
    },
    rejected={"b": (Rejection("d" * 40, SAID),)},
    held={"c": SAID},
)


def test_it_is_what_was_stored() -> None:
    assert ReviewMemory.from_bytes(FULL.to_bytes()) == FULL
    assert FULL.waiting["a"].has_danger


def test_nothing_is_stored_as_nothing() -> None:
    assert ReviewMemory().to_bytes() == b""
    assert ReviewMemory.from_bytes(b"") == ReviewMemory()


@pytest.mark.parametrize(
    "change",
    [
        {"waiting": []},
        {"waiting": {"a": {"commit": "c"}}},
        {"rejected": {"a": [{"tree": "d"}]}},
        {"rejected": None},
        {"held": {"a": {"word": "what"}}},
    ],
)
def test_what_makes_no_sense_is_an_error(change: dict[str, object]) -> None:
    stored = {**json.loads(FULL.to_bytes()), **change}

    with pytest.raises(InputError, match=r"reviews\.json on branch caur"):
        ReviewMemory.from_bytes(json.dumps(stored).encode())


def test_half_a_file_is_an_error() -> None:
    with pytest.raises(InputError):
        ReviewMemory.from_bytes(FULL.to_bytes()[:-20])


def test_very_long_sentences_are_cut() -> None:
    change = WaitingChange(commit="c" * 40, points=(ReviewPoint(message="x" * 10_000),) * 1_000)

    assert len(ReviewMemory(waiting={"a": change}).to_bytes()) < 200 * 1_000


def test_rejections_are_added_and_found() -> None:
    memory = FULL.with_rejections([("b", Rejection("e" * 40, SAID)), ("n", Rejection("f", SAID))])

    assert [it.tree for it in memory.rejected["b"]] == ["d" * 40, "e" * 40]
    assert memory.rejection_of("b", "d" * 40) == Rejection("d" * 40, SAID)
    assert memory.rejection_of("b", "f") is None
    assert memory.rejection_of("x", "f") is None
    again = memory.with_rejections([("b", Rejection("d" * 40, SAID))])
    assert [it.tree for it in again.rejected["b"]] == ["e" * 40, "d" * 40]


def test_of_very_many_rejections_the_oldest_go() -> None:
    memory = ReviewMemory()
    for number in range(2_100):
        memory = memory.with_rejections([(f"p{number % 1_050}", Rejection(f"t{number}", SAID))])

    kept = [it.tree for some in memory.rejected.values() for it in some]
    assert len(kept) == 2_000
    assert memory.rejection_of("p1049", "t2099") is not None
    assert memory.rejection_of("p0", "t0") is None
