"""Which packages fail run after run, or stay behind."""

from __future__ import annotations

import pytest

from caur_ci.pipeline.shared.memory.troubles import (
    DAY,
    MOST_COUNTED,
    Outcome,
    Standing,
    Trouble,
    Troubles,
)

FAILED, AHEAD, FINE = Standing.FAILED, Standing.AHEAD, Standing.FINE


def after(*standings: Standing, step: int = 1) -> Trouble | None:
    """Return the trouble of a package after runs at the times 1000, 1000 + step, …"""
    troubles = Troubles()
    for number, standing in enumerate(standings):
        reason = f"{standing} {number}"
        troubles = troubles.after([Outcome("a", standing, reason)], 1000 + step * number)
    return troubles.packages.get("a")


def test_failures_in_a_row_are_counted_from_the_first() -> None:
    assert after(FAILED, FAILED, FAILED) == Trouble(
        failures=3, failing_since=1000, reason="failed 2"
    )


def test_one_that_went_well_ends_them() -> None:
    assert after(FAILED, FAILED, FINE) is None
    assert after(FAILED, FINE, FAILED) == Trouble(failures=1, failing_since=1002, reason="failed 2")
    assert after(FAILED, AHEAD) == Trouble(ahead_since=1001, reason="ahead 1")


def test_being_behind_goes_on_over_failures() -> None:
    assert after(AHEAD, AHEAD) == Trouble(ahead_since=1000, reason="ahead 1")
    assert after(AHEAD, FAILED) == Trouble(
        failures=1, failing_since=1001, ahead_since=1000, reason="failed 1"
    )


def test_counting_ends() -> None:
    found = after(*[FAILED] * (MOST_COUNTED + 5))
    assert found is not None
    assert found.failures == MOST_COUNTED


def test_a_reason_that_is_not_told_is_the_one_from_before() -> None:
    troubles = Troubles().after([Outcome("a", AHEAD, "waits")], 5).after([Outcome("a", AHEAD)], 9)
    assert troubles.packages["a"] == Trouble(ahead_since=5, reason="waits")


def test_packages_that_were_not_looked_at_stay_as_they_were() -> None:
    troubles = Troubles().after([Outcome("a", FAILED, "x")], 5)
    assert troubles.after([Outcome("b", FINE)], 9) == troubles


def test_what_fails_everywhere_is_nobodys_own() -> None:
    outage = [Outcome(f"p{number}", FAILED, "out of reach") for number in range(101)]
    troubles = Troubles().after([Outcome("p1", FAILED, "x")], 1)

    assert troubles.after(outage, 2) == troubles
    assert len(troubles.after(outage[:100], 2).packages) == 100


@pytest.mark.parametrize(
    ("trouble", "stale"),
    [
        (Trouble(failures=2), False),
        (Trouble(failures=3), True),
        (Trouble(ahead_since=1000), True),
        (Trouble(ahead_since=1001), False),
        (Trouble(), False),
    ],
)
def test_what_is_stale(trouble: Trouble, stale: bool) -> None:
    found = Troubles({"a": trouble}).stale(failures=3, days=7, now=1000 + 7 * DAY)
    assert bool(found) is stale


def test_it_is_stored_as_it_is() -> None:
    troubles = Troubles(
        {"b": Trouble(failures=2, failing_since=7, reason="ü\n"), "a": Trouble(ahead_since=9)}
    )
    stored = troubles.to_bytes()

    assert Troubles.from_bytes(stored) == troubles
    assert stored.startswith(b'{"package":"a"')
    assert Troubles().to_bytes() == b""


@pytest.mark.parametrize(
    "line", [b"x", b"[]", b'{"package":1,"failures":1}', b'{"failures":1}', b"[" * 9999, b"\xff"]
)
def test_lines_that_nobody_can_read_are_left_out(line: bytes) -> None:
    good = b'{"package":"a","failures":1,"more":2,"reason":3}'
    assert Troubles.from_bytes(line + b"\n" + good) == Troubles({"a": Trouble(failures=1)})


def test_packages_that_are_gone_are_forgotten() -> None:
    troubles = Troubles({"a": Trouble(failures=1), "b": Trouble(failures=1)})
    assert set(troubles.only(["b", "c"]).packages) == {"b"}
