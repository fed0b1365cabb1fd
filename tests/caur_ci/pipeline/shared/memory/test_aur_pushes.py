"""What the AUR has, by itself and on branch `caur`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.git import Identity
from caur_ci.pipeline.shared.memory.aur_pushes import NEVER_PUSHED, AurPush, AurPushes, Obstacle
from caur_ci.pipeline.shared.memory.branch import Memory

if TYPE_CHECKING:
    from tests.support.objects import ObjectStore

DIVERGED = AurPush(
    commit="a" * 40,
    tree="b" * 40,
    version="1:2-1",
    obstacle=Obstacle.DIVERGED,
    reason="somebody é",
    wanted="c" * 40,
    tip="d" * 40,
    since=1_700_000_000,
    tried=1,
)


def test_the_branch_keeps_it(store: ObjectStore) -> None:
    aur = AurPushes().updated({"b": DIVERGED, "a": AurPush(commit="e" * 40)})

    commit = Memory(aur=aur).write(store.git, Identity("x", "x@example.org"))

    again = Memory.read(store.git, commit).aur
    assert (again.get("b"), again.get("a").commit) == (DIVERGED, "e" * 40)
    assert again.get("c") == NEVER_PUSHED
    assert Memory.read(store.git, commit).pruned_to({"a"}).aur.lines.keys() == {"a"}


def test_what_a_newer_program_wrote_is_left_out_and_kept() -> None:
    stored = b'{"package":"a","commit":"1","since":"soon","mood":"good"}\n'
    aur = AurPushes.from_bytes(stored)

    assert aur.get("a") == AurPush(commit="1")
    assert aur.updated({"a": AurPush(commit="1")}).to_bytes() == stored


def test_a_reason_has_a_largest_length() -> None:
    aur = AurPushes().updated({"a": AurPush(obstacle="refused", reason="x" * 10_000)})
    assert len(aur.to_bytes()) < 1000
