"""Packages that come from any git repository."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from caur_ci.config import PackageConfig
from caur_ci.config.values import PkgbuildSource
from caur_ci.git import GitRepository
from caur_ci.update.fetching import Fetcher
from caur_ci.update.git_url import GitUrlSource, commit_link
from caur_ci.update.source import FindingKind, FollowedPackage, LastSeen, SourceFinding
from tests.support.git import git as run_git
from tests.support.git_mirror import (
    GitCalls,
    GitMirror,
    Trouble,
    git_mirror,
    package,
    put,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.git import Checkout


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitMirror]:
    root = tmp_path / "served"
    root.mkdir()
    with git_mirror(root) as made:
        yield made


@pytest.fixture
def git(checkout: Checkout) -> GitRepository:
    return GitRepository.open(checkout.folder)


def followed(name: str, location: str, seen: LastSeen | None = None) -> FollowedPackage:
    config = PackageConfig(source=PkgbuildSource("git", location))
    return FollowedPackage(name=name, config=config, tree="2" * 40, seen=seen or LastSeen())


def look(git: GitRepository, *packages: FollowedPackage) -> dict[str, SourceFinding]:
    with Fetcher(git, parallel=4, delay=0, sleep=lambda _: None) as fetcher:
        return dict(GitUrlSource(fetcher).look(packages))


def test_only_what_names_a_repository_is_followed(git: GitRepository) -> None:
    with Fetcher(git, parallel=1, delay=0) as fetcher:
        source = GitUrlSource(fetcher)
        assert source.covers(followed("a", "https://example.org/a").config)
        assert not source.covers(PackageConfig())
        assert not source.covers(PackageConfig(source=PkgbuildSource("aur")))


@pytest.mark.parametrize("fragment", ["", "#branch=topic", "#tag=v1"])
def test_what_moved_brings_files(server: GitMirror, git: GitRepository, fragment: str) -> None:
    repository = server.root / "a.git"
    commits = put(repository, {"main": package("a", "2-1"), "topic": package("b", "3-1")})
    run_git(repository, "tag", "-a", "-m", "x", "v1", "topic")
    location = f"{server.url}/a.git{fragment}"

    found = look(git, followed("a", location))["a"]

    commit = commits["topic" if fragment else "main"]
    version = "3-1" if fragment else "2-1"
    assert found.kind is FindingKind.FILES
    assert found.seen == LastSeen(origin=location, commit=commit, version=version)
    assert found.link == f"{server.url}/a.git"
    assert [entry.name for entry in git.entries(found.tree)] == [".SRCINFO", "PKGBUILD"]
    again = look(git, followed("a", location, found.seen))["a"]
    assert again == SourceFinding(kind=FindingKind.UNCHANGED)


def test_what_has_not_moved_is_not_fetched(
    server: GitMirror,
    git: GitRepository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = GitCalls(tmp_path)
    monkeypatch.setenv("PATH", f"{calls.folder}:{os.environ['PATH']}")
    commit = put(server.root / "a.git", {"main": package("a")})["main"]
    url = f"{server.url}/a.git"
    names = [f"linux-{number}" for number in range(6)]  # of one and the same repository

    found = look(git, *(followed(name, url, LastSeen(origin=url, commit=commit)) for name in names))

    assert {finding.kind for finding in found.values()} == {FindingKind.UNCHANGED}
    assert len(calls.of("ls-remote")) == 1
    assert calls.of("fetch") == []


def test_another_branch_of_the_same_repository_is_something_else(
    server: GitMirror, git: GitRepository
) -> None:
    commit = put(server.root / "a.git", {"main": package("a")})["main"]
    run_git(server.root / "a.git", "branch", "same", "main")
    url = f"{server.url}/a.git"

    found = look(git, followed("a", f"{url}#branch=same", LastSeen(origin=url, commit=commit)))

    assert found["a"].kind is FindingKind.FILES


def test_what_is_wrong_with_one_is_no_matter_to_another(
    server: GitMirror, git: GitRepository
) -> None:
    for name in ("good", "broken", "cut"):
        put(server.root / f"{name}.git", {"main": package(name)})
    run_git(server.root, "init", "--quiet", "--bare", "empty.git")
    server.troubles += [
        Trouble(path="/broken.git", status=500),
        Trouble(path="/cut.git", asks="fetch", cut=100),
    ]
    url = server.url

    found = look(
        git,
        followed("good", f"{url}/good.git"),
        followed("broken", f"{url}/broken.git"),
        followed("cut", f"{url}/cut.git"),
        followed("missing", f"{url}/missing.git"),
        followed("empty", f"{url}/empty.git"),
        followed("no-branch", f"{url}/good.git#branch=other"),
        followed("strange", f"{url}/good.git#commit=123"),
    )

    assert {name: finding.kind for name, finding in found.items()} == {
        "good": FindingKind.FILES,
        "broken": FindingKind.FAILED,
        "cut": FindingKind.FAILED,
        "missing": FindingKind.FAILED,
        "empty": FindingKind.GONE,
        "no-branch": FindingKind.GONE,
        "strange": FindingKind.FAILED,
    }
    assert all(finding.reason for finding in found.values())
    assert f"{url}/good.git#branch=other" in found["no-branch"].reason


def test_credentials_are_neither_remembered_nor_told(server: GitMirror, git: GitRepository) -> None:
    put(server.root / "a.git", {"main": package("a")})
    with_secret = server.url.replace("://", "://me:s3cret@")

    found = look(git, followed("a", f"{with_secret}/a.git"), followed("b", f"{with_secret}/b.git"))

    assert found["a"].kind is FindingKind.FILES
    assert found["b"].kind is FindingKind.FAILED
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://github.com/a/b.git", "https://github.com/a/b/commit/123"),
        ("https://gitlab.com/a/b", "https://gitlab.com/a/b/-/commit/123"),
        ("https://gitlab.archlinux.org/a/b.git", "https://gitlab.archlinux.org/a/b/-/commit/123"),
        ("https://me:x@example.org/b.git", "https://example.org/b.git"),
        ("ssh://git@example.org/b.git", ""),
        ("git@github.com:a/b.git", ""),
    ],
)
def test_links_lead_to_the_commit_where_that_is_known(url: str, link: str) -> None:
    assert commit_link(url, "123") == link
