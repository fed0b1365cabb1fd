"""Errors in what changed, which on-commit tells and does not stop for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.git import GitRepository
from caur_ci.pipeline.on_commit import validity
from caur_ci.pipeline.on_commit.journey import OnCommitOptions, OnCommitResult, on_commit
from tests.support.git import srcinfo

if TYPE_CHECKING:
    import pytest

    from tests.support.git import Checkout

CRLF = "pkgname={0}\r\npkgver=1\r\n"
TOLD = (
    "tool/PKGBUILD:1: lines end as on Windows, which bash does not read (crlf-in-code). "
    "`dos2unix` it, or `--fix`."
)


def run(checkout: Checkout) -> OnCommitResult:
    return on_commit(OnCommitOptions(repo=checkout.folder))


def files(name: str) -> dict[str, str | bytes | None]:
    return {f"{name}/PKGBUILD": CRLF.format(name), f"{name}/.SRCINFO": srcinfo(name)}


def test_an_error_is_told_and_the_package_is_built(checkout: Checkout) -> None:
    checkout.commit("x", files("tool"))

    result = run(checkout)

    assert TOLD in result.plan.warnings
    assert [it.pkgbase for it in result.plan.request.packages] == ["tool"]


def test_only_what_changed_is_looked_at(checkout: Checkout) -> None:
    checkout.commit("x", files("tool"))
    run(checkout)
    checkout.commit("y", {"a/more": "x"})

    assert not [it for it in run(checkout).plan.warnings if "crlf" in it]


def test_what_is_silenced_is_not_told(checkout: Checkout) -> None:
    silence = '[[silence]]\ncodes = ["crlf-in-code"]\nreason = "they are for another system"\n'
    checkout.commit("x", {**files("tool"), ".ci/validate.toml": silence})

    assert TOLD not in run(checkout).plan.warnings


def test_warnings_and_what_is_told_elsewhere_are_left_to_validate(checkout: Checkout) -> None:
    checkout.commit("x", {"tool/PKGBUILD": "pkgname=tool\n", "tool/.CI/odd": "x"})
    repository = GitRepository.open(checkout.folder)

    assert list(validity.errors_in(repository, checkout.head(), ["tool"])) == []


def test_many_errors_are_cut(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validity, "_MAX_TOLD", 2)
    names = [f"tool{number}" for number in range(5)]
    checkout.commit("x", {path: text for name in names for path, text in files(name).items()})
    repository = GitRepository.open(checkout.folder)

    told = list(validity.errors_in(repository, checkout.head(), names))

    assert len(told) == 3
    assert told[-1] == "3 more errors are in what changed; `caur-ci validate` lists them"
