"""Which package needs which, and why."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from caur_ci.deptree import Cause, DependencyTree, Need
from caur_ci.errors import InputError


def srcinfo(pkgbase: str, *fields: str, packages: dict[str, list[str]] | None = None) -> bytes:
    """Return a `.SRCINFO`, with one package of the same name unless `packages` says more."""
    lines = [f"pkgbase = {pkgbase}"]
    if not any(field.startswith("pkgver") for field in fields):
        lines.append("pkgver = 1")
    lines += ["pkgrel = 1", "arch = x86_64", *fields]
    for pkgname, own in (packages or {pkgbase: []}).items():
        lines += ["", f"pkgname = {pkgname}", *own]
    return "\n".join(lines).encode()


def tree_of(*fields: str, **others: bytes) -> DependencyTree:
    """Return the tree of a package `app` with `fields` among the `others`."""
    return DependencyTree.read({"app": srcinfo("app", *fields), **others})


def needs(tree: DependencyTree, package: str = "app") -> list[str]:
    return list(tree.dependencies(package))


def test_every_kind_of_dependency_is_an_edge_that_knows_its_cause() -> None:
    tree = tree_of(
        "depends = lib>=1",
        "makedepends = lib",
        "checkdepends = tester",
        "depends = glibc",
        lib=srcinfo("lib"),
        tester=srcinfo("tester"),
    )
    assert tree.dependencies("app") == {
        "lib": (Cause(Need.DEPENDS, "lib>=1"), Cause(Need.MAKEDEPENDS, "lib")),
        "tester": (Cause(Need.CHECKDEPENDS, "tester"),),
    }
    assert tree.dependants("tester") == {"app": (Cause(Need.CHECKDEPENDS, "tester"),)}
    assert tree.dependencies("lib") == {}
    assert tree.edge_count() == 2
    assert tree.wanted["app"] == ("glibc", "lib", "tester")


def test_the_depends_of_split_packages_count() -> None:
    suite = srcinfo("suite", packages={"suite-core": [], "suite-gui": ["depends = toolkit"]})
    tree = DependencyTree.read({"suite": suite, "toolkit": srcinfo("toolkit")})
    assert needs(tree, "suite") == ["toolkit"]


def test_only_the_wanted_architecture_counts() -> None:
    files = {
        "app": srcinfo("app", "depends_x86_64 = nasm-rt", "depends_aarch64 = gas-rt"),
        "nasm-rt": srcinfo("nasm-rt"),
        "gas-rt": srcinfo("gas-rt"),
    }
    assert needs(DependencyTree.read(files)) == ["nasm-rt"]
    assert needs(DependencyTree.read(files, arch="aarch64")) == ["gas-rt"]


@pytest.mark.parametrize("name", ["gtk+2.0", "lib@2", "a.b.c", "libc++", "python3.11"])
def test_names_with_odd_characters_are_found(name: str) -> None:
    tree = DependencyTree.read({"app": srcinfo("app", f"depends = {name}"), name: srcinfo(name)})
    assert needs(tree) == [name]


@pytest.mark.parametrize(
    ("wanted", "provided"),
    [
        ("libfoo.so", "libfoo.so"),
        ("libfoo.so=1-64", "libfoo.so"),
        ("libfoo.so=1-64", "libfoo.so=1-64"),
        ("lib:libfoo.so.1", "lib:libfoo.so.1"),
        ("foo-virtual", "foo-virtual=3"),
    ],
)
def test_what_another_package_provides_is_found(wanted: str, provided: str) -> None:
    foo = srcinfo("foo-src", packages={"foo": [f"provides = {provided}"], "foo-docs": []})
    tree = DependencyTree.read({"app": srcinfo("app", f"depends = {wanted}"), "foo-src": foo})
    assert needs(tree) == ["foo-src"]
    assert tree.wanted["app"] == tuple(sorted({"foo", wanted.partition("=")[0]}))


def test_a_name_is_looked_for_in_the_products_and_not_in_the_folders() -> None:
    files = {
        "app": srcinfo("app", "depends = linux"),
        "linux-x64v3": srcinfo("linux", packages={"linux-x64v3": []}),
        "linux": srcinfo("linux-other", packages={"linux-other": []}),
        "linux-lts": srcinfo("linux-lts", packages={"linux": []}),
    }
    assert needs(DependencyTree.read(files)) == ["linux-lts"]


def test_a_version_chooses_among_the_providers() -> None:
    files = {
        "old": srcinfo("old", "provides = runtime=21"),
        "new": srcinfo("new", "provides = runtime=23"),
        "runtime": srcinfo("runtime", "pkgver = 30"),
    }
    assert needs(tree_of("depends = runtime", **files)) == ["new", "old", "runtime"]
    assert needs(tree_of("depends = runtime>=22", **files)) == ["new", "runtime"]
    assert needs(tree_of("depends = runtime<22", **files)) == ["old"]


def test_the_package_itself_provides_its_name_in_its_own_version() -> None:
    files = {
        "foo": srcinfo("foo", "pkgver = 2", "epoch = 1"),
        "foo-compat": srcinfo("foo-compat", "provides = foo=1.9"),
    }
    assert needs(tree_of("makedepends = foo>=1:2-1", **files)) == ["foo"]
    assert needs(tree_of("makedepends = foo<2", **files)) == ["foo-compat"]


def test_where_no_version_fits_no_order_is_lost() -> None:
    files = {
        "foo-git": srcinfo("foo-git", "provides = foo=1"),
        "foo-bin": srcinfo("foo-bin", "provides = foo"),
    }
    assert needs(tree_of("depends = foo>=5", **files)) == ["foo-bin", "foo-git"]


def test_what_is_installed_together_is_no_dependency() -> None:
    suite = srcinfo(
        "suite", packages={"suite": ["depends = suite-data"], "suite-data": ["depends = lib"]}
    )
    rival = srcinfo("rival", "provides = suite-data")
    tree = DependencyTree.read({"suite": suite, "rival": rival, "lib": srcinfo("lib")})
    assert needs(tree, "suite") == ["lib"]
    assert tree.wanted["suite"] == ("lib",)


def test_a_build_cannot_be_served_by_its_own_product() -> None:
    tree = DependencyTree.read(
        {
            "jdk23": srcinfo("jdk23", "provides = java=23", "makedepends = java"),
            "jdk22": srcinfo("jdk22", "provides = java=22"),
        }
    )
    assert needs(tree, "jdk23") == ["jdk22"]


def test_a_folder_that_cannot_be_read_is_reported_and_stays() -> None:
    tree = tree_of("depends = empty", empty=b"", none=b"garbage", lib=srcinfo("lib"))
    bare = DependencyTree.read({"lone": None})
    assert tree.packages == ("app", "empty", "lib", "none")
    assert [problem.package for problem in tree.problems] == ["empty", "none"]
    assert [problem.message for problem in bare.problems] == [
        "lone/.SRCINFO is missing, or no regular file"
    ]
    assert "lone" in bare
    assert (bare.pkgnames("lone"), needs(bare, "lone")) == ((), [])


def test_a_dependency_that_is_none_is_reported_and_the_others_count() -> None:
    tree = tree_of("depends = lib bar", "depends = lib", lib=srcinfo("lib"))
    assert [problem.message for problem in tree.problems] == [
        "app/.SRCINFO: depends = lib bar: not a package or soname"
    ]
    assert needs(tree) == ["lib"]


def test_other_names_of_a_package_come_without_versions() -> None:
    tree = tree_of("provides = b=1", "provides = a", "provides = app=2", "provides = lib:x.so.1")
    assert tree.provides("app") == ("a", "b", "lib:x.so.1")
    assert DependencyTree.read({"lone": None}).provides("lone") == ()


@pytest.fixture
def chain() -> DependencyTree:
    """A package `a` that needs `b`, that needs `c`, that needs `d`; and `x`, that needs `c`."""
    return DependencyTree.read(
        {
            "a": srcinfo("a", "depends = b"),
            "b": srcinfo("b", "depends = c"),
            "c": srcinfo("c", "depends = d"),
            "d": srcinfo("d", packages={"d": [], "d-docs": []}),
            "x": srcinfo("x", "depends = c"),
        }
    )


def test_what_can_be_reached_comes_with_its_distance(chain: DependencyTree) -> None:
    assert chain.reachable(["b"]) == {"b": 0, "c": 1, "d": 2}
    assert chain.reachable(["b"], depth=1) == {"b": 0, "c": 1}
    assert chain.reachable(["b"], depth=0) == {"b": 0}
    assert chain.reachable(["c"], reverse=True) == {"c": 0, "b": 1, "x": 1, "a": 2}
    assert chain.reachable(["a", "c"], depth=1) == {"a": 0, "c": 0, "b": 1, "d": 1}


def test_a_subset_keeps_the_edges_inside_it(chain: DependencyTree) -> None:
    part = chain.subset(["c"], reverse=True, depth=1)
    assert part.packages == ("b", "c", "x")
    assert {name: needs(part, name) for name in part} == {"b": ["c"], "c": [], "x": ["c"]}
    assert list(part.dependants("c")) == ["b", "x"]
    assert "a" not in part
    assert part.wanted["c"] == ("d",)


def test_a_name_means_a_folder_or_the_one_that_produces_it(chain: DependencyTree) -> None:
    assert chain.resolve("a") == "a"
    assert chain.resolve("d-docs") == "d"


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    tree = DependencyTree.read(
        {
            "firefox-nightly": srcinfo("firefox-nightly"),
            "linux-a": srcinfo("linux-a", packages={"linux": []}),
            "linux-b": srcinfo("linux-b", packages={"linux": []}),
        }
    )
    with pytest.raises(InputError, match="no package firefox-nighty in") as unknown:
        tree.resolve("firefox-nighty")
    assert "firefox-nightly" in unknown.value.hint
    with pytest.raises(InputError, match="linux comes from several folders") as several:
        tree.resolve("linux")
    assert "linux-a, linux-b" in several.value.hint


def test_the_real_repository_loses_no_order() -> None:
    """Count against a plain reading: every name that any other package answers to."""
    folder = os.environ.get("CAUR_REAL_METADATA")
    if not folder:
        pytest.skip("CAUR_REAL_METADATA names no folder of real metadata")
    files = {path.parent.name: path.read_bytes() for path in Path(folder).glob("*/.SRCINFO")}
    tree = DependencyTree.read(files)
    answering: dict[str, set[str]] = {}
    for package in tree:
        for name in (*tree.pkgnames(package), *tree.provides(package)):
            answering.setdefault(name, set()).add(package)
    for package in tree:
        own = {*tree.pkgnames(package), *tree.provides(package)}
        for name in tree.wanted.get(package, ()):
            if name not in own and (others := answering.get(name, set()) - {package}):
                assert others & set(tree.dependencies(package)), (package, name)
