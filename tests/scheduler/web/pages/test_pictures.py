"""Where bars, boxes and lines are."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.web.pages.charts import KINDS, OTHERS, Point, bar_chart, stacked_chart
from scheduler.web.pages.picture import most_needed, neighbourhood, whole

NEEDS = {"app": ("lib", "tool"), "lib": ("base",), "tool": ("base",), "base": (), "alone": ()}


def test_bars_are_as_high_as_their_values() -> None:
    chart = bar_chart("Size", [Point("a", 10.0), Point("b", 5.0, "bad")], lambda it: f"{it:g} B")

    assert chart is not None
    first, second = chart.bars
    assert (second.height, second.style) == (first.height / 2, "bar bad")
    assert first.y + first.height == second.y + second.height == chart.base
    assert (first.title, chart.top, chart.first, chart.last) == ("a: 10 B", "10 B", "a", "b")
    assert bar_chart("Size", [Point("a", 1.0)], str) is None


def test_kinds_are_stacked_the_most_frequent_first() -> None:
    stacked = stacked_chart("x", ["mon", "tue"], {"mon": {"check": 1, "compile": 3}})

    assert stacked is not None
    assert (stacked.kinds, stacked.rows) == (
        ("compile", "check"),
        (("mon", (3, 1)), ("tue", (0, 0))),
    )
    lower, upper = stacked.chart.bars
    assert (lower.style, upper.style) == ("c0", "c1")
    assert upper.y + upper.height == lower.y
    assert stacked_chart("x", ["mon"], {}) is None


def test_kinds_without_a_colour_are_one() -> None:
    counts = {"mon": {f"kind {number}": number for number in range(1, 20)}}
    stacked = stacked_chart("x", ["mon"], counts)

    assert stacked is not None
    assert len(stacked.kinds) == KINDS
    assert stacked.kinds[-1] == OTHERS
    assert sum(stacked.rows[0][1]) == sum(range(1, 20))


def test_a_package_stands_between_those_that_need_it_and_those_that_it_needs() -> None:
    picture = neighbourhood(NEEDS, "lib")

    assert picture is not None
    x = {node.name: node.x for node in picture.nodes}
    assert x["app"] < x["lib"] < x["base"]
    assert [node.name for node in picture.nodes if node.here] == ["lib"]
    assert [node.path for node in picture.nodes if node.here] == ["/package/lib"]
    assert neighbourhood(NEEDS, "alone") is None


def test_of_very_many_neighbours_the_nearest_are_shown() -> None:
    needs = {"base": (), **{f"pkg-{number}": ("base",) for number in range(100)}}
    picture = neighbourhood(needs, "base", most=10)

    assert picture is not None
    assert (len(picture.nodes), picture.left_out) == (10, 91)


def test_the_whole_leaves_out_who_is_alone_and_what_does_not_fit() -> None:
    picture = whole({**NEEDS, "x": ("y",), "y": ()})
    assert picture is not None
    assert {node.name for node in picture.nodes} == {"app", "lib", "tool", "base", "x", "y"}
    assert len(picture.edges) == 5

    cut = whole({**NEEDS, "x": ("y",), "y": ()}, most=4)
    assert cut is not None
    assert (len(cut.nodes), cut.left_out) == (4, 2)
    assert whole({"alone": ()}) is None


def test_of_a_group_that_is_too_large_those_with_the_most_ties_are_shown() -> None:
    needs = {"base": (), "hub": ("base",), **{f"a-{number}": ("hub",) for number in range(9)}}
    picture = whole(needs, most=3)

    assert picture is not None
    assert {node.name for node in picture.nodes} == {"hub", "a-0", "a-1"}
    assert (len(picture.edges), picture.left_out) == (2, 8)


def test_the_most_needed_come_first() -> None:
    assert most_needed(NEEDS) == [("base", 2), ("lib", 1), ("tool", 1)]
    assert most_needed(NEEDS, most=1) == [("base", 2)]


_NAMES = st.sampled_from("abcdefgh")


@settings(max_examples=40)
@given(st.dictionaries(_NAMES, st.lists(_NAMES, max_size=4).map(tuple), min_size=1))
def test_whatever_needs_what_boxes_lie_inside_and_apart(needs: dict[str, tuple[str, ...]]) -> None:
    picture = whole({**dict.fromkeys("abcdefgh", ()), **needs})
    if picture is None:
        assert not any(needs.values())
        return
    boxes = [(node.x, node.y, node.x + node.width, node.y + 24) for node in picture.nodes]

    for left, top, right, bottom in boxes:
        assert 0 <= left < right <= picture.width
        assert 0 <= top < bottom <= picture.height
    for place, one in enumerate(boxes):
        for other in boxes[place + 1 :]:
            assert one[2] <= other[0] or other[2] <= one[0] or abs(one[1] - other[1]) >= 24
