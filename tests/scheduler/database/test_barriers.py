"""What goes wrong with one delivery costs that delivery, whatever it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.database.delivery_verifier import DeliveryVerifier
from scheduler.database.repository import PacmanRepository
from scheduler.job import FailureClass, JobState, Outcome
from tests.support.queue import job

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from scheduler.database.delivery_verifier import PublishedState, VerifiedDelivery
    from scheduler.database.ownership import Mandate
    from scheduler.queue import Claim
    from tests.support.publishing import World


def test_a_srcinfo_that_nobody_expected_costs_its_own_package(world: World) -> None:
    world.simple("good")
    commit = world.commit(job("huge"), version=f"{'9' * 5000}:1-1")
    world.land(job("huge", commit=commit), world.package("huge"))
    world.simple("better")

    world.runner().step()

    assert world.published() == {"better": "1-1", "good": "1-1"}
    assert world.ended("huge")[0] is Outcome.FAILED
    assert world.view("huge").failure is FailureClass.DELIVERY


def test_so_does_a_delivery_that_cannot_be_checked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.simple("good")
    delivery = world.simple("odd")
    real = DeliveryVerifier.verify

    def verify(
        self: DeliveryVerifier,
        claim: Claim,
        mandate: Mandate,
        published: PublishedState,
        staging: Path,
    ) -> VerifiedDelivery:
        if claim.spec.pkgbase == "odd":
            raise RecursionError("too deep")
        return real(self, claim, mandate, published, staging)

    monkeypatch.setattr(DeliveryVerifier, "verify", verify)

    world.runner().step()

    assert world.published() == {"good": "1-1"}
    outcome, reason = world.ended("odd")
    assert outcome is Outcome.FAILED
    assert "RecursionError: too deep" in reason
    assert (world.landing.folder / ".rejected" / delivery).is_dir()


def test_an_error_of_the_transaction_puts_all_of_it_off_with_a_mark(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.simple("a")
    world.simple("b")

    def commit(*_: object, **__: object) -> None:
        raise ZeroDivisionError("nobody expected this")

    monkeypatch.setattr(PacmanRepository, "commit", commit)
    world.runner().step()

    for name in ("a", "b"):
        assert world.view(name).state is JobState.LANDED
        assert "ZeroDivisionError" in world.view(name).reason
    assert world.published() == {}
    monkeypatch.undo()
    world.settle_publications()
    world.runner().step()
    assert world.published() == {"a": "1-1"}
    world.runner().step()
    assert world.published() == {"a": "1-1", "b": "1-1"}
