"""Which versions upstreams may well have released after which."""

from __future__ import annotations

import pytest

from caur_ci.judge.version_step import doubt_about_pkgrel, doubt_about_pkgver


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1.2", "1.3"),
        ("1.2", "2.0.1"),
        ("9", "10"),
        ("1.9.9", "1.10.0"),
        ("2.0", "2.0rc1"),
        ("2.0rc1", "2.0.1"),
        ("20240131", "20250101"),
        ("r12.abcdef1", "r13.1234567"),
        ("0.4.r12.gabcdef1", "0.5.r3.g1234567"),
        ("131.0.6778.85", "132.0.6834.83"),
        ("3.11+1", "3.12+2"),
    ],
)
def test_usual_steps(old: str, new: str) -> None:
    assert doubt_about_pkgver(old, new) == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1.2", "99999999"),
        ("1.2", "1.3.99999999"),
        ("1.2", "2024.1"),
        ("aom", "x11"),
        ("1.2", "master"),
        ("1.2", "v2"),
        ("1.2", "abcdef0"),
        ("1.2", "1234567890abcdef1234567890abcdef12345678"),
        ("1", ".."),
        ("1", "+1"),
        ("1", "1" * 65),
        ("1", "1/2"),
    ],
)
def test_steps_that_somebody_should_see(old: str, new: str) -> None:
    assert doubt_about_pkgver(old, new)


@pytest.mark.parametrize(
    ("old", "new", "usual"),
    [("1", "2", True), ("5", "1", True), ("1", "1.1", True), ("1", "99", False), ("x", "1", False)],
)
def test_steps_of_the_pkgrel(old: str, new: str, usual: bool) -> None:
    assert (doubt_about_pkgrel(old, new) == "") == usual
