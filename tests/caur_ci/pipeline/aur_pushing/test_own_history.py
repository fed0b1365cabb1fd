"""Which files package folders ever had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.git.trees import files_below
from caur_ci.pipeline.aur_pushing.own_history import OwnHistory
from tests.caur_ci.pipeline.context import context_in

if TYPE_CHECKING:
    from tests.support.objects import ObjectStore


@pytest.mark.parametrize("others", [0, 9], ids=["few", "many"])
def test_each_file_counts_at_its_own_place(store: ObjectStore, others: int) -> None:
    first = store.commit({"a/PKGBUILD": "one", "a/x": "x", "b/PKGBUILD": "b"})
    side = store.commit({"a/PKGBUILD": "side", "b/PKGBUILD": "b"}, first)
    second = store.commit({"a/PKGBUILD": "two", "b/PKGBUILD": "b"}, first)
    merge = store.commit({"a/PKGBUILD": "two", "b/PKGBUILD": "b"}, second, side)
    packages = ["a", "b", *(f"p{number}" for number in range(others))]
    history = OwnHistory(context_in(store, merge), merge, packages)

    def has_had(name: str, files: dict[str, str], *, any_srcinfo: bool = False) -> bool:
        found = files_below(store.git, store.tree(files))
        return history.has_had(name, found, any_srcinfo=any_srcinfo)

    one = {"PKGBUILD": "one"}
    assert has_had("a", one)
    assert has_had("a", {"PKGBUILD": "two", "x": "x"})  # though not at one time
    assert has_had("a", {"PKGBUILD": "side"})
    assert not has_had("a", {"PKGBUILD": "three"})
    assert not has_had("a", {"PKGBUILD": "b"})
    assert has_had("b", {"PKGBUILD": "b"})
    assert not has_had("a", {**one, "x": "y"})
    assert not has_had("a", {})
    assert has_had("a", {**one, ".gitignore": "anything"})
    made = {**one, ".SRCINFO": "made"}
    assert not has_had("a", made)
    assert has_had("a", made, any_srcinfo=True)
