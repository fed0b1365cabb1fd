"""Where HEAD, the tag `scheduled` and the branch have to be for a run to change packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.pipeline.on_schedule.gate import GateError, pass_gate, tagged_commit
from caur_ci.pipeline.shared.refs import RefSnapshot
from tests.caur_ci.pipeline.context import context_in

if TYPE_CHECKING:
    from tests.support.objects import ObjectStore


def passed(store: ObjectStore, *, head: str, tag: str | None, branch: str) -> str:
    return pass_gate(context_in(store, head), RefSnapshot(tag=tag, memory=None, branch=branch))


def test_the_tag_is_at_head(store: ObjectStore) -> None:
    _, head = store.commits("one", "two")

    assert passed(store, head=head, tag=head, branch=head) == head
    assert passed(store, head=head, tag=store.tag(head), branch=head) == head


def test_the_tag_is_at_head_and_the_branch_has_gone_on(store: ObjectStore) -> None:
    head, tip = store.commits("one", "two")

    assert passed(store, head=head, tag=head, branch=tip) == head


def test_this_clone_is_behind_the_tip(store: ObjectStore) -> None:
    head, _, tip = store.commits("one", "two", "three")

    assert passed(store, head=head, tag=tip, branch=tip) == tip
    assert passed(store, head=head, tag=store.tag(tip), branch=tip) == tip


def test_there_is_no_tag(store: ObjectStore) -> None:
    (head,) = store.commits("one")

    with pytest.raises(GateError, match="has never run to its end"):
        passed(store, head=head, tag=None, branch=head)


def test_head_has_commits_that_nobody_dealt_with(store: ObjectStore) -> None:
    tag, head = store.commits("one", "two")

    with pytest.raises(GateError, match="has not dealt with all commits") as caught:
        passed(store, head=head, tag=tag, branch=head)
    assert tag[:12] in caught.value.message
    assert head[:12] in caught.value.message


def test_the_tag_is_ahead_but_not_at_the_tip(store: ObjectStore) -> None:
    head, tag, tip = store.commits("one", "two", "three")

    with pytest.raises(GateError):
        passed(store, head=head, tag=tag, branch=tip)


def test_the_tag_is_at_the_tip_and_head_is_ahead_of_it(store: ObjectStore) -> None:
    tip, head = store.commits("one", "two")

    with pytest.raises(GateError):
        passed(store, head=head, tag=tip, branch=tip)


def test_head_has_gone_another_way(store: ObjectStore) -> None:
    (base,) = store.commits("one")
    head = store.commit({}, base, message="here")
    tip = store.commit({}, base, message="there")

    with pytest.raises(GateError):
        passed(store, head=head, tag=tip, branch=tip)


def test_the_tip_has_no_history_in_common_with_head(store: ObjectStore) -> None:
    head = store.commit({}, message="here")
    tip = store.commit({}, message="there")

    with pytest.raises(GateError):
        passed(store, head=head, tag=tip, branch=tip)


@pytest.mark.parametrize("annotated", [True, False])
def test_the_tag_stands_for_no_commit(store: ObjectStore, *, annotated: bool) -> None:
    (head,) = store.commits("one")
    tree = store.tree({"f": "x"})
    tag = store.tag(tree, "tree") if annotated else tree

    with pytest.raises(GateError, match="something that is no commit"):
        passed(store, head=head, tag=tag, branch=head)


def test_a_tag_is_followed_to_its_commit(store: ObjectStore) -> None:
    (head,) = store.commits("one")
    context = context_in(store, head)

    assert tagged_commit(context, head) == head
    assert tagged_commit(context, store.tag(store.tag(head), "tag")) == head
