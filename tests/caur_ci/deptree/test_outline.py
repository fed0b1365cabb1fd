"""The tree as indented lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.deptree.outline import Line, Outline
from tests.support.trees import tree_of_words

if TYPE_CHECKING:
    from collections.abc import Iterable

NEEDS = {"app": "lib make:tool", "lib": "base", "tool": "base lib", "base": "", "alone": ""}


def shown(lines: Iterable[Line]) -> list[str]:
    return [f"{line.guide}{line.package} {line.mark.value}".rstrip() for line in lines]


def test_a_package_comes_with_all_below_it_and_is_opened_once() -> None:
    assert shown(Outline(tree_of_words(NEEDS)).lines(["app"])) == [
        "app",
        "├── lib",
        "│   └── base",
        "└── tool",
        "    ├── base",
        "    └── lib shown above",
    ]


def test_in_reverse_the_dependants_are_below() -> None:
    outline = Outline(tree_of_words(NEEDS), reverse=True)
    lines = list(outline.lines(["lib"]))
    assert shown(lines) == ["lib", "├── app", "└── tool", "    └── app"]
    assert [line.needed for line in lines] == ["", "lib", "lib", "tool"]


def test_depth_is_counted_on_every_way() -> None:
    tree = tree_of_words(NEEDS)
    assert shown(Outline(tree, depth=1).lines(["app"])) == ["app", "├── lib", "└── tool"]
    assert shown(Outline(tree, depth=0).lines(["app", "lib"])) == ["app", "lib"]


def test_the_whole_tree_begins_where_nothing_leads_to() -> None:
    outline = Outline(tree_of_words({**NEEDS, "x": "base", "k1": "k2", "k2": "k1"}))
    assert shown(outline.all_lines())[-5:] == [
        "x",
        "└── base",
        "k1",
        "└── k2",
        "    └── k1 closes a cycle",
    ]
    assert outline.cycles == [("k1", "k2", "k1")]


def test_a_long_chain_needs_no_deep_stack() -> None:
    needs = {f"p{number:04}": f"p{number + 1:04}" for number in range(2_000)}
    assert len(shown(Outline(tree_of_words(needs)).all_lines())) == 2_000
