"""What was published is told to the queue, and can be read from the repositories again."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from scheduler.database.former import former_publications
from scheduler.database.layout import Layout
from scheduler.job import Outcome

if TYPE_CHECKING:
    from scheduler.history import FormerPublication
    from scheduler.job import Publication
    from tests.support.publishing import World


def told(world: World, pkgbase: str) -> Publication | None:
    job_id = world.jobs[pkgbase]
    return world.queue.records([job_id])[job_id].notes.publication


def former(world: World) -> dict[str, FormerPublication]:
    found = former_publications(world.settings.repo_path, world.settings.target_repos)
    return {f"{each.pkgbase} {each.files[0].version}": each for each in found}


def test_a_job_tells_what_it_brought_and_where_it_is_first(world: World) -> None:
    world.simple("tool")
    world.runner().step()
    world.split("folder", "one", "two", version="2-1", base="base")
    world.runner().step()

    first, second = told(world, "tool"), told(world, "folder")

    assert first is not None
    assert second is not None
    assert (first.generation, second.generation) == (1, 2)
    assert [(file.name, file.version) for file in second.files] == [("one", "2-1"), ("two", "2-1")]
    place = Layout(world.settings.repo_path, "repo", "x86_64").folder
    for file in (*first.files, *second.files):
        assert (place / file.filename).stat().st_size == file.size


def test_what_was_put_there_by_one_who_was_killed_is_told_by_the_next(world: World) -> None:
    delivery = world.simple("tool")
    kept = world.base / "kept"
    shutil.copytree(world.landing.folder / delivery, kept)
    world.runner().step()
    # As it would be if the job had not been told.
    job_id = world.jobs["tool"]
    world.redis.hset(f"{{caur}}:job:{job_id}", "state", "landed")
    world.redis.hdel(f"{{caur}}:job:{job_id}", "outcome", "files", "generation")
    world.redis.rpush("{caur}:landed", job_id)
    kept.rename(world.landing.folder / delivery)

    world.runner().step()

    publication = told(world, "tool")
    assert world.view("tool").outcome is Outcome.SUCCESS
    assert publication is not None
    assert (publication.generation, len(publication.files)) == (1, 1)


def test_what_is_already_there_was_not_brought(world: World) -> None:
    world.simple("tool")
    world.runner().step()
    world.simple("tool", files=["usr/share/other"])
    world.runner().step()
    assert world.view("tool").outcome is Outcome.ALREADY_BUILT
    assert told(world, "tool") is None


def test_kept_states_tell_of_all_that_came_with_them(world: World) -> None:
    world.simple("tool")
    world.simple("early")
    world.runner().step()
    world.split("folder", "one", "two", base="base")
    world.simple("tool", "2-1")
    world.runner().step()

    found = former(world)

    assert sorted(found) == ["early 1-1", "folder 1-1", "tool 1-1", "tool 2-1"]
    assert [found[name].generation for name in sorted(found)] == ["1", "2", "1", "2"]
    assert [file.name for file in found["folder 1-1"].files] == ["one", "two"]
    assert found["folder 1-1"].source_repo == "source"
    assert found["tool 2-1"].finished > found["tool 1-1"].finished > 0
    assert found["tool 2-1"].files == getattr(told(world, "tool"), "files", None)


def test_without_kept_states_databases_tell_when_packages_were_built(world: World) -> None:
    world.simple("tool")
    world.split("folder", "one", "two", base="base")
    world.runner().step()
    layout = Layout(world.settings.repo_path, "repo", "x86_64")
    shutil.rmtree(layout.private / "generations")

    found = former(world)

    # Without a record, a package is known by its pkgbase only.
    assert sorted(found) == ["base 1-1", "tool 1-1"]
    assert (found["tool 1-1"].finished, found["tool 1-1"].generation) == (1_700_000_000, "")


def test_repositories_that_are_not_there_have_nothing_to_tell(world: World) -> None:
    assert former(world) == {}
