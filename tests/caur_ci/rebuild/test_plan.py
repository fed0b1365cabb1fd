"""Order and cost of rebuilds."""

from __future__ import annotations

from caur_ci.deptree import DependencyTree
from caur_ci.rebuild import PastBuild, plan_rebuild
from tests.support.git import srcinfo


def tree(**depends: str) -> DependencyTree:
    return DependencyTree.read(
        {
            name: srcinfo(name, *(f"depends = {it}" for it in needed.split())).encode()
            for name, needed in depends.items()
        }
    )


def builds(*seconds: float, build_class: str = "2") -> list[PastBuild]:
    return [PastBuild(seconds=it, build_class=build_class) for it in seconds]


def test_the_order_goes_through_packages_that_are_not_rebuilt() -> None:
    chain = tree(app="middle", middle="base", base="", other="")
    plan = plan_rebuild({"app", "base"}, chain, {}, {})
    assert plan.layers == (("base",), ("app",))
    assert plan.packages == ("base", "app")


def test_a_cycle_is_told_where_it_matters() -> None:
    knot = tree(a="b", b="a", c="d", d="c")
    assert plan_rebuild({"a"}, knot, {}, {}).cycles == (("a", "b"),)


def test_the_cost_is_by_class_and_slow_builds_count_once() -> None:
    plan = plan_rebuild(
        {"a", "b", "c"},
        tree(a="", b="", c=""),
        {"a": builds(10, 1000, 20), "b": builds(5, build_class="9")},
        {"a": "catbuilder"},
    )
    assert plan.seconds == {"9": 5, "catbuilder": 20}
    assert plan.unknown == ("c",)
