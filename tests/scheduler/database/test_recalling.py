"""`caur-ci recall`, from what is published to a pacman that does not find it any more."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from caur_ci.git import GitRepository, Identity
from caur_ci.pipeline.shared.memory.branch import Memory
from caur_ci.pipeline.shared.memory.holds import Hold
from caur_ci.pipeline.shared.refs import SharedRepository
from caur_ci.update.source import LastSeen
from scheduler.database.entries import Entry
from scheduler.database.generations import NOTHING, GenerationError
from scheduler.database.layout import Layout
from scheduler.database.removing import Going
from scheduler.database.repository import open_repository
from scheduler.database.rollback import roll_back
from scheduler.database.signing import Signer
from scheduler.database.traces import traces_of
from scheduler.job import JobState, Outcome, Removal
from scheduler.source.cache import FolderNames
from tests.support.git import git
from tests.support.pacman_client import PacmanClient
from tests.support.queue import job

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.packages import SigningKey
    from tests.support.publishing import World

Captured = pytest.CaptureFixture[str]


class Terminal(io.StringIO):
    """Somebody who types an answer."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def shop(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Publish `bad` and `good` from a checkout that this test works in."""
    config: dict[str, str | bytes | None] = {".ci/config": "BUILD_REPO=source\nREPO_NAME=repo\n"}
    world.checkout.commit("feat: begin", config)
    world.split("bad", "bad", "bad-doc")
    world.simple("good")
    world.runner().step()
    monkeypatch.chdir(world.checkout.folder)
    monkeypatch.setenv("REPO_PATH", str(world.settings.repo_path))
    monkeypatch.setenv("COLUMNS", "200")
    return world


@pytest.fixture
def updated(shop: World) -> World:
    """Publish `bad` in another version as well."""
    shop.split("bad", "bad", "bad-doc", version="2-1")
    shop.runner().step()
    return shop


def caur(*arguments: str) -> int:
    return run(list(arguments), Session())


def memory(world: World) -> Memory:
    remote = GitRepository.open(world.checkout.remote)
    return Memory.read(remote, remote.resolve("refs/heads/caur"))


def test_a_recalled_package_is_found_by_no_pacman(
    updated: World, key: SigningKey, tmp_path: Path, redis_url: str, capsys: Captured
) -> None:
    shop = updated
    pacman = PacmanClient(tmp_path / "client", repository="repo", published=shop.folder)
    pacman.trust(key.public, key.fingerprint)
    pacman.refresh()
    assert set(pacman.available()) == {"bad", "bad-doc", "good"}
    commit = shop.commit(job("bad"), version="3-1")
    shop.queue.submit("next", [job("bad", commit=commit)])

    # Nobody has confirmed it: it is only told.
    assert caur("recall", "bad", "--redis", redis_url) == ExitCode.FAILED
    told = capsys.readouterr().out
    assert "bad-doc-1-1-any.pkg.tar.zst" in told
    assert "bad-2-1-any.pkg.tar.zst" in told
    assert "success" in told
    assert "good" not in told
    assert memory(shop) == Memory()

    assert caur("recall", "bad", "--yes", "--reason", "evil", "--redis", redis_url) == ExitCode.OK
    assert "jobs that were canceled" in capsys.readouterr().err
    hold = memory(shop).holds.packages["bad"]
    assert (hold.by, hold.reason) == ("Tester", "recalled: evil")
    assert memory(shop).recalled == {"bad"}
    assert memory(shop).ledger.about("bad")[0].run == "caur-ci recall"
    assert shop.queue.snapshot().total_ready == 0

    shop.runner().step()
    pacman.refresh()
    assert set(pacman.available()) == {"good"}
    # Its folder is there all the same.
    assert git(shop.checkout.remote, "ls-tree", "--name-only", "main", "bad") == "bad"


def test_what_is_built_all_the_same_is_not_published(shop: World, redis_url: str) -> None:
    assert caur("recall", "bad", "--yes", "--redis", redis_url) == ExitCode.OK
    shop.runner().step()

    shop.split("bad", "bad", version="2-1")
    shop.runner().step()

    outcome, reason = shop.ended("bad")
    assert outcome is Outcome.FAILED
    assert "bad was recalled" in reason
    assert set(shop.published()) == {"good"}


def test_it_does_not_come_back_with_an_earlier_state(shop: World, redis_url: str) -> None:
    assert caur("recall", "bad", "--yes", "--redis", redis_url) == ExitCode.OK
    shop.runner().step()
    signer = Signer(shop.settings.gpg_home)

    with open_repository(Layout(shop.settings.repo_path, "repo", "x86_64")) as repository:
        with pytest.raises(GenerationError, match="recalled: bad-1-1-any"):
            roll_back(repository, repository.generations.numbers()[-2], signer)
        assert set(shop.published()) == {"good"}
        roll_back(repository, repository.generations.numbers()[-2], signer, even_recalled=True)

    assert set(shop.published()) == {"bad", "bad-doc", "good"}


def test_let_go_it_may_be_published_again(shop: World, redis_url: str) -> None:
    assert caur("recall", "bad", "--yes", "--redis", redis_url) == ExitCode.OK
    assert caur("unhold", "bad") == ExitCode.OK

    assert memory(shop).recalled == frozenset()
    shop.runner().step()  # the removal is still in the queue, and no commit stands behind it
    assert set(shop.published()) == {"bad", "bad-doc", "good"}


def test_the_queue_alone_takes_nothing_away(shop: World) -> None:
    assert caur("hold", "bad") == ExitCode.OK

    shop.queue.submit("removal", [], [Removal(target_repo="repo", remove=("bad",))])
    shop.runner().step()

    assert set(shop.published()) == {"bad", "bad-doc", "good"}
    event = next(it for it in reversed(shop.queue.events()) if it.kind == "removal")
    assert "bad stays" in event.reason


def test_a_branch_that_makes_no_sense_takes_nothing_away(shop: World) -> None:
    remote = shop.checkout.remote
    blob = git(remote, "hash-object", "-w", "--stdin", stdin=b"bad\n../good\n")
    tree = git(remote, "mktree", stdin=f"100644 blob {blob}\trecalled\n".encode())
    commit = git(remote, "commit-tree", tree, "-m", "broken")
    git(remote, "update-ref", "refs/heads/caur", commit)

    shop.queue.submit("removal", [], [Removal(target_repo="repo", remove=("bad",))])
    shop.runner().step()

    event = next(it for it in reversed(shop.queue.events()) if it.kind == "removal")
    assert (event.state, event.outcome) == (JobState.DONE, Outcome.FAILED)
    assert "recalled on branch caur" in event.reason
    assert set(shop.published()) == {"bad", "bad-doc", "good"}


def test_without_names_it_is_about_what_is_gone(
    shop: World, redis_url: str, capsys: Captured
) -> None:
    assert caur("recall", "--redis", redis_url) == ExitCode.OK
    assert "no package is gone" in capsys.readouterr().err
    opened = GitRepository.open(shop.checkout.folder)
    SharedRepository.open(opened, remote=None, credentials=None).change_memory(
        lambda it: replace(
            it,
            seen=it.seen.updated({"bad": LastSeen(commit="4" * 40, modified=-1, maintainer="eve")}),
            holds=it.holds.with_hold("good", Hold("on-schedule", 9, "odd", automatic=True)),
        ),
        identity=Identity("Me", "me@example.org"),
        push_options=(),
    )

    assert caur("recall", "--json", "--redis", redis_url) == ExitCode.FAILED
    bad, good = json.loads(capsys.readouterr().out)
    assert (bad["package"], bad["is_gone"], bad["maintainer"]) == ("bad", True, "eve")
    assert bad["source_commit"] == "4" * 40
    assert [build["outcome"] for build in bad["builds"]] == ["SUCCESS"]
    assert all(build["commit"] for build in bad["builds"])
    assert {trace["name"] for trace in bad["traces"]} == {"bad", "bad-doc"}
    assert all(trace["is_listed"] and trace["paths"] for trace in bad["traces"])
    assert (good["package"], good["hold"]["automatic"]) == ("good", True)

    assert caur("recall", "--yes", "--wait=0", "--redis", redis_url) == ExitCode.OK
    assert caur("recall", "--redis", redis_url) == ExitCode.OK
    assert memory(shop).holds.packages["good"].reason == "recalled: odd"


def test_without_a_queue_it_is_on_hold_and_that_is_told(
    shop: World, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.delenv("REPO_PATH")

    assert caur("recall", "bad", "--yes") == ExitCode.PARTIAL

    told = capsys.readouterr().err
    assert "stay published" in told
    assert "generations are not listed" in told
    assert memory(shop).recalled == {"bad"}
    assert set(shop.published()) == {"bad", "bad-doc", "good"}


@pytest.mark.parametrize(("answer", "code"), [("y\n", ExitCode.PARTIAL), ("\n", ExitCode.FAILED)])
def test_at_a_terminal_it_is_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch, answer: str, code: ExitCode
) -> None:
    world.commit(job("bad"), version="1-1")
    monkeypatch.chdir(world.checkout.folder)
    monkeypatch.setattr("sys.stdin", Terminal(answer))

    assert caur("recall", "bad") == code

    assert ("bad" in memory(world).recalled) is (code is ExitCode.PARTIAL)


def test_an_unknown_name_is_an_error(shop: World, redis_url: str, capsys: Captured) -> None:
    assert caur("recall", "bat", "--yes", "--redis", redis_url) == ExitCode.FAILED
    assert "Did you mean bad" in capsys.readouterr().err
    assert memory(shop) == Memory()


def test_traces_say_in_which_states_a_file_was(updated: World) -> None:
    shop = updated

    traces = traces_of(shop.settings.repo_path, "bad", "source")

    by_file = {trace.filename: trace for trace in traces}
    old, new = by_file["bad-1-1-any.pkg.tar.zst"], by_file["bad-2-1-any.pkg.tar.zst"]
    assert (old.is_listed, new.is_listed) == (False, True)
    assert [number for number, _ in old.generations] == [1]
    assert [number for number, _ in new.generations] == [2]
    assert old.paths == (str(shop.folder / old.filename),)
    assert traces_of(shop.settings.repo_path, "bad", "another") == []


class TestGoing:
    """Which published packages a removal of recalled folders takes away."""

    TIPS: ClassVar[dict[str, dict[str, FolderNames]]] = {
        "source": {
            "bad": FolderNames("bad", frozenset({"bad", "tool"})),
            "other": FolderNames("other", frozenset({"other", "tool"})),
        }
    }

    def goes(self, folders: dict[str, str], sources: dict[str, str], *, recalled: str) -> set[str]:
        entries = {
            name: Entry(
                name=name, base=name, version="1", arch="any", filename=name, size=1, sha256=name
            )
            for name in ("bad", "tool", "other")
        }
        current = replace(NOTHING, packages=entries, folders=folders, sources=sources)
        removal = Removal(target_repo="repo", remove=("bad",))
        going = Going(removal, self.TIPS, {"source": frozenset({recalled})})
        return {name for name, entry in entries.items() if going.goes(entry, current)}

    def test_what_came_from_it_goes_whoever_makes_it_as_well(self) -> None:
        assert self.goes({"tool": "bad"}, {}, recalled="bad") == {"bad", "tool"}

    def test_what_another_made_or_may_have_made_stays(self) -> None:
        assert self.goes({"tool": "other"}, {}, recalled="bad") == {"bad"}
        assert self.goes({}, {}, recalled="bad") == {"bad"}

    def test_another_folder_that_was_recalled_is_no_reason(self) -> None:
        assert self.goes({"tool": "bad"}, {}, recalled="other") == set()
