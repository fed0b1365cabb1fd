"""Library databases, from a server that has everything that can go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.triggers.databases import DatabaseLook, look_at_database
from caur_ci.web import Web
from tests.support.database_server import DatabaseServer, Served, database_server
from tests.support.sync_databases import archive, compressed, desc

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from caur_ci.triggers.snapshots import DatabaseSnapshot
    from caur_ci.web import WebResponse

NOON = 1_800_000_000


@pytest.fixture
def server() -> Iterator[DatabaseServer]:
    with database_server() as served:
        yield served


def look(url: str, known: DatabaseSnapshot | None = None) -> DatabaseLook:
    def get(url: str, headers: Mapping[str, str]) -> WebResponse:
        return Web(delays=()).get(url, headers=headers)

    return look_at_database(url, known, get)


def known_of(found: DatabaseLook) -> DatabaseSnapshot:
    assert found.snapshot is not None
    return found.snapshot


@pytest.mark.parametrize("program", ["gzip", "xz", "zstd"])
def test_versions_are_by_pkgbase_and_names_lead_to_it(server: DatabaseServer, program: str) -> None:
    content = archive(
        {
            "boost-libs-1.90-1/desc": desc(
                "boost-libs", "1.90-1", base="boost", provides=["libboost_thread.so=1.90-64"]
            ),
            "boost-1.90-1/desc": desc("boost", "1.90-1"),
            "a.b+c-1:2-1/desc": desc("a.b+c", "1:2-1"),
            # Left behind by a build that failed half-way.
            "boost-old-1.89-1/desc": desc("boost-old", "1.89-1", base="boost"),
        }
    )
    server.files["core.db"] = Served(compressed(content, program))

    found = look(f"{server.url}/core.db")

    assert found.is_fresh
    assert known_of(found).versions == {"boost": "1.90-1", "a.b+c": "1:2-1"}
    assert found.names["boost"] == {"boost", "boost-libs", "boost-old"}
    assert found.provides == {"boost": {"libboost_thread.so"}}


@pytest.mark.parametrize("has_tags", [True, False])
def test_what_has_not_changed_is_not_sent_again(server: DatabaseServer, *, has_tags: bool) -> None:
    server.has_tags = has_tags
    url = server.put("core.db", {"icu": "1-1"}, modified=NOON)
    first = look(url)

    again = look(url, first.snapshot)

    assert server.answers == [("core.db", 200), ("core.db", 304)]
    assert not again.is_fresh
    assert again.snapshot == first.snapshot
    assert again.problem == again.note == ""


def test_what_has_changed_is_read(server: DatabaseServer) -> None:
    url = server.put("core.db", {"icu": "1-1"}, modified=NOON)
    first = look(url)
    server.put("core.db", {"icu": "2-1"}, modified=NOON + 60)

    found = look(url, first.snapshot)

    assert found.is_fresh
    assert known_of(found).versions == {"icu": "2-1"}


def test_a_mirror_that_lags_changes_nothing(server: DatabaseServer) -> None:
    url = server.put("core.db", {"icu": "2-1"}, modified=NOON)
    first = look(url)
    server.put("core.db", {"icu": "1-1"}, modified=NOON - 3600)

    found = look(url, first.snapshot)

    assert not found.is_fresh
    assert found.snapshot == first.snapshot
    assert "older than what was seen" in found.note
    assert found.problem == ""


def test_another_mirror_is_not_asked_with_the_tags_of_the_first(server: DatabaseServer) -> None:
    first = look(server.put("a/core.db", {"icu": "1-1"}))

    found = look(server.put("b/core.db", {"icu": "1-1"}), first.snapshot)

    assert found.is_fresh
    assert server.answers[-1] == ("b/core.db", 200)


@pytest.mark.parametrize(
    ("content", "fault", "words"),
    [
        (None, 0, "status 404"),
        (None, 500, "status 500"),
        (b"<html>come back later</html>", 0, "no archive"),
        (b"", 0, "no archive"),
        (compressed(archive({"a-1-1/desc": desc("b", "1-1")}), "gzip"), 0, "another package"),
        (compressed(archive({"a-1-1/desc": desc("a", "1-1")}), "xz")[:-20], 0, ""),
        (compressed(archive({"a-1-1/desc": desc("a", "1-1")}), "gzip"), -40, ""),
    ],
)
@pytest.mark.parametrize("was_known", [True, False])
def test_what_cannot_be_read_is_told_and_the_old_state_kept(
    server: DatabaseServer, content: bytes | None, fault: int, words: str, *, was_known: bool
) -> None:
    url = server.put("core.db", {"icu": "1-1"})
    known = look(url).snapshot if was_known else None
    del server.files["core.db"]
    if content is not None:
        server.files["core.db"] = Served(content)
    server.faults["core.db"] = fault
    found = look(url, known)

    assert not found.is_fresh
    assert found.snapshot == known
    assert words in found.problem
    assert found.problem.startswith("the database of libraries cannot be read: ")
    assert found.problem.count(url) == 1
    assert found.problem.endswith("its old state is kept") is was_known


def test_nothing_is_known_that_could_be_unchanged(server: DatabaseServer) -> None:
    server.faults["core.db"] = 304

    found = look(f"{server.url}/core.db")

    assert found.snapshot is None
    assert "none is known" in found.problem


def test_nobody_there_is_told() -> None:
    found = look("http://127.0.0.1:1/core.db")

    assert "no connection" in found.problem


def test_a_login_is_neither_told_nor_remembered(server: DatabaseServer) -> None:
    url = server.put("core.db", {"icu": "1-1"}).replace("//", "//me:secret@")

    found = look(url)
    lost = look(url.replace("core.db", "gone.db"))

    assert "secret" not in known_of(found).url
    assert "secret" not in lost.problem
    assert "gone.db" in lost.problem
