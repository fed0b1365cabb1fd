"""What goes wrong with one package is that package's, whatever it is."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from caur_ci.pipeline.on_schedule import planning
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.update import takeover
from tests.caur_ci.pipeline.on_schedule.world import ScheduleWorld, actions, reasons
from tests.support.git import Checkout, git
from tests.support.hostile import HostileFile, hostile_folders, write_tree
from tests.support.upstream import pkgbuild, upstream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.git import GitRepository


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ScheduleWorld]:
    with upstream(tmp_path / "upstream") as outside:
        yield ScheduleWorld(Checkout.create(tmp_path / "world"), outside)


HOSTILE = ("p0", "p1", "p2", "p3")


# Making one smaller takes minutes.
@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    folders=st.fixed_dictionaries({name: hostile_folders(name) for name in HOSTILE}),
    review=st.booleans(),
)
def test_hostile_files_of_a_source_cost_no_other_its_update(
    folders: dict[str, dict[bytes, HostileFile]], review: bool
) -> None:
    with tempfile.TemporaryDirectory() as base, upstream(Path(base) / "upstream") as outside:
        world = ScheduleWorld(Checkout.create(Path(base) / "world"), outside)
        config = f"CI_HUMAN_REVIEW={str(review).lower()}\n"
        world.begin(dict.fromkeys((*HOSTILE, "good"), "1-1"), config=config)
        world.run()
        outside.push(dict.fromkeys((*HOSTILE, "good"), "2-1"))
        for name, files in folders.items():
            tree = write_tree(outside.mirror, files)
            commit = git(outside.mirror, "commit-tree", tree, stdin=b"x")
            git(outside.mirror, "update-ref", f"refs/heads/{name}", commit)

        result = world.run()

        assert actions(result)["good"] == ScheduleAction.UPDATE
        assert world.file("good/PKGBUILD") == pkgbuild("good", "2-1").strip()
        assert not [reason for reason in reasons(result).values() if "Error(" in reason]


@pytest.mark.parametrize(
    ("key", "value"),
    [("LastModified", "soon"), ("LastModified", 10**30), ("Version", None), ("Maintainer", [])],
)
def test_a_record_of_the_aur_that_makes_no_sense_is_told_of_its_package(
    world: ScheduleWorld, key: str, value: object
) -> None:
    world.begin({"a": "1-1", "b": "1-1"})
    world.run()
    world.outside.push({"a": "2-1", "b": "2-1"})
    world.outside.aur.records["a"][key] = value

    result = world.run()

    assert actions(result) == {"a": ScheduleAction.FAILED, "b": ScheduleAction.UPDATE}
    assert reasons(result)["a"] == (
        f"what the AUR says of it makes no sense: {key} is not a "
        f"{'whole number' if key == 'LastModified' else 'text'}"
    )


@pytest.mark.parametrize("error", [RecursionError("too deep"), MemoryError(), ValueError("odd")])
def test_an_error_nobody_thought_of_keeps_nobody_else_from_being_updated(
    world: ScheduleWorld, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    world.begin({"a": "1-1", "b": "1-1"})
    world.run()
    world.outside.push({"a": "2-1", "b": "2-1"})

    def take_over(git: GitRepository, *, source: str, **options: Any) -> str:  # noqa: ANN401
        (data,) = git.read_blobs([f"{source}:.SRCINFO"])
        if b"pkgbase = a" in (data or b""):
            raise error
        return takeover.take_over(git, source=source, **options)

    monkeypatch.setattr(planning, "take_over", take_over)
    result = world.run()

    assert actions(result) == {"a": ScheduleAction.FAILED, "b": ScheduleAction.UPDATE}
    assert reasons(result)["a"].startswith("its files cannot be read: ")
