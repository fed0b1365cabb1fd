"""What folders would have as `.SRCINFO`, told from their PKGBUILDs, and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from caur_ci.generated_srcinfo import (
    PkgbuildFolder,
    SrcinfoGenerator,
    UnsureSrcinfoError,
    cache,
    generator,
)
from caur_ci.package_folders import CommittedFolders, WorkingFolders
from caur_ci.pkgbuild.foreign import EvaluatedSrcinfo, evaluated_srcinfo
from caur_ci.pkgbuild.srcinfo import Doubt
from tests.support.objects import ObjectStore

if TYPE_CHECKING:
    from pathlib import Path

    from caur_ci.confined import Confined
    from caur_ci.generated_srcinfo import Srcinfo

PLAIN = "pkgname=plain\npkgver=1.0\npkgrel=2\narch=(any)\ndepends=(other)\n"
SRCINFO = (
    b"pkgbase = plain\n\tpkgver = 1.0\n\tpkgrel = 2\n\tarch = any\n\tdepends = other\n"
    b"\npkgname = plain\n"
)
FILES = {
    "plain/PKGBUILD": PLAIN,
    "asks/PKGBUILD": "pkgname=asks\npkgver=$(date +%s)\npkgrel=1\narch=(any)\n",
    "globs/PKGBUILD": "pkgname=globs\npkgver=1\npkgrel=1\narch=(any)\nsource=(two[1].patch)\n"
    "sha256sums=(SKIP)\n",
    "globs/one.patch": "x",
    "docs/README.md": "x",
    "written/PKGBUILD": PLAIN,
    "written/.SRCINFO": "as it is\n",
}


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore.create(tmp_path / "store.git")


@pytest.fixture
def committed(store: ObjectStore) -> CommittedFolders:
    return CommittedFolders.at(store.git, store.commit(FILES), generate=True)


@pytest.fixture
def working(tmp_path: Path) -> WorkingFolders:
    for name, content in FILES.items():
        path = tmp_path / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return WorkingFolders(tmp_path / "work", generator=SrcinfoGenerator())


@pytest.fixture(params=["committed", "working"])
def folders(request: pytest.FixtureRequest) -> CommittedFolders | WorkingFolders:
    found: CommittedFolders | WorkingFolders = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def evaluated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the packages whose PKGBUILD is evaluated."""
    found: list[str] = []

    def noted(confined: Confined, pkgbuild: bytes, **options: Any) -> EvaluatedSrcinfo:  # noqa: ANN401
        found.append(pkgbuild.decode().partition("pkgname=")[2].partition("\n")[0])
        return evaluated_srcinfo(confined, pkgbuild, **options)

    monkeypatch.setattr(generator, "evaluated_srcinfo", noted)
    return found


def reason(srcinfo: Srcinfo) -> str:
    assert isinstance(srcinfo, UnsureSrcinfoError)
    return f"{srcinfo.message} {srcinfo.hint}"


def test_what_is_not_committed_follows_from_the_pkgbuild(
    folders: CommittedFolders | WorkingFolders,
) -> None:
    found = dict(folders.srcinfos())

    assert list(found) == sorted(found)
    assert found["plain"] == SRCINFO
    assert found["written"] == b"as it is\n"
    assert found["docs"] is None


def test_what_would_have_to_be_run_is_told_with_line_and_remedy(
    folders: CommittedFolders | WorkingFolders,
) -> None:
    told = reason(dict(folders.srcinfos(["asks"]))["asks"])

    assert "asks/.SRCINFO cannot be told from the PKGBUILD without running it" in told
    assert "PKGBUILD, line 2: pkgver" in told
    assert "`caur-ci srcinfo --write asks`" in told


def test_names_of_files_are_known_where_they_matter(
    folders: CommittedFolders | WorkingFolders,
) -> None:
    srcinfo = dict(folders.srcinfos(["globs"]))["globs"]

    assert isinstance(srcinfo, bytes)
    assert b"source = two[1].patch\n" in srcinfo


def test_without_the_setting_nothing_is_made(store: ObjectStore) -> None:
    folders = CommittedFolders.at(store.git, store.commit(FILES))

    assert dict(folders.srcinfos(["plain", "asks"])) == {"plain": None, "asks": None}


def test_contents_hold_what_is_made(committed: CommittedFolders) -> None:
    found = committed.contents(("PKGBUILD", ".SRCINFO"), ["plain", "asks", "docs"])

    assert found["plain"] == {"PKGBUILD": PLAIN.encode(), ".SRCINFO": SRCINFO}
    assert found["asks"].keys() == {"PKGBUILD"}
    assert found["docs"] == {}


def test_a_tree_that_is_to_be_a_folder_has_one_as_well(
    committed: CommittedFolders, store: ObjectStore
) -> None:
    new = store.tree({"PKGBUILD": PLAIN.replace("1.0", "1.1")})

    assert committed.srcinfo_in(new, "plain") == SRCINFO.replace(b"1.0", b"1.1")
    assert committed.srcinfo_in(committed.tree("written"), "written") == b"as it is\n"


class TestKept:
    def test_the_same_folder_is_evaluated_once_whatever_the_commit(
        self, store: ObjectStore, evaluated: list[str]
    ) -> None:
        for commit in (store.commit(FILES), store.commit({**FILES, "docs/more": "x"})):
            dict(CommittedFolders.at(store.git, commit, generate=True).srcinfos())

        assert sorted(set(evaluated)) == ["asks", "globs", "plain"]
        assert evaluated.count("plain") == 1
        # Twice where it is not sure without the names beside it.
        assert (evaluated.count("asks"), evaluated.count("globs")) == (2, 2)

    def test_another_content_is_evaluated(self, store: ObjectStore, evaluated: list[str]) -> None:
        for pkgrel in ("2", "3"):
            files = {"plain/PKGBUILD": PLAIN.replace("pkgrel=2", f"pkgrel={pkgrel}")}
            folders = CommittedFolders.at(store.git, store.commit(files), generate=True)
            srcinfo = dict(folders.srcinfos())["plain"]
            assert isinstance(srcinfo, bytes)
            assert f"pkgrel = {pkgrel}\n".encode() in srcinfo

        assert evaluated == ["plain", "plain"]

    def test_files_on_disk_are_known_by_what_they_hold(
        self, tmp_path: Path, evaluated: list[str]
    ) -> None:
        kept = cache.SrcinfoCache(tmp_path / "kept.sqlite")
        folder = PkgbuildFolder(PLAIN.encode(), lambda: ["PKGBUILD"])
        for package in ("one", "two"):
            made = SrcinfoGenerator(kept).of_folders([(package, folder), ("gone", None)])
            assert made == {package: SRCINFO, "gone": None}

        assert evaluated == ["plain"]

    def test_why_it_is_not_sure_is_kept_for_any_name(self, tmp_path: Path) -> None:
        kept = cache.SrcinfoCache(tmp_path / "kept.sqlite")
        folder = PkgbuildFolder(b"pkgname=$(x)\n", lambda: ["PKGBUILD"])

        first, second = (
            reason(SrcinfoGenerator(kept).of_folders([(name, folder)])[name]) for name in "ab"
        )

        assert first.replace("a/.SRCINFO", "b/.SRCINFO").replace("--write a", "--write b") == second

    def test_what_takes_too_long_is_tried_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = SrcinfoGenerator(cache.SrcinfoCache(tmp_path / "kept.sqlite"))
        folder = PkgbuildFolder(PLAIN.encode(), lambda: ["PKGBUILD"])

        def slow(*_: object, **__: object) -> EvaluatedSrcinfo:
            return EvaluatedSrcinfo(None, (Doubt("", 0, "it takes too much time"),), False)

        monkeypatch.setattr(generator, "evaluated_srcinfo", slow)
        assert "too much time" in reason(made.of_folders([("a", folder)])["a"])
        monkeypatch.undo()

        assert made.of_folders([("a", folder)]) == {"a": SRCINFO}

    def test_what_gives_up_harms_nobody_else(self) -> None:
        bomb = b"x=a\n" + b"x=$x$x$x$x$x$x$x$x$x$x$x$x$x$x$x$x\n" * 40 + b"pkgname=$x\n"
        folders = [
            ("bomb", PkgbuildFolder(bomb, lambda: ["PKGBUILD"])),
            ("plain", PkgbuildFolder(PLAIN.encode(), lambda: ["PKGBUILD"])),
        ]

        found = SrcinfoGenerator().of_folders(folders)

        assert "bomb/.SRCINFO cannot be told" in reason(found["bomb"])
        assert found["plain"] == SRCINFO

    def test_what_another_evaluator_made_does_not_count_and_goes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept = cache.SrcinfoCache(tmp_path / "kept.sqlite")
        kept.write({"x": cache.Generated(b"old")})
        monkeypatch.setattr(cache, "evaluator", lambda: "another")

        assert kept.read(["x"]) == {}
        kept.write({"y": cache.Generated(b"new")})
        monkeypatch.undo()
        assert kept.read(["x", "y"]) == {}

    @pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + b"x" * 2000])
    def test_a_spoilt_file_is_made_anew(
        self, tmp_path: Path, content: bytes, evaluated: list[str]
    ) -> None:
        path = tmp_path / "kept.sqlite"
        path.write_bytes(content)
        folder = PkgbuildFolder(PLAIN.encode(), lambda: ["PKGBUILD"])

        for _ in range(3):
            made = SrcinfoGenerator(cache.SrcinfoCache(path)).of_folders([("a", folder)])
            assert made == {"a": SRCINFO}

        assert len(evaluated) < 3

    def test_a_place_that_cannot_be_written_is_done_without(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        folder = PkgbuildFolder(PLAIN.encode(), lambda: ["PKGBUILD"])
        made = SrcinfoGenerator(cache.SrcinfoCache(tmp_path / "file" / "kept.sqlite"))

        assert made.of_folders([("a", folder)]) == {"a": SRCINFO}
