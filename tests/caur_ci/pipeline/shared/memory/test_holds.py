"""What is remembered of packages that are on hold."""

from __future__ import annotations

import json

import pytest

from caur_ci.errors import InputError
from caur_ci.pipeline.shared.memory.holds import Hold, Holds

HOLD = Hold(by="bob", since=1_700_000_000, reason="odd sources")
FULL = Holds(
    packages={
        "a": HOLD,
        "b": Hold(by="on-schedule", since=9, reason="gone", automatic=True, left_out="changed"),
    },
    released={"c": "changed"},
)


def test_it_is_what_was_stored() -> None:
    assert Holds.from_bytes(FULL.to_bytes()) == FULL
    assert FULL.get("a") == HOLD
    assert FULL.get("c") is None


def test_nothing_is_stored_as_nothing() -> None:
    assert Holds().to_bytes() == b""
    assert Holds.from_bytes(b"") == Holds()


@pytest.mark.parametrize(
    "change",
    [
        {"held": []},
        {"held": None},
        {"held": {"a": {"by": "bob", "reason": "r"}}},
        {"held": {"a": {"by": "bob", "since": "9", "reason": "r"}}},
        {"held": {"a": {"by": "bob", "since": 10**20, "reason": "r"}}},
        {"held": {"a": {"by": ["bob"], "since": 9, "reason": "r"}}},
        {"held": {"a": {"by": "bob", "since": 9, "reason": "r", "automatic": "no"}}},
        {"held": {"a": {"by": "bob", "since": 9, "reason": "r", "newer": True}}},
        {"held": {"../a": {"by": "bob", "since": 9, "reason": "r"}}},
        {"released": {"a": 1}},
        {"released": ["a"]},
    ],
)
def test_what_makes_no_sense_is_an_error(change: dict[str, object]) -> None:
    stored = {**json.loads(FULL.to_bytes()), **change}

    with pytest.raises(InputError, match=r"holds\.json on branch caur"):
        Holds.from_bytes(json.dumps(stored).encode())


def test_half_a_file_is_an_error() -> None:
    with pytest.raises(InputError):
        Holds.from_bytes(FULL.to_bytes()[:-20])


def test_a_hold_is_told_in_one_line() -> None:
    held = Holds().with_hold("a", Hold(by="bob\n", since=1_700_000_000, reason="odd\n\x1b[31mit"))

    assert str(held.get("a")) == "on hold by bob since 2023-11-14 22:13 UTC: odd it"
    assert str(Hold(by="bob", since=0, reason="")) == "on hold by bob since 1970-01-01 00:00 UTC"


def test_the_first_thing_that_was_left_out_is_built_afterwards() -> None:
    held = Holds().with_hold("a", HOLD).leaving_out({"a": "changed", "b": "changed"})

    freed = held.leaving_out({"a": "added"}).without("a")

    assert freed == Holds(released={"a": "changed"})
    assert freed.without_released(["a", "b"]) == Holds()


def test_a_package_that_was_left_alone_is_not_built_for_a_hold() -> None:
    assert Holds().with_hold("a", HOLD).without("a") == Holds()
    assert Holds().without("a") == Holds()


def test_another_hold_forgets_nothing() -> None:
    held = Holds().with_hold("a", HOLD).leaving_out({"a": "changed"})
    newer = Hold(by="eve", since=5, reason="gone", automatic=True)

    assert held.with_hold("a", newer).without("a").released == {"a": "changed"}
    assert held.without("a").with_hold("a", newer) == Holds(
        packages={"a": Hold(by="eve", since=5, reason="gone", automatic=True, left_out="changed")}
    )
