"""Whom the move of a library concerns."""

from __future__ import annotations

import pytest

from caur_ci.triggers.moves import LibraryMove
from caur_ci.triggers.rules import Dependent, TriggerRules, dependency_names

BOOST = LibraryMove(
    library="boost",
    before="1.90-1",
    after="1.91-1",
    names=frozenset({"boost", "boost-libs"}),
    provides=frozenset({"libboost_thread.so"}),
)


def package(name: str, *triggers: str, depends: tuple[str, ...] = ()) -> Dependent:
    return Dependent(
        name=name, triggers=triggers, depends=dependency_names(depends), pkgnames=(f"{name}-libs",)
    )


def concerned(
    *packages: Dependent, move: LibraryMove = BOOST, everywhere: str = "", never: str = ""
) -> list[str]:
    rules = TriggerRules(packages, everywhere=everywhere.split(), never=never.split())
    return [f"{name} by {by}" for name, _, by in rules.triggered([move])]


@pytest.mark.parametrize(
    ("triggers", "everywhere", "never", "expected"),
    [
        (["boost"], "", "", ["a by boost"]),
        (["boost-libs"], "", "", ["a by boost-libs"]),  # the name of one of its packages
        (["icu", "boost"], "", "", ["a by boost"]),
        (["boos"], "", "", []),
        (["BOOST"], "", "", []),
        ([], "", "", []),
        (["boost"], "", "boost", []),
        (["boost-libs"], "", "boost", []),  # all of it
        (["boost"], "", "boost-libs", ["a by boost"]),
        (["boost-libs"], "", "boost-libs", []),
        ([], "boost", "", ["a by boost"]),
        ([], "boost-libs", "", ["a by boost-libs"]),
        ([], "boost", "boost", []),
        ([], "icu", "", []),
    ],
)
def test_names_and_lists(
    triggers: list[str], everywhere: str, never: str, expected: list[str]
) -> None:
    dependent = package("a", *triggers, depends=("boost>=1.2", "glibc"))

    assert concerned(dependent, everywhere=everywhere, never=never) == expected


@pytest.mark.parametrize(
    ("name", "depends", "expected"),
    [
        ("a", ("boost-libs=1.90",), ["a by boost"]),
        ("a", ("libboost_thread.so=1.90-64",), ["a by boost"]),
        ("a", ("icu", "libboost"), []),
        ("a", (), []),
        ("a-bin", ("boost-libs",), []),  # only repackaged
    ],
)
def test_what_leads_to_rebuilds_everywhere_does_so_where_it_is_needed(
    name: str, depends: tuple[str, ...], expected: list[str]
) -> None:
    assert concerned(package(name, depends=depends), everywhere="boost") == expected


def test_whoever_names_a_library_is_rebuilt_whatever_it_is_called() -> None:
    assert concerned(package("a-bin", "boost")) == ["a-bin by boost"]


def move(library: str, before: str, after: str) -> LibraryMove:
    return LibraryMove(
        library=library, before=before, after=after, names=frozenset({library, f"{library}-libs"})
    )


class TestOwnPackages:
    """A trigger may be a package of the repository itself."""

    def test_its_release_and_its_rebuild_both_count(self) -> None:
        packages = (package("lib"), package("app", "lib"))

        assert concerned(*packages, move=move("lib", "1-1", "2-1")) == ["app by lib"]
        assert concerned(*packages, move=move("lib", "1-1", "1-1.1")) == ["app by lib"]

    def test_nothing_is_rebuilt_for_itself(self) -> None:
        assert concerned(package("lib", "lib"), move=move("lib", "1-1", "2-1")) == []

    def test_a_circle_comes_to_an_end(self) -> None:
        # By the name of a package, and over a third one.
        packages = (package("a", "b-libs"), package("b", "c"), package("c", "a"), package("d", "b"))

        assert concerned(*packages, move=move("b", "1-1", "2-1")) == ["a by b-libs", "d by b"]
        assert concerned(*packages, move=move("b", "2-1", "2-1.1")) == ["d by b"]


@pytest.mark.parametrize(
    ("package_name", "library", "by", "expected"),
    [
        ("a", "boost", "boost-libs", True),
        ("a", "boost", "boost", False),  # no longer in the list
        ("a", "icu", "", True),  # when it moved, nobody knew who names it
        ("a", "glibc", "glibc", False),
        ("a", "openssl", "openssl", True),
        ("gone", "boost", "boost-libs", False),
    ],
)
def test_who_waits_is_looked_at_again(
    package_name: str, library: str, by: str, *, expected: bool
) -> None:
    rules = TriggerRules(
        [package("a", "boost-libs", "icu", "glibc")], everywhere=["openssl"], never=["glibc"]
    )

    assert rules.is_wanted(package_name, library, by) is expected


def test_relations_are_stripped_to_names() -> None:
    texts = ("a>=1", "b<2:3", "c=4", "libd.so=5-64", "e", "lib:libf.so.1")

    assert dependency_names(texts) == {"a", "b", "c", "libd.so", "e", "lib:libf.so.1"}
