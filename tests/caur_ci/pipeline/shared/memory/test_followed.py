"""What is known of upstream repositories, by itself and on branch `caur`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.git import Identity
from caur_ci.pipeline.shared.memory.branch import Memory
from caur_ci.pipeline.shared.memory.followed import FollowedUpstreams
from caur_ci.update.vcs.seen import VcsSeen

if TYPE_CHECKING:
    from tests.support.objects import ObjectStore

FULL = VcsSeen(
    commits={"https://h/b": "2" * 40, "https://h/a#branch=x": "1" * 40},
    built=1_700_000_000,
    latest="abc",
    moves=2,
    total=3,
    absent=4,
)


def test_what_is_stored_is_read_again() -> None:
    known = FollowedUpstreams().updated({"b-git": FULL, "a": VcsSeen(commits={"u": "c"})})

    again = FollowedUpstreams.from_bytes(known.to_bytes())

    assert (again.get("b-git"), again.get("a")) == (FULL, VcsSeen(commits={"u": "c"}))
    assert again.get("c") == VcsSeen()
    assert again.only(["a"]).to_bytes() == b'{"package":"a","commits":{"u":"c"}}\n'


def test_what_did_not_change_stays_byte_for_byte() -> None:
    later = b'{"package":"a","commits":{"u":"c"},"mood":"good"}\n'
    known = FollowedUpstreams.from_bytes(later)

    assert known.updated({"a": VcsSeen(commits={"u": "c"})}) is known
    assert known.updated({"a": VcsSeen()}).to_bytes() == b""


@pytest.mark.parametrize(
    "line",
    [
        b'{"package":"a","commits":["u"],"built":"x","moves":1.5,"latest":1}',
        b'{"package":"a","commits":{"u":1}}',
        b'{"package":"a"}',
        b'{"package":"a"',
    ],
)
def test_what_others_wrote_is_left_out(line: bytes) -> None:
    assert FollowedUpstreams.from_bytes(line).get("a") == VcsSeen()


def test_it_is_a_part_of_the_memory(store: ObjectStore) -> None:
    memory = Memory().with_upstreams({"a-git": FULL, "b-git": FULL})

    commit = memory.pruned_to(["a-git"]).write(store.git, Identity("n", "n@example.org"))

    assert Memory.read(store.git, commit).vcs.get("a-git") == FULL
    assert Memory.read(store.git, commit).vcs.get("b-git") == VcsSeen()
