"""What is found about packages of the AUR, whatever lags, fails or lies."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.aur import Aur
from caur_ci.config import PackageConfig
from caur_ci.config.values import PkgbuildSource
from caur_ci.errors import ConfigError
from caur_ci.git import GitRepository, TreeEntry
from caur_ci.git.repository import FILE_MODE
from caur_ci.srcinfo import parse_fields
from caur_ci.update.aur import AurSource
from caur_ci.update.fetching import Fetcher
from caur_ci.update.source import FindingKind, FollowedPackage, LastSeen, SourceFinding
from caur_ci.update.takeover import take_over
from caur_ci.web import Web
from tests.support.aur_server import AurServer, Fault, aur_server
from tests.support.git_mirror import (
    GitCalls,
    GitMirror,
    Trouble,
    git_mirror,
    package,
    put,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.support.git import Checkout
    from tests.support.git_mirror import Files

NOW = 1_800_000_000
HOUR = 3600
FOLLOWED = PackageConfig(source=PkgbuildSource("aur"))
ELSEWHERE = "https://aur.example.org"


class World:
    """An AUR, its own git repositories, two mirrors of them, and a repository that follows it."""

    def __init__(self, aur: AurServer, served: GitMirror, git: GitRepository) -> None:
        self.aur = aur
        self.served = served
        self.git = git
        self.watermark = 0
        self.now = NOW
        self.own = f"{served.url}/{{pkgbase}}.git"
        self.mirror = f"{served.url}/.mirror.git#branch={{pkgbase}}"
        self.other = f"{served.url}/.other.git#branch={{pkgbase}}"
        for name in (".mirror.git", ".other.git"):
            put(served.root / name, {})

    def push(
        self,
        name: str,
        version: str = "1-1",
        *,
        to: Sequence[str] = ("own", "mirror"),
        maintainer: str | None = "ann",
        hours_ago: float = 1,
        more: Files | None = None,
    ) -> str:
        """Push to the AUR, and at once to some of its mirrors; return the commit."""
        self.aur.add(name, version, modified=int(NOW - hours_ago * HOUR), maintainer=maintainer)
        return self.give(name, version, to=to, more=more)

    def give(self, name: str, version: str, *, to: Sequence[str], more: Files | None = None) -> str:
        """Bring something to mirrors."""
        files = package(name, version, more=more)
        commit = ""
        for place in to:
            repository, branch = f".{place}.git", name
            if place == "own":
                repository, branch = f"{name}.git", "main"
            commit = put(self.served.root / repository, {branch: files})[branch]
        return commit

    def followed(
        self,
        name: str,
        version: str = "1-1",
        *,
        seen: LastSeen | None = None,
        stamp: int | None = None,
        more: Files | None = None,
    ) -> FollowedPackage:
        """Return a package as the repository has it."""
        files = {**package(name, version, more=more), ".gitignore": "*"}
        tree = self.git.write_tree(
            TreeEntry(FILE_MODE, self.git.write_blob(text.encode()), file)
            for file, text in files.items()
        )
        return FollowedPackage(
            name=name,
            config=FOLLOWED,
            tree=tree,
            fields=parse_fields(files[".SRCINFO"].encode()),
            seen=seen or LastSeen(),
            state={} if stamp is None else {"CI_PKGBUILD_TIMESTAMP": str(stamp)},
        )

    def look(
        self, packages: Sequence[FollowedPackage], *patterns: str, url: str = ELSEWHERE
    ) -> dict[str, SourceFinding]:
        """Look with the AUR's git elsewhere, unless `url` is that of the git server."""
        aur = Aur(Web(delays=()), self.aur.url)
        with Fetcher(self.git, parallel=4, delay=0, sleep=lambda _: None) as fetcher:
            source = AurSource(
                aur,
                fetcher,
                url=url,
                patterns=patterns or (self.mirror,),
                watermark=self.watermark,
                now=self.now,
            )
            found = dict(source.look(packages))
            trees = [f"{it.tree}:PKGBUILD" for it in found.values() if it.kind is FindingKind.FILES]
            assert None not in list(self.git.read_blobs(trees) if trees else [])
            return found

    def look_at_own(self, package: FollowedPackage) -> SourceFinding:
        """Look with the AUR's own git only."""
        return self.look([package], self.own, url=self.served.url)[package.name]

    def look_at_mirror(self, package: FollowedPackage, *patterns: str) -> SourceFinding:
        return self.look([package], *patterns)[package.name]

    def modified(self, name: str) -> int:
        stamp: int = self.aur.records[name]["LastModified"]
        return stamp


@pytest.fixture
def world(tmp_path: Path, checkout: Checkout) -> Iterator[World]:
    root = tmp_path / "served"
    root.mkdir()
    with aur_server() as aur, git_mirror(root, unknown_are_empty=True) as served:
        yield World(aur, served, GitRepository.open(checkout.folder))


def seen_at(world: World, commit: str, name: str = "a", *, url: str = ELSEWHERE) -> LastSeen:
    """Return what is remembered after all that the AUR has was taken over."""
    record = world.aur.records[name]
    return LastSeen(
        origin=url,
        commit=commit,
        modified=record["LastModified"],
        version=record["Version"],
        maintainer=record["Maintainer"] or "",
        submitted=record["FirstSubmitted"],
    )


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitCalls:
    counting = GitCalls(tmp_path)
    monkeypatch.setenv("PATH", f"{counting.folder}:{os.environ['PATH']}")
    return counting


def test_only_what_names_the_aur_is_followed(world: World) -> None:
    with Fetcher(world.git, parallel=1, delay=0) as fetcher:
        source = AurSource(
            Aur(Web(), ELSEWHERE), fetcher, url=ELSEWHERE, patterns=(), watermark=0, now=NOW
        )
        assert source.covers(FOLLOWED)
        assert not source.covers(PackageConfig())
        assert not source.covers(PackageConfig(source=PkgbuildSource("git", "https://x.org/a")))


def test_very_many_packages_without_news_are_one_request(world: World, calls: GitCalls) -> None:
    names = [f"package-{number}" for number in range(2355)]
    packages = []
    for name in names:
        world.aur.add(name, modified=NOW - HOUR, maintainer="ann")
        seen = seen_at(world, "1" * 40, name)
        packages.append(FollowedPackage(name=name, config=FOLLOWED, tree="2" * 40, seen=seen))

    found = world.look(packages)

    assert set(found) == set(names)
    assert {finding.kind for finding in found.values()} == {FindingKind.UNCHANGED}
    assert len(world.aur.requests) == 1
    assert calls.of() == []


def test_150_changes_in_one_mirror_are_one_fetch(world: World, calls: GitCalls) -> None:
    names = [f"package-{number}" for number in range(150)]
    first = put(world.served.root / ".mirror.git", {name: package(name) for name in names})
    packages = []
    for name in names:
        world.aur.add(name, "1-1", modified=NOW - 9 * HOUR)
        packages.append(world.followed(name, seen=seen_at(world, first[name], name)))
    put(world.served.root / ".mirror.git", {name: package(name, "2-1") for name in names})
    for name in names:
        world.aur.add(name, "2-1", modified=NOW - HOUR)
    before = len(calls.of())

    found = world.look(packages)

    assert {finding.kind for finding in found.values()} == {FindingKind.FILES}
    assert len(world.served.asked("fetch")) == 1
    assert world.served.asked("info") == ["/.mirror.git/info/refs"]
    assert len(calls.of()) - before < 20


@pytest.mark.parametrize("place", ["own", "mirror"])
def test_an_update_brings_files_and_what_to_remember(world: World, place: str) -> None:
    url = world.served.url if place == "own" else ELSEWHERE
    old = world.push("a", "1-1", hours_ago=5)
    seen = seen_at(world, old, url=url)
    new = world.push("a", "1:1-2", hours_ago=1, more={"fix.patch": "x"})
    pattern = world.own if place == "own" else world.mirror

    followed = world.followed("a", seen=seen)
    found = world.look([followed], pattern, url=url)["a"]

    assert found.kind is FindingKind.FILES
    assert found.seen == seen_at(world, new, url=url)
    assert found.state == {"CI_PKGBUILD_TIMESTAMP": str(world.modified("a"))}
    assert "1:1-2" in found.reason
    assert found.remarks == ()
    link = f"/cgit/aur.git/commit/?h=a&id={new}" if place == "own" else "/packages/a"
    assert found.link == url + link
    names = {entry.name for entry in world.git.entries(found.tree)}
    assert names == {"PKGBUILD", ".SRCINFO", "fix.patch"}
    take_over(world.git, source=found.tree, own=followed.tree)


def test_what_was_seen_elsewhere_says_nothing(world: World) -> None:
    commit = world.push("a")
    seen = seen_at(world, commit, url="https://example.org/a.git")

    found = world.look_at_mirror(world.followed("a", seen=seen, stamp=world.modified("a")))

    assert found.kind is FindingKind.FILES


def test_the_time_on_branch_state_counts_as_seen(world: World, calls: GitCalls) -> None:
    world.push("a", "2-1")
    package = world.followed("a", "1-1", stamp=world.modified("a"))
    before = len(calls.of())

    found = world.look_at_mirror(package)

    told = replace(found, record=None)
    assert told == SourceFinding(kind=FindingKind.UNCHANGED, seen=seen_at(world, ""))
    assert len(calls.of()) == before


def test_the_existing_system_may_have_taken_a_turn(world: World) -> None:
    """It took over an update and told so on branch state; then comes one that only git tells."""
    old = world.push("a", "1-1", hours_ago=9)
    seen = seen_at(world, old)
    world.push("a", "2-1", hours_ago=8)

    found = world.look_at_mirror(world.followed("a", "2-1", seen=seen, stamp=world.modified("a")))
    assert found.kind is FindingKind.UNCHANGED
    assert found.seen is not None
    world.push("a", "2-1", hours_ago=1, to=())  # the mirror does not have it yet
    found = world.look_at_mirror(world.followed("a", "2-1", seen=found.seen))

    assert found.kind is FindingKind.WAITING


def test_the_watermark_counts_where_the_version_is_the_same(world: World) -> None:
    world.push("a", "1-1", hours_ago=3)
    world.push("b", "2-1", hours_ago=3)
    world.push("c", "1-1", hours_ago=1)
    world.watermark = NOW - 2 * HOUR
    packages = [world.followed(name, more={"ours": "x"}) for name in "abc"]

    found = world.look(packages)

    assert found["a"].kind is FindingKind.UNCHANGED
    assert found["a"].seen == seen_at(world, "")
    assert found["a"].state == {"CI_PKGBUILD_TIMESTAMP": str(world.modified("a"))}
    assert found["b"].kind is FindingKind.FILES
    assert found["c"].kind is FindingKind.FILES


def test_at_the_aur_itself_a_time_without_a_commit_is_no_news(world: World) -> None:
    commit = world.push("a", hours_ago=5)
    seen = seen_at(world, commit, url=world.served.url)
    world.push("a", to=(), hours_ago=1)

    found = world.look_at_own(world.followed("a", seen=seen))

    assert found.kind is FindingKind.UNCHANGED
    assert found.seen == seen_at(world, commit, url=world.served.url)


def test_a_mirror_that_lags_is_waited_for_for_a_day(world: World) -> None:
    commit = world.push("a", hours_ago=30)
    seen = seen_at(world, commit)
    world.push("a", to=(), hours_ago=1)
    followed = world.followed("a", seen=seen)

    found = world.look_at_mirror(followed)
    assert found.kind is FindingKind.WAITING
    assert "lags" in found.reason
    assert found.seen is None

    world.now = NOW + 24 * HOUR
    found = world.look_at_mirror(followed)
    assert found.kind is FindingKind.UNCHANGED
    assert found.seen == seen_at(world, commit)
    assert "no change for a day" in found.remarks[0]


def test_a_mirror_with_an_older_version_is_waited_for_without_end(world: World) -> None:
    """Otherwise, what it brings later would never be looked at."""
    commit = world.push("a", "1-1", hours_ago=80)
    seen = seen_at(world, commit)
    world.push("a", "2-1", to=(), hours_ago=50)

    assert world.look_at_mirror(world.followed("a", seen=seen)).kind is FindingKind.WAITING

    world.give("a", "2-1", to=("mirror",))
    assert world.look_at_mirror(world.followed("a", seen=seen)).kind is FindingKind.FILES


def test_a_mirror_that_is_half_way_is_taken_and_looked_at_again(world: World) -> None:
    old = world.push("a", "1-1", hours_ago=9)
    seen = seen_at(world, old)
    between = world.push("a", "2-1", to=("mirror",), hours_ago=3)
    world.push("a", "3-1", to=(), hours_ago=1)

    found = world.look_at_mirror(world.followed("a", seen=seen))
    assert found.kind is FindingKind.FILES
    assert found.seen is not None
    assert (found.seen.commit, found.seen.modified) == (between, seen.modified)
    assert found.state == {}

    again = world.look_at_mirror(world.followed("a", "2-1", seen=found.seen))
    assert again.kind is FindingKind.WAITING
    world.give("a", "3-1", to=("mirror",))
    at_last = world.look_at_mirror(world.followed("a", "2-1", seen=found.seen))
    assert at_last.kind is FindingKind.FILES
    assert at_last.seen is not None
    assert at_last.seen.modified == world.modified("a")


def test_a_package_never_seen_waits_for_a_mirror_that_is_behind(world: World) -> None:
    world.push("a", "2-1", to=())
    world.give("a", "1-1", to=("mirror",))

    assert world.look_at_mirror(world.followed("a", "1-1")).kind is FindingKind.WAITING


def test_a_package_that_no_mirror_has_yet_is_waited_for(world: World) -> None:
    world.push("a", to=(), hours_ago=1)
    assert world.look_at_mirror(world.followed("a")).kind is FindingKind.WAITING

    world.push("a", to=(), hours_ago=30)
    found = world.look_at_mirror(world.followed("a"))
    assert found.kind is FindingKind.FAILED
    assert ".mirror.git#branch=a" in found.reason


def test_of_several_places_the_first_that_is_not_behind_counts(world: World) -> None:
    old = world.push("a", "1-1", to=("mirror", "other"), hours_ago=5)
    seen = seen_at(world, old)
    new = world.push("a", "2-1", to=("other",), hours_ago=1)
    world.push("b", to=("mirror",))
    packages = [world.followed("a", seen=seen), world.followed("b")]

    found = world.look(packages, world.mirror, world.other)

    assert found["a"].seen == seen_at(world, new)
    assert found["b"].kind is FindingKind.FILES
    assert not any(finding.remarks for finding in found.values())


def test_a_place_that_is_dead_is_left_out_and_told(world: World) -> None:
    new = world.push("a", to=("other",))
    shutil.rmtree(world.served.root / ".mirror.git")
    world.served.troubles.append(Trouble(path="/.mirror.git", status=500))

    found = world.look_at_mirror(world.followed("a"), world.mirror, world.other)

    assert found.kind is FindingKind.FILES
    assert found.seen == seen_at(world, new)
    assert "error: 500" in found.remarks[0]


def test_a_dead_place_never_makes_an_update_forgotten(world: World) -> None:
    """One mirror stands still; the other one may have it, but cannot be asked just now."""
    commit = world.push("a", to=("mirror", "other"), hours_ago=90)
    seen = seen_at(world, commit)
    world.push("a", to=("other",), hours_ago=50, more={"fix.patch": "x"})
    world.served.troubles.append(Trouble(path="/.other.git", status=500))

    found = world.look_at_mirror(world.followed("a", seen=seen), world.mirror, world.other)

    assert found.kind is FindingKind.WAITING
    assert found.seen is None


def test_where_all_places_are_dead_it_is_a_failure(world: World) -> None:
    world.push("a")
    world.served.troubles.append(Trouble(status=404))

    found = world.look_at_mirror(world.followed("a"), world.mirror, world.own)

    assert found.kind is FindingKind.FAILED
    assert found.seen is None
    assert "no such repository" in found.reason


@pytest.mark.parametrize(
    "fault",
    [
        Fault(500),
        Fault(429),
        Fault(404),
        Fault(body=b'{"type": "error", "error": "Too many package results."}'),
        Fault(body=b"[" * 1000, cut=10),
        Fault(body=b"<html>"),
        Fault(body=b"[" * 200_000),
        Fault(body=b'{"results": [{"LastModified": 1' + b"0" * 4000 + b"}]}"),
        Fault(body=b'{"results": [{"LastModified": 1' + b"0" * 9000 + b"}]}"),
    ],
)
def test_an_aur_in_trouble_fails_its_packages_and_raises_nothing(
    world: World, fault: Fault, calls: GitCalls
) -> None:
    world.push("a")
    world.aur.faults.extend([fault] * 2)  # the archive is asked, too
    packages = [world.followed(name) for name in "ab"]
    before = len(calls.of())

    found = world.look(packages)

    assert {finding.kind for finding in found.values()} == {FindingKind.FAILED}
    assert all("the AUR cannot be asked" in finding.reason for finding in found.values())
    assert len(calls.of()) == before


@pytest.mark.parametrize("place", ["own", "mirror"])
def test_a_package_is_gone_when_git_says_so_too(world: World, place: str, calls: GitCalls) -> None:
    commit = world.push("a", to=())
    pattern = world.own if place == "own" else world.mirror
    seen = seen_at(world, commit)
    del world.aur.records["a"]

    found = world.look_at_mirror(world.followed("a", seen=seen), pattern)
    assert found.kind is FindingKind.GONE
    assert found.seen is not None

    gone = world.followed("a", seen=found.seen)
    before = len(calls.of())
    assert world.look_at_mirror(gone, pattern).kind is FindingKind.GONE
    assert len(calls.of()) == before, "that was found out before"

    world.push("a", "2-1")
    assert world.look_at_mirror(gone, pattern).kind is FindingKind.FILES


@pytest.mark.parametrize(
    ("place", "kind"), [("own", FindingKind.GONE), ("mirror", FindingKind.FAILED)]
)
def test_a_repository_that_a_server_does_not_have_is_gone(
    world: World, place: str, kind: FindingKind
) -> None:
    """A mirror with a branch for each package says nothing by that about one of them."""
    commit = world.push("a", to=())
    seen = seen_at(world, commit)
    del world.aur.records["a"]
    world.served.troubles.append(Trouble(status=404, times=9))
    pattern = world.own if place == "own" else world.mirror

    assert world.look_at_mirror(world.followed("a", seen=seen), pattern).kind is kind


def test_a_package_is_not_gone_while_somebody_cannot_be_asked(world: World) -> None:
    world.served.troubles.append(Trouble(path="/.other.git", status=503))

    found = world.look_at_mirror(world.followed("a"), world.mirror, world.other)

    assert found.kind is FindingKind.FAILED


def test_an_aur_that_has_lost_everything_is_not_believed(world: World, calls: GitCalls) -> None:
    packages = [
        FollowedPackage(name=f"p{number}", config=FOLLOWED, tree="2" * 40) for number in range(40)
    ]

    found = world.look(packages)

    assert {finding.kind for finding in found.values()} == {FindingKind.FAILED}
    assert "lists only 0 of 40" in found["p0"].reason
    assert calls.of() == []


def test_a_package_that_is_not_listed_but_there(world: World) -> None:
    """Its first package may have got another name; or it was deleted, and git keeps it."""
    commit = world.push("a")
    seen = seen_at(world, commit)
    del world.aur.records["a"]

    found = world.look_at_mirror(world.followed("a", seen=seen))
    assert found.kind is FindingKind.UNCHANGED
    assert "does not list a" in found.remarks[0]
    assert found.seen is not None
    again = world.look_at_mirror(world.followed("a", seen=found.seen))
    assert (again.kind, again.remarks) == (FindingKind.UNCHANGED, ())

    world.give("a", "2-1", to=("mirror",))
    renamed = world.look_at_mirror(world.followed("a", seen=found.seen))
    assert renamed.kind is FindingKind.FILES
    assert renamed.state == {}
    assert renamed.seen is not None
    assert renamed.seen.modified == 0


@pytest.mark.parametrize(
    ("before", "after", "remark"),
    [
        ("ann", None, "ann has orphaned it"),
        (None, "bob", "bob has adopted it"),
        ("ann", "bob", "its maintainer is bob now, and was ann"),
        ("ann", "ann", ""),
        ("x.a", "xa", "its maintainer is xa now"),
    ],
)
@pytest.mark.parametrize("news", ["nothing", "files", "waiting"])
def test_a_change_of_maintainers_is_told_once(
    world: World, before: str | None, after: str | None, remark: str, news: str
) -> None:
    commit = world.push("a", maintainer=before, hours_ago=5)
    seen = seen_at(world, commit)
    if news == "nothing":
        world.push("a", maintainer=after, hours_ago=5)
    else:
        world.push("a", "2-1", maintainer=after, to=("mirror",) if news == "files" else ())

    found = world.look_at_mirror(world.followed("a", seen=seen))

    kinds = {
        "nothing": FindingKind.UNCHANGED,
        "files": FindingKind.FILES,
        "waiting": FindingKind.WAITING,
    }
    assert found.kind is kinds[news]
    if not remark:
        assert found.remarks == ()
        return
    assert remark in found.remarks[0]
    assert found.seen is not None
    assert found.seen.maintainer == (after or "")
    if news == "waiting":
        assert found.seen.modified == seen.modified
    again = world.look_at_mirror(world.followed("a", seen=found.seen))
    assert again.remarks == ()


def test_a_maintainer_seen_for_the_first_time_is_no_news(world: World) -> None:
    world.push("a", maintainer="bob")

    assert world.look_at_mirror(world.followed("a")).remarks == ()


def test_a_tip_of_another_package_is_refused(world: World) -> None:
    world.aur.add("a", modified=NOW)
    put(world.served.root / ".mirror.git", {"a": package("b")})

    found = world.look_at_mirror(world.followed("a"))

    assert found.kind is FindingKind.FAILED
    assert "holds the package b" in found.reason


@pytest.mark.parametrize("srcinfo", ["", "nonsense\n", "pkgbase = ../x\n", "x" * 5_000_000])
def test_a_tip_without_a_usable_srcinfo_is_refused(world: World, srcinfo: str) -> None:
    world.aur.add("a", modified=NOW)
    files = {"PKGBUILD": "x", ".SRCINFO": srcinfo} if srcinfo else {"PKGBUILD": "x"}
    put(world.served.root / ".mirror.git", {"a": files})
    world.push("b")

    found = world.look([world.followed("a"), world.followed("b")])

    assert found["a"].kind is FindingKind.FAILED
    assert "SRCINFO" in found["a"].reason
    assert found["b"].kind is FindingKind.FILES


def test_names_that_no_branch_can_have_fail_alone(world: World) -> None:
    for name in ("x.lock", "a..b", "fine"):
        world.aur.add(name, modified=NOW)
    world.push("fine")

    found = world.look([world.followed(name) for name in ("x.lock", "a..b", "fine")])

    assert found["fine"].kind is FindingKind.FILES
    assert found["x.lock"].kind is found["a..b"].kind is FindingKind.FAILED


def test_a_split_package_is_asked_for_by_its_first_name(world: World) -> None:
    world.aur.add("suite-doc", "2-1", base="suite", modified=NOW)
    files = package("suite", "2-1")
    files[".SRCINFO"] = files[".SRCINFO"].replace("pkgname = suite", "pkgname = suite-doc")
    put(world.served.root / ".mirror.git", {"suite": files})
    followed = world.followed("suite")
    fields = parse_fields(files[".SRCINFO"].encode())
    followed = FollowedPackage(name="suite", config=FOLLOWED, tree=followed.tree, fields=fields)

    assert world.look([followed])["suite"].kind is FindingKind.FILES


def test_without_a_pattern_the_aur_itself_is_asked(world: World) -> None:
    commit = world.push("libc++", to=("own",))

    with Fetcher(world.git, parallel=1, delay=0) as fetcher:
        url = world.served.url
        aur = Aur(Web(), world.aur.url)
        source = AurSource(aur, fetcher, url=f"{url}/", patterns=(), watermark=0, now=NOW)
        found = source.look([world.followed("libc++")])["libc++"]

    assert found.seen is not None
    assert found.seen.commit == commit
    assert found.link == f"{url}/cgit/aur.git/commit/?h=libc%2B%2B&id={commit}"


def test_a_pattern_without_a_place_for_packages_is_refused(world: World) -> None:
    with pytest.raises(ConfigError, match="CI_AUR_GIT"):
        world.look([], "https://me:s3cret@example.org/aur.git")
