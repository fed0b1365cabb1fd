"""Packages whose version is that of the newest tag of a project at GitLab."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from caur_ci.config import PackageConfig, PkgbuildSource
from caur_ci.confined import Confined
from caur_ci.update.gitlab import GitLabSource
from caur_ci.update.gitlab_tags import GitLabServer, GitLabTags
from caur_ci.update.recording import Live
from caur_ci.update.source import FindingKind, FollowedPackage, LastSeen, SourceFinding
from tests.support.gitlab_tags import Refusal, TagServer, tag_server
from tests.support.objects import ObjectStore
from tests.support.releases import followed_package, release_writer
from tests.support.source_server import SourceServer, source_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OLD, NEW = "a1" * 20, "b2" * 20


@pytest.fixture(scope="module")
def confined() -> Iterator[Confined]:
    with Confined() as made:
        yield made


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore.create(tmp_path / "store.git")


@pytest.fixture
def there() -> Iterator[TagServer]:
    with tag_server() as made:
        made.projects["group/tool"] = [("v1.1", NEW), ("v1.0", OLD)]
        yield made


@pytest.fixture
def files() -> Iterator[SourceServer]:
    with source_server() as made:
        yield made


def config(project: str = "group/tool", *, prereleases: bool = False) -> PackageConfig:
    return PackageConfig(source=PkgbuildSource("gitlab", project), prereleases=prereleases)


def pkgbuild(source: str, sums: str = "b2sums=('SKIP')") -> str:
    return (
        "pkgname=tool\npkgver=1.0\npkgrel=4\npkgdesc='a tool'\narch=('any')\n"
        f"_commit={OLD}\nsource=({source})\n{sums}\n"
    )


def look(
    store: ObjectStore, confined: Confined, there: TagServer, *packages: FollowedPackage
) -> dict[str, SourceFinding]:
    server = GitLabServer(there.url)
    tags = GitLabTags(server, sleep=lambda _: None)
    writer = release_writer(store, confined)
    source = GitLabSource(server, tags, writer, Live(), parallel=2)
    return dict(source.look(packages))


def test_a_new_tag_is_written_into_all_files(
    store: ObjectStore, confined: Confined, there: TagServer, files: SourceServer
) -> None:
    archive = files.put("/tool-1.1.tar.gz", b"new")
    source = f"\"{files.url}/tool-$pkgver.tar.gz\" 'git+{there.url}/group/tool.git#commit={OLD}'"
    text = pkgbuild(source, "sha256sums=('aa' 'SKIP')")
    package = followed_package(store, text, config(), more={"fix.patch": "kept"})

    found = look(store, confined, there, package)["tool"]

    assert found.kind is FindingKind.FILES
    assert "v1.1" in found.reason
    assert found.link == f"{there.url}/group/tool/-/commit/{NEW}"
    assert found.seen is not None
    assert (found.seen.commit, found.seen.version) == (NEW, "1.1")
    after = store.files(found.tree)
    digest = hashlib.sha256(b"new").hexdigest()
    assert after["PKGBUILD"] == text.replace(OLD, NEW).replace("pkgver=1.0", "pkgver=1.1").replace(
        "pkgrel=4", "pkgrel=1"
    ).replace("'aa'", f"'{digest}'")
    assert f"sha256sums = {digest}\n" in after[".SRCINFO"]
    assert f"source = {archive}\n" in after[".SRCINFO"]
    assert after["fix.patch"] == "kept"


@pytest.mark.parametrize("project", ["group/tool", "4711"])
def test_the_source_of_the_project_follows(
    store: ObjectStore, confined: Confined, there: TagServer, project: str
) -> None:
    there.projects[project] = there.projects["group/tool"]
    source = (
        f'"{there.url}/group/tool/-/archive/${{_commit}}/t.tar.gz" "git+{there.url}/other#tag=v3"'
    )
    package = followed_package(store, pkgbuild(source, "b2sums=(SKIP SKIP)"), config(project))

    found = look(store, confined, there, package)["tool"]

    assert found.kind is FindingKind.FILES, found.reason
    assert f"_commit={NEW}\n" in store.files(found.tree)["PKGBUILD"]
    assert "other#tag=v3" in store.files(found.tree)["PKGBUILD"]


def test_what_is_not_newer_is_unchanged(
    store: ObjectStore, confined: Confined, there: TagServer
) -> None:
    there.projects["group/tool"] = [("v1.0", NEW), ("v0.9", OLD), ("v2.0-rc1", NEW)]
    package = followed_package(store, pkgbuild("git+https://x.org/t#tag=v$pkgver"), config())
    assert look(store, confined, there, package)["tool"].kind is FindingKind.UNCHANGED


def test_prereleases_come_where_they_are_asked_for(
    store: ObjectStore, confined: Confined, there: TagServer
) -> None:
    there.projects["group/tool"] = [("v2.0-rc1", NEW), ("v1.0", OLD)]
    text = pkgbuild("git+https://x.org/t#tag=v1.0")
    package = followed_package(store, text, config(prereleases=True))

    found = look(store, confined, there, package)["tool"]

    after = store.files(found.tree)["PKGBUILD"]
    assert "pkgver=2.0rc1\n" in after
    assert "#tag=v2.0-rc1)" in after


def test_what_was_put_to_review_is_not_made_again(
    store: ObjectStore, confined: Confined, there: TagServer
) -> None:
    text = pkgbuild("git+https://x.org/t#tag=v$pkgver")
    first = look(store, confined, there, followed_package(store, text, config()))["tool"]
    again = followed_package(store, text, config(), seen=first.seen)

    assert look(store, confined, there, again)["tool"].kind is FindingKind.UNCHANGED
    there.projects["group/tool"].insert(0, ("v1.2", "c" * 40))
    assert look(store, confined, there, again)["tool"].kind is FindingKind.FILES


@pytest.mark.parametrize(
    ("source", "sums", "why"),
    [
        ("https://x.org/latest", "b2sums=(SKIP)", "no source changes"),
        ("hg+https://x.org/t#tag=v$pkgver", "b2sums=(ff)", "checkout"),
        ("git+http://127.0.0.1:1/t#tag=v$pkgver", "b2sums=(ff)", "no connection"),
        ("ftp://x.org/$pkgver", "b2sums=(ff)", "only http and https"),
        ("http://127.0.0.1:1/$pkgver", "b2sums=(ff)", "no connection"),
        ("tool-$pkgver.patch https://x.org/$pkgver", "b2sums=(ff SKIP)", "there is no file"),
    ],
)
def test_what_cannot_surely_be_written_waits_with_the_reason(
    store: ObjectStore, confined: Confined, there: TagServer, source: str, sums: str, why: str
) -> None:
    package = followed_package(store, pkgbuild(source, sums), config())

    found = look(store, confined, there, package)["tool"]

    assert found.kind is FindingKind.WAITING
    assert "v1.1" in found.reason
    assert why in found.reason
    assert found.seen is None


def test_files_of_the_folder_get_their_sums_anew(
    store: ObjectStore, confined: Confined, there: TagServer
) -> None:
    text = pkgbuild("tool-$pkgver.patch git+https://x.org/t#tag=v$pkgver", "b2sums=(ff SKIP)")
    more = {"tool-1.1.patch": "next", "tool-1.0.patch": "now"}
    package = followed_package(store, text, config(), more=more)

    found = look(store, confined, there, package)["tool"]

    assert hashlib.blake2b(b"next").hexdigest() in store.files(found.tree)["PKGBUILD"]


def test_one_project_costs_no_other(
    store: ObjectStore, confined: Confined, there: TagServer
) -> None:
    text = pkgbuild("git+https://x.org/t#tag=v$pkgver")
    there.projects["group/none"] = [("latest", NEW)]
    packages = [
        followed_package(store, text, config(project), name=name)
        for name, project in (("a", "group/tool"), ("b", "group/gone"), ("c", "group/none"))
    ]

    found = look(store, confined, there, *packages)

    assert found["a"].kind is FindingKind.FILES
    assert "no such project" in found["b"].reason
    assert "no tag that names a version" in found["c"].reason
    assert {found["b"].kind, found["c"].kind} == {FindingKind.FAILED}


def test_a_server_that_fails_fails_its_packages(
    store: ObjectStore, confined: Confined, there: TagServer
) -> None:
    there.refusals = [Refusal(503)]
    package = followed_package(store, pkgbuild("a"), config())
    found = look(store, confined, there, package)["tool"]
    assert found.kind is FindingKind.FAILED
    assert "503" in found.reason


def test_a_package_without_a_version_fails(
    store: ObjectStore, confined: Confined, there: TagServer
) -> None:
    package = FollowedPackage(name="tool", config=config(), tree=store.tree({"PKGBUILD": "x"}))
    assert look(store, confined, there, package)["tool"].kind is FindingKind.FAILED


def test_what_a_tag_holds_is_no_program(
    store: ObjectStore, confined: Confined, there: TagServer
) -> None:
    there.projects["group/tool"] = [("v9$(touch /tmp/x)", NEW), ("v1.1", NEW), ("v1.0", OLD)]
    text = pkgbuild("git+https://x.org/t#tag=v$pkgver")
    found = look(store, confined, there, followed_package(store, text, config()))["tool"]
    assert "pkgver=1.1\n" in store.files(found.tree)["PKGBUILD"]


def test_only_gitlab_is_covered(store: ObjectStore, confined: Confined, there: TagServer) -> None:
    server = GitLabServer(there.url)
    writer = release_writer(store, confined)
    source = GitLabSource(server, GitLabTags(server), writer, Live(), parallel=1)

    assert source.covers(config())
    assert not source.covers(PackageConfig())
    assert not source.covers(PackageConfig(source=PkgbuildSource("aur")))
    assert LastSeen() == followed_package(store, pkgbuild("a"), config()).seen
