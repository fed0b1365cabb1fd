"""Packages are put on hold through the web server, with a real remote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.session import Session
from caur_ci.cli.web_holds import CloneHolds
from caur_ci.errors import InputError, NameNotAllowedError
from caur_ci.git import GitRepository
from caur_ci.pipeline.shared.memory.branch import Memory

if TYPE_CHECKING:
    from tests.support.git import Checkout


def memory(checkout: Checkout) -> Memory:
    remote = GitRepository.open(checkout.remote)
    return Memory.read(remote, remote.resolve("refs/heads/caur"))


def test_who_and_why_are_on_the_remote(checkout: Checkout) -> None:
    holds = CloneHolds(Session(), checkout.folder)

    said = holds.hold(["repo/x86_64/a", "b", "a"], reason="broken", who="somebody at 192.0.2.1")

    held = memory(checkout).holds.packages
    assert held.keys() == said.keys() == {"a", "b"}
    assert (held["a"].by, held["a"].reason) == ("somebody at 192.0.2.1", "broken")
    assert said["a"] == str(held["a"])

    let_go = holds.unhold(["a"], reason="", who="another")

    assert memory(checkout).holds.packages.keys() == {"b"}
    assert let_go == {"a": said["a"]}


def test_what_cannot_be_held_changes_nothing(checkout: Checkout) -> None:
    holds = CloneHolds(Session(), checkout.folder)

    with pytest.raises(InputError, match="there is no package nothing"):
        holds.hold(["a", "nothing"], reason="", who="somebody")
    with pytest.raises(NameNotAllowedError):
        holds.hold([".."], reason="", who="somebody")
    with pytest.raises(InputError, match="not on hold: a"):
        holds.unhold(["a"], reason="", who="somebody")
