"""Every package gets an answer of the source that covers it, whatever the source does."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest

from caur_ci.pipeline.on_schedule.followed_repository import FollowedRepository, read_repository
from caur_ci.pipeline.on_schedule.sources import look_at_sources, merged
from caur_ci.pipeline.shared.progress import NoProgress
from caur_ci.update.aur import AurSource
from caur_ci.update.git_url import GitUrlSource
from caur_ci.update.recording import Live
from caur_ci.update.source import FindingKind, LastSeen, SourceFinding
from caur_ci.update.vcs.seen import VcsOutcome, VcsSeen
from caur_ci.update.vcs.source import VcsSource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caur_ci.update.source import FollowedPackage, Source
    from tests.support.objects import ObjectStore

CONFIGS = {
    "aur1": "CI_PKGBUILD_SOURCE=aur\n",
    "aur2": "CI_PKGBUILD_SOURCE=aur\n",
    "git1": "CI_PKGBUILD_SOURCE=https://example.org/git1.git\n",
    "none": "",
    "own-git": "",
    "aur-git": "CI_PKGBUILD_SOURCE=aur\n",
}


PLAIN = ("aur1", "aur2", "git1", "none")


class Answers:
    """Stands for what the sources say; they are asked for nothing else."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: dict[str, SourceFinding] = {}
        self.asked: dict[str, list[str]] = {}

        def look(
            source: Source, packages: Sequence[FollowedPackage]
        ) -> Mapping[str, SourceFinding]:
            self.asked[source.name] = [package.name for package in packages]
            return self.answers

        monkeypatch.setattr(AurSource, "look", look)
        monkeypatch.setattr(GitUrlSource, "look", look)
        monkeypatch.setattr(VcsSource, "look", look)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    return Answers(monkeypatch)


def repository(store: ObjectStore, *names: str) -> FollowedRepository:
    files = {f"{name}/.CI/config": CONFIGS[name] for name in names}
    return read_repository(store.git, store.commit(files))


def looked(
    store: ObjectStore, *names: str, progress: NoProgress | None = None
) -> Mapping[str, SourceFinding]:
    with look_at_sources(
        store.git, repository(store, *names), Live(), now=0, progress=progress or NoProgress()
    ) as findings:
        return findings


def test_each_source_is_asked_for_its_own(store: ObjectStore, answers: Answers) -> None:
    looked(store, *CONFIGS)

    assert answers.asked == {
        "aur": ["aur-git", "aur1", "aur2"],
        "git": ["git1"],
        "vcs": ["aur-git", "own-git"],
    }


OUTCOME = VcsOutcome(noted=VcsSeen(absent=1), built=VcsSeen(built=2))
SEEN = LastSeen(origin="aur", commit="c")


def vcs(kind: FindingKind, reason: str = "main moved") -> SourceFinding:
    return SourceFinding(kind=kind, reason=reason, vcs=OUTCOME, files=FindingKind.UNCHANGED)


def files(kind: FindingKind, reason: str = "the AUR says") -> SourceFinding:
    state = {"CI_PKGBUILD_TIMESTAMP": "1"}
    tree = "t" if kind is FindingKind.FILES else ""
    return SourceFinding(
        kind=kind, reason=reason, seen=SEEN, state=state, tree=tree, remarks=("orphaned",)
    )


@pytest.mark.parametrize(
    ("of_files", "of_vcs", "expected"),
    [
        (FindingKind.FILES, FindingKind.BUILD, FindingKind.FILES),
        (FindingKind.FILES, FindingKind.FAILED, FindingKind.FILES),
        (FindingKind.UNCHANGED, FindingKind.BUILD, FindingKind.BUILD),
        (FindingKind.FAILED, FindingKind.BUILD, FindingKind.BUILD),
        (FindingKind.WAITING, FindingKind.BUILD, FindingKind.BUILD),
        (FindingKind.GONE, FindingKind.BUILD, FindingKind.BUILD),
        (FindingKind.UNCHANGED, FindingKind.FAILED, FindingKind.FAILED),
        (FindingKind.WAITING, FindingKind.FAILED, FindingKind.FAILED),
        (FindingKind.FAILED, FindingKind.WAITING, FindingKind.FAILED),
        (FindingKind.UNCHANGED, FindingKind.WAITING, FindingKind.WAITING),
        (FindingKind.GONE, FindingKind.UNCHANGED, FindingKind.GONE),
        (FindingKind.UNCHANGED, FindingKind.GONE, FindingKind.GONE),
        (FindingKind.UNCHANGED, FindingKind.UNCHANGED, FindingKind.UNCHANGED),
    ],
)
def test_two_findings_are_one_and_nothing_is_forgotten(
    of_files: FindingKind, of_vcs: FindingKind, expected: FindingKind
) -> None:
    found = merged(files(of_files), vcs(of_vcs))

    assert found.kind is expected
    assert found.files_kind is of_files
    assert (found.seen, found.vcs, found.tree) == (SEEN, OUTCOME, files(of_files).tree)
    assert found.state == {"CI_PKGBUILD_TIMESTAMP": "1"}
    told = (found.reason, *found.remarks)
    assert "orphaned" in told
    for kind, words in ((of_files, "the AUR says"), (of_vcs, "main moved")):
        assert kind is FindingKind.UNCHANGED or any(words in text for text in told)


def test_what_both_want_built_is_told_in_one_sentence() -> None:
    found = merged(files(FindingKind.FILES), vcs(FindingKind.BUILD))

    assert found.reason == "the AUR says; main moved"


def test_their_answers_are_given_as_they_are(store: ObjectStore, answers: Answers) -> None:
    gone = SourceFinding(kind=FindingKind.GONE, reason="it is gone")
    built = SourceFinding(kind=FindingKind.BUILD)
    answers.answers = {"aur1": gone, "aur2": built, "git1": gone}

    assert looked(store, *PLAIN) == {"aur1": gone, "aur2": built, "git1": gone}


def test_a_package_without_an_answer_has_failed(store: ObjectStore, answers: Answers) -> None:
    unchanged = SourceFinding(kind=FindingKind.UNCHANGED)
    answers.answers = {"aur2": unchanged}

    assert looked(store, *PLAIN) == {
        "aur1": SourceFinding(kind=FindingKind.FAILED, reason="the source aur gave no answer"),
        "aur2": unchanged,
        "git1": SourceFinding(kind=FindingKind.FAILED, reason="the source git gave no answer"),
    }


def test_a_source_that_breaks_down_costs_its_own_packages(
    store: ObjectStore, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(_source: Source, _packages: Sequence[FollowedPackage]) -> NoReturn:
        raise TypeError("unhashable")

    monkeypatch.setattr(AurSource, "look", look)
    unchanged = SourceFinding(kind=FindingKind.UNCHANGED)
    answers.answers = {"git1": unchanged}

    found = looked(store, *PLAIN)

    assert found["git1"] == unchanged
    assert [found[name].kind for name in ("aur1", "aur2")] == [FindingKind.FAILED] * 2
    assert "TypeError('unhashable')" in found["aur1"].reason


def test_answers_that_nobody_asked_for_are_left_out(store: ObjectStore, answers: Answers) -> None:
    answers.answers = {"none": SourceFinding(kind=FindingKind.GONE)}

    assert set(looked(store, *PLAIN)) == {"aur1", "aur2", "git1"}


def test_a_source_without_packages_is_not_asked(store: ObjectStore, answers: Answers) -> None:
    looked(store, "git1", "none")

    assert answers.asked == {"git": ["git1"]}


def test_without_followed_packages_nothing_is_looked_at(
    store: ObjectStore, answers: Answers
) -> None:
    assert looked(store, "none") == {}
    assert answers.asked == {}


@pytest.mark.usefixtures("answers")
def test_progress_counts_packages(store: ObjectStore) -> None:
    progress = _Counted()

    looked(store, *PLAIN, progress=progress)

    assert progress.begun == [("Looking at sources", 3)]
    assert sorted(filter(None, progress.steps)) == [1, 2]


class _Counted(NoProgress):
    def __init__(self) -> None:
        self.begun: list[tuple[str, int]] = []
        self.steps: list[int] = []

    def begin(self, what: str, total: int) -> None:
        self.begun.append((what, total))

    def advance(self, steps: int = 1) -> None:
        self.steps.append(steps)
