"""Where the branches of many upstream repositories are, asked of servers in every mood."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

import pytest

from caur_ci.git import GitRepository
from caur_ci.update.fetching import Fetcher
from caur_ci.update.vcs.entries import Place
from caur_ci.update.vcs.finding import TipFinder
from caur_ci.update.vcs.github import MOST_REPOSITORIES
from caur_ci.update.vcs.tip import Tip, TipProblem, TipTrouble
from tests.support.git import git as run_git
from tests.support.git_mirror import GitMirror, Trouble, git_mirror, package, put
from tests.support.redis_server import free_port
from tests.support.upstreams import TOKEN, Repo, Upstreams, WithGitHub, upstreams

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server() -> Iterator[Upstreams]:
    with upstreams() as made:
        yield made


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[GitMirror]:
    root = tmp_path / "served"
    root.mkdir()
    with git_mirror(root) as made:
        yield made


class Find:
    """Finds tips as a run does, with the repositories of `server` in place of GitHub's."""

    def __init__(self, git: GitRepository, server: Upstreams) -> None:
        self._git = git
        self._server = server

    def __call__(
        self,
        *places: Place,
        counted: tuple[Place, ...] = (),
        token: str = "",
        parallel: int = 8,
        timeout: float = 20,
        seconds: float = 60,
    ) -> dict[Place, Tip | TipProblem]:
        with Fetcher(self._git, parallel=2, delay=0, tries=1, sleep=lambda _: None) as fetcher:
            finder = TipFinder(
                fetcher,
                WithGitHub(self._server),
                parallel=parallel,
                token=token,
                timeout=timeout,
                seconds=seconds,
            )
            return finder.tips(places, counted=counted)


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> GitRepository:
    folder = tmp_path_factory.mktemp("packages")
    run_git(folder, "init", "--quiet", "--bare")
    return GitRepository.open(folder)


@pytest.fixture
def find(git: GitRepository, server: Upstreams) -> Find:
    return Find(git, server)


def at(server: Upstreams | GitMirror, path: str, branch: str = "") -> Place:
    return Place("git", f"{server.url}{path}", branch)


def problem(found: Tip | TipProblem) -> TipProblem:
    assert isinstance(found, TipProblem), found
    return found


class TestGit:
    """Git's own server, and others that speak its protocol."""

    @pytest.mark.parametrize("suffix", ["", "/", ".git"])
    def test_real_repositories_are_asked_by_one_request(
        self, mirror: GitMirror, find: Find, suffix: str
    ) -> None:
        folder = mirror.root / ("a.git" if suffix == ".git" else "a")
        commits = put(folder, {"trunk": package("a"), "topic/x": package("b")})
        run_git(folder, "symbolic-ref", "HEAD", "refs/heads/trunk")
        default, topic = at(mirror, f"/a{suffix}"), at(mirror, f"/a{suffix}", "topic/x")

        found = find(default, topic)

        assert found[default] == Tip(commits["trunk"], "trunk")
        assert found[topic] == Tip(commits["topic/x"], "topic/x")
        assert [request.asks for request in mirror.requests] == ["ls-refs", "ls-refs"]

    def test_git_itself_says_the_same(self, mirror: GitMirror, find: Find) -> None:
        commits = put(mirror.root / "a.git", {"main": package("a"), "main2": package("b")})
        run_git(mirror.root / "a.git", "symbolic-ref", "HEAD", "refs/heads/main")
        place = at(mirror, "/a.git", "main")

        listed = run_git(mirror.root, "ls-remote", place.url, "refs/heads/main")

        assert find(place)[place] == Tip(listed.split()[0], "main") == Tip(commits["main"], "main")

    def test_a_place_is_asked_once_however_often_it_is_wanted(
        self, server: Upstreams, find: Find
    ) -> None:
        server.push("/a")
        place = at(server, "/a")

        find(place, place, at(server, "/a"))

        assert server.asked() == ["ls-refs"]

    def test_connections_are_shared(self, server: Upstreams, find: Find) -> None:
        for number in range(60):
            server.push(f"/r{number}")

        found = find(*(at(server, f"/r{number}") for number in range(60)), parallel=1)

        assert len([tip for tip in found.values() if isinstance(tip, Tip)]) == 60
        assert server.connections <= 4

    def test_servers_of_the_older_protocol_are_understood(
        self, server: Upstreams, find: Find
    ) -> None:
        server.knows_v2 = False
        main, other = server.push("/a"), server.push("/a", "other")

        found = find(at(server, "/a"), at(server, "/a", "other"))

        assert set(found.values()) == {Tip(main, "main"), Tip(other, "other")}
        assert sorted(server.asked()) == ["greeting", "greeting", "ls-refs", "ls-refs"]

    @pytest.mark.parametrize("knows_v2", [True, False])
    def test_an_empty_repository_has_nothing(
        self, server: Upstreams, find: Find, knows_v2: bool
    ) -> None:
        server.knows_v2 = knows_v2
        server.repos["/a"] = Repo()

        found = problem(find(at(server, "/a"))[at(server, "/a")])

        assert found == TipProblem(f"{server.url}/a: there is nothing in it", TipTrouble.ABSENT)

    def test_a_branch_that_went_is_told_with_the_one_that_is_there(
        self, server: Upstreams, find: Find
    ) -> None:
        server.push("/a")
        place = at(server, "/a", "master")

        assert problem(find(place)[place]) == TipProblem(
            f"{server.url}/a#branch=master: there is no such branch; its default branch is main",
            TipTrouble.ABSENT,
        )

    def test_files_alone_are_read_by_git(self, server: Upstreams, find: Find) -> None:
        server.push("/a")
        server.troubles.append(Trouble(path="/a", asks="ls-refs", status=405))
        server.dumb.add("/a")
        place = at(server, "/a", "main")

        assert find(place)[place] == Tip(server.repos["/a"].branches["main"], "main")

    def test_others_are_asked_by_git(self, find: Find) -> None:
        place = Place("git", f"git://127.0.0.1:{free_port()}/a.git")

        found = problem(find(place)[place])

        assert found.trouble is TipTrouble.UNREACHABLE
        assert found.reason == f"{place.url}: no connection"


class TestTroubles:
    """What a network and strangers do; each costs its own places only."""

    @pytest.mark.parametrize("status", [401, 404, 410])
    def test_no_repository(self, server: Upstreams, find: Find, status: int) -> None:
        server.push("/good")
        server.troubles.append(Trouble(path="/a", status=status))
        bad, good = at(server, "/a"), at(server, "/good")

        found = find(bad, good)

        assert problem(found[bad]).trouble is TipTrouble.ABSENT
        assert problem(found[bad]).reason.startswith(f"{server.url}/a: no such repository")
        assert isinstance(found[good], Tip)

    @pytest.mark.parametrize(
        ("trouble", "words", "kind"),
        [
            (Trouble(path="/a"), "it redirects|not what git servers say|makes no sense", None),
            (Trouble(path="/a", status=503), "answered with status 503", TipTrouble.UNREACHABLE),
            (Trouble(path="/a", status=429), "wants fewer requests", TipTrouble.UNREACHABLE),
            (Trouble(path="/a", status=403), "answered with status 403", TipTrouble.UNUSABLE),
            (Trouble(path="/a", says="\x1b[31mno"), "the server says: no", TipTrouble.UNUSABLE),
            (Trouble(path="/a", says="Not Found"), "the server says", TipTrouble.ABSENT),
        ],
    )
    def test_answers_that_are_none(
        self,
        server: Upstreams,
        find: Find,
        trouble: Trouble,
        words: str,
        kind: TipTrouble | None,
    ) -> None:
        server.push("/good")
        server.troubles.append(trouble)
        bad, good = at(server, "/a"), at(server, "/good")

        found = find(bad, good)

        assert isinstance(found[good], Tip)
        if kind is None:  # whatever git makes of it
            assert isinstance(found[bad], TipProblem)
        else:
            assert problem(found[bad]).trouble is kind
            assert re.search(words, problem(found[bad]).reason)

    def test_a_cut_answer(self, mirror: GitMirror, find: Find) -> None:
        put(mirror.root / "a.git", {"main": package("a")})
        mirror.troubles.append(Trouble(path="/a.git", cut=30))
        place = at(mirror, "/a.git", "main")

        assert isinstance(find(place)[place], TipProblem)

    def test_nobody_there(self, find: Find) -> None:
        place = Place("git", f"http://127.0.0.1:{free_port()}/a")

        assert problem(find(place)[place]) == TipProblem(
            f"{place.url}: no connection", TipTrouble.UNREACHABLE
        )

    def test_an_answer_without_end(self, server: Upstreams, find: Find) -> None:
        server.push("/a")
        server.endless.add("/a")
        place = at(server, "/a")

        found = problem(find(place)[place])

        assert found.trouble is TipTrouble.UNREACHABLE
        assert "larger than" in found.reason

    def test_a_server_that_hangs_keeps_nobody_waiting(
        self, server: Upstreams, mirror: GitMirror, find: Find
    ) -> None:
        server.troubles.append(Trouble(hang=True))
        put(mirror.root / "a.git", {"main": package("a")})
        hung, good = at(server, "/a"), at(mirror, "/a.git", "main")

        found = find(hung, good, timeout=60, seconds=0.5)

        assert problem(found[hung]) == TipProblem(
            f"{hung.host}: no answer in time", TipTrouble.UNREACHABLE
        )
        assert isinstance(found[good], Tip)

    def test_a_silent_server_is_not_asked_on(self, find: Find) -> None:
        host = f"http://127.0.0.1:{free_port()}"
        places = [Place("git", f"{host}/r{number}") for number in range(20)]

        found = find(*places, parallel=1)

        asked = [it for it in found.values() if "no connection" in problem(it).reason]
        assert 4 <= len(asked) < 8  # those that were under way already
        assert all(problem(it).trouble is TipTrouble.UNREACHABLE for it in found.values())

    def test_where_a_repository_moved_to_is_followed(self, server: Upstreams, find: Find) -> None:
        commit = server.push("/new")
        server.moved["/old"] = f"{server.url}/new"
        place = at(server, "/old")

        assert find(place)[place] == Tip(commit, "main")

    @pytest.mark.parametrize(
        "target",
        ["ftp://127.0.0.1/new", "file:///new", "http://me:secret@127.0.0.1/new", "https:///new"],
    )
    def test_nowhere_else(self, server: Upstreams, find: Find, target: str) -> None:
        server.moved["/old"] = target
        place = at(server, "/old")

        found = problem(find(place)[place])

        assert found.trouble is TipTrouble.UNUSABLE
        assert "it redirects to" in found.reason
        assert "secret" not in found.reason

    def test_circles_end(self, server: Upstreams, find: Find) -> None:
        server.moved["/old"] = f"{server.url}/old"
        place = at(server, "/old")

        assert "too many redirects" in problem(find(place)[place]).reason
        assert len(server.asked("/old")) <= 7

    def test_passwords_are_used_and_not_shown(self, find: Find) -> None:
        place = Place("git", f"http://me:secret@127.0.0.1:{free_port()}/a")

        found = problem(find(place)[place])

        assert "secret" not in found.reason + str(place)


class TestGitHub:
    """GitHub's repositories, by one question for many."""

    def test_many_by_one_question(self, server: Upstreams, find: Find) -> None:
        for number in range(MOST_REPOSITORIES + 1):
            server.push(f"/o/r{number}")
        places = [hub(f"o/r{number}") for number in range(MOST_REPOSITORIES + 1)]

        found = find(*places, token=TOKEN)

        assert found == {
            place: Tip(server.repos[f"/o/r{number}"].branches["main"], "main")
            for number, place in enumerate(places)
        }
        assert server.asked() == ["graphql", "graphql"]

    def test_branches_of_one_repository(self, server: Upstreams, find: Find) -> None:
        main, other = server.push("/o/r"), server.push("/o/r", 'o"ther')

        found = find(hub("o/r"), hub("o/r.git", 'o"ther'), hub("o/r", "none"), token=TOKEN)

        assert found == {
            hub("o/r"): Tip(main, "main"),
            hub("o/r.git", 'o"ther'): Tip(other, 'o"ther'),
            hub("o/r", "none"): TipProblem(
                "https://github.com/o/r#branch=none: there is no such branch; its default branch "
                "is main",
                TipTrouble.ABSENT,
            ),
        }
        assert 'o"ther' not in server.queries[0]["query"]

    def test_commits_are_counted_where_that_is_asked(self, server: Upstreams, find: Find) -> None:
        first, second = server.push("/o/a"), server.push("/o/b", "dev")
        counted = (hub("o/a"), hub("o/b", "dev"))

        found = find(*counted, hub("o/a", "main"), token=TOKEN, counted=counted)

        assert [found[place] for place in counted] == [Tip(first, "main", 2), Tip(second, "dev", 2)]
        assert found[hub("o/a", "main")] == Tip(first, "main", 0)

    def test_without_a_token_it_is_not_asked(self, server: Upstreams, find: Find) -> None:
        find(at(server, "/a"), Place("git", f"http://127.0.0.1:{free_port()}/o/r"))

        assert "graphql" not in server.asked()

    @pytest.mark.parametrize("trouble", ["token", "status"])
    def test_where_it_does_not_answer_git_does(
        self, server: Upstreams, find: Find, trouble: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        server.graphql_status = 502 if trouble == "status" else 200
        token = "ghp_wrong" if trouble == "token" else TOKEN
        commit = server.push("/o/r")

        with caplog.at_level(logging.WARNING):
            found = find(hub("o/r"), token=token)

        assert found == {hub("o/r"): Tip(commit, "main")}
        assert server.asked() == ["graphql", "ls-refs"]
        assert "its repositories are asked one by one" in caplog.text
        assert token not in caplog.text

    def test_what_it_does_not_know_is_asked_of_git(self, server: Upstreams, find: Find) -> None:
        commit = server.push("/o/r")

        found = find(hub("o/r"), hub("o/private"), token=TOKEN)

        assert found[hub("o/r")] == Tip(commit, "main")
        assert problem(found[hub("o/private")]).trouble is TipTrouble.ABSENT
        assert server.asked("/o/r") == []
        assert server.asked("/o/private") == ["ls-refs", "greeting"]


def hub(name: str, branch: str = "") -> Place:
    return Place("git", f"https://github.com/{name}", branch)


def test_tools_that_are_missing_are_told(find: Find, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    places = [Place(tool, f"https://example.org/{tool}") for tool in ("svn", "hg", "bzr")]

    found = find(*places)

    assert [problem(found[place]).trouble for place in places] == [TipTrouble.NO_TOOL] * 3
    assert problem(found[places[0]]).reason == (
        "svn+https://example.org/svn is not followed: subversion is not installed here"
    )
