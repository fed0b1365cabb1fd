"""One upload at a time at targets that have no locks."""

from __future__ import annotations

import itertools
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from scheduler.hosting import lease as leases
from scheduler.hosting.lease import LEASE, Lease, number_of
from scheduler.hosting.protocol import BusyTargetError, Uploader
from tests.support.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from tests.support.publishing_targets import Place

ONE = Uploader(id="one", who="https://ci.example.org/jobs/1")
TWO = Uploader(id="two", who="a laptop: ~/ö")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(1_800_000_000.0)
    monkeypatch.setattr(leases, "_now", clock)
    return clock


@dataclass
class Store:
    """Leases in memory. Before the call of number `meanwhile`, `happens` takes place."""

    texts: dict[int, str] = field(default_factory=dict)
    meanwhile: int = -1
    happens: Callable[[], None] = lambda: None

    def read(self) -> Mapping[int, str]:
        self._call()
        return dict(self.texts)

    def create(self, number: int, text: str) -> bool:
        self._call()
        if number in self.texts:
            return False
        self.texts[number] = text
        return True

    def replace(self, number: int, text: str, obsolete: Collection[int]) -> None:
        self._call()
        self.texts[number] = text
        for each in obsolete:
            self.texts.pop(each, None)

    def _call(self) -> None:
        self.meanwhile -= 1
        if self.meanwhile == -1:
            self.happens()


def take(store: Store, uploader: Uploader = ONE) -> Lease:
    return Lease.take(store, uploader, "s3://packages")


def may(lease: Lease) -> bool:
    with suppress(BusyTargetError):
        lease.check()
        return True
    return False


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("history", range(3))
@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("call", range(5))
def test_whenever_another_one_comes_only_one_uploads(call: int, ends: bool, history: int) -> None:
    store, held = Store(), []
    for _ in range(history):
        take(store).end()

    def another() -> None:
        with suppress(BusyTargetError):
            held.append(take(store, TWO))
            if ends:
                held.pop().end()

    store.meanwhile, store.happens = call, another
    with suppress(BusyTargetError):
        held.append(take(store))
    if store.meanwhile >= 0:
        another()

    assert len(held) == 1 or (ends and not held)
    assert all(map(may, held))


def test_whoever_has_to_wait_is_told_for_whom_and_how_long(clock: Clock) -> None:
    store = Store()
    take(store, TWO)

    with pytest.raises(BusyTargetError, match="packages is under way: a laptop: ~/ö") as caught:
        take(store)
    # Ten minutes, and one for clocks that differ.
    assert "begin at 08:11:00 UTC, or when upload-lease-1 is removed" in caught.value.hint
    clock.now += LEASE + 59
    with pytest.raises(BusyTargetError):
        take(store)
    clock.now += 2
    take(store).end()
    # What is over is swept up; the last one says which number comes next.
    assert list(store.texts) == [2]


def test_whoever_slept_leaves_alone_what_is_there_now(clock: Clock) -> None:
    store = Store()
    slept = take(store)
    clock.now += LEASE + 61
    take(store, TWO).end()
    before = dict(store.texts)

    slept.end()
    assert store.texts == before


def test_whoever_is_heard_of_keeps_it_and_whoever_is_not_stops(clock: Clock) -> None:
    store = Store()
    kept = take(store)
    for _ in range(3):
        clock.now += LEASE - 1
        kept.renew()
        kept.check()
    clock.now += LEASE + 1
    with pytest.raises(BusyTargetError, match="nothing was heard of this upload"):
        kept.check()
    kept.renew()
    assert not may(kept)

    clock.now += 60
    other = take(store, TWO)
    kept.end()
    assert may(other)
    other.renew()
    assert may(other)


def test_a_lease_that_was_taken_away_is_lost(clock: Clock) -> None:
    store = Store()
    lease = take(store)
    store.texts.clear()

    lease.renew()
    assert not may(lease)
    lease.end()
    assert not store.texts


def test_what_a_dead_process_of_ours_left_is_ours(clock: Clock) -> None:
    store = Store({4: "no lease at all"})
    take(store)

    assert may(take(store))
    with pytest.raises(BusyTargetError):
        take(store, TWO)


@pytest.mark.parametrize("name", ["upload-lease-", "upload-lease-x", "lease-1", "1"])
def test_what_is_no_lease(name: str) -> None:
    assert number_of(name) is None


@pytest.mark.parametrize("kind", ["rsync", "s3", "releases"])
def test_two_uploads_at_once(kind: str, place_of: Callable[[str], Place], clock: Clock) -> None:
    place = place_of(kind)
    with place.target.held("repo", ONE) as check:
        check()
        with (
            pytest.raises(BusyTargetError, match=r"under way: https://ci\.example\.org/jobs/1"),
            place.open().held("repo", TWO),
        ):
            pass
        # As a process that is killed and never heard of again.
        clock.now += LEASE + 61
        with place.open().held("repo", TWO) as other:
            with pytest.raises(BusyTargetError, match="nothing was heard"):
                check()
            other()
    with place.open().held("repo", ONE) as again:
        again()
    assert not place.target.listing("repo")


@pytest.mark.parametrize("kind", ["rsync", "s3", "releases"])
def test_of_two_leases_of_one_number_there_is_one(
    kind: str, place_of: Callable[[str], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(kind)
    with place.target.held("repo", ONE):
        # Both have seen that nobody has it.
        seen, looks = leases._claims, itertools.count()
        monkeypatch.setattr(leases, "_claims", lambda store: seen(store) if next(looks) else {})
        with pytest.raises(BusyTargetError, match="is under way"), place.open().held("repo", TWO):
            pass
