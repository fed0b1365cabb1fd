"""A validation from a repository to its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import InputError
from caur_ci.git import GitRepository
from caur_ci.pipeline.validating.journey import validate
from caur_ci.pipeline.validating.scope import Scope
from caur_ci.validation import Surroundings
from tests.caur_ci.validation.worlds import package

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tests.caur_ci.validation.worlds import Content
    from tests.support.git import Checkout

pytestmark = pytest.mark.usefixtures("lent_children")


def codes(
    checkout: Checkout,
    files: dict[str, Content],
    *packages: str,
    provided: Mapping[str, Collection[str]],
) -> list[str]:
    """Return what is found in some packages of a repository with more files."""
    checkout.commit("x", files)  # type: ignore[arg-type]
    scope = Scope(packages=frozenset(packages), is_named=True, with_repository=False)
    surroundings = Surroundings(provided=provided)
    done = validate(GitRepository.open(checkout.folder), scope, surroundings)
    return [found.code for found in done.report.findings]


def test_what_others_make_is_known_without_their_srcinfo(checkout: Checkout) -> None:
    needs = package(bash="depends=(made)", info="depends = made")
    made = {"made/PKGBUILD": package("made")["made/PKGBUILD"]}
    generated: dict[str, Content] = {".ci/config": "REPO_NAME=x\nCI_SRCINFO=generate\n"}

    found = codes(checkout, {**needs, **made, **generated}, "tool", provided={})

    assert found == []
    without: dict[str, Content] = {".ci/config": "REPO_NAME=x\n"}
    assert codes(checkout, without, "tool", provided={}) == ["dependency-unmet"]


def test_nvchecker_files_are_read_where_they_count(checkout: Checkout) -> None:
    files = package(config="CI_NVCHECKER=true\n") | {"tool/.nvchecker.toml": "["}

    assert codes(checkout, files, "tool", provided={}) == ["nvchecker-unreadable"]
    files["tool/.CI/config"] = "CI_NVCHECKER=false\n"
    assert codes(checkout, files, "tool", provided={}) == []


def test_a_package_that_was_named_has_to_be_there(checkout: Checkout) -> None:
    with pytest.raises(InputError, match="no package folder c-gut") as caught:
        codes(checkout, {}, "c-gut", provided={})
    assert "c-git" in caught.value.hint
