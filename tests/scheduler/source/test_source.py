"""The source cache against real git repositories."""

from __future__ import annotations

import os
import shutil
from functools import partial
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import InputError, TemporaryError
from caur_ci.generated_srcinfo import UnsureSrcinfoError
from caur_ci.git.export import tree_id
from caur_ci.git.trees import UnsafeTreeError
from scheduler.settings import SourceRepository
from scheduler.source.cache import MAX_FILE_SIZE, FolderNames, SourceCache
from scheduler.source.fetching import SourceMissingError
from tests.support.git import Checkout, git, srcinfo
from tests.support.queue import Background

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def cache(tmp_path: Path) -> SourceCache:
    return SourceCache(tmp_path / "cache")


def test_the_commit_named_is_exported_whatever_the_branch_says_now(
    cache: SourceCache, checkout: Checkout, source: SourceRepository, tmp_path: Path
) -> None:
    old = checkout.commit("one", {"pkg/PKGBUILD": "old", "pkg/gone": "x", "other/PKGBUILD": "o"})
    new = checkout.commit("two", {"pkg/PKGBUILD": "new", "pkg/gone": None})
    checkout.push()

    first = cache.export(source, old, "pkg", tmp_path / "old")
    second = cache.export(source, new, "pkg", tmp_path / "new")

    assert {path.name: path.read_text() for path in first.path.iterdir()} == {
        "PKGBUILD": "old",
        "gone": "x",
    }
    assert [path.name for path in second.path.iterdir()] == ["PKGBUILD"]
    assert (second.path / "PKGBUILD").read_text() == "new"
    assert first.tree == git(checkout.folder, "rev-parse", f"{old}:pkg")


def test_every_kind_of_name_and_content_arrives_byte_for_byte(
    cache: SourceCache, checkout: Checkout, source: SourceRepository, tmp_path: Path
) -> None:
    odd = os.fsdecode(b"odd \xff\nname")
    commit = checkout.commit(
        "odd",
        {
            f"pkg/{odd}": b"\x00\xff\r\n",
            "pkg/a/one": "1",
            "pkg/a.b": "2",
            "pkg/a-b/two": "3",
            "pkg/crlf.txt": b"a\r\nb\r\n",
            "pkg/empty": b"",
        },
    )
    (checkout.folder / "pkg/link").symlink_to("a//one")
    (checkout.folder / "pkg/a/up").symlink_to("../a.b")
    (checkout.folder / "pkg/empty").chmod(0o755)
    commit = checkout.commit("links and modes")
    checkout.push()

    found = cache.export(source, commit, "pkg", tmp_path / "out")

    assert (found.path / odd).read_bytes() == b"\x00\xff\r\n"
    assert os.readlink(found.path / "link") == "a//one"  # noqa: PTH115 - a Path would tidy it
    assert os.access(found.path / "empty", os.X_OK)
    assert found.tree == git(checkout.folder, "rev-parse", f"{commit}:pkg") == tree_id(found.path)


def test_attributes_cannot_change_what_is_built(
    cache: SourceCache, checkout: Checkout, source: SourceRepository, tmp_path: Path
) -> None:
    commit = checkout.commit(
        "attributes",
        {
            "pkg/.gitattributes": "hidden export-ignore\nid export-subst\nlines eol=crlf\n",
            "pkg/hidden": "there",
            "pkg/id": "$Format:%H$",
            "pkg/lines": "a\nb\n",
        },
    )
    checkout.push()

    path = cache.export(source, commit, "pkg", tmp_path / "out").path

    assert (path / "hidden").read_text() == "there"
    assert (path / "id").read_text() == "$Format:%H$"
    assert (path / "lines").read_bytes() == b"a\nb\n"


def test_what_is_not_there_is_told_by_name(
    cache: SourceCache, checkout: Checkout, source: SourceRepository, tmp_path: Path
) -> None:
    commit = checkout.commit("one", {"pkg/PKGBUILD": "x", "file": "no folder"})
    checkout.push()
    never_pushed = checkout.commit("two", {"pkg/PKGBUILD": "y"})

    with pytest.raises(SourceMissingError, match=f"commit {never_pushed} is in no branch or tag"):
        cache.export(source, never_pushed, "pkg", tmp_path / "out")
    with pytest.raises(SourceMissingError, match=f"no folder missing at commit {commit}"):
        cache.export(source, commit, "missing", tmp_path / "out")
    with pytest.raises(SourceMissingError, match="file is no folder"):
        cache.export(source, commit, "file", tmp_path / "out")
    for reference in ("main", commit[:12], f"--upload-pack=touch {tmp_path}/x"):
        with pytest.raises(SourceMissingError, match="is not the full id of a commit"):
            cache.export(source, reference, "pkg", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("target", ["/etc/passwd", "../other/x", "a/../../other/x", "a/.."])
def test_a_link_that_may_lead_out_of_the_folder_is_refused(
    cache: SourceCache, checkout: Checkout, source: SourceRepository, tmp_path: Path, target: str
) -> None:
    checkout.commit("one", {"pkg/a/b": "x", "other/x": "x"})
    (checkout.folder / "pkg/link").symlink_to(target)
    commit = checkout.commit("link")
    checkout.push()

    with pytest.raises(UnsafeTreeError, match="'link' is a link to"):
        cache.export(source, commit, "pkg", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_submodule_is_refused(
    cache: SourceCache, checkout: Checkout, source: SourceRepository, tmp_path: Path
) -> None:
    commit = checkout.commit("one", {"pkg/PKGBUILD": "x"})
    git(checkout.folder, "update-index", "--add", "--cacheinfo", f"160000,{commit},pkg/sub")
    git(checkout.folder, "commit", "--quiet", "-m", "submodule")
    commit = checkout.head()
    checkout.push()

    with pytest.raises(UnsafeTreeError, match="'sub' is a submodule"):
        cache.export(source, commit, "pkg", tmp_path / "out")


def test_a_server_that_gives_no_commits_by_id_is_asked_for_its_branches(
    cache: SourceCache,
    checkout: Checkout,
    source: SourceRepository,
    tmp_path: Path,
    private_home: Path,
) -> None:
    # With the old protocol a server hands out only what a branch or tag points at.
    with (private_home / ".gitconfig").open("a") as config:
        config.write("[protocol]\n    version = 0\n")
    first = checkout.commit("one", {"pkg/PKGBUILD": "1"})
    second = checkout.commit("two", {"pkg/PKGBUILD": "2"})
    checkout.push()
    tip = cache.export(source, second, "pkg", tmp_path / "tip")  # leaves a shallow cache
    tagged = checkout.commit("three", {"pkg/PKGBUILD": "3"})
    git(checkout.folder, "push", "--quiet", "origin", "HEAD:refs/tags/kept")

    assert (tip.path / "PKGBUILD").read_text() == "2"
    older = cache.export(source, first, "pkg", tmp_path / "older")
    assert (older.path / "PKGBUILD").read_text() == "1"
    found = cache.export(source, tagged, "pkg", tmp_path / "tagged")
    assert (found.path / "PKGBUILD").read_text() == "3"


def test_a_commit_fetched_before_needs_no_server(
    cache: SourceCache, checkout: Checkout, source: SourceRepository, tmp_path: Path
) -> None:
    commit = checkout.commit("one", {"a/PKGBUILD": "a", "b/PKGBUILD": "b"})
    checkout.push()
    cache.export(source, commit, "a", tmp_path / "a")
    shutil.rmtree(checkout.remote)

    assert (cache.export(source, commit, "b", tmp_path / "b").path / "PKGBUILD").exists()


def test_a_repository_out_of_reach_is_a_passing_trouble_and_shows_no_password(
    cache: SourceCache, tmp_path: Path
) -> None:
    # Port 9 of this machine: nobody answers there.
    url = "http://user:s3cret-pass@127.0.0.1:9/repo.git"
    source = SourceRepository(name="source", url=url)

    with pytest.raises(TemporaryError, match="source cannot be fetched") as caught:
        cache.export(source, "0" * 40, "pkg", tmp_path / "out")

    assert "s3cret" not in f"{caught.value!r} {caught.value.__cause__!r} {source!r}"
    for path in (tmp_path / "cache").rglob("*"):
        assert not path.is_file() or b"s3cret" not in path.read_bytes()


def test_several_workers_fill_one_cache_at_the_same_time(
    checkout: Checkout, source: SourceRepository, tmp_path: Path
) -> None:
    commits = [checkout.commit(f"{n}", {"pkg/PKGBUILD": f"{n}"}) for n in range(6)]
    checkout.push()

    def export(number: int) -> str:
        cache = SourceCache(tmp_path / "cache")
        found = cache.export(source, commits[number], "pkg", tmp_path / f"out{number}")
        return (found.path / "PKGBUILD").read_text()

    running = [Background(partial(export, n)) for n in range(6)]

    assert [each.result() for each in running] == [str(n) for n in range(6)]


def test_plain_files_are_read_without_writing_a_folder(
    cache: SourceCache, checkout: Checkout, source: SourceRepository
) -> None:
    checkout.commit(
        "one",
        {"pkg/.SRCINFO": b"\xff\0\n", "pkg/.CI/config": "", ":(glob)*": "odd", ".ci/config": "x"},
    )
    (checkout.folder / "pkg/link").symlink_to("PKGBUILD")
    old = checkout.commit("links")
    checkout.commit("two", {"pkg/.SRCINFO": "newer"})
    checkout.push()

    wanted = ["pkg/.SRCINFO", "pkg/.CI/config", ".ci/config", "pkg/.CI", "pkg/link", "*", "-x"]
    assert cache.read_files(source, old, [*wanted, ":(glob)*", "gone/x"]) == {
        "pkg/.SRCINFO": b"\xff\0\n",
        "pkg/.CI/config": b"",
        ".ci/config": b"x",
        ":(glob)*": b"odd",
    }
    assert cache.read_files(source, old, []) == {}


def test_a_file_that_is_too_large_is_not_read(
    cache: SourceCache, checkout: Checkout, source: SourceRepository
) -> None:
    most, more = b"x" * MAX_FILE_SIZE, b"x" * (MAX_FILE_SIZE + 1)
    commit = checkout.commit("large", {"a/.SRCINFO": most, "b/.SRCINFO": more})
    checkout.push()

    assert cache.read_files(source, commit, ["a/.SRCINFO"]) == {"a/.SRCINFO": most}
    with pytest.raises(SourceMissingError, match=r"'b/.SRCINFO' at commit .* too many"):
        cache.read_files(source, commit, ["b/.SRCINFO"])


def test_files_of_a_repository_out_of_reach_are_only_out_of_reach(
    cache: SourceCache, checkout: Checkout, source: SourceRepository
) -> None:
    commit = checkout.commit("one", {"pkg/.SRCINFO": "x"})
    checkout.push()
    checkout.remote.rename(checkout.remote.with_name("away"))

    with pytest.raises(TemporaryError, match="cannot be fetched"):
        cache.read_files(source, commit, ["pkg/.SRCINFO"])


def test_the_names_in_a_repository_are_those_at_its_tip(
    cache: SourceCache, checkout: Checkout, source: SourceRepository
) -> None:
    checkout.commit(
        "one",
        {
            "tool/.SRCINFO": srcinfo("tool", names=("tool", "tool-doc")),
            "folder/.SRCINFO": srcinfo("base"),
            "broken/.SRCINFO": "no such thing",
            "without/PKGBUILD": "x",
            ".ci/.SRCINFO": srcinfo("hidden"),
            "odd\nname/.SRCINFO": srcinfo("odd"),
        },
    )
    checkout.push()

    # Without a `.SRCINFO` that can be read, a folder stands for its own name.
    others = {
        "broken": FolderNames("broken", frozenset({"broken"})),
        "without": FolderNames("without", frozenset({"without"})),
        "folder": FolderNames("base", frozenset({"base"})),
    }
    tool = FolderNames("tool", frozenset({"tool", "tool-doc"}))
    assert cache.names_now(source) == {"tool": tool, **others}
    assert tool.made == {"tool", "tool-doc", "tool-debug"}
    first = checkout.head()
    checkout.commit("two", {"tool/.SRCINFO": None})
    checkout.push()
    assert cache.names_now(source) == others
    assert cache.names_at(source, first) == {"tool": tool, **others}
    checkout.remote.rename(checkout.remote.with_name("away"))
    with pytest.raises(TemporaryError, match="cannot be fetched"):
        cache.names_now(source)


def test_a_folder_is_current_as_long_as_the_tip_has_the_same(
    cache: SourceCache, checkout: Checkout, source: SourceRepository
) -> None:
    first = checkout.commit("one", {"a/PKGBUILD": "1", "b/PKGBUILD": "1", "c/PKGBUILD": "1"})
    checkout.push()
    checkout.commit("two", {"b/PKGBUILD": "2", "c/PKGBUILD": None})
    checkout.push()

    assert [cache.is_current(source, first, name) for name in "abcd"] == [True, False, False, False]


def test_what_was_recalled_is_what_the_branch_says_now(
    cache: SourceCache, checkout: Checkout, source: SourceRepository
) -> None:
    checkout.commit("one", {"a/PKGBUILD": "1"})
    checkout.push()
    remote = checkout.remote

    def remember(recalled: str) -> None:
        blob = git(remote, "hash-object", "-w", "--stdin", stdin=recalled.encode())
        tree = git(remote, "mktree", stdin=f"100644 blob {blob}\trecalled\n".encode())
        commit = git(remote, "commit-tree", tree, "-m", "remember")
        git(remote, "update-ref", "refs/heads/caur", commit)

    assert cache.recalled_now(source) == frozenset()
    remember("a\nb\n")
    assert cache.recalled_now(source) == {"a", "b"}
    remember("b\n")
    assert cache.recalled_now(source) == {"b"}
    remember("../b\n")
    with pytest.raises(InputError, match="recalled on branch caur"):
        cache.recalled_now(source)
    git(remote, "update-ref", "-d", "refs/heads/caur")
    assert cache.recalled_now(source) == frozenset()
    shutil.rmtree(remote)
    with pytest.raises(TemporaryError):
        cache.recalled_now(source)


@pytest.mark.parametrize(("source_format", "default"), [("sha1", "sha256"), ("sha256", "sha1")])
def test_a_source_may_have_another_object_format_than_this_machine_makes(
    cache: SourceCache,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    source_format: str,
    default: str,
) -> None:
    monkeypatch.setenv("GIT_DEFAULT_HASH", source_format)
    made = Checkout.create(tmp_path / "other")
    commit = made.commit("one", {"pkg/PKGBUILD": "x", "pkg/.SRCINFO": srcinfo("pkg")})
    made.push()
    git(made.remote, "symbolic-ref", "HEAD", "refs/heads/main")
    monkeypatch.setenv("GIT_DEFAULT_HASH", default)
    source = SourceRepository(name="source", url=made.remote.as_uri())

    assert (cache.export(source, commit, "pkg", tmp_path / "out").path / "PKGBUILD").is_file()
    assert cache.names_now(source).keys() == {"pkg"}


class TestGenerated:
    PKGBUILD = "pkgname=(a b)\npkgbase=base\npkgver=1\npkgrel=1\narch=(any)\n"
    PKGBUILD += "package_a() { :; }\npackage_b() { :; }\n"

    def test_names_and_files_of_a_package_without_a_srcinfo(
        self, cache: SourceCache, checkout: Checkout, source: SourceRepository
    ) -> None:
        files = {"base/PKGBUILD": self.PKGBUILD, "asks/PKGBUILD": "pkgname=$(x)\n"}
        plain = checkout.commit("one", dict(files))
        made = checkout.commit("two", {".ci/config": "CI_SRCINFO=generate\n"})
        checkout.push()

        assert cache.names_at(source, plain)["base"] == FolderNames("base", frozenset({"base"}))
        assert cache.names_at(source, made) == {
            "base": FolderNames("base", frozenset({"a", "b"})),
            "asks": FolderNames("asks", frozenset({"asks"})),
        }
        names = ("PKGBUILD", ".SRCINFO", "other")
        assert cache.read_package(source, plain, "base", names).keys() == {"PKGBUILD"}
        found = cache.read_package(source, made, "base", names)
        assert found["PKGBUILD"] == self.PKGBUILD.encode()
        assert found[".SRCINFO"].startswith(b"pkgbase = base\n")
        with pytest.raises(UnsureSrcinfoError, match=r"asks/\.SRCINFO cannot be told"):
            cache.read_package(source, made, "asks", names)
        assert cache.read_package(source, made, "asks", ["PKGBUILD"])
