"""What a recorded run leaves, and that it is all that a repeated one needs."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from caur_ci.aur import Aur, AurError
from caur_ci.aur.archive import ArchiveCache, fetch_archive
from caur_ci.git import GitRepository, Identity, TreeEntry
from caur_ci.git.repository import FILE_MODE
from caur_ci.update.fetching import Fetcher, FetchProblem
from caur_ci.update.recording import opened_outside
from caur_ci.update.recording_files import RecordingError
from caur_ci.update.remote_ref import RemoteRef
from caur_ci.update.transport import GitTransport
from caur_ci.web import Web, WebError
from tests.support.aur_server import AurServer, Fault, aur_server
from tests.support.git import git as run_git
from tests.support.git_http import git_over_http
from tests.support.git_mirror import GitMirror, Trouble, git_mirror, package, put

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from caur_ci.update.recording import Outside
    from tests.support.git import Checkout

HEAD = "1" * 40


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitMirror]:
    root = tmp_path / "served"
    root.mkdir()
    put(root / "many.git", {name: package(name) for name in "abc"})
    put(root / "one.git", {"main": package("one")})
    with git_mirror(root) as made:
        yield made


@pytest.fixture
def aur() -> Iterator[AurServer]:
    with aur_server() as made:
        yield made


@pytest.fixture
def git(checkout: Checkout) -> GitRepository:
    return GitRepository.open(checkout.folder)


@pytest.fixture
def elsewhere(checkout: Checkout, tmp_path: Path) -> GitRepository:
    """Another clone, as the one where a run is repeated."""
    run_git(tmp_path, "clone", "--quiet", str(checkout.remote), "elsewhere")
    return GitRepository.open(tmp_path / "elsewhere")


def web(outside: Outside) -> Web:
    return Web(adapter=outside.web_adapter, sleep=outside.sleep, delays=(1.0,))


def fetched(
    outside: Outside, git: GitRepository, places: list[RemoteRef]
) -> dict[RemoteRef, str | FetchProblem]:
    transport = outside.transport(GitTransport(timeout=20))
    sleep = outside.sleep
    with Fetcher(git, parallel=3, delay=0, tries=1, transport=transport, sleep=sleep) as fetcher:
        return {**fetcher.tips(places), **fetcher.fetch(places)}


def test_git_answers_are_repeated_without_any_server(
    server: GitMirror, git: GitRepository, elsewhere: GitRepository, tmp_path: Path
) -> None:
    server.troubles.append(Trouble(path="/broken.git", status=500))
    places = [
        *(
            RemoteRef(f"{server.url}/many.git", f"refs/heads/{name}")
            for name in (*"abc", "missing")
        ),
        *(RemoteRef(f"{server.url}/{name}.git") for name in ("one", "broken", "nowhere")),
    ]
    with opened_outside(HEAD, record=tmp_path / "recording") as outside:
        found = fetched(outside, git, places)
    shutil.rmtree(server.root)
    asked = len(server.requests)

    with opened_outside(HEAD, replay=tmp_path / "recording") as outside:
        again = fetched(outside, elsewhere, places)

    assert again == found
    assert len(server.requests) == asked
    kinds = [type(outcome) for outcome in found.values()]
    assert kinds.count(FetchProblem) == 2
    commits = [outcome for outcome in again.values() if outcome and isinstance(outcome, str)]
    assert len(commits) == 4
    for commit in commits:
        assert len(list(elsewhere.read_blobs([f"{commit}:PKGBUILD"]))) == 1
        assert elsewhere.entries(commit)


def test_web_answers_are_repeated_without_any_server(tmp_path: Path) -> None:
    folder = tmp_path / "recording"

    def ask(outside: Outside, url: str) -> list[object]:
        results: list[object] = []
        for _ in range(6):
            try:
                results.append(Aur(web(outside), url).look_up({"a": "a", "c++": "c++"}))
            except (AurError, WebError) as error:
                results.append(error.message)
        return results

    with aur_server() as aur, opened_outside(HEAD, record=folder) as outside:
        aur.add("a", "1-1")
        error = Fault(body=b'{"version": 5, "type": "error", "error": "no"}')
        cut = Fault(body=b"{}" * 50, cut=10)
        aur.faults += [error, Fault(500), cut, cut, Fault(404), Fault(404)]
        url = aur.url
        found = ask(outside, url)
        aur.add("c++", "2-1")
        found += ask(outside, url)

    with opened_outside(HEAD, replay=folder) as outside:
        assert ask(outside, url) + ask(outside, url) == found
    assert len({str(result) for result in found}) >= 3


def test_a_server_that_is_down_is_down_again(git: GitRepository, tmp_path: Path) -> None:
    with aur_server() as gone:
        url = gone.url

    def messages(outside: Outside) -> list[str]:
        with pytest.raises(WebError) as caught:
            web(outside).get(url)
        outcomes = fetched(outside, git, [RemoteRef(f"{url}/{number}.git") for number in range(9)])
        return [caught.value.message, *map(str, outcomes.values())]

    with opened_outside(HEAD, record=tmp_path / "recording") as outside:
        found = messages(outside)
    with opened_outside(HEAD, replay=tmp_path / "recording") as outside:
        assert messages(outside) == found
    assert "no connection" in found[0]


def test_an_archive_known_from_before_is_recorded_all_the_same(
    aur: AurServer, tmp_path: Path
) -> None:
    aur.add("a")
    cache = ArchiveCache(tmp_path / "cache")
    fetch_archive(Web(), aur.url, {"a"}, cache)

    with opened_outside(HEAD, record=tmp_path / "recording") as outside:
        found = fetch_archive(web(outside), aur.url, {"a"}, cache)
    with opened_outside(HEAD, replay=tmp_path / "recording") as outside:
        assert fetch_archive(web(outside), aur.url, {"a"}) == found
    assert [package.name for package in found] == ["a"]


def test_facts_and_commits_are_repeated(
    checkout: Checkout, git: GitRepository, elsewhere: GitRepository, tmp_path: Path
) -> None:
    head = git.commit_id("HEAD")
    tree = git.write_tree([TreeEntry(FILE_MODE, git.write_blob(b"state"), "a")])
    orphan = git.write_commit(tree, "state", identity=Identity())
    newer = git.write_commit(tree, "newer", parents=[head], identity=Identity())
    missing = "3" * 40
    wanted = [orphan, None, newer, head, missing]

    with opened_outside(head, record=tmp_path / "recording") as outside:
        assert outside.fact("now", lambda: 17.5) == 17.5
        assert outside.fact("refs", lambda: {"a": orphan, "b": None})["a"] == orphan
        outside.keep(git, wanted)
        outside.keep(git, [head])
    with opened_outside(head, replay=tmp_path / "recording") as outside:
        assert outside.fact("now", lambda: 99.0) == 17.5
        assert outside.fact("refs", dict) == {"a": orphan, "b": None}
        outside.keep(elsewhere, wanted)
        outside.keep(elsewhere, [head])

    (pack,) = (tmp_path / "recording/packs").glob("*.pack")
    kept = run_git(checkout.folder, "verify-pack", "-v", str(pack))
    assert newer in kept
    assert head not in kept, "a replay has it"
    assert [entry.name for entry in elsewhere.entries(orphan)] == ["a"]
    assert elsewhere.is_ancestor(head, newer)
    assert elsewhere.resolve(missing) is None


def test_nothing_secret_is_recorded(
    server: GitMirror, aur: AurServer, git: GitRepository, tmp_path: Path
) -> None:
    aur.add("a")
    folder = tmp_path / "recording"
    with git_over_http(server.root, "s3cret") as private:
        private_url = private.url(server.root / "one.git").replace("://", "://me:s3cret@")
        wrong_url = private_url.replace("s3cret", "s3crex")
        with opened_outside(HEAD, record=folder) as outside:
            known = web(outside)
            known.get(
                f"{aur.url.replace('://', '://me:s3cret@')}/packages-meta-v1.json.gz?k=s3cret"
            )
            with pytest.raises(WebError):
                known.post_form(f"{aur.url}/login", [("password", "s3cret")])
            found = fetched(outside, git, [RemoteRef(private_url), RemoteRef(wrong_url)])
    assert isinstance(found[RemoteRef(private_url)], str)

    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())

    assert b"s3cre" not in kept
    assert b"me:" not in kept


def test_another_commit_is_refused_by_name(tmp_path: Path) -> None:
    with opened_outside(HEAD, record=tmp_path / "recording"):
        pass

    with (
        pytest.raises(RecordingError, match=f"at commit {HEAD}, but HEAD is {'2' * 40}"),
        opened_outside("2" * 40, replay=tmp_path / "recording"),
    ):
        pass


def test_what_is_missing_is_named(server: GitMirror, git: GitRepository, tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    one = RemoteRef(f"{server.url}/one.git")
    with opened_outside(HEAD, record=folder) as outside:
        fetched(outside, git, [one])
        outside.fact("now", lambda: 1)

    with opened_outside(HEAD, replay=folder) as outside:
        with pytest.raises(RecordingError, match=r"no \(further\) answer to .*many"):
            fetched(outside, git, [RemoteRef(f"{server.url}/many.git")])
        outside.fact("now", lambda: 1)
        with pytest.raises(RecordingError, match="now"):
            outside.fact("now", lambda: 1)
        with pytest.raises(RecordingError, match="no-such-page"):
            web(outside).get("https://example.org/no-such-page")
    shutil.rmtree(folder / "packs")
    with (
        opened_outside(HEAD, replay=folder) as outside,
        pytest.raises(RecordingError, match="is not complete: packs"),
    ):
        fetched(outside, git, [one])


@pytest.mark.parametrize("content", [None, "", "{", '{"question": {}}\n', "[]\n"])
def test_what_is_no_recording_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "answers.jsonl").write_text(content)

    with pytest.raises(RecordingError), opened_outside(HEAD, replay=tmp_path):
        pass


def test_a_folder_in_use_is_not_recorded_into(tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    for folder in (tmp_path, tmp_path / "something"):
        with pytest.raises(RecordingError), opened_outside(HEAD, record=folder):
            pass
    with (
        pytest.raises(RecordingError, match="at once"),
        opened_outside(HEAD, record=tmp_path / "a", replay=tmp_path / "b"),
    ):
        pass


def test_without_either_the_world_is_as_it_is() -> None:
    with opened_outside(HEAD) as outside:
        assert outside.web_adapter is None
        assert outside.fact("now", lambda: 3) == 3
        transport = GitTransport()
        assert outside.transport(transport) is transport
