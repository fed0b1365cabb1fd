"""How the hooks of packages are run, and what is kept of that for a replay."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest

from caur_ci.environment import Secrets
from caur_ci.pipeline.on_schedule import hooks as module
from caur_ci.pipeline.on_schedule.hooks import HookRunner
from caur_ci.pipeline.shared.committed_repository import CommittedRepository
from caur_ci.update.hook import HookResult
from caur_ci.update.recording import Live
from tests.caur_ci.pipeline.context import context_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from caur_ci.git import GitRepository
    from tests.support.objects import ObjectStore

T = TypeVar("T")
SECRETS = Secrets({"ACCESS_TOKEN": "secret"})


class Notes(Live):
    """The outside world, and what was asked of it."""

    def __init__(self) -> None:
        self.facts: list[str] = []
        self.kept: list[str | None] = []

    def fact(self, name: str, compute: Callable[[], T]) -> T:
        self.facts.append(name)
        return super().fact(name, compute)

    def keep(self, git: GitRepository, commits: Iterable[str | None]) -> None:
        kept = list(commits)
        self.kept += kept
        super().keep(git, kept)


class Hook:
    """Stands for what runs hooks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.result = HookResult(tree="old")
        self.asked: list[dict[str, object]] = []

        def run(_: GitRepository, **options: object) -> HookResult:
            self.asked.append(options)
            return self.result

        monkeypatch.setattr(module, "run_hook", run)


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Hook:
    return Hook(monkeypatch)


def runner(store: ObjectStore, outside: Live, **files: str) -> HookRunner:
    committed = CommittedRepository.read(store.git, store.commit({"a/f": "x", **files}))
    return HookRunner.of(context_in(store, secrets=SECRETS), outside, committed)


@pytest.mark.parametrize(("files", "ignored"), [({}, b""), ({".gitignore": "*.x\n"}, b"*.x\n")])
def test_it_gets_the_folder_and_what_the_repository_ignores(
    store: ObjectStore, hook: Hook, files: dict[str, str], ignored: bytes
) -> None:
    assert runner(store, Notes(), **files)("a", "old") == hook.result

    (asked,) = hook.asked
    assert asked == {
        "package": "a",
        "tree": "old",
        "timeout": 300.0,
        "secrets": SECRETS,
        "ignored": ignored,
        "without_sandbox": False,
    }


def test_it_runs_without_a_sandbox_only_where_the_repository_says_so(
    store: ObjectStore, hook: Hook
) -> None:
    config = {".ci/config": "CI_HOOK_WITHOUT_SANDBOX=true\n"}

    runner(store, Notes(), **config)("a", "old")

    assert hook.asked[0]["without_sandbox"] is True


@pytest.mark.parametrize(
    ("result", "kept"),
    [
        (HookResult(tree="new", output="done\n"), ["new"]),
        (HookResult(tree="old", output="done\n"), []),
        (HookResult(tree="old", output="oh\n", problem="exit 1"), []),
    ],
)
def test_what_it_left_is_a_fact_and_its_files_are_kept(
    store: ObjectStore, hook: Hook, result: HookResult, kept: list[str]
) -> None:
    hook.result = result
    outside = Notes()

    assert runner(store, outside)("a", "old") == result

    assert outside.facts == ["hook of a on old"]
    assert outside.kept == kept


def test_a_fact_that_is_known_runs_nothing(store: ObjectStore, hook: Hook) -> None:
    class Known(Notes):
        def fact(self, name: str, compute: Callable[[], T]) -> T:  # noqa: ARG002
            found: T = {"tree": "new", "output": "then\n", "problem": ""}  # type: ignore[assignment]
            return found

    assert runner(store, Known())("a", "old") == HookResult(tree="new", output="then\n")
    assert hook.asked == []
