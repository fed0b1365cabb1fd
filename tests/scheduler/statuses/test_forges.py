"""Each kind of forge shows what it is told, in its own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler.outbox import DeliveryError
from scheduler.settings.telling import ForgeKind
from scheduler.statuses.forge import CommitStatus
from scheduler.statuses.model import BUILDING, CANCELED, WAITING, State
from tests.support.forges.model import Fault
from tests.support.forges.server import TOKEN

if TYPE_CHECKING:
    from tests.scheduler.statuses.conftest import Shown

COMMIT = "c0ffee" * 6 + "cafe"
LINK = "https://builds.example.org/logs.html?id=a"


def status(shown: tuple[State, str], *, pipeline: str = "") -> CommitStatus:
    return CommitStatus(
        commit=COMMIT,
        pipeline=pipeline,
        name="builds: a",
        state=shown[0],
        description=shown[1],
        link=LINK,
    )


def test_the_way_of_a_build(there: Shown) -> None:
    client = there.client
    client.set_status(status(WAITING, pipeline="42"), before=None)
    client.set_status(status(BUILDING, pipeline="42"), before=State.PENDING)
    client.set_status(status((State.SUCCESS, "Done."), pipeline="42"), before=State.RUNNING)

    (found,) = there.statuses
    assert (
        found.states
        == {
            ForgeKind.GITLAB: ["pending", "running", "success"],
            ForgeKind.GITHUB: ["pending", "pending", "success"],
            ForgeKind.FORGEJO: ["pending", "pending", "success"],
        }[there.kind]
    )
    assert (found.name, found.description, found.link) == ("builds: a", "Done.", LINK)
    assert found.pipeline == (42 if there.kind is ForgeKind.GITLAB else None)


def test_what_fails_and_what_is_canceled(there: Shown) -> None:
    there.client.set_status(status((State.FAILED, "Build failed.")), before=None)
    there.client.set_status(status(CANCELED), before=None)

    states = [state for found in there.statuses for state in found.states]
    assert states == (
        ["failed", "canceled"] if there.kind is ForgeKind.GITLAB else ["failure", "error"]
    )


def test_a_build_that_is_handed_back_waits_again(there: Shown) -> None:
    there.client.set_status(status(BUILDING), before=None)
    there.client.set_status(status(WAITING), before=State.RUNNING)

    assert there.statuses[-1].state == "pending"
    if there.kind is ForgeKind.GITLAB:
        assert there.statuses[0].state == "canceled"
        assert there.statuses[0].description == "Builder shutdown requested."


def test_what_is_shown_already_is_fine(there: Shown) -> None:
    there.client.set_status(status(BUILDING), before=None)
    there.client.set_status(status(BUILDING), before=State.PENDING)

    assert len(there.statuses) == 1


@pytest.mark.parametrize(
    ("code", "headers", "refused", "wait"),
    [
        (401, {}, False, 0),
        (403, {}, False, 0),
        (404, {}, False, 0),
        (409, {}, True, 0),
        (422, {}, True, 0),
        (429, {"Retry-After": "17"}, False, 17),
        (403, {"Retry-After": "17"}, False, 17),
        (500, {}, False, 0),
        (0, {}, False, 0),
    ],
    ids=str,
)
def test_refusals(
    there: Shown, code: int, headers: dict[str, str], refused: bool, wait: float
) -> None:
    said = f'{{"message": "no, {TOKEN}"}}'
    there.forge.faults.append(Fault(code, "statuses", said, headers))
    # PyGithub tries a connection that broke off once more.
    there.forge.faults.append(Fault(code, "statuses", said, headers))

    with pytest.raises(DeliveryError) as caught:
        there.client.set_status(status(WAITING), before=None)

    assert (caught.value.refused, caught.value.wait) == (refused, wait)
    assert (str(code) if code else "cannot be reached") in caught.value.message
    assert TOKEN not in caught.value.message
    assert TOKEN not in str(caught.value.__cause__)
    there.forge.faults.clear()


def test_a_commit_that_is_not_there_is_given_up(there: Shown) -> None:
    there.api.unknown.add(COMMIT)

    with pytest.raises(DeliveryError) as caught:
        there.client.set_status(status(WAITING), before=None)

    assert caught.value.refused
