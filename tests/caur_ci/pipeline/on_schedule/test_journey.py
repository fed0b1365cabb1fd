"""The half-hourly journey, in real repositories, against an AUR and git servers on this machine."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from caur_ci.environment import Secrets
from caur_ci.errors import InputError
from caur_ci.git import GitRepository, Identity
from caur_ci.pipeline.handover import acknowledge
from caur_ci.pipeline.on_schedule.gate import GateError
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.pipeline.shared.refs import SharedRepository
from caur_ci.pipeline.shared.state_branch import StateBranch
from tests.caur_ci.pipeline.on_schedule.world import ScheduleWorld, actions, reasons
from tests.support.aur_server import Fault
from tests.support.git import Checkout, git
from tests.support.tools import need_tools
from tests.support.upstream import files_of, pkgbuild, srcinfo_of, upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ScheduleWorld]:
    with upstream(tmp_path / "upstream") as outside:
        yield ScheduleWorld(Checkout.create(tmp_path / "world"), outside)


class TestUpdates:
    """What the AUR has is taken over, built, and remembered."""

    def test_a_new_version_is_committed_and_asked_to_be_built(self, world: ScheduleWorld) -> None:
        world.begin({"a": "1-1", "b": "1-1"})
        world.run()
        world.outside.push({"a": "2-1"})

        result = world.run()

        assert actions(result) == {"a": ScheduleAction.UPDATE}
        (decision,) = result.plan.reportable
        assert decision.versions == "1-1 → 2-1"
        assert world.file("a/PKGBUILD") == pkgbuild("a", "2-1").strip()
        assert world.file("a/.CI/config") == "CI_PKGBUILD_SOURCE=aur"
        assert world.subjects() == ["chore(update): a"]
        assert world.asked() == [("a",)]
        (request,) = world.memory().outbox.requests
        assert request.commit == world.tip()
        assert world.tag_is_at_tip()
        assert git(world.checkout.folder, "status", "--porcelain") == ""
        assert world.checkout.head() == world.tip()

    def test_nothing_new_pushes_nothing(self, world: ScheduleWorld) -> None:
        world.begin({"a": "1-1"})
        world.run()
        refs = git(world.remote, "for-each-ref")
        requests = len(world.outside.aur.requests)

        result = world.run()

        assert actions(result) == {}
        assert not result.published
        assert git(world.remote, "for-each-ref") == refs
        assert len(world.outside.aur.requests) == requests + 1

    def test_an_update_is_taken_over_once(self, world: ScheduleWorld) -> None:
        world.begin({"a": "1-1"})
        world.run()
        world.outside.push({"a": "2-1"})
        world.run()

        assert actions(world.run()) == {}
        assert world.asked() == [("a",)]

    def test_many_are_one_commit_with_a_body(self, world: ScheduleWorld) -> None:
        names = [f"p{number}" for number in range(6)]
        world.begin(dict.fromkeys(names, "1-1"))
        world.run()
        world.outside.push(dict.fromkeys(names, "2-1"))
        world.run()

        message = git(world.remote, "log", "-1", "--format=%B", "main")
        assert message.startswith("chore(update): packages (6)\n\nchanged: p0, p1, p2, p3, p4, p5")

    def test_what_is_known_is_kept_in_the_form_of_both_systems(self, world: ScheduleWorld) -> None:
        world.begin({"a": "1-1"}, **{".ci__aur-state": "5\n"})
        world.run()
        world.outside.push({"a": "2-1"})
        world.run()

        remote = GitRepository.open(world.remote)
        state = StateBranch.read(remote, remote.resolve("refs/heads/state"))
        assert state.values("a")["CI_PKGBUILD_TIMESTAMP"] == str(world.outside.now)
        assert world.file(".ci/aur-state") == str(world.outside.now)
        assert world.memory().seen.get("a").modified == world.outside.now
        assert (world.checkout.folder / ".state" / "a").is_file()

    def test_the_documents_are_those_of_the_request(self, world: ScheduleWorld) -> None:
        world.begin({"a": "1-1"})
        world.run()
        world.outside.push({"a": "2-1"})
        world.run()

        documents = world.checkout.folder / ".ci"
        request = json.loads((documents / "schedule.json").read_text(encoding="utf-8"))
        assert [package["pkgbase"] for package in request["packages"]] == ["a"]
        assert request["commit"] == world.tip()
        assert '"a"' in (documents / "schedule-params.txt").read_text(encoding="utf-8")
        assert "a:a:" in (documents / "deptree.txt").read_text(encoding="utf-8")

    def test_a_package_with_a_trigger_is_updated_and_not_built(self, world: ScheduleWorld) -> None:
        config = "CI_PKGBUILD_SOURCE=aur\nCI_ON_TRIGGER=daily\n"
        world.begin({"a": "1-1"}, **{"a__.CI__config": config})
        world.run()
        world.outside.push({"a": "2-1"})

        assert actions(world.run()) == {"a": ScheduleAction.UPDATE}
        assert world.asked() == []

    def test_git_urls_are_followed_like_the_aur(self, world: ScheduleWorld) -> None:
        world.outside.url_push("b", files_of("b", "1-1"))
        config = f"CI_PKGBUILD_SOURCE={world.outside.url_of('b')}\n"
        files = {f"b__{path}": text for path, text in files_of("b", "1-1").items()}
        world.begin({"a": "1-1"}, **files, **{"b__.CI__config": config})
        world.run()
        world.outside.url_push("b", files_of("b", "2-1"))

        assert actions(world.run()) == {"b": ScheduleAction.UPDATE}
        assert world.file("b/PKGBUILD") == pkgbuild("b", "2-1").strip()
        assert actions(world.run()) == {}

    def test_a_source_without_a_srcinfo_is_followed_where_it_is_generated(
        self, world: ScheduleWorld
    ) -> None:
        world.outside.url_push("b", {"PKGBUILD": pkgbuild("b", "1-1")})
        source = f"CI_PKGBUILD_SOURCE={world.outside.url_of('b')}\n"
        world.begin({"a": "1-1"}, config="CI_SRCINFO=generate\n", **{"b__.CI__config": source})
        world.run()
        world.outside.url_push("b", {"PKGBUILD": pkgbuild("b", "2-1")})

        result = world.run()

        assert actions(result) == {"b": ScheduleAction.UPDATE}
        assert [each.versions for each in result.plan.reportable] == ["1-1 → 2-1"]
        assert world.file("b/PKGBUILD") == pkgbuild("b", "2-1").strip()
        assert world.asked()[-1] == ("b",)

    def test_shfmt_is_for_those_who_ask_for_it(self, world: ScheduleWorld) -> None:
        need_tools("shfmt")
        world.begin({"a": "1-1"}, config="CI_SHFMT=true\n")
        world.run()
        world.outside.push({"a": "2-1"}, note="x\nbuild () { make; }")
        world.run()

        assert "build() { make; }" in world.file("a/PKGBUILD")

    def test_a_hook_changes_its_package(self, world: ScheduleWorld) -> None:
        world.begin(
            {"a": "1-1"},
            **{
                "h__PKGBUILD": pkgbuild("h", "1-1"),
                "h__.SRCINFO": srcinfo_of("h", "1-1"),
                "h__.CI__update.sh": "sed -i -E 's/(pkgver ?= ?)1/\\12/' PKGBUILD .SRCINFO\n",
            },
        )

        result = world.run()

        assert actions(result)["h"] is ScheduleAction.UPDATE
        assert world.file("h/PKGBUILD") == pkgbuild("h", "2-1").strip()
        assert actions(world.run()) == {}

    def test_a_failing_hook_leaves_its_package_alone(self, world: ScheduleWorld) -> None:
        hook = "echo changed > PKGBUILD\necho it went wrong\nexit 3\n"
        world.begin({"a": "1-1"}, **{"a__.CI__update.sh": hook})
        world.run()
        world.outside.push({"a": "2-1"})

        result = world.run()

        assert actions(result) == {"a": ScheduleAction.FAILED}
        assert "it went wrong" in reasons(result)["a"]
        assert world.file("a/PKGBUILD") == pkgbuild("a", "1-1").strip()
        assert world.memory().seen.get("a").modified < world.outside.now


class TestTrouble:
    """Whatever goes wrong is told, costs nobody else anything, and is made up for later."""

    def test_an_aur_that_is_down_stops_nobody_else(self, world: ScheduleWorld) -> None:
        world.outside.url_push("b", files_of("b", "1-1"))
        config = f"CI_PKGBUILD_SOURCE={world.outside.url_of('b')}\n"
        files = {f"b__{path}": text for path, text in files_of("b", "1-1").items()}
        world.begin({"a": "1-1"}, **files, **{"b__.CI__config": config})
        world.run()
        world.outside.push({"a": "2-1"})
        world.outside.url_push("b", files_of("b", "2-1"))
        world.outside.aur.faults.extend([Fault(404)] * 10)

        result = world.run()

        assert actions(result) == {"a": ScheduleAction.FAILED, "b": ScheduleAction.UPDATE}
        assert "404" in reasons(result)["a"]
        world.outside.aur.faults.clear()
        assert actions(world.run()) == {"a": ScheduleAction.UPDATE}

    def test_a_mirror_that_lags_is_waited_for(self, world: ScheduleWorld) -> None:
        world.begin({"a": "1-1"})
        world.run()
        world.outside.push({"a": "1-1"}, note="same version")
        world.run()
        world.outside.push({"a": "2-1"}, mirrored=False)

        assert actions(world.run()) == {"a": ScheduleAction.WAITING}
        world.outside.mirror_push({"a": files_of("a", "2-1")})
        assert actions(world.run()) == {"a": ScheduleAction.UPDATE}
        assert world.file("a/PKGBUILD") == pkgbuild("a", "2-1").strip()

    def test_a_package_that_is_gone_is_reported_and_stays(self, world: ScheduleWorld) -> None:
        world.begin({"a": "1-1"})
        world.run()
        del world.outside.aur.records["a"]
        git(world.outside.mirror, "update-ref", "-d", "refs/heads/a")

        assert actions(world.run()) == {"a": ScheduleAction.GONE}
        assert world.file("a/PKGBUILD")

    def test_an_update_that_cannot_be_taken_over_is_named(self, world: ScheduleWorld) -> None:
        world.begin({"a": "1-1", "b": "1-1"})
        world.run()
        world.outside.push({"a": "2-1", "b": "2-1"})
        world.outside.mirror_push({"a": {**files_of("a", "2-1"), "-rf": "x"}})

        result = world.run()

        assert actions(result) == {"a": ScheduleAction.FAILED, "b": ScheduleAction.UPDATE}
        assert "'-rf' is not a name" in reasons(result)["a"]
        world.outside.push({"a": "3-1"})
        assert actions(world.run()) == {"a": ScheduleAction.UPDATE}

    def test_a_broken_configuration_costs_only_its_own_package(self, world: ScheduleWorld) -> None:
        world.begin({"a": "1-1", "b": "1-1"}, **{"b__.CI__config": "CI_PKGBUILD_SOURCE='aur\n"})
        world.run()
        world.outside.push({"a": "2-1", "b": "2-1"})

        result = world.run()

        assert actions(result) == {"a": ScheduleAction.UPDATE, "b": ScheduleAction.FAILED}
        assert "b/.CI/config:1" in reasons(result)["b"]


class TestGate:
    """Nothing is done before on-commit has dealt with everything."""

    def test_a_commit_that_is_not_scheduled_closes_it(self, world: ScheduleWorld) -> None:
        world.begin({"a": "1-1"})
        world.checkout.commit("fix(a): more", {"a/x": "x"})
        world.checkout.push()

        with pytest.raises(GateError, match="on-commit has not dealt with all commits") as caught:
            world.run()
        assert "--force" in caught.value.hint
        assert world.outside.aur.requests == []

    def test_no_tag_closes_it(self, world: ScheduleWorld) -> None:
        world.begin({"a": "1-1"})
        git(world.remote, "tag", "-d", "scheduled")

        with pytest.raises(GateError, match="there is no tag"):
            world.run()

    def test_an_annotated_tag_is_as_good(self, world: ScheduleWorld) -> None:
        world.begin({"a": "1-1"})
        git(world.remote, "tag", "-f", "-a", "-m", "x", "scheduled", "main")

        assert actions(world.run()) == {}

    def test_a_clone_that_is_behind_works_on_the_tip(
        self, world: ScheduleWorld, tmp_path: Path
    ) -> None:
        world.begin({"a": "1-1", "b": "1-1"})
        world.run()
        for depth in ("--depth=1", "--no-single-branch"):
            clone = tmp_path / f"clone{depth}"
            url = world.remote.as_uri()
            git(tmp_path, "clone", "--quiet", depth, "--branch=main", url, str(clone))
        world.outside.push({"a": "2-1"})
        world.run()
        world.outside.push({"b": "2-1"})

        for clone in tmp_path.glob("clone--*"):
            late = ScheduleWorld(Checkout(clone, world.remote), world.outside)
            assert actions(late.run(dry_run=True)) == {"b": ScheduleAction.UPDATE}
        assert actions(late.run()) == {"b": ScheduleAction.UPDATE}
        assert world.asked() == [("a",), ("b",)]
        assert late.checkout.head() == world.tip()

    def test_force_goes_on(self, world: ScheduleWorld) -> None:
        world.begin({"a": "1-1"})
        git(world.remote, "tag", "-d", "scheduled")
        world.outside.push({"a": "2-1"})

        assert actions(world.run(force=True, dry_run=True)) == {"a": ScheduleAction.UPDATE}


class TestOtherRuns:
    """Somebody may push at any time."""

    @pytest.fixture
    def somebody(self, world: ScheduleWorld, tmp_path: Path) -> Callable[..., str]:
        """Return what lets somebody else push a commit."""

        def push(files: dict[str, str], *refs: str) -> str:
            clone = tmp_path / "somebody"
            git(tmp_path, "clone", "--quiet", "--branch=main", str(world.remote), str(clone))
            for path, text in files.items():
                (clone / path).parent.mkdir(exist_ok=True)
                (clone / path).write_text(text, encoding="utf-8")
            git(clone, "add", "--all")
            git(clone, "commit", "--quiet", "--message=feat: mine")
            git(clone, "push", "--quiet", "--force", "origin", "HEAD:main", *refs)
            return git(clone, "rev-parse", "HEAD")

        return push

    def test_a_scheduled_commit_is_built_upon(
        self,
        world: ScheduleWorld,
        meanwhile: Callable[[Callable[[], object]], None],
        somebody: Callable[..., str],
    ) -> None:
        world.begin({"a": "1-1", "b": "1-1"})
        world.run()
        world.outside.push({"a": "2-1"})
        requests = len(world.outside.aur.requests)
        meanwhile(lambda: somebody({"b/x": "x"}, "+HEAD:refs/tags/scheduled"))

        result = world.run()

        assert result.published
        assert len(world.outside.aur.requests) == requests + 1
        assert world.file("a/PKGBUILD") == pkgbuild("a", "2-1").strip()
        assert world.file("b/x") == "x"
        assert world.subjects(2) == ["chore(update): a", "feat: mine"]
        assert world.asked() == [("a",)]
        assert world.tag_is_at_tip()

    def test_a_commit_that_is_not_scheduled_is_dealt_with_too(
        self,
        world: ScheduleWorld,
        meanwhile: Callable[[Callable[[], object]], None],
        somebody: Callable[..., str],
    ) -> None:
        world.begin({"a": "1-1", "b": "1-1"})
        world.run()
        world.outside.push({"a": "2-1"})
        meanwhile(lambda: somebody({"b/x": "x"}))

        world.run()

        assert world.asked() == [("b", "a")] or world.asked() == [("a", "b")]
        assert world.tag_is_at_tip()

    def test_a_package_that_somebody_changed_is_left_for_the_next_run(
        self,
        world: ScheduleWorld,
        meanwhile: Callable[[Callable[[], object]], None],
        somebody: Callable[..., str],
    ) -> None:
        world.begin({"a": "1-1", "b": "1-1"})
        world.run()
        world.outside.push({"a": "2-1", "b": "2-1"})
        meanwhile(lambda: somebody({"a/x": "x"}, "+HEAD:refs/tags/scheduled"))

        result = world.run()

        assert actions(result) == {"a": ScheduleAction.WAITING, "b": ScheduleAction.UPDATE}
        assert world.file("a/x") == "x"
        assert actions(world.run()) == {"a": ScheduleAction.UPDATE}

    def test_another_run_of_ours_does_the_work_once(
        self,
        world: ScheduleWorld,
        meanwhile: Callable[[Callable[[], object]], None],
        tmp_path: Path,
    ) -> None:
        world.begin({"a": "1-1"})
        world.run()
        world.outside.push({"a": "2-1"})
        clone = tmp_path / "clone"
        git(tmp_path, "clone", "--quiet", "--branch=main", str(world.remote), str(clone))
        other = ScheduleWorld(Checkout(clone, world.remote), world.outside)
        meanwhile(other.run)

        world.run()

        assert world.subjects(2) == ["chore(update): a", "feat: begin"]
        assert world.asked() == [("a",)]

    def test_two_runs_side_by_side_do_the_work_once(
        self, world: ScheduleWorld, tmp_path: Path
    ) -> None:
        names = [f"p{number}" for number in range(8)]
        world.begin(dict.fromkeys(names, "1-1"))
        world.run()
        world.outside.push(dict.fromkeys(names, "2-1"))
        clone = tmp_path / "clone"
        git(tmp_path, "clone", "--quiet", "--branch=main", str(world.remote), str(clone))
        other = ScheduleWorld(Checkout(clone, world.remote), world.outside)

        with ThreadPoolExecutor(2) as pool:
            runs = [pool.submit(one.run) for one in (world, other)]
            published = [run.result().commit for run in runs]

        assert published == [world.tip(), world.tip()]
        assert world.subjects(2) == ["chore(update): packages (8)", "feat: begin"]
        assert world.asked() == [tuple(names)]


class TestOverwriting:
    """CI_OVERWRITE_COMMITS keeps the history short."""

    def start(self, world: ScheduleWorld) -> None:
        world.begin({"a": "1-1", "b": "1-1"}, config="CI_OVERWRITE_COMMITS=true\n")
        world.run()
        world.outside.push({"a": "2-1"})
        world.run()

    def acknowledge(self, world: ScheduleWorld) -> None:
        shared = SharedRepository.open(
            GitRepository.open(world.checkout.folder), remote=None, credentials=None
        )
        ids = [request.request_id for request in world.memory().outbox.requests]
        assert acknowledge(shared, shared.snapshot(), ids, identity=Identity(), push_options=())

    def test_our_own_last_commit_is_replaced(self, world: ScheduleWorld) -> None:
        self.start(world)
        replaced = world.tip()
        self.acknowledge(world)
        world.outside.push({"b": "2-1"})
        world.run()

        assert world.subjects(2) == ["chore(update): a, b", "feat: begin"]
        # Builds that were asked for at the commit that is gone still find it.
        assert replaced in git(world.remote, "rev-list", "refs/heads/caur").splitlines()

    def test_not_while_the_queue_has_not_heard_of_it(self, world: ScheduleWorld) -> None:
        self.start(world)
        world.outside.push({"b": "2-1"})
        world.run()

        assert world.subjects(2) == ["chore(update): b", "chore(update): a"]

    def test_not_what_somebody_else_made(self, world: ScheduleWorld) -> None:
        self.start(world)
        self.acknowledge(world)
        world.commit("chore(update): mine", {"a/x": "x"})
        world.outside.push({"b": "2-1"})
        world.run()

        assert world.subjects(2) == ["chore(update): b", "chore(update): mine"]


class TestReviews:
    """What is more than another version waits for somebody to look at it."""

    @pytest.fixture
    def reviewed(self, world: ScheduleWorld) -> ScheduleWorld:
        world.begin({"a": "1-1", "b": "1-1"}, config="CI_HUMAN_REVIEW=true\n")
        world.run()
        return world

    def test_a_new_version_is_quiet(self, reviewed: ScheduleWorld) -> None:
        reviewed.outside.push({"a": "2-1"})

        assert actions(reviewed.run()) == {"a": ScheduleAction.UPDATE}

    def test_more_than_that_goes_to_a_branch(self, reviewed: ScheduleWorld) -> None:
        reviewed.outside.push({"a": "2-1", "b": "2-1"}, note="other")
        reviewed.outside.mirror_push({"b": files_of("b", "2-1")})

        result = reviewed.run()

        assert actions(result) == {"a": ScheduleAction.HELD, "b": ScheduleAction.UPDATE}
        assert "(variable-changed)" in reasons(result)["a"]
        assert reviewed.file("a/PKGBUILD") == pkgbuild("a", "1-1").strip()
        assert "other" in reviewed.file("a/PKGBUILD", "update-a")
        assert reviewed.file("b/PKGBUILD", "update-a") == pkgbuild("b", "2-1").strip()
        assert git(reviewed.remote, "rev-parse", "update-a^") == reviewed.tip()
        assert reviewed.asked() == [("b",)]
        assert actions(reviewed.run()) == {}

    def test_a_newer_one_takes_its_place(self, reviewed: ScheduleWorld) -> None:
        reviewed.outside.push({"a": "2-1"}, note="other")
        reviewed.run()
        reviewed.outside.push({"a": "3-1"}, note="other still")
        reviewed.run()

        assert "other still" in reviewed.file("a/PKGBUILD", "update-a")
        assert git(reviewed.remote, "rev-list", "--count", "main..update-a") == "1"

    def test_a_merged_branch_is_pruned(self, reviewed: ScheduleWorld) -> None:
        reviewed.outside.push({"a": "2-1"}, note="other")
        reviewed.run()
        git(reviewed.checkout.folder, "fetch", "--quiet", "origin", "update-a")
        git(reviewed.checkout.folder, "merge", "--quiet", "--no-ff", "-m", "merge", "FETCH_HEAD")
        reviewed.checkout.schedule_here()

        reviewed.run()

        assert reviewed.tip("update-a") == ""
        assert "other" in reviewed.file("a/PKGBUILD")

    def test_a_quiet_update_makes_a_review_obsolete(self, reviewed: ScheduleWorld) -> None:
        reviewed.outside.push({"a": "2-1"}, note="other")
        reviewed.run()
        reviewed.outside.push({"a": "3-1"})

        assert actions(reviewed.run()) == {"a": ScheduleAction.UPDATE}
        assert reviewed.tip("update-a") == ""

    def test_a_branch_that_somebody_worked_on_is_left_alone(self, reviewed: ScheduleWorld) -> None:
        reviewed.outside.push({"a": "2-1"}, note="other")
        reviewed.run()
        theirs = git(reviewed.remote, "commit-tree", "-p", "update-a", "-m", "x", "update-a^{tree}")
        git(reviewed.remote, "update-ref", "refs/heads/update-a", theirs)
        reviewed.outside.push({"a": "3-1"}, note="other still")

        result = reviewed.run()

        assert reviewed.tip("update-a") == theirs
        assert any("update-a" in note for note in result.plan.notes)
        git(reviewed.remote, "update-ref", "-d", "refs/heads/update-a")
        assert actions(reviewed.run()) == {"a": ScheduleAction.HELD}
        assert "other still" in reviewed.file("a/PKGBUILD", "update-a")

    def test_a_name_that_no_branch_can_have_is_told(self, world: ScheduleWorld) -> None:
        world.begin({"a": "1-1"}, config="CI_HUMAN_REVIEW=true\n")
        world.outside.url_push("c.lock", files_of("c.lock", "1-1"))
        files: dict[str, str | bytes | None] = {
            f"c.lock/{path}": text for path, text in files_of("c.lock", "1-1").items()
        }
        url = world.outside.url_of("c.lock")
        world.commit("feat: c.lock", {**files, "c.lock/.CI/config": f"CI_PKGBUILD_SOURCE={url}\n"})
        world.run()
        world.outside.url_push("c.lock", files_of("c.lock", "2-1", "other"))
        world.outside.push({"a": "2-1"})

        result = world.run()

        assert actions(result) == {"a": ScheduleAction.UPDATE, "c.lock": ScheduleAction.FAILED}
        assert "no branch can be named update-c.lock" in reasons(result)["c.lock"]

    def test_without_review_everything_is_taken_over(self, world: ScheduleWorld) -> None:
        world.begin({"a": "1-1"})
        world.run()
        world.outside.push({"a": "2-1"}, note="other")

        assert actions(world.run()) == {"a": ScheduleAction.UPDATE}


class TestTriggers:
    """Some packages are built when somebody says so."""

    def test_packages_of_the_trigger_are_asked_for(self, world: ScheduleWorld) -> None:
        daily = "CI_PKGBUILD_SOURCE=aur\nCI_ON_TRIGGER=daily\n"
        other = "CI_ON_TRIGGER=heavy\nBUILDER_CLASS=9\n"
        world.begin(
            {"a": "1-1", "b": "1-1", "c": "1-1"},
            **{"a__.CI__config": daily, "b__.CI__config": other},
        )

        result = world.trigger("heavy")

        assert actions(result) == {"b": ScheduleAction.BUILD}
        (request,) = world.memory().outbox.requests
        assert [(p.pkgbase, p.build_class) for p in request.packages] == [("b", "9")]
        assert request.commit == world.tip()
        assert world.outside.aur.requests == []

    def test_they_need_no_gate(self, world: ScheduleWorld) -> None:
        world.begin({"a": "1-1"}, **{"a__.CI__config": "CI_ON_TRIGGER=daily\n"})
        git(world.remote, "tag", "-d", "scheduled")

        assert actions(world.trigger("daily")) == {"a": ScheduleAction.BUILD}

    def test_a_trigger_that_nobody_has_is_told(self, world: ScheduleWorld) -> None:
        world.begin({"a": "1-1"})

        result = world.trigger("dayly")

        assert actions(result) == {}
        assert result.plan.notes == ("no package has CI_ON_TRIGGER=dayly",)


class TestTrials:
    """Runs that are only to be looked at."""

    def test_a_dry_run_changes_nothing(self, world: ScheduleWorld) -> None:
        world.begin({"a": "1-1"})
        world.outside.push({"a": "2-1"})
        refs = git(world.remote, "for-each-ref")

        result = world.run(dry_run=True)

        assert actions(result) == {"a": ScheduleAction.UPDATE}
        assert git(world.remote, "for-each-ref") == refs
        assert not (world.checkout.folder / ".ci" / "schedule.json").exists()

    def test_some_packages_only(self, world: ScheduleWorld) -> None:
        world.begin({"a": "1-1", "b": "1-1"})
        world.run()
        world.outside.push({"a": "2-1", "b": "2-1"})

        assert actions(world.run(only=("b",))) == {"b": ScheduleAction.UPDATE}
        assert actions(world.run()) == {"a": ScheduleAction.UPDATE}

    def test_a_package_that_is_not_there_is_an_error(self, world: ScheduleWorld) -> None:
        world.begin({"a": "1-1"})

        with pytest.raises(InputError, match="no package x"):
            world.run(only=("x",))

    def test_a_recording_can_be_repeated_without_the_world(
        self, world: ScheduleWorld, tmp_path: Path
    ) -> None:
        hook = 'sed -i -E "s/(pkgver ?= ?).*/\\1$(date +%s%N)/" PKGBUILD .SRCINFO\n'
        world.begin({"a": "1-1", "b": "1-1"}, **{"b__.CI__update.sh": hook})
        world.run()
        world.outside.push({"a": "2-1"})
        head = world.checkout.head()
        recorded = world.run(record=tmp_path / "recording")
        git(world.checkout.folder, "reset", "--quiet", "--hard", head)
        git(world.checkout.folder, "remote", "set-url", "origin", "http://127.0.0.1:9/x.git")
        world.outside.aur.records.clear()
        git(world.outside.mirror, "update-ref", "-d", "refs/heads/a")

        replayed = world.run(replay=tmp_path / "recording")

        assert actions(replayed) == {"a": ScheduleAction.UPDATE, "b": ScheduleAction.UPDATE}
        assert replayed.plan.decisions == recorded.plan.decisions

    def test_secrets_do_not_get_into_the_ledger(self, world: ScheduleWorld) -> None:
        hook = "echo s3cret-token; exit 1\n"
        world.begin({"a": "1-1"}, **{"a__.CI__update.sh": hook})

        result = world.run(secrets=Secrets({"REDIS_PASSWORD": "s3cret-token"}))

        assert actions(result) == {"a": ScheduleAction.FAILED}
        assert b"s3cret-token" not in world.memory().ledger.to_bytes()
        assert "s3cret-token" not in str(result.plan)
