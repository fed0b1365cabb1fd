"""What is got out of other people's repositories, by how few requests, and what can go wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from caur_ci.git import GitRepository
from caur_ci.update import fetching, transport
from caur_ci.update.fetching import Fetcher, FetchProblem
from caur_ci.update.remote_ref import RemoteRef
from caur_ci.update.transport import GitTransport
from tests.support.git import Checkout
from tests.support.git import git as run_git
from tests.support.git_http import git_over_http
from tests.support.git_mirror import (
    GitCalls,
    GitMirror,
    Trouble,
    git_mirror,
    package,
    put,
)
from tests.support.pauses import Pauses
from tests.support.queue import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BRANCHES = {name: package(name) for name in ("a", "b", "c", "d", "libc++", "x.y")}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GitMirror]:
    """A server with the mirror `many` and repositories `one` and `two`."""
    root = tmp_path / "served"
    root.mkdir()
    put(root / "many.git", BRANCHES)
    for name in ("one", "two"):
        put(root / f"{name}.git", {"main": package(name)})
    with git_mirror(root) as server:
        yield server


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitCalls:
    counting = GitCalls(tmp_path)
    monkeypatch.setenv("PATH", f"{counting.folder}:{os.environ['PATH']}")
    return counting


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def git(checkout: Checkout) -> GitRepository:
    return GitRepository.open(checkout.folder)


@pytest.fixture
def fetcher(git: GitRepository, pauses: Pauses) -> Iterator[Fetcher]:
    with Fetcher(git, parallel=4, delay=0, sleep=pauses) as made:
        yield made


def places(world: GitMirror, *names: str) -> list[RemoteRef]:
    return [RemoteRef(f"{world.url}/many.git", f"refs/heads/{name}") for name in names]


def commit_at(repository: Path, ref: str) -> str:
    return run_git(repository, "rev-parse", f"{ref}^{{commit}}")


def test_many_branches_of_one_mirror_are_one_request(
    world: GitMirror, fetcher: Fetcher, git: GitRepository, calls: GitCalls
) -> None:
    wanted = places(world, *BRANCHES)

    found = fetcher.fetch(wanted)

    many = world.root / "many.git"
    assert found == {place: commit_at(many, place.ref) for place in wanted}
    assert len(calls.of("fetch")) == 1
    assert calls.of("ls-remote") == []
    assert len(world.asked("fetch")) == 1
    blobs = git.read_blobs([f"{commit}:PKGBUILD" for commit in found.values()])
    assert [blob.decode() for blob in blobs if blob] == [
        BRANCHES[place.ref.removeprefix("refs/heads/")]["PKGBUILD"] for place in found
    ]


def test_tips_of_many_branches_are_one_request(
    world: GitMirror, fetcher: Fetcher, calls: GitCalls
) -> None:
    wanted = [*places(world, "a", "nothing", "libc++"), RemoteRef(f"{world.url}/one.git")]

    found = fetcher.tips(wanted)

    many = world.root / "many.git"
    assert found[wanted[0]] == commit_at(many, "a")
    assert found[wanted[1]] == ""
    assert found[wanted[2]] == commit_at(many, "libc++")
    assert found[wanted[3]] == commit_at(world.root / "one.git", "main")
    assert len(calls.of("ls-remote")) == 2
    assert calls.of("fetch") == []


def test_nothing_is_done_for_nothing(fetcher: Fetcher, calls: GitCalls) -> None:
    assert fetcher.tips([]) == {}
    assert fetcher.fetch([]) == {}
    assert calls.of() == []


def test_the_checkout_notices_nothing(
    world: GitMirror, git: GitRepository, checkout: Checkout
) -> None:
    def looks() -> tuple[str, str, set[str], bool]:
        refs = run_git(checkout.folder, "for-each-ref")
        config = (checkout.folder / ".git/config").read_text()
        files = {str(path) for path in (checkout.folder / ".git").iterdir()}
        return (
            refs,
            config,
            files - {str(checkout.folder / ".git/caur-fetching")},
            (git.is_shallow()),
        )

    before = looks()
    with Fetcher(git, parallel=2, delay=0) as fetcher:
        found = fetcher.fetch(places(world, "a", "b"))
        assert "refs/caur/fetched/" in run_git(checkout.folder, "for-each-ref")
        # A tree is whole, a commit without its parents would not be.
        run_git(checkout.folder, "gc", "--quiet", "--prune=now")
        run_git(checkout.folder, "fsck", "--strict", "--full")
        for commit in found.values():
            assert isinstance(commit, str)
            assert git.entries(fetcher.tree(commit))

    assert looks()[0] == before[0]
    assert looks()[1:] == before[1:] or looks()[2] - before[2] <= {
        str(checkout.folder / ".git/packed-refs"),
    }
    assert list((checkout.folder / ".git/caur-fetching").iterdir()) == []


def test_what_a_killed_run_left_is_swept_and_what_a_living_one_has_is_not(
    world: GitMirror, git: GitRepository, checkout: Checkout
) -> None:
    common = checkout.folder / ".git/caur-fetching"
    with Fetcher(git, parallel=1, delay=0) as living:
        living.fetch(places(world, "a"))
        kept = run_git(checkout.folder, "for-each-ref", "refs/caur/fetched/")
        (common / "dead" / "repository").mkdir(parents=True)
        tree = run_git(checkout.folder, "rev-parse", "HEAD^{tree}")
        run_git(checkout.folder, "update-ref", "refs/caur/fetched/dead/0", tree)
        run_git(checkout.folder, "update-ref", "refs/caur/fetched/long-gone/0", tree)

        with Fetcher(git, parallel=1, delay=0) as other:
            other.fetch(places(world, "b"))
            assert not (common / "dead").exists()

        assert run_git(checkout.folder, "for-each-ref", "refs/caur/fetched/") == kept
    assert run_git(checkout.folder, "for-each-ref", "refs/caur/fetched/") == ""


def test_a_run_that_is_killed_lets_go_of_its_lock(
    world: GitMirror, git: GitRepository, checkout: Checkout
) -> None:
    world.troubles.append(Trouble(asks="fetch", hang=True))
    script = (
        "import sys; from pathlib import Path; from caur_ci.git import GitRepository\n"
        "from caur_ci.update.fetching import Fetcher\n"
        "from caur_ci.update.remote_ref import RemoteRef\n"
        "with Fetcher(GitRepository(Path(sys.argv[1]), bare=False), parallel=1, delay=0) as f:\n"
        "    f.fetch([RemoteRef(sys.argv[2])])\n"
    )
    url = f"{world.url}/one.git"
    run = subprocess.Popen([sys.executable, "-c", script, git.folder, url])
    eventually(lambda: world.asked("fetch") != [])
    run.kill()
    run.wait()
    world.release.set()
    left = list((checkout.folder / ".git/caur-fetching").iterdir())
    assert len(left) == 1
    world.troubles.clear()

    with Fetcher(git, parallel=1, delay=0) as fetcher:
        fetcher.fetch([RemoteRef(url)])
        assert not left[0].exists()


def test_a_run_in_a_checkout_that_is_being_worked_on(
    world: GitMirror, git: GitRepository, checkout: Checkout
) -> None:
    """Locks of git's own in the checkout are no matter."""
    (checkout.folder / ".git/shallow.lock").touch()
    (checkout.folder / ".git/config.lock").touch()

    with Fetcher(git, parallel=4, delay=0) as fetcher:
        found = fetcher.fetch([*places(world, "a"), RemoteRef(f"{world.url}/one.git")])

    assert all(isinstance(commit, str) for commit in found.values())


def test_a_branch_that_is_missing_costs_the_others_nothing(
    world: GitMirror, fetcher: Fetcher, calls: GitCalls
) -> None:
    wanted = places(world, "a", "nothing", "b", "neither")

    found = fetcher.fetch(wanted)

    assert [bool(found[place]) for place in wanted] == [True, False, True, False]
    assert found[wanted[1]] == ""
    assert len(calls.of("ls-remote")) == 1
    assert len(calls.of("fetch")) == 2


def test_nothing_at_all_is_no_problem(world: GitMirror, fetcher: Fetcher, tmp_path: Path) -> None:
    run_git(tmp_path, "init", "--quiet", "--bare", str(world.root / "empty.git"))
    wanted = [*places(world, "nothing"), RemoteRef(f"{world.url}/empty.git")]

    assert fetcher.fetch(wanted) == dict.fromkeys(wanted, "")
    assert fetcher.tips(wanted) == dict.fromkeys(wanted, "")


def test_bad_content_costs_the_others_nothing(
    world: GitMirror, fetcher: Fetcher, checkout: Checkout
) -> None:
    """A tree with a folder `.git` in it, which git itself would refuse to make."""
    many = world.root / "many.git"
    for name in ("bad", "worse"):
        blob = run_git(many, "hash-object", "-w", "--stdin", stdin=name.encode())
        data = b"100644 .git\0" + bytes.fromhex(blob)
        options = ("-t", "tree", "--literally", "-w", "--stdin")
        tree = run_git(many, "hash-object", *options, stdin=data)
        run_git(many, "branch", name, run_git(many, "commit-tree", "-m", "x", tree))

    found = fetcher.fetch(places(world, *BRANCHES, "bad", "worse"))

    problems = {place.ref: it for place, it in found.items() if isinstance(it, FetchProblem)}
    assert sorted(problems) == ["refs/heads/bad", "refs/heads/worse"]
    assert "hasDotgit" in problems["refs/heads/bad"].reason
    assert len(found) == len(BRANCHES) + 2
    objects = run_git(checkout.folder, "cat-file", "--batch-all-objects", "--batch-check")
    assert commit_at(many, "bad") not in objects


def test_tags_lead_to_their_commits(world: GitMirror, fetcher: Fetcher) -> None:
    one = world.root / "one.git"
    run_git(one, "tag", "plain", "main")
    run_git(one, "tag", "-a", "-m", "x", "annotated", "main")
    run_git(one, "tag", "of-a-tree", "main^{tree}")
    url = f"{world.url}/one.git"
    plain, annotated = RemoteRef.parse(f"{url}#tag=plain"), RemoteRef.parse(f"{url}#tag=annotated")
    commit = commit_at(one, "main")

    assert fetcher.tips([plain, annotated]) == {plain: commit, annotated: commit}
    assert fetcher.fetch([plain, annotated]) == {plain: commit, annotated: commit}
    tree = RemoteRef.parse(f"{url}#tag=of-a-tree")
    assert "is no commit" in _reason(fetcher.fetch([tree])[tree])


def test_repositories_of_every_kind(world: GitMirror, fetcher: Fetcher, tmp_path: Path) -> None:
    shallow, url = tmp_path / "shallow", (world.root / "many.git").as_uri()
    run_git(tmp_path, "clone", "--quiet", "--depth=1", "--branch=a", url, str(shallow))
    wanted = [RemoteRef(url, "refs/heads/b"), RemoteRef(shallow.as_uri())]

    assert all(isinstance(commit, str) and commit for commit in fetcher.fetch(wanted).values())


def test_a_server_that_only_has_files_is_told(world: GitMirror, fetcher: Fetcher) -> None:
    run_git(world.root / "one.git", "update-server-info")

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(world.root))  # type: ignore[arg-type]

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = RemoteRef(f"http://127.0.0.1:{server.server_port}/one.git")

        found = fetcher.fetch([place])
        server.shutdown()

    assert "does not speak git" in _reason(found[place])


@pytest.mark.parametrize(
    ("trouble", "words", "tries"),
    [
        (Trouble(asks="info", status=404), "no such repository", 1),
        (Trouble(asks="info", status=429), "the server wants fewer requests", 2),
        (Trouble(asks="fetch", status=429), "the server wants fewer requests", 2),
        (Trouble(asks="info", status=500), "error: 500", 2),
        (Trouble(asks="fetch", status=503), "503", 2),
        (
            Trouble(asks="info", status=401),
            "no such repository, or it needs a password",
            1,
        ),
        (Trouble(asks="fetch", cut=100), "", 2),
        (Trouble(asks="ls-refs", cut=10), "", 2),
        (Trouble(asks="fetch", corrupt=True), "", 2),
    ],
)
def test_a_repository_in_trouble_costs_the_others_nothing(
    world: GitMirror, fetcher: Fetcher, trouble: Trouble, words: str, tries: int
) -> None:
    trouble.path = "/one.git/"
    world.troubles.append(trouble)
    one, two = RemoteRef(f"{world.url}/one.git"), RemoteRef(f"{world.url}/two.git")

    found = fetcher.fetch([one, two])

    assert isinstance(found[two], str)
    assert words in _reason(found[one])
    assert f"{world.url}/one.git" in _reason(found[one])
    assert sum(path.startswith("/one.git/") for path in world.asked("info")) == tries


@pytest.mark.parametrize("asks", ["info", "ls-refs", "fetch"])
def test_trouble_that_passes_is_no_trouble(
    world: GitMirror, fetcher: Fetcher, pauses: Pauses, asks: str
) -> None:
    world.troubles.append(Trouble(asks=asks, times=1, status=502))
    one = RemoteRef(f"{world.url}/one.git")

    assert fetcher.fetch([one]) == {one: commit_at(world.root / "one.git", "main")}
    assert pauses.taken == [3.0]


def test_a_corrupt_pack_leaves_nothing_behind(
    world: GitMirror, fetcher: Fetcher, checkout: Checkout
) -> None:
    before = sorted((checkout.folder / ".git/objects").rglob("*"))
    world.troubles.append(Trouble(asks="fetch", corrupt=True))

    found = fetcher.fetch(places(world, "a", "b"))

    assert all(isinstance(problem, FetchProblem) for problem in found.values())
    assert sorted((checkout.folder / ".git/objects").rglob("*")) == before


def test_a_server_that_says_nothing_is_not_waited_for(
    world: GitMirror, git: GitRepository, pauses: Pauses
) -> None:
    world.troubles.append(Trouble(path="/one.git/", hang=True))
    one = RemoteRef(f"{world.url}/one.git")

    with Fetcher(
        git, parallel=2, delay=0, transport=GitTransport(timeout=0.5), sleep=pauses
    ) as fetcher:
        assert "no answer in time" in _reason(fetcher.tips([one])[one])
        assert "no answer in time" in _reason(fetcher.fetch([one])[one])


def test_a_server_that_stays_silent_is_left_alone(
    world: GitMirror, git: GitRepository, pauses: Pauses
) -> None:
    world.troubles.append(Trouble(path="/many", status=503))
    wanted = [RemoteRef(f"{world.url}/many-{number}.git") for number in range(20)]

    with Fetcher(git, parallel=1, delay=0, sleep=pauses) as fetcher:
        found = fetcher.fetch(wanted)

    assert len(world.requests) == 8, "two tries for each of four"
    reasons = [_reason(outcome) for outcome in found.values()]
    assert sum("did not answer about others" in reason for reason in reasons) == 16


def test_one_repository_that_is_silent_is_not_the_server(
    world: GitMirror, git: GitRepository, pauses: Pauses
) -> None:
    world.troubles.append(Trouble(path="/one.git", status=503))
    one, two = RemoteRef(f"{world.url}/one.git"), RemoteRef(f"{world.url}/two.git")

    with Fetcher(git, parallel=1, delay=0, sleep=pauses) as fetcher:
        for _ in range(6):
            fetcher.tips([one])
        assert isinstance(fetcher.fetch([two])[two], str)


def test_a_server_that_is_down_costs_other_servers_nothing(
    world: GitMirror, fetcher: Fetcher, tmp_path: Path
) -> None:
    with git_mirror(tmp_path) as other:
        down = RemoteRef(f"{other.url}/x.git")
    one = RemoteRef(f"{world.url}/one.git")

    found = fetcher.fetch([down, one])

    assert "no connection" in _reason(found[down])
    assert isinstance(found[one], str)


def test_repositories_are_fetched_side_by_side_but_not_too_many(
    world: GitMirror, git: GitRepository
) -> None:
    urls = [f"{world.url}/copy-{number}.git" for number in range(12)]
    for url in urls:
        shutil.copytree(world.root / "one.git", world.root / url.rpartition("/")[2])

    with Fetcher(git, parallel=3, delay=0) as fetcher:
        found = fetcher.fetch([RemoteRef(url) for url in urls])

    assert len(found) == 12
    assert all(isinstance(commit, str) for commit in found.values())
    assert 1 < world.most_at_once <= 3


def test_fetches_from_one_server_are_kept_apart(
    world: GitMirror, git: GitRepository, pauses: Pauses
) -> None:
    urls = [f"{world.url}/{name}.git" for name in ("one", "two", "many")]
    local = RemoteRef((world.root / "two.git").as_uri())

    with Fetcher(git, parallel=1, delay=1000, sleep=pauses) as fetcher:
        fetcher.tips([RemoteRef(url) for url in urls])
        assert pauses.taken == []
        fetcher.fetch([*places(world, "a", "b"), *(RemoteRef(url) for url in urls), local])

    assert [round(pause, -2) for pause in pauses.taken] == [1000, 2000]


def test_too_much_is_refused(
    world: GitMirror, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, checkout: Checkout
) -> None:
    noise = os.urandom(60_000).hex()
    put(world.root / "many.git", {"huge": package("huge", more={"noise": noise})})
    monkeypatch.setattr(transport, "MAX_PACK_SIZE", 50_000)

    found = fetcher.fetch(places(world, "a", "huge", "b"))

    assert {place.ref: type(it) for place, it in found.items()} == {
        "refs/heads/a": str,
        "refs/heads/b": str,
        "refs/heads/huge": FetchProblem,
    }
    assert "bytes would come" in _reason(found[places(world, "huge")[0]])


def test_a_mirror_whose_every_answer_is_bad_is_given_up(
    world: GitMirror, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_MOST_FAILURES", 5)
    put(world.root / "many.git", {f"p{number}": package("p") for number in range(40)})
    world.troubles.append(Trouble(asks="fetch", corrupt=True))
    wanted = places(world, *(f"p{number}" for number in range(40)))

    found = fetcher.fetch(wanted)

    assert found.keys() == set(wanted)
    assert len(world.asked("fetch")) < 15


def test_credentials_reach_the_server_and_nobody_else(
    world: GitMirror, git: GitRepository, checkout: Checkout, calls: GitCalls
) -> None:
    with (
        git_over_http(world.root, "s3cr%t") as private,
        Fetcher(git, parallel=1, delay=0) as fetcher,
    ):
        url = private.url(world.root / "one.git")
        right = RemoteRef(url.replace("://", "://me:s3cr%25t@"))
        wrong = RemoteRef(url.replace("://", "://me:wr0ng@"))
        none = RemoteRef(url)

        found = fetcher.fetch([right, wrong, none])

    assert isinstance(found[right], str)
    assert set(private.users) == {"me"}
    assert "wr0ng" not in _reason(found[wrong])
    assert "needs a password" in _reason(found[none])
    assert "s3cr" not in "".join(calls.of())
    left = b"".join(
        path.read_bytes() for path in (checkout.folder / ".git").rglob("*") if path.is_file()
    )
    assert b"s3cr" not in left


def test_a_proxy_is_asked_for_the_servers_that_it_is_for(
    world: GitMirror, git: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")  # of the pipeline, not to be lost
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{world.url}/one.git.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://example.org/")
    proxies = {"http://aur.invalid/": world.url}
    behind, elsewhere = (
        RemoteRef("http://aur.invalid/two.git"),
        RemoteRef("http://other.invalid/two.git"),
    )
    renamed = RemoteRef("https://example.org/")

    transport = GitTransport(proxies=proxies)
    with Fetcher(git, parallel=1, delay=0, tries=1, transport=transport) as fetcher:
        found = fetcher.fetch([behind, elsewhere, renamed])

    assert found[behind] == commit_at(world.root / "two.git", "main")
    assert found[renamed] == commit_at(world.root / "one.git", "main")
    assert "there is no such server" in _reason(found[elsewhere])


def test_tokens_of_the_checkout_are_not_sent(
    world: GitMirror, fetcher: Fetcher, checkout: Checkout
) -> None:
    header = "AUTHORIZATION: basic c2VjcmV0"
    run_git(checkout.folder, "config", "http.extraheader", header)
    one = RemoteRef(f"{world.url}/one.git")

    assert isinstance(fetcher.tips([one])[one], str)
    assert isinstance(fetcher.fetch([one])[one], str)
    assert {request.authorization for request in world.requests} == {""}


def test_hooks_and_settings_of_the_user_do_no_harm(
    world: GitMirror, fetcher: Fetcher, private_home: Path, tmp_path: Path
) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    hook = hooks / "reference-transaction"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/called\nexit 1\n")
    hook.chmod(0o755)
    with (private_home / ".gitconfig").open("a") as config:
        config.write(f"[core]\nhooksPath = {hooks}\n[fetch]\nunpackLimit = 1000\nprune = true\n")
    one = RemoteRef(f"{world.url}/one.git")
    found = fetcher._fetch_once(one.url, [one.ref])  # the checkout's own hooks are its own

    assert found == {"HEAD": commit_at(world.root / "one.git", "main")}
    assert not (tmp_path / "called").exists()


def test_what_a_server_says_is_shown_without_its_tricks(world: GitMirror, fetcher: Fetcher) -> None:
    says = "no\x1b[31m\u202e\r::error::https://me:s3cret@example.org/" + "x" * 1000
    world.troubles.append(Trouble(asks="ls-refs", says=says))
    place = RemoteRef(f"{world.url}/one.git")

    for reason in (_reason(fetcher.tips([place])[place]), _reason(fetcher.fetch([place])[place])):
        assert (
            "remote error: no?[31m\N{REPLACEMENT CHARACTER}?::error::https://example.org/" in reason
        )
        assert len(reason) < 500


def test_a_disk_that_is_full_is_told(
    world: GitMirror, git: GitRepository, checkout: Checkout, pauses: Pauses
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    disk = checkout.folder / ".git/caur-fetching"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96k", "none", disk], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this machine does not let us mount anything")
    try:
        noise = os.urandom(100_000).hex()
        put(world.root / "many.git", {"huge": package("huge", more={"noise": noise})})
        with Fetcher(git, parallel=1, delay=0, sleep=pauses) as fetcher:
            found = fetcher.fetch(places(world, "huge"))
    finally:
        subprocess.run(["umount", disk], check=True)

    assert "no space is left" in _reason(next(iter(found.values())))


def test_a_linked_working_tree_has_the_objects_of_its_repository(
    world: GitMirror, checkout: Checkout, tmp_path: Path
) -> None:
    run_git(checkout.folder, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    linked = GitRepository.open(tmp_path / "linked")

    with Fetcher(linked, parallel=1, delay=0) as fetcher:
        found = fetcher.fetch(places(world, "a"))
        assert all(linked.entries(commit) for commit in found.values() if isinstance(commit, str))


def _reason(outcome: str | FetchProblem) -> str:
    assert isinstance(outcome, FetchProblem), outcome
    return outcome.reason
