"""Runs that do what comments ask for, at each kind of forge and in real repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import TemporaryError
from caur_ci.pipeline.commenting import journey, listening
from caur_ci.pipeline.commenting.journey import obey_comments
from caur_ci.pipeline.shared.options import RunOptions
from caur_ci.review import ForgeChoice, ForgeError, commands_in
from tests.support.forges.model import Fault
from tests.support.forges.server import TOKEN
from tests.support.git import git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.caur_ci.pipeline.commenting.world import Commented


def test_all_that_can_be_asked_for(world: Commented) -> None:
    """And what was said before the first run is never obeyed."""
    world.says("/caur retry app-doc: try again\n/caur retry mine\n/caur bump lib: new linker")
    world.says("/caur hold mine --reason odd", number=2)

    result = world.run()

    assert (result.problems, result.waiting) == ((), 0)
    assert world.asked() == {
        "lib": "bumped to 1-1.1 by alice: new linker",
        "app": "asked for by alice: try again",
    }
    memory = world.memory()
    assert memory.holds.packages.keys() == {"mine"}
    hold = memory.holds.packages["mine"]
    assert (hold.by, hold.reason, hold.left_out) == ("alice", "odd", "asked for by alice")
    subject, _, reason = world.remote("log", "-1", "--format=%B", "main").splitlines()
    assert (subject, reason) == (
        "chore(bump): lib",
        "- lib: bumped to 1-1.1 by alice: new linker",
    )
    assert world.remote("rev-parse", "scheduled") == world.remote("rev-parse", "main")
    # Built as it is after the bump: an older commit would not have that.
    (retried,) = [it for it in memory.outbox.requests if it.packages[0].pkgbase == "app"]
    assert retried.commit == world.remote("rev-parse", "main")
    assert memory.ledger.about("app")[0].run == "caur-ci schedule"
    assert "`bump lib`: done, and a build is asked for" in world.answer()
    assert "`retry app-doc`: a build is asked for" in world.answer()
    assert "it is on hold by alice since" in world.answer(2)

    world.says("/caur unhold mine\n/caur why app-doc", number=3)
    world.run()
    assert world.memory().holds.packages == {}
    assert world.memory().holds.released == {"mine": "asked for by alice"}
    assert "the next run builds it: asked for by alice" in world.answer(3)
    assert "decided build: asked for by alice: try again" in world.answer(3)
    assert world.run().obeyed == ()
    assert len(world.forge.answers(3)) == 1


def test_nothing_is_done_for_others_and_for_what_is_no_command(here: Commented) -> None:
    here.forge.person("helper", 50, is_bot=True)
    before = here.remote("rev-parse", "caur")
    here.says("/caur hold app", "mallory")
    here.says("/caur hold app", "helper")
    here.says("/caur hold app", "bot")
    here.says("> /caur hold app\n\n```\n/caur hold app\n```")
    here.forge.edit(here.forge.remarks[0], "/caur hold app")

    result = here.run()

    assert result.obeyed == ()
    assert here.remote("rev-parse", "caur") == before
    assert [note.partition(": ")[2] for note in result.notes] == [
        "mallory is not obeyed: it may not push here",
        "helper is not obeyed: it is a bot",
        "bot is not obeyed: it is a bot",
    ]
    assert here.forge.answers() == ["/caur hold app"]  # the bot's own words


def test_an_edited_comment_does_not_count_twice(here: Commented) -> None:
    here.says("/caur hold app")
    here.run()
    here.forge.edit(here.forge.remarks[-2], "/caur hold lib")

    here.run()

    assert here.memory().holds.packages.keys() == {"app"}
    assert len(here.forge.answers()) == 1


def test_what_cannot_be_done_is_told_and_the_rest_is_done(here: Commented) -> None:
    here.says(
        "/caur bump mine lib\n/caur hold lbi\n/caur unhold app\n/caur hodl app\n/caur why nothing"
    )

    result = here.run()

    assert result.problems == ()
    assert here.asked().keys() == {"lib"}
    answer = here.answer()
    assert "mine is pushed to the AUR (CI_MANAGE_AUR)" in answer
    assert "there is no package lbi in this repository" in answer
    assert "`Did you mean lib?`" in answer
    assert "`not on hold: app`" in answer
    assert "`/caur hodl app`: not understood" in answer
    assert "`Did you mean hold or unhold?`" in answer


def test_one_answer_for_each_place_and_none_that_orders_or_calls(here: Commented) -> None:
    hostile = f"`` @everyone\u202e #1 {TOKEN} [deploy all] <img src=x>"
    here.says(f"/caur hold app: {hostile}")
    here.says(f"/caur retry @everyone `x\n/caur {hostile}")

    here.run()

    (answer,) = here.forge.answers()
    assert answer.count("asked for this") == 2
    assert commands_in(answer) == []
    assert not [line for line in answer.splitlines() if line.lstrip().startswith("/")]
    assert "@everyone" not in answer
    assert "#1 " not in answer
    assert TOKEN not in answer
    assert TOKEN not in here.memory().comments.to_bytes().decode()
    assert here.memory().holds.packages.keys() == {"app"}


def test_a_storm_is_dealt_with_over_several_runs(
    here: Commented, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "MOST_ORDERS", 2)
    for number in range(5):
        here.says(f"/caur why app: {number}", number=number + 1)

    counts = [len(here.run().obeyed) for _ in range(4)]

    assert counts == [2, 2, 1, 0]
    assert [len(here.forge.answers(number + 1)) for number in range(5)] == [1] * 5


def test_strangers_without_number_hold_nobody_up(
    here: Commented, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "MOST_ACCOUNTS", 2)
    for number in range(4):
        here.forge.person(f"stranger{number}", 0)
        here.says("/caur hold app", f"stranger{number}")
    here.says("/caur hold lib")

    assert [len(here.run().obeyed) for _ in range(4)] == [0, 0, 1, 0]
    assert here.memory().holds.packages.keys() == {"lib"}


def test_a_quiet_day_is_not_read_again_for_ever(here: Commented) -> None:
    before = here.memory().comments.floor
    here.says("nice")
    here.run()
    assert here.memory().comments.floor == before
    here.forge.tick(24 * 3600)
    here.says("nice")

    here.run()

    assert here.memory().comments.floor == here.forge.now - listening.OVERLAP
    assert here.memory().comments.done == {}


def test_a_forge_that_is_down_costs_nothing(world: Commented) -> None:
    world.says("/caur hold app")
    world.forge.faults.extend([Fault(502)] * 20)
    with pytest.raises(TemporaryError):
        world.run()
    world.forge.faults.clear()
    world.forge.faults.append(Fault(401))
    with pytest.raises(ForgeError):
        world.run()

    notes = "notes" if world.there.kind == "gitlab" else "POST /api/v3/repos/owner/name/issues"
    world.forge.faults.extend([Fault(502, where=notes)] * 3)
    result = world.run()
    assert result.waiting == 1
    assert result.problems[-1] == "1 answer left to the next run"
    assert world.memory().holds.packages.keys() == {"app"}

    world.forge.faults.clear()
    again = world.run()
    assert (again.obeyed, again.waiting, again.problems) == ((), 0, ())
    assert "it is on hold by alice" in world.answer()


def test_an_answer_that_is_refused_is_not_tried_for_ever(here: Commented) -> None:
    here.says("/caur hold app")
    here.forge.faults.append(Fault(404, where="/notes"))

    result = here.run()

    assert result.waiting == 0
    assert "cannot be answered" in result.problems[0]
    assert here.run().problems == ()


def test_while_answers_wait_nothing_more_is_read(
    here: Commented, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journey, "_MOST_WAITING", 0)
    here.says("/caur hold app")
    here.forge.faults.extend([Fault(502, where="/notes")] * 6)
    here.run()
    here.says("/caur hold lib")

    result = here.run()

    assert "nothing more is read" in result.problems[0]
    assert here.memory().holds.packages.keys() == {"app"}
    here.forge.faults.clear()
    here.run()
    here.run()
    assert here.memory().holds.packages.keys() == {"app", "lib"}


def test_rights_that_cannot_be_looked_up_leave_the_comment_to_the_next_run(
    world: Commented,
) -> None:
    world.says("/caur hold app")
    where = "/members/" if world.there.kind == "gitlab" else "/permission"
    world.forge.faults.append(Fault(403, where=where))

    result = world.run()

    assert "the rights of alice cannot be looked up" in result.problems[0]
    assert world.memory().holds.packages == {}
    world.run()
    assert world.memory().holds.packages.keys() == {"app"}


def test_a_trial_changes_nothing(here: Commented) -> None:
    before = here.remote("for-each-ref")
    here.says("/caur bump lib\n/caur hold app")

    result = here.run(dry_run=True)

    (obeyed,) = result.obeyed
    assert [it.words for it in obeyed.told] == ["done, and a build is asked for", "done"]
    assert here.remote("for-each-ref") == before
    assert here.forge.answers() == []


def test_somebody_who_is_faster_loses_nothing_and_nothing_is_done_twice(
    here: Commented,
) -> None:
    """Another run has dealt with the comment by the time that this one pushes."""
    here.says("/caur bump lib")
    before = {ref: here.checkout.remote_ref(ref) for ref in ("refs/heads/main", "refs/heads/caur")}
    here.run()
    after = {ref: here.checkout.remote_ref(ref) for ref in before}
    for ref, commit in before.items():
        here.remote("update-ref", ref, commit)
    git(here.checkout.folder, "reset", "--quiet", "--hard", before["refs/heads/main"])
    hook = here.checkout.remote / "hooks/pre-receive"
    hook.write_text(
        '#!/bin/sh\nrm -f "$0"\nunset GIT_QUARANTINE_PATH\n'
        + "".join(f"git update-ref {ref} {commit}\n" for ref, commit in after.items())
    )
    hook.chmod(0o755)

    here.run()

    assert {ref: here.checkout.remote_ref(ref) for ref in before} == after
    assert len(here.forge.answers()) == 1


def test_a_commit_that_was_never_pushed_keeps_a_bump_from_being_made(here: Commented) -> None:
    here.checkout.commit("feat: mine alone", {"more/PKGBUILD": "pkgname=more"})
    here.says("/caur bump lib\n/caur hold app")

    here.run()

    assert here.memory().holds.packages.keys() == {"app"}
    assert "HEAD has commits that branch main of the remote has not" in here.answer()
    assert here.asked() == {}


def test_without_a_forge_nothing_is_read(tmp_path: Path) -> None:
    result = obey_comments(RunOptions(repo=tmp_path), ForgeChoice(problem="set ACCESS_TOKEN"))
    assert result.notes == ("comments are not read: set ACCESS_TOKEN",)
