"""The order in which packages are built."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from caur_ci.deptree import BuildOrder, SetAside, build_order, find_cycles
from tests.support.trees import tree_of_words


def test_each_layer_needs_only_the_layers_before_it() -> None:
    tree = tree_of_words(
        {"app": "lib make:tool", "lib": "base", "tool": "base", "base": "", "alone": "glibc"}
    )
    assert build_order(tree) == BuildOrder((("alone", "base"), ("lib", "tool"), ("app",)))


def test_a_cycle_is_told_and_broken_where_least_is_lost() -> None:
    """`b` goes first: it needs the other only to run, while `a` needs it to be built."""
    tree = tree_of_words({"a": "make:b", "b": "a", "user": "a"})
    assert build_order(tree) == BuildOrder(
        layers=(("b",), ("a",), ("user",)),
        cycles=(("a", "b"),),
        set_aside=(SetAside("b", "a"),),
    )
    assert find_cycles(tree) == (("a", "b"),)


def test_a_knot_of_several_cycles_is_broken_until_none_is_left() -> None:
    tree = tree_of_words({"a": "make:b make:c", "b": "make:c make:a", "c": "make:a make:b"})
    order = build_order(tree)
    assert order.layers == (("a",), ("b",), ("c",))
    assert order.cycles == (("a", "b", "c"),)
    assert order.set_aside == (SetAside("a", "b"), SetAside("a", "c"), SetAside("b", "c"))


NAMES = "abcdefgh"
NEEDS = st.dictionaries(
    st.sampled_from(NAMES),
    st.lists(st.sampled_from([f"{kind}{name}" for kind in ("", "make:") for name in NAMES])),
)


@given(NEEDS)
def test_every_tree_has_an_order_that_keeps_all_that_is_not_set_aside(
    needs: dict[str, list[str]],
) -> None:
    words = {name: " ".join(needed) for name, needed in needs.items()}
    tree = tree_of_words(words)
    order = build_order(tree)
    layer_of = {package: at for at, layer in enumerate(order.layers) for package in layer}
    assert sorted(layer_of) == list(tree)
    ignored = {(edge.package, edge.needs) for edge in order.set_aside}
    knots = {package: members for members in order.cycles for package in members}
    for package in tree:
        for needed in tree.dependencies(package):
            if (package, needed) in ignored:
                assert knots[package] is knots[needed]
            else:
                assert layer_of[needed] < layer_of[package]
    assert build_order(tree_of_words(dict(reversed(words.items())))) == order
