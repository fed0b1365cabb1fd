"""Which rebuilds belong together."""

from __future__ import annotations

import re

import pytest

from caur_ci.deptree import DependencyTree
from caur_ci.rebuild import rebuild_groups
from caur_ci.request import request_schema
from tests.support.git import srcinfo


def tree(**depends: str) -> DependencyTree:
    return DependencyTree.read(
        {
            name: srcinfo(name, *(f"depends = {it}" for it in needed.split())).encode()
            for name, needed in depends.items()
        }
    )


def groups(causes: str, tree: DependencyTree) -> list[tuple[str, ...]]:
    """Return the members of the groups, for causes like `app:libx,liby tool:libx`."""
    told = dict(it.split(":") for it in causes.split())
    return sorted(rebuild_groups({name: it.split(",") for name, it in told.items()}, tree).values())


@pytest.mark.parametrize(
    ("causes", "expected"),
    [
        pytest.param("a:x b:x", [("a", "b")], id="the same library"),
        pytest.param("a:x b:y", [], id="nothing in common"),
        pytest.param("a:x,y b:y,z c:z", [("a", "b", "c")], id="one library after another"),
        pytest.param("a:x b:x c:y d:y", [("a", "b"), ("c", "d")], id="two groups"),
        pytest.param("a:x", [], id="one alone"),
        pytest.param("app:x base:y", [("app", "base")], id="one needs the other through others"),
        pytest.param("app:x middle:y base:z", [("app", "base", "middle")], id="a chain"),
        pytest.param("app:x elsewhere:y", [], id="not of this repository"),
    ],
)
def test_what_belongs_together(causes: str, expected: list[tuple[str, ...]]) -> None:
    known = tree(a="", b="", c="", d="", app="middle", middle="base", base="")
    assert groups(causes, known) == expected


def test_the_name_follows_from_packages_and_causes() -> None:
    known = tree(a="", b="")
    first, again, other = (
        list(rebuild_groups({"a": causes, "b": causes}, known))
        for causes in (["libX.so=1-64", "z"], ["z", "libX.so=1-64"], ["z"])
    )
    assert first == again != other
    assert re.fullmatch(r"libx.so-1-64-[0-9a-f]{10}", first[0])


@pytest.mark.parametrize("cause", ["%%%", "ä" * 300, "-.lib", "l" * 300, "perl 5.40"])
def test_the_name_is_one_that_requests_may_have(cause: str) -> None:
    (name,) = rebuild_groups({"a": [cause], "b": [cause]}, tree(a="", b=""))
    rule = request_schema()["$defs"]["package"]["properties"]["group"]
    assert re.fullmatch(rule["pattern"], name)
    assert len(name) <= rule["maxLength"]
