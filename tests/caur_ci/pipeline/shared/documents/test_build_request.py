"""The build request that follows from decisions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, cast

import pytest

from caur_ci.config import RepositoryConfig
from caur_ci.deptree import DependencyTree
from caur_ci.errors import InputError
from caur_ci.pipeline.shared.committed_repository import CommittedRepository
from caur_ci.pipeline.shared.decision import PackageAction, PackageDecision
from caur_ci.pipeline.shared.documents.build_request import build_request, mirror_of_databases
from caur_ci.pipeline.shared.forge import ForgePipeline
from caur_ci.request import BuildRequest, PackageRequest
from tests.support.git import srcinfo
from tests.support.trees import tree_of_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from caur_ci.package_folders import CommittedFolders

COMMIT = "c" * 40
NOTHING = tree_of_words({})

MIRROR = "https://mirror.example.org/arch"


def build(name: str, reason: str = "changed", build_class: str | None = None) -> PackageDecision:
    return PackageDecision(name, PackageAction.BUILD, reason, build_class)


def remove(name: str) -> PackageDecision:
    return PackageDecision(name, PackageAction.REMOVE, "gone")


def requested(
    *decisions: PackageDecision,
    tree: DependencyTree = NOTHING,
    config: RepositoryConfig | None = None,
    pipeline: ForgePipeline | None = None,
    others: Mapping[str, DependencyTree] | None = None,
    package_configs: Mapping[str, bytes] | None = None,
) -> BuildRequest:
    repository = CommittedRepository(
        folders=cast("CommittedFolders", _Folders(package_configs or {})),
        config=config or RepositoryConfig(),
        deptree=tree,
        config_warnings=(),
        empty=frozenset(),
        other_deptrees=others or {},
    )
    return build_request(iter(decisions), repository, pipeline=pipeline or ForgePipeline())


@dataclass
class _Folders:
    """Package folders of which only `.CI/config` is there."""

    configs: Mapping[str, bytes]
    commit: str = COMMIT

    def read(self, file: str, packages: Iterable[str]) -> dict[str, bytes | None]:
        assert file == ".CI/config"
        return {name: self.configs.get(name) for name in packages}


def test_what_is_asked_for_keeps_its_order() -> None:
    found = requested(build("b"), remove("z"), build("a", "added", "3"), remove("y"))

    assert [(one.pkgbase, one.build_class, one.reason) for one in found.packages] == [
        ("b", None, "changed"),
        ("a", "3", "added"),
    ]
    assert found.remove == ("z", "y")
    assert not found.is_empty


def test_nothing_decided_asks_for_nothing() -> None:
    assert requested().is_empty


def test_where_it_comes_from_and_goes_to() -> None:
    mirror = "https://e/arch"
    config = RepositoryConfig(
        build_repo="source", repo_name="target", lib_db=(f"{mirror}/core/os/x86_64/core.db",)
    )

    found = requested(build("a"), config=config, pipeline=ForgePipeline(pipeline_id="12"))

    assert (found.source_repo, found.target_repo) == ("source", "target")
    assert (found.commit, found.commit_reference) == (COMMIT, f"{COMMIT}:12")
    assert (found.arch, found.arch_mirror) == ("x86_64", f"{mirror}/$repo/os/$arch")


def test_each_request_has_an_id_of_its_own_and_a_time_in_utc() -> None:
    one, other = requested(), requested()

    assert len(one.request_id) == 32
    assert one.request_id != other.request_id
    assert datetime.fromisoformat(one.created).tzinfo == UTC


def test_names_that_are_produced_and_needed() -> None:
    files = {
        "base": srcinfo("base", "provides = virtual=2", names=("one", "two")),
        "user": srcinfo("user", "depends = virtual>=1", "makedepends = cmake", "depends = user"),
    }
    tree = DependencyTree.read({name: text.encode() for name, text in files.items()})

    base, user = requested(build("base"), build("user"), tree=tree).packages

    assert base == PackageRequest(
        pkgbase="base", pkgnames=("one", "two"), provides=("virtual",), reason="changed"
    )
    assert (user.pkgnames, user.provides) == (("user",), ())
    assert "user" not in user.depends
    assert {"virtual", "cmake"} <= set(user.depends)


def test_a_package_that_needs_its_own_parts_waits_for_nobody() -> None:
    text = srcinfo("base", "depends = two", "makedepends = base", names=("one", "two"))
    tree = DependencyTree.read({"base": text.encode()})

    (package,) = requested(build("base"), tree=tree).packages

    assert package.depends == ()


def test_a_package_whose_srcinfo_is_missing_is_asked_for_all_the_same() -> None:
    tree = DependencyTree.read({"a": None})

    (package,) = requested(build("a"), tree=tree).packages

    assert package == PackageRequest(pkgbase="a", reason="changed")


def test_nothing_makes_it_unreadable_for_its_schema() -> None:
    long = "x" * 300
    text = srcinfo("a", f"provides = {long}", f"depends = {long}y", "depends = short")
    tree = DependencyTree.read({"a": text.encode()})

    found = requested(build("a", "é" * 1000), tree=tree)

    (package,) = found.packages
    assert (package.provides, package.depends) == ((), ("short",))
    assert package.reason == "é" * 500
    assert BuildRequest.from_json(found.to_json(), origin="it") == found


@pytest.mark.parametrize(
    ("databases", "expected"),
    [
        ((), ""),
        ((f"{MIRROR}/core/os/x86_64/core.db",), f"{MIRROR}/$repo/os/$arch"),
        (("https://e/x.db", f"{MIRROR}/extra/os/x86_64/extra.db"), f"{MIRROR}/$repo/os/$arch"),
        (
            (f"{MIRROR}/community/os/any/community.db", "https://e/core/os/x86_64/core.db"),
            f"{MIRROR}/$repo/os/$arch",
        ),
        ((f"{MIRROR}/chaotic-aur/os/x86_64/chaotic-aur.db",), ""),
        ((f"{MIRROR}/core/os/x86_64/",), ""),
        ((f"{MIRROR}/core/x86_64/core.db",), ""),
        (("/core/os/x86_64/core.db",), ""),
    ],
)
def test_the_mirror_of_the_distribution(databases: tuple[str, ...], expected: str) -> None:
    assert mirror_of_databases(databases) == expected


def test_groups_are_told_to_those_who_know_them() -> None:
    config = RepositoryConfig(build_repo="source", repo_name="target")
    grouped = PackageDecision("a", PackageAction.BUILD, "bumped", group="libx-1", publish="partial")

    found = requested(grouped, build("b"), config=config)

    text = found.to_json()
    assert BuildRequest.from_json(text, origin="it") == found
    a, b = json.loads(text)["packages"]
    assert (a["group"], a["publish"]) == ("libx-1", "partial")
    # Older programs take the request as long as it says nothing that they do not know.
    assert not {"group", "publish"} & b.keys()


@pytest.mark.parametrize("group", ["../x", "a/b", "Big", "-x", "a b", "x" * 65])
def test_a_group_that_cannot_be_one_is_refused(group: str) -> None:
    config = RepositoryConfig(build_repo="source", repo_name="target")
    text = requested(build("a"), config=config).to_json()
    document = json.loads(text)
    document["packages"][0]["group"] = group
    with pytest.raises(InputError, match=r"packages\[0\]\.group"):
        BuildRequest.from_json(json.dumps(document), origin="it")


class TestArchitectures:
    CONFIG = RepositoryConfig(architectures=("x86_64", "x86_64_v3", "aarch64"))
    FILES: ClassVar = {
        "data": srcinfo("data"),
        "lib": srcinfo("lib", "arch = aarch64").replace("arch = any", "arch = x86_64"),
        "app": srcinfo(
            "app",
            "arch = aarch64",
            "depends = lib",
            "makedepends_x86_64 = nasm",
            "makedepends_aarch64 = gas",
        ).replace("arch = any", "arch = x86_64"),
    }

    def asked_for(self, *names: str, **package_configs: bytes) -> tuple[PackageRequest, ...]:
        files = {name: text.encode() for name, text in self.FILES.items()}
        request = requested(
            *map(build, names),
            tree=DependencyTree.read(files),
            others={"aarch64": DependencyTree.read(files, arch="aarch64")},
            config=self.CONFIG,
            package_configs=package_configs,
        )
        assert BuildRequest.from_json(request.to_json(), origin="here") == request
        assert request.arch == "x86_64"
        return request.packages

    def found(self, *names: str, **configs: bytes) -> list[tuple[str, str, tuple[str, ...]]]:
        asked_for = self.asked_for(*names, **configs)
        return [(one.pkgbase, one.arch, one.shared_with) for one in asked_for]

    def test_a_package_is_built_for_what_it_declares(self) -> None:
        assert self.found("app", "lib") == [
            ("app", "", ()),
            ("app", "x86_64_v3", ()),
            ("app", "aarch64", ()),
            ("lib", "", ()),
            ("lib", "x86_64_v3", ()),
            ("lib", "aarch64", ()),
        ]

    def test_what_is_for_any_is_built_once_for_all(self) -> None:
        assert self.found("data", data=b"CI_ARCHITECTURES=aarch64") == [
            ("data", "", ("x86_64_v3", "aarch64"))
        ]

    def test_a_flavour_without_a_build_of_its_own_gets_that_of_its_base(self) -> None:
        assert self.found("lib", lib=b"CI_ARCHITECTURES=x86_64") == [("lib", "", ("x86_64_v3",))]
        assert self.found("lib", lib=b"CI_ARCHITECTURES=x86_64_v3 aarch64") == [
            ("lib", "x86_64_v3", ()),
            ("lib", "aarch64", ()),
        ]

    def test_nothing_is_asked_for_where_no_architecture_fits(self) -> None:
        assert self.found("app", app=b"CI_ARCHITECTURES=riscv64") == []

    def test_each_architecture_has_its_own_dependencies(self) -> None:
        assert [(one.arch, one.depends) for one in self.asked_for("app")] == [
            ("", ("lib", "nasm")),
            ("x86_64_v3", ("lib", "nasm")),
            ("aarch64", ("gas", "lib")),
        ]

    def test_what_is_removed_goes_from_all(self) -> None:
        found = requested(remove("z"), config=self.CONFIG)

        assert found.removes_from == self.CONFIG.architectures
        assert requested(remove("z")).remove_from == ()
