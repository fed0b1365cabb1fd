"""Signals end the work, not the cleaning up."""

from __future__ import annotations

import signal

import pytest

from caur_ci.standalone.interrupts import Interrupts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_interrupts_and_the_second_does_not(number: signal.Signals) -> None:
    before = signal.getsignal(number)

    with Interrupts():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        signal.raise_signal(number)

    assert signal.getsignal(number) is before


def test_what_is_held_comes_to_its_end_first() -> None:
    steps = []

    def clean_up(interrupts: Interrupts) -> None:
        with interrupts.held():
            signal.raise_signal(signal.SIGTERM)
            steps.append("cleaned")
        steps.append("went on")

    with Interrupts() as interrupts, pytest.raises(KeyboardInterrupt):
        clean_up(interrupts)

    assert steps == ["cleaned"]


def test_after_an_interruption_cleaning_up_does_not_raise_again() -> None:
    with Interrupts() as interrupts:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        with interrupts.held():
            signal.raise_signal(signal.SIGTERM)
