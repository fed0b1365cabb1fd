"""The one way by which runs publish: again until it lands, and nothing left where it does not."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from caur_ci.environment import Secrets
from caur_ci.errors import ExitCode, GitError, InputError, TemporaryError
from caur_ci.git import GitRepository, RefUpdate
from caur_ci.pipeline.shared.context import RunContext
from caur_ci.pipeline.shared.documents.handover import HandoverDocuments
from caur_ci.pipeline.shared.forge import ForgePipeline
from caur_ci.pipeline.shared.publishing import publish
from caur_ci.pipeline.shared.refs import RefSnapshot, SharedRepository
from caur_ci.request import BuildRequest

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

DOCUMENTS = {"schedule-params.txt", "deptree.txt", "schedule.json"}
FIRST = RefSnapshot(tag="0", memory=None)


@dataclass
class FakeShared:
    """Refs that somebody else changes first, the given number of times."""

    faster: int = 0
    refuses: GitError | None = None
    pushed: list[tuple[Sequence[RefUpdate], Collection[str]]] = field(default_factory=list)
    branches: list[str] = field(default_factory=list)

    def push(self, updates: Sequence[RefUpdate], push_options: Collection[str]) -> bool:
        if self.refuses is not None:
            raise self.refuses
        self.pushed.append((updates, push_options))
        return len(self.pushed) > self.faster

    def snapshot(self, branch: str = "") -> RefSnapshot:
        self.branches.append(branch)
        return RefSnapshot(tag=str(len(self.branches)), memory=None)


@dataclass(frozen=True)
class Push:
    documents: HandoverDocuments
    updates: tuple[RefUpdate, ...]


@dataclass
class Builder:
    """Makes a push of each snapshot, whose documents tell which one it was."""

    pushes: bool = True
    fails_at: str = ""
    snapshots: list[RefSnapshot] = field(default_factory=list)

    def __call__(self, snapshot: RefSnapshot) -> Push:
        self.snapshots.append(snapshot)
        tag = snapshot.tag or ""
        if tag == self.fails_at:
            raise InputError("no")
        request = BuildRequest(
            request_id=tag, created="", source_repo="s", target_repo="t", commit="c"
        )
        documents = HandoverDocuments(request=request, schedule_params=f"p{tag}\n", deptree="d")
        update = RefUpdate("refs/tags/scheduled", "new", snapshot.tag)
        return Push(documents, (update,) if self.pushes else ())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder `.ci`, with documents of an earlier run."""
    made = tmp_path / ".ci"
    made.mkdir()
    (made / "config").write_text("X=1\n")
    for name in DOCUMENTS:
        (made / name).write_text("old")
    return made


def context(folder: Path, shared: FakeShared, *, bare: bool = False) -> RunContext:
    return RunContext(
        git=GitRepository(folder.parent, bare=bare),
        shared=cast("SharedRepository", shared),
        forge_pipeline=ForgePipeline(forge="gitlab"),
        head="",
        branch="refs/heads/main",
        environ={},
        secrets=Secrets(),
    )


def left(folder: Path) -> set[str]:
    """Return the names of the documents, having seen that nothing else was touched."""
    names = {path.name for path in folder.iterdir()}
    assert names - DOCUMENTS == {"config"}
    return names & DOCUMENTS


def written_for(folder: Path) -> str:
    """Return for which snapshot the documents are."""
    tag: str = json.loads((folder / "schedule.json").read_text())["request_id"]
    assert (folder / "schedule-params.txt").read_text() == f"p{tag}\n"
    assert (folder / "deptree.txt").read_text() == "d\n"
    return tag


def test_what_lands_at_once(folder: Path) -> None:
    shared, build = FakeShared(), Builder()

    done = publish(context(folder, shared), FIRST, build)

    assert build.snapshots == [FIRST]
    assert shared.pushed == [(done.push.updates, ("ci.skip",))]
    assert shared.branches == []
    assert done.pushed
    assert {path.name for path in done.written} == DOCUMENTS
    assert written_for(folder) == "0"


def test_nothing_to_push(folder: Path) -> None:
    shared = FakeShared()

    done = publish(context(folder, shared), FIRST, Builder(pushes=False))

    assert shared.pushed == []
    assert not done.pushed
    assert written_for(folder) == "0"


@pytest.mark.parametrize("faster", [1, 9])
def test_others_were_faster(folder: Path, faster: int) -> None:
    shared, build = FakeShared(faster), Builder()

    done = publish(context(folder, shared), FIRST, build, branch="refs/heads/main")

    assert [snapshot.tag for snapshot in build.snapshots] == [str(n) for n in range(faster + 1)]
    assert shared.branches == ["refs/heads/main"] * faster
    assert [updates[0].expected for updates, _ in shared.pushed] == [
        str(n) for n in range(faster + 1)
    ]
    assert done.push.updates[0].expected == str(faster)
    assert written_for(folder) == str(faster)


def test_others_did_the_work(folder: Path) -> None:
    """Between two attempts there may be nothing left to push."""
    shared, build = FakeShared(1), Builder()

    def until_then(snapshot: RefSnapshot) -> Push:
        build.pushes = snapshot == FIRST
        return build(snapshot)

    assert not publish(context(folder, shared), FIRST, until_then).pushed
    assert len(shared.pushed) == 1
    assert written_for(folder) == "1"


def test_others_were_faster_each_time(folder: Path) -> None:
    shared, build = FakeShared(faster=1000), Builder()

    with pytest.raises(TemporaryError, match="10 times") as caught:
        publish(context(folder, shared), FIRST, build)

    assert caught.value.exit_code is ExitCode.TEMPORARY
    assert len(shared.pushed) == len(build.snapshots) == 10
    assert left(folder) == set()


@pytest.mark.parametrize("at", ["0", "1"])
def test_no_document_is_left_where_nothing_can_be_decided(folder: Path, at: str) -> None:
    with pytest.raises(InputError, match="no"):
        publish(context(folder, FakeShared(1)), FIRST, Builder(fails_at=at))

    assert left(folder) == set()


def test_no_document_is_left_where_the_server_refuses(folder: Path) -> None:
    shared = FakeShared(refuses=GitError("git push failed: protected branch"))

    with pytest.raises(GitError, match="protected"):
        publish(context(folder, shared), FIRST, Builder())

    assert left(folder) == set()


def test_a_bare_repository_has_no_place_for_documents(folder: Path) -> None:
    shared, build = FakeShared(), Builder()

    with pytest.raises(InputError, match="bare repository"):
        publish(context(folder, shared, bare=True), FIRST, build)

    assert (shared.pushed, build.snapshots) == ([], [])
