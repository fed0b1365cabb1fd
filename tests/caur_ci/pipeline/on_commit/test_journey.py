"""on-commit in real repositories with a real remote."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from caur_ci.environment import Secrets
from caur_ci.errors import GitError, InputError, TemporaryError
from caur_ci.git import GitRepository, Identity
from caur_ci.pipeline.handover import acknowledge
from caur_ci.pipeline.on_commit.commit_range import TagPosition
from caur_ci.pipeline.on_commit.journey import OnCommitOptions, OnCommitResult, on_commit
from caur_ci.pipeline.shared.decision import PackageAction
from caur_ci.pipeline.shared.memory.branch import Memory
from caur_ci.pipeline.shared.memory.outbox import Outbox
from caur_ci.pipeline.shared.refs import SharedRepository
from caur_ci.request import BuildRequest
from tests.support.git import Checkout, git, srcinfo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GITLAB = {"GITLAB_CI": "true", "CI_COMMIT_SHA": "f" * 40, "CI_PIPELINE_ID": "77"}
GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_SHA": "e" * 40, "GITHUB_RUN_ID": "88"}


def run(folder: Path, **options: object) -> OnCommitResult:
    return on_commit(OnCommitOptions(repo=folder, **options))  # type: ignore[arg-type]


def built(result: OnCommitResult) -> list[str]:
    return [package.pkgbase for package in result.plan.request.packages]


def removed(result: OnCommitResult) -> list[str]:
    return list(result.plan.request.remove)


def memory_of(folder: Path) -> Memory:
    git = GitRepository.open(folder)
    return Memory.read(git, git.resolve("refs/heads/caur"))


def outbox_of(checkout: Checkout) -> Outbox:
    return memory_of(checkout.remote).outbox


def test_changed_package_is_scheduled_and_the_tag_moves(checkout: Checkout) -> None:
    head = checkout.commit("fix(a): more", {"a/PKGBUILD": "changed\n"})

    result = run(checkout.folder)

    assert built(result) == ["a"]
    assert removed(result) == []
    assert result.published
    assert checkout.remote_ref("refs/tags/scheduled") == head
    assert outbox_of(checkout).requests == (result.plan.request,)
    document = (checkout.folder / ".ci/schedule.json").read_bytes()
    assert BuildRequest.from_json(document, origin="schedule.json") == result.plan.request
    assert result.plan.request.commit == head
    assert (result.plan.request.source_repo, result.plan.request.target_repo) == (
        "source",
        "target",
    )


def test_an_edit_undone_within_the_range_builds_nothing(checkout: Checkout) -> None:
    checkout.commit("edit", {"a/PKGBUILD": "changed\n"})
    checkout.commit("undo", {"a/PKGBUILD": "pkgname=a\n"})

    result = run(checkout.folder)

    assert built(result) == []
    assert checkout.remote_ref("refs/tags/scheduled") == checkout.head()
    assert not checkout.remote_ref("refs/heads/caur")


def test_removed_and_renamed_folders_are_removed_from_the_repository(checkout: Checkout) -> None:
    git(checkout.folder, "rm", "-rq", "a")
    git(checkout.folder, "mv", "b", "b2")
    checkout.commit("chore(drop): a, rename b")

    result = run(checkout.folder)

    assert built(result) == ["b2"]
    assert removed(result) == ["a", "b"]
    params = (checkout.folder / ".ci/schedule-params.txt").read_text()
    assert sourced(params)["PARAMS_AUTOREPOREMOVE"] == [
        "auto-repo-remove",
        "--target-repo=target",
        "--commit",
        result.plan.commits.head,
        "b2",
        "c",
        "c-git",
    ]


def test_a_package_that_becomes_a_file_is_removed(checkout: Checkout) -> None:
    git(checkout.folder, "rm", "-rq", "a")
    checkout.commit("odd", {"a": "now a file\n"})

    assert removed(run(checkout.folder)) == ["a"]


def test_dot_folders_at_the_top_build_nothing_but_those_of_packages_do(checkout: Checkout) -> None:
    checkout.commit(
        "ci", {".ci/note": "x\n", ".github/workflows/x.yml": "x\n", "README": "x\n", "a/.CI/x": "x"}
    )

    assert built(run(checkout.folder)) == ["a"]


def test_without_a_tag_only_the_last_commit_counts(checkout: Checkout) -> None:
    git(checkout.remote, "tag", "-d", "scheduled")
    checkout.commit("one", {"a/PKGBUILD": "1\n"})
    checkout.commit("two", {"b/PKGBUILD": "2\n"})

    result = run(checkout.folder)

    assert result.plan.commits.position is TagPosition.NO_TAG
    assert built(result) == ["b"]


def test_the_first_commit_ever_schedules_all_of_it(tmp_path: Path) -> None:
    made = Checkout.create(tmp_path / "new")
    made.commit("feat: begin", {"x/PKGBUILD": "", "y/PKGBUILD": ""})

    assert built(run(made.folder, default_names=True)) == ["x", "y"]


def test_nothing_new_is_no_error_and_pushes_nothing(checkout: Checkout) -> None:
    result = run(checkout.folder)

    assert result.plan.commits.position is TagPosition.SAME
    assert not result.published
    assert result.plan.request.is_empty


class TestDeploy:
    """Words in commit messages."""

    @pytest.mark.parametrize(
        ("message", "expected"),
        [
            ("fix [deploy a]", ["a"]),
            ("fix [deploy a] [deploy b]", ["a", "b"]),
            ("fix [deploy a b]", ["a", "b"]),
            ("fix [deploy a, b]\n\n[deploy c-git]\n", ["a", "b", "c-git"]),
            ("fix [deploy all]", ["a", "b", "c", "c-git"]),
            ("no word at all, deploy a", []),
            ("[deploys a] [redeploy b]", []),
        ],
    )
    def test_words_are_understood(
        self, checkout: Checkout, message: str, expected: list[str]
    ) -> None:
        checkout.commit(message)

        assert built(run(checkout.folder)) == expected

    def test_a_misspelt_name_is_fatal_and_leaves_the_tag(self, checkout: Checkout) -> None:
        before = checkout.remote_ref("refs/tags/scheduled")
        bad = checkout.commit("x [deploy c-gti]")
        checkout.commit("fine", {"a/PKGBUILD": "1\n"})

        with pytest.raises(InputError) as caught:
            run(checkout.folder)

        assert bad[:12] in caught.value.message
        assert "c-git" in caught.value.message
        assert "deploy-skip" in caught.value.hint
        assert checkout.remote_ref("refs/tags/scheduled") == before
        assert not (checkout.folder / ".ci/schedule.json").exists()

    def test_deploy_skip_is_the_way_out(self, checkout: Checkout) -> None:
        bad = checkout.commit("x [deploy nonsense] [deploy b]")
        checkout.commit(f"forget it [deploy-skip {bad[:10]}] [deploy c]")

        assert built(run(checkout.folder)) == ["c"]

    def test_deploy_skip_of_an_unknown_commit_is_told(self, checkout: Checkout) -> None:
        checkout.commit("x [deploy-skip 1234567]")

        assert any("1234567" in note for note in run(checkout.folder).plan.notes)

    def test_a_commit_cannot_skip_a_later_one(self, checkout: Checkout) -> None:
        checkout.commit("x [deploy-skip " + "0" * 7 + "]")
        checkout.commit("x [deploy nonsense]")

        with pytest.raises(InputError):
            run(checkout.folder)

    def test_deploy_of_a_package_removed_since_is_no_mistake(self, checkout: Checkout) -> None:
        checkout.commit("x [deploy a]")
        git(checkout.folder, "rm", "-rq", "a")
        checkout.commit("drop a")

        result = run(checkout.folder)

        assert built(result) == []
        assert removed(result) == ["a"]
        assert any("removed since" in note for note in result.plan.notes)

    def test_messages_of_merged_branches_count(self, checkout: Checkout) -> None:
        git(checkout.folder, "checkout", "-q", "-b", "side")
        checkout.commit("side [deploy b]", {"c/PKGBUILD": "side\n"})
        git(checkout.folder, "checkout", "-q", "main")
        checkout.commit("main", {"a/PKGBUILD": "main\n"})
        git(checkout.folder, "merge", "-q", "--no-edit", "side")

        assert built(run(checkout.folder)) == ["a", "b", "c"]


class TestBuildClass:
    """Override, package, default."""

    def test_override_beats_package_beats_default(self, checkout: Checkout) -> None:
        checkout.commit(
            "x [deploy a/9] [deploy c]",
            {
                ".ci/config": "REPO_NAME=target\nCI_DEFAULT_CLASS=5\n",
                "a/.CI/config": "BUILDER_CLASS=3\n",
                "b/.CI/config": 'BUILDER_CLASS="catbuilder"  # the big one\n',
            },
        )

        result = run(checkout.folder)

        classes = {p.pkgbase: p.build_class for p in result.plan.request.packages}
        assert classes == {"a": "9", "b": "catbuilder", "c": "5"}
        params = (checkout.folder / ".ci/schedule-params.txt").read_text()
        assert sourced(params)["PARAMS_SCHEDULE"][-3:] == ["a/9", "b/catbuilder", "c/5"]

    def test_a_broken_configuration_costs_only_its_own_package(self, checkout: Checkout) -> None:
        checkout.commit(
            "x",
            {
                "a/.CI/config": "# fine\nBUILDER_CLASS=very heavy\n",
                "b/.CI/config": "CI_MANAGE_AUR=yes\n",
                "c/PKGBUILD": "changed\n",
            },
        )

        result = run(checkout.folder)

        assert built(result) == ["c"]
        assert checkout.remote_ref("refs/tags/scheduled") == checkout.head()
        reasons = {decision.package: decision.reason for decision in result.plan.left_out}
        assert "a/.CI/config:2: BUILDER_CLASS='very heavy'" in reasons["a"]
        assert "b/.CI/config:1: CI_MANAGE_AUR='yes'" in reasons["b"]
        (entry,) = memory_of(checkout.remote).ledger.about("a")
        assert (entry.decision, entry.reason) == ("left-out", reasons["a"])

    def test_a_package_that_was_left_out_is_built_once_it_is_mended(
        self, checkout: Checkout
    ) -> None:
        checkout.commit("x", {"a/PKGBUILD": "2\n", "a/.CI/config": "BUILDER_NETWORK=maybe\n"})
        assert built(run(checkout.folder)) == []

        checkout.commit("y", {"a/.CI/config": "BUILDER_NETWORK=true\n"})

        assert built(run(checkout.folder)) == ["a"]

    def test_a_bump_of_no_version_is_a_warning_and_bumps_nothing(self, checkout: Checkout) -> None:
        checkout.commit("x", {"a/.CI/config": "CI_PACKAGE_BUMP=1/1\n"})

        result = run(checkout.folder)

        assert built(result) == ["a"]
        assert any("CI_PACKAGE_BUMP='1/1'" in warning for warning in result.plan.warnings)


class TestRange:
    """Where the tag is, and what this clone knows of history."""

    def test_shallow_clone_fetches_what_it_needs(self, checkout: Checkout, tmp_path: Path) -> None:
        for number in range(60):
            checkout.commit(f"step {number}", {"a/PKGBUILD": f"{number}\n"})
        checkout.commit("wish [deploy b]")
        checkout.commit("last", {"c/PKGBUILD": "last\n"})
        checkout.push()
        shallow = tmp_path / "shallow"
        git(tmp_path, "clone", "-q", "--depth=1", checkout.remote.as_uri(), str(shallow))

        result = run(shallow)

        assert result.plan.commits.position is TagPosition.BEHIND
        assert built(result) == ["a", "b", "c"]

    def test_shallow_clone_without_tag_fetches_the_parent(
        self, checkout: Checkout, tmp_path: Path
    ) -> None:
        git(checkout.remote, "tag", "-d", "scheduled")
        checkout.commit("last", {"c/PKGBUILD": "last\n"})
        checkout.push()
        shallow = tmp_path / "shallow"
        git(
            tmp_path,
            "clone",
            "-q",
            "--depth=1",
            "--no-tags",
            checkout.remote.as_uri(),
            str(shallow),
        )

        assert built(run(shallow)) == ["c"]

    def test_detached_head_works(self, checkout: Checkout) -> None:
        checkout.commit("x", {"a/PKGBUILD": "1\n"})
        git(checkout.folder, "checkout", "-q", "--detach")

        assert built(run(checkout.folder)) == ["a"]

    def test_rewritten_branch_is_compared_by_its_content(self, checkout: Checkout) -> None:
        checkout.commit("will be rewritten", {"a/PKGBUILD": "old\n"})
        checkout.schedule_here()
        git(checkout.folder, "reset", "-q", "--hard", "HEAD^")
        checkout.commit("instead", {"b/PKGBUILD": "new\n"})

        result = run(checkout.folder)

        assert result.plan.commits.position is TagPosition.REWRITTEN
        assert built(result) == ["a", "b"]
        assert any("rewritten" in warning for warning in result.plan.warnings)
        assert checkout.remote_ref("refs/tags/scheduled") == checkout.head()

    def test_unrelated_history_takes_only_the_last_message(self, checkout: Checkout) -> None:
        git(checkout.folder, "checkout", "-q", "--orphan", "fresh")
        checkout.commit("begin again [deploy nonsense]")
        checkout.commit("go on [deploy a]", {"b/PKGBUILD": "new\n"})

        result = run(checkout.folder)

        assert result.plan.commits.position is TagPosition.UNRELATED
        assert built(result) == ["a", "b"]

    def test_a_run_for_an_older_commit_does_not_move_the_tag_back(self, checkout: Checkout) -> None:
        older = checkout.commit("older", {"a/PKGBUILD": "1\n"})
        newer = checkout.commit("newer", {"b/PKGBUILD": "1\n"})
        checkout.schedule_here()
        git(checkout.folder, "checkout", "-q", older)

        result = run(checkout.folder)

        assert result.plan.commits.position is TagPosition.AHEAD
        assert result.plan.request.is_empty
        assert checkout.remote_ref("refs/tags/scheduled") == newer

    def test_annotated_tag_is_followed(self, checkout: Checkout) -> None:
        git(checkout.folder, "tag", "-a", "-m", "by hand", "scheduled", "HEAD")
        checkout.push("+refs/tags/scheduled")
        checkout.commit("x", {"a/PKGBUILD": "1\n"})

        assert built(run(checkout.folder)) == ["a"]
        assert checkout.remote_ref("refs/tags/scheduled") == checkout.head()


class TestOddNames:
    """Files and folders that other people's repositories hold."""

    def test_file_names_with_blanks_newlines_and_other_bytes(self, checkout: Checkout) -> None:
        checkout.commit("x", {"a/two words\nand a line": "1", "b/\udcff\udcfe": "2"})

        assert built(run(checkout.folder)) == ["a", "b"]

    def test_folders_that_cannot_be_packages_are_told_and_ignored(self, checkout: Checkout) -> None:
        checkout.commit("x", {"not a package/x": "1", "line\nbreak/x": "2", "-dash/x": "3"})

        result = run(checkout.folder)

        assert built(result) == []
        for name in ("'not a package'", r"'line\nbreak'", "'-dash'"):
            assert any(name in warning for warning in result.plan.warnings)

    def test_names_with_plus_dot_and_at_are_packages(self, checkout: Checkout) -> None:
        checkout.commit("x [deploy Caps]", {f"{n}/PKGBUILD": "1" for n in ("g++.x", "a@b", "Caps")})

        result = run(checkout.folder)

        assert built(result) == ["Caps", "a@b", "g++.x"]
        schedule = sourced((checkout.folder / ".ci/schedule-params.txt").read_text())
        assert schedule["PARAMS_SCHEDULE"][-1] == "g++.x"
        assert not {"Caps", "a@b"} & set(schedule["PARAMS_SCHEDULE"])
        assert any(w.startswith("a@b is in schedule.json only") for w in result.plan.warnings)

    def test_submodules_and_links_at_the_top_are_no_packages(self, checkout: Checkout) -> None:
        (checkout.folder / "link").symlink_to("a")
        git(
            checkout.folder, "update-index", "--add", "--cacheinfo", f"160000,{checkout.head()},sub"
        )
        (checkout.folder / "sub").mkdir()
        git(checkout.folder, "add", "link")
        git(checkout.folder, "commit", "-qm", "odd")

        assert built(run(checkout.folder)) == []


class TestHandOverDocuments:
    """What the existing manager reads."""

    def test_schedule_params_are_as_the_manager_sources_them(self, checkout: Checkout) -> None:
        databases = "https://m.example/core/os/x86_64/core.db https://b.example/r/x86_64/r.db"
        checkout.commit(
            "x",
            {
                ".ci/config": f'BUILD_REPO=src\nREPO_NAME="dst"\nCI_LIB_DB="{databases}"\n'
                "REDIS_SSH_HOST=tunnel.example\nREDIS_SSH_PORT=222\nREDIS_SSH_USER=me\n"
                "REDIS_PORT=6380\n",
                "a/PKGBUILD": "1\n",
            },
        )

        run(checkout.folder, environ=GITLAB)

        found = sourced((checkout.folder / ".ci/schedule-params.txt").read_text())
        assert found == {
            "REDIS_SSH_HOST": ["tunnel.example"],
            "REDIS_SSH_PORT": ["222"],
            "REDIS_SSH_USER": ["me"],
            "REDIS_PORT": ["6380"],
            "PARAMS_SCHEDULE": [
                "schedule",
                "--target-repo=dst",
                "--source-repo=src",
                "--commit",
                f"{'f' * 40}:77",
                "--arch-mirror=https://m.example/$repo/os/$arch",
                "a",
            ],
        }

    def test_the_tunnel_is_taken_from_the_environment_where_it_is_not_configured(
        self, checkout: Checkout
    ) -> None:
        checkout.commit("x", {"a/PKGBUILD": "1\n"})

        run(checkout.folder, environ={"REDIS_SSH_HOST": "from.example", "REDIS_PORT": ""})

        found = sourced((checkout.folder / ".ci/schedule-params.txt").read_text())
        assert found.keys() == {"REDIS_SSH_HOST", "PARAMS_SCHEDULE"}
        assert found["REDIS_SSH_HOST"] == ["from.example"]

    def test_deptree_holds_every_package_in_one_line(self, checkout: Checkout) -> None:
        checkout.commit(
            "x",
            {
                "a/.SRCINFO": srcinfo("a", "depends = b>=1", "makedepends = glibc"),
                "broken/PKGBUILD": "",
                "b/.SRCINFO": srcinfo("b", names=("b", "b-docs")),
            },
        )

        result = run(checkout.folder)

        text = (checkout.folder / ".ci/deptree.txt").read_text()
        assert text == "a:a:b,glibc;b:b,b-docs:;broken::;c:c:;c-git:c-git:\n"
        assert any(w.startswith("broken/.SRCINFO is missing") for w in result.plan.warnings)

    @pytest.mark.parametrize(
        ("environment", "reference"),
        [(GITLAB, f"{'f' * 40}:77"), (GITHUB, f"{'e' * 40}:88"), ({}, None)],
    )
    def test_commit_reference_comes_from_the_forge(
        self, checkout: Checkout, environment: dict[str, str], reference: str | None
    ) -> None:
        checkout.commit("x", {"a/PKGBUILD": "1\n"})

        result = run(checkout.folder, environ=environment)

        assert result.plan.request.commit_reference == (reference or checkout.head())
        assert result.plan.request.commit == checkout.head()

    def test_dry_run_changes_nothing(self, checkout: Checkout) -> None:
        before = checkout.remote_ref("refs/tags/scheduled")
        checkout.commit("x", {"a/PKGBUILD": "1\n"})

        result = run(checkout.folder, dry_run=True)

        assert built(result) == ["a"]
        assert checkout.remote_ref("refs/tags/scheduled") == before
        assert git(checkout.folder, "status", "--porcelain", "--ignored") == ""

    def test_no_push_writes_the_documents_only(self, checkout: Checkout) -> None:
        before = checkout.remote_ref("refs/tags/scheduled")
        checkout.commit("x", {"a/PKGBUILD": "1\n"})

        result = run(checkout.folder, push=False)

        assert not result.published
        assert checkout.remote_ref("refs/tags/scheduled") == before
        assert len(result.written) == 3


class TestPublishing:
    """The one atomic push."""

    def test_a_run_that_is_beaten_starts_over(
        self, checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        checkout.commit("mine", {"a/PKGBUILD": "1\n"})
        checkout.push()
        other = tmp_path / "other"
        git(tmp_path, "clone", "-q", checkout.remote.as_uri(), str(other))
        looked = after_look(monkeypatch, [lambda: run(other)])

        result = run(checkout.folder)

        assert looked() == 2
        assert result.plan.commits.position is TagPosition.SAME
        assert len(outbox_of(checkout).requests) == 1

    def test_a_newer_commit_scheduled_by_somebody_else_in_between(
        self, checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        checkout.commit("mine", {"a/PKGBUILD": "1\n"})
        checkout.push()
        other = tmp_path / "other"
        git(tmp_path, "clone", "-q", checkout.remote.as_uri(), str(other))
        theirs = Checkout(other, checkout.remote)

        def faster() -> None:
            theirs.commit("theirs", {"b/PKGBUILD": "1\n"})
            theirs.push()
            run(other)

        after_look(monkeypatch, [faster])
        result = run(checkout.folder)

        assert result.plan.commits.position is TagPosition.AHEAD
        assert checkout.remote_ref("refs/tags/scheduled") == theirs.head()
        (request,) = outbox_of(checkout).requests
        assert [p.pkgbase for p in request.packages] == ["a", "b"]

    def test_who_is_always_beaten_gives_up_and_leaves_no_documents(
        self, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        checkout.commit("mine", {"a/PKGBUILD": "1\n"})
        checkout.push()
        empty_tree = git(checkout.folder, "hash-object", "-t", "tree", "--stdin", stdin=b"")

        def change() -> None:
            commit = git(checkout.remote, "commit-tree", empty_tree, stdin=b"x")
            git(checkout.remote, "update-ref", "refs/heads/caur", commit)

        def change_with(number: int) -> Callable[[], None]:
            def step() -> None:
                monkeypatch.setenv("GIT_COMMITTER_DATE", f"{1700000000 + number} +0000")
                change()

            return step

        after_look(monkeypatch, [change_with(number) for number in range(11)])
        with pytest.raises(TemporaryError):
            run(checkout.folder)

        assert not (checkout.folder / ".ci/schedule.json").exists()

    def test_tag_and_outbox_change_together_or_not_at_all(self, checkout: Checkout) -> None:
        before = checkout.remote_ref("refs/tags/scheduled")
        hook = checkout.remote / "hooks/update"
        hook.write_text('#!/bin/sh\ntest "$1" != refs/heads/caur || exit 1\n')
        hook.chmod(0o755)
        checkout.commit("x", {"a/PKGBUILD": "1\n"})

        with pytest.raises(GitError):
            run(checkout.folder)

        assert checkout.remote_ref("refs/tags/scheduled") == before
        assert not checkout.remote_ref("refs/heads/caur")
        assert not (checkout.folder / ".ci/schedule.json").exists()

    def test_push_options_are_left_out_where_the_server_takes_none(
        self, checkout: Checkout
    ) -> None:
        checkout.commit("x", {"a/PKGBUILD": "1\n"})

        result = run(checkout.folder, environ=GITLAB)

        assert result.published

    def test_push_options_keep_gitlab_from_starting_pipelines(self, checkout: Checkout) -> None:
        git(checkout.remote, "config", "receive.advertisePushOptions", "true")
        hook = checkout.remote / "hooks/post-receive"
        hook.write_text(f'#!/bin/sh\necho "$GIT_PUSH_OPTION_0" > {checkout.remote}/option\n')
        hook.chmod(0o755)
        checkout.commit("x", {"a/PKGBUILD": "1\n"})

        run(checkout.folder, environ=GITLAB)

        assert (checkout.remote / "option").read_text() == "ci.skip\n"

    def test_without_a_remote_the_repository_itself_holds_tag_and_outbox(
        self, checkout: Checkout
    ) -> None:
        git(checkout.folder, "remote", "remove", "origin")
        git(checkout.folder, "tag", "scheduled")
        checkout.commit("x", {"a/PKGBUILD": "1\n"})

        assert built(run(checkout.folder)) == ["a"]
        assert git(checkout.folder, "rev-parse", "scheduled") == checkout.head()
        assert len(memory_of(checkout.folder).outbox.requests) == 1

    def test_an_unknown_remote_is_told_with_those_that_exist(self, checkout: Checkout) -> None:
        with pytest.raises(GitError) as caught:
            run(checkout.folder, remote="upstream")

        assert "origin" in caught.value.hint

    def test_unreachable_remote_is_a_clear_error(self, checkout: Checkout) -> None:
        git(checkout.folder, "remote", "set-url", "origin", "http://127.0.0.1:9/x.git")

        with pytest.raises(TemporaryError) as caught:
            run(checkout.folder, secrets=Secrets({"ACCESS_TOKEN": "secret-token"}))

        assert "secret-token" not in caught.value.message

    def test_outside_a_repository_is_a_clear_error(self, tmp_path: Path) -> None:
        with pytest.raises(GitError, match="is not in a git repository"):
            run(tmp_path)

    def test_an_empty_repository_is_a_clear_error(self, tmp_path: Path) -> None:
        with pytest.raises(GitError, match="HEAD is no commit"):
            run(Checkout.create(tmp_path / "w").folder)

    def test_a_bare_repository_can_only_be_looked_at(self, checkout: Checkout) -> None:
        assert run(checkout.remote, dry_run=True).plan.commits.position is TagPosition.SAME
        with pytest.raises(InputError, match="bare"):
            run(checkout.remote)


class TestOutbox:
    """Several runs before a hand-over."""

    def test_a_newer_request_takes_over_what_an_older_one_asked(self, checkout: Checkout) -> None:
        checkout.commit("one", {"a/PKGBUILD": "1\n", "b/PKGBUILD": "1\n"})
        run(checkout.folder)
        git(checkout.folder, "rm", "-rq", "c")
        checkout.commit("two", {"a/PKGBUILD": "2\n"})
        run(checkout.folder)

        older, newer = outbox_of(checkout).requests

        assert [p.pkgbase for p in older.packages] == ["b"]
        assert [p.pkgbase for p in newer.packages] == ["a"]
        assert newer.remove == ("c",)

    def test_the_branch_keeps_what_others_put_on_it(self, checkout: Checkout) -> None:
        checkout.commit("one", {"a/PKGBUILD": "1\n"})
        run(checkout.folder)
        listing = git(checkout.remote, "ls-tree", "refs/heads/caur")
        blob = git(checkout.remote, "hash-object", "-w", "--stdin", stdin=b"ledger")
        entries = f"{listing}\n100644 blob {blob}\tledger\n".encode()
        tree = git(checkout.remote, "mktree", stdin=entries)
        commit = git(checkout.remote, "commit-tree", tree, stdin=b"x")
        git(checkout.remote, "update-ref", "refs/heads/caur", commit)
        checkout.commit("two", {"b/PKGBUILD": "1\n"})
        run(checkout.folder)

        assert git(checkout.remote, "show", "refs/heads/caur:ledger") == "ledger"
        assert len(outbox_of(checkout).requests) == 2


class TestLedger:
    """What is remembered of each decision."""

    def test_decisions_are_kept_with_their_reason_and_a_link(self, checkout: Checkout) -> None:
        head = checkout.commit("x", {"a/PKGBUILD": "1\n"})
        url = "https://gitlab.example/g/p/-/pipelines/7"
        run(checkout.folder, environ={"GITLAB_CI": "true", "CI_PIPELINE_URL": url})

        (entry,) = memory_of(checkout.remote).ledger
        assert (entry.package, entry.decision, entry.reason) == ("a", "build", "changed")
        assert (entry.run, entry.commit, entry.link) == ("on-commit", head, url)

    def test_it_goes_on_from_run_to_run_and_over_acknowledgements(self, checkout: Checkout) -> None:
        for content in ("1\n", "2\n"):
            checkout.commit("x", {"a/PKGBUILD": content})
            request = run(checkout.folder).plan.request
            shared = SharedRepository.open(
                GitRepository.open(checkout.folder), remote=None, credentials=None
            )
            assert acknowledge(
                shared,
                shared.snapshot(),
                [request.request_id],
                identity=Identity(),
                push_options=(),
            )

        memory = memory_of(checkout.remote)
        assert len(memory.ledger.about("a")) == 2
        assert memory.outbox == Outbox()

    def test_a_link_that_is_no_link_is_left_out(self, checkout: Checkout) -> None:
        checkout.commit("x", {"a/PKGBUILD": "1\n"})
        url = "https://me:token@gitlab.example/g/p"
        run(checkout.folder, environ={"GITLAB_CI": "true", "CI_PIPELINE_URL": url})

        assert [entry.link for entry in memory_of(checkout.remote).ledger] == [""]


def test_json_plan_is_complete(checkout: Checkout) -> None:
    checkout.commit("x", {"a/PKGBUILD": "1\n"})

    document = json.loads(json.dumps(run(checkout.folder).plan.to_dict()))

    assert document["decisions"] == [
        {
            "package": "a",
            "action": PackageAction.BUILD.value,
            "build_class": None,
            "reason": "changed",
        }
    ]
    assert document["range"]["relation"] == "behind"


def after_look(
    monkeypatch: pytest.MonkeyPatch, steps: list[Callable[[], object]]
) -> Callable[[], int]:
    """Run one of `steps` each time a run has looked at the shared refs; return a counter."""
    look = SharedRepository.snapshot
    waiting = list(steps)
    count = 0

    def looking(self: SharedRepository, branch: str = "") -> object:
        nonlocal count
        count += 1
        seen = look(self, branch)
        if waiting:
            step = waiting.pop(0)
            monkeypatch.setattr(SharedRepository, "snapshot", look)
            step()
            monkeypatch.setattr(SharedRepository, "snapshot", looking)
        return seen

    monkeypatch.setattr(SharedRepository, "snapshot", looking)
    return lambda: count


def sourced(params: str) -> dict[str, list[str]]:
    """Let bash source the text and tell what it then holds."""
    script = (
        'source /dev/stdin; for n in "${!REDIS_@}" "${!PARAMS_@}"; do declare -n v=$n; '
        'printf "%s\\0" "$n" "${v[@]}" $\'\\x01\'; done'
    )
    done = subprocess.run(
        ["bash", "-euc", script], input=params, capture_output=True, text=True, check=True
    )
    fields = done.stdout.split("\0\x01\0")
    return {name: values for name, *values in (field.split("\0") for field in fields if field)}
