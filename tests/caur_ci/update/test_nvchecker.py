"""Packages that are followed as their nvchecker.toml says."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from caur_ci.config import PackageConfig, PkgbuildSource, RepositoryConfig
from caur_ci.confined import Confined
from caur_ci.update.fetching import Fetcher
from caur_ci.update.nvchecker import NvcheckerSource
from caur_ci.update.nvchecker_file import Entry, read_entry
from caur_ci.update.nvchecker_run import Nvchecker
from caur_ci.update.recording import Live
from caur_ci.update.source import FindingKind, FollowedPackage, LastSeen, SourceFinding
from tests.support.git import git as run_git
from tests.support.git_mirror import GitMirror, Trouble, git_mirror, put
from tests.support.objects import ObjectStore
from tests.support.releases import followed_package, release_writer
from tests.support.source_server import SourceServer, source_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from caur_ci.update.nvchecker_run import Answers

CONFIG = PackageConfig(nvchecker=True)
REPOSITORY = RepositoryConfig(local_sources=True)


@pytest.fixture(scope="module")
def confined() -> Iterator[Confined]:
    with Confined() as made:
        yield made


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore.create(tmp_path / "store.git")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitMirror]:
    root = tmp_path_factory.mktemp("served")
    repository = root / "tool.git"
    put(repository, {"main": {"a": "1"}})
    run_git(repository, "tag", "v1.0", "main~1")
    run_git(repository, "tag", "-a", "-m", "x", "v1.1", "main")
    run_git(repository, "tag", "v1.10-rc1", "main")
    put(root / "empty.git", {"main": {"a": "1"}})
    with git_mirror(root) as made:
        yield made


@pytest.fixture
def files() -> Iterator[SourceServer]:
    with source_server() as made:
        yield made


class Told(Nvchecker):
    """nvchecker that says what it is told to say."""

    def __init__(self, answers: Answers) -> None:
        super().__init__()
        self.answers = answers
        self.asked: list[list[str]] = []

    def versions(self, entries: Mapping[str, Entry]) -> Answers:
        self.asked.append(sorted(entries))
        return self.answers


def look(
    store: ObjectStore,
    confined: Confined,
    *packages: FollowedPackage,
    nvchecker: Nvchecker | None = None,
    config: RepositoryConfig = REPOSITORY,
) -> dict[str, SourceFinding]:
    writer = release_writer(store, confined)
    with Fetcher(store.git, parallel=2, delay=0, sleep=lambda _: None) as fetcher:
        source = NvcheckerSource(
            fetcher, nvchecker or Told({}), writer, confined, Live(), config=config
        )
        return dict(source.look(packages))


def pkgbuild(source: str = '"git+https://x.org/t#tag=v$pkgver"', sums: str = "SKIP") -> str:
    return f"pkgname=tool\npkgver=1.0\npkgrel=4\narch=(any)\nsource=({source})\nb2sums=({sums})\n"


def git_toml(url: str, more: str = 'exclude_regex = ".*rc.*"\nprefix = "v"\n') -> str:
    return f'[tool]\nsource = "git"\ngit = "{url}/tool.git"\n{more}'


def package(
    store: ObjectStore,
    toml: str,
    text: str = "",
    *,
    file: str = "nvchecker.toml",
    name: str = "tool",
    config: PackageConfig = CONFIG,
    seen: LastSeen | None = None,
) -> FollowedPackage:
    return followed_package(
        store, text or pkgbuild(), config, name=name, seen=seen, more={file: toml}
    )


@pytest.mark.parametrize("file", ["nvchecker.toml", ".nvchecker.toml"])
def test_tags_are_read_by_our_own_git(
    store: ObjectStore, confined: Confined, server: GitMirror, file: str
) -> None:
    nvchecker = Told({})
    one = package(store, git_toml(server.url), file=file)

    found = look(store, confined, one, nvchecker=nvchecker)["tool"]

    commit = run_git(server.root / "tool.git", "rev-parse", "main")
    assert found.kind is FindingKind.FILES, found.reason
    assert "v1.1" in found.reason
    assert found.seen == LastSeen(origin="nvchecker", commit=commit, version="1.1")
    assert "nvchecker" in found.review
    after = store.files(found.tree)
    assert after["PKGBUILD"] == pkgbuild().replace("1.0\npkgrel=4", "1.1\npkgrel=1")
    assert "pkgver = 1.1\n\tpkgrel = 1\n" in after[".SRCINFO"]
    assert "#tag=v1.1\n" in after[".SRCINFO"]
    assert after[file] == git_toml(server.url)
    assert nvchecker.asked == []


@pytest.mark.parametrize(
    "options",
    [
        'prefix = "v"\n',
        'prefix = "v"\nexclude_regex = ".*rc.*"\n',
        'include_regex = "v(.*)-rc1"\nfrom_pattern = "v(.*)-rc1"\nto_pattern = "\\\\1rc1"\n',
        'prefix = "v"\nsort_version_key = "parse_version"\nignored = "v1.10-rc1"\n',
    ],
)
def test_the_version_is_that_of_nvchecker(
    store: ObjectStore, confined: Confined, server: GitMirror, options: str
) -> None:
    pytest.importorskip("nvchecker")
    toml = git_toml(server.url, options)
    entry = Entry(*read_entry(toml, "tool"))
    told = Nvchecker(seconds=30).versions({"tool": entry})["tool"]["version"]

    found = look(store, confined, package(store, toml))["tool"]

    if "-" in told:
        assert found.reason == (
            f"nvchecker.toml: the version '{told}' cannot be a pkgver "
            "from_pattern and to_pattern, prefix or include_regex make one of it."
        )
    else:
        assert found.seen is not None
        assert found.seen.version == told


def test_a_commit_that_is_pinned_goes_to_that_of_the_tag(
    store: ObjectStore, confined: Confined, server: GitMirror
) -> None:
    old, new = (run_git(server.root / "tool.git", "rev-parse", it) for it in ("main~1", "main"))
    text = f"_commit={old}\n" + pkgbuild("git+https://elsewhere.org/t#commit=$_commit")

    found = look(store, confined, package(store, git_toml(server.url), text))["tool"]

    assert f"_commit={new}\n" in store.files(found.tree)["PKGBUILD"]


def test_all_others_are_asked_of_nvchecker_at_once(
    store: ObjectStore, confined: Confined, server: GitMirror, files: SourceServer
) -> None:
    files.put("/2.0.tgz", b"two")
    text = pkgbuild(f'"{files.url}/$pkgver.tgz"', "ff")
    pypi = '[x]\nsource = "pypi"\npypi = "tool"\n'
    packages = [
        package(store, git_toml(server.url), name="tool"),
        *(package(store, pypi, text, name=name) for name in "abcd"),
    ]
    nvchecker = Told(
        {
            "a": {"version": "v2.0", "url": "https://x.org/2.0", "revision": "no id"},
            "b": {"version": "1.0"},
            "c": {"problem": "nvchecker: status 404"},
        }
    )

    found = look(store, confined, *packages, nvchecker=nvchecker)

    assert nvchecker.asked == [["a", "b", "c", "d"]]
    assert {name: it.kind.value for name, it in found.items()} == {
        "tool": "files",
        "a": "files",
        "b": "unchanged",
        "c": "failed",
        "d": "failed",
    }
    assert found["a"].link == "https://x.org/2.0"
    assert hashlib.blake2b(b"two").hexdigest() in store.files(found["a"].tree)["PKGBUILD"]
    assert found["c"].reason == "nvchecker: status 404"


def test_real_nvchecker_is_run(store: ObjectStore, confined: Confined, files: SourceServer) -> None:
    pytest.importorskip("nvchecker")
    url = files.put("/list", b"tool-1.0 tool-1.5")
    files.put("/1.5.tgz", b"new")
    toml = f"[tool]\nsource = 'regex'\nurl = '{url}'\nregex = 'tool-([0-9.]+)'\n"
    one = package(store, toml, pkgbuild(f'"{files.url}/$pkgver.tgz"', "ff"))

    found = look(store, confined, one, nvchecker=Nvchecker(seconds=30))["tool"]

    assert found.kind is FindingKind.FILES, found.reason
    assert "pkgver=1.5\n" in store.files(found.tree)["PKGBUILD"]


@pytest.mark.parametrize(
    ("toml", "why"),
    [
        ("[tool]\nsource = 'cmd'\ncmd = 'id'\n", "CI_NVCHECKER_COMMANDS=true"),
        ("[tool]\nsource = 'git'\ngit = 'ext::id'\n", "is not the URL"),
        ("[tool\n", "no TOML"),
        ("x" * 70_000, "more than 65536 bytes"),
        ("a = " + "[" * 20_000, "nvchecker.toml: "),
    ],
)
def test_a_hostile_file_costs_its_package_only(
    store: ObjectStore, confined: Confined, server: GitMirror, toml: str, why: str
) -> None:
    good = package(store, git_toml(server.url), name="tool")

    found = look(store, confined, package(store, toml, name="bad"), good)

    assert found["bad"].kind is FindingKind.FAILED
    assert why in found["bad"].reason
    assert found["tool"].kind is FindingKind.FILES


def test_private_servers_are_not_asked(
    store: ObjectStore, confined: Confined, server: GitMirror
) -> None:
    one = package(store, git_toml(server.url))
    found = look(store, confined, one, config=RepositoryConfig())["tool"]
    assert "CI_LOCAL_SOURCES" in found.reason
    assert found.kind is FindingKind.FAILED


def test_without_a_file_it_says_so(store: ObjectStore, confined: Confined) -> None:
    one = followed_package(store, pkgbuild(), CONFIG)
    found = look(store, confined, one)["tool"]
    assert found.reason.startswith("there is no nvchecker.toml and no .nvchecker.toml")


def test_a_repository_that_is_out_of_reach_fails(
    store: ObjectStore, confined: Confined, server: GitMirror
) -> None:
    server.troubles.append(Trouble("tool.git", status=503))
    try:
        found = look(store, confined, package(store, git_toml(server.url)))["tool"]
    finally:
        server.troubles.clear()
    assert found.kind is FindingKind.FAILED
    assert "503" in found.reason


def test_a_repository_without_tags_fails(
    store: ObjectStore, confined: Confined, server: GitMirror
) -> None:
    toml = git_toml(server.url).replace("tool.git", "empty.git")
    assert "no tags" in look(store, confined, package(store, toml))["tool"].reason


def test_what_cannot_be_written_waits_with_the_reason(
    store: ObjectStore, confined: Confined, server: GitMirror
) -> None:
    text = pkgbuild().replace("pkgver=1.0", "_a=1\npkgver=$_a.0")
    found = look(store, confined, package(store, git_toml(server.url), text))["tool"]
    assert found.kind is FindingKind.WAITING
    assert "v1.1" in found.reason
    assert "not taken over" in found.reason


def test_what_was_put_to_review_is_not_made_again(
    store: ObjectStore, confined: Confined, server: GitMirror
) -> None:
    toml = git_toml(server.url)
    seen = look(store, confined, package(store, toml))["tool"].seen
    assert look(store, confined, package(store, toml, seen=seen))["tool"].kind is (
        FindingKind.UNCHANGED
    )


def test_what_another_source_saw_is_kept(
    store: ObjectStore, confined: Confined, server: GitMirror
) -> None:
    both = PackageConfig(nvchecker=True, source=PkgbuildSource("aur"))
    found = look(store, confined, package(store, git_toml(server.url), config=both))["tool"]
    assert found.kind is FindingKind.FILES
    assert found.seen is None


def test_reviews_may_be_switched_off(
    store: ObjectStore, confined: Confined, server: GitMirror
) -> None:
    config = RepositoryConfig(local_sources=True, nvchecker_review=False)
    found = look(store, confined, package(store, git_toml(server.url)), config=config)["tool"]
    assert found.review == ""
