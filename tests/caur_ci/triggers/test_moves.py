"""Which libraries have moved, and how the two systems tell each other of it."""

from __future__ import annotations

import pytest

from caur_ci.triggers.databases import DatabaseLook
from caur_ci.triggers.moves import (
    LibraryMove,
    caught_up,
    is_same_version,
    moved_libraries,
)
from caur_ci.triggers.snapshots import (
    DatabaseSnapshot,
    parse_version_state,
    snapshots_from_bytes,
    snapshots_to_bytes,
    version_state_of,
)

CORE = "https://a.example/core/core.db"
EXTRA = "https://a.example/extra/extra.db"


def snapshot(url: str, **versions: str) -> DatabaseSnapshot:
    return DatabaseSnapshot(url=url, versions=versions)


def fresh(url: str, **versions: str) -> DatabaseLook:
    return DatabaseLook(url=url, snapshot=snapshot(url, **versions), is_fresh=True)


def ways(moves: list[LibraryMove]) -> list[str]:
    return [f"{move.library} {move.before} {move.after}" for move in moves]


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("1-1", "1-1", []),
        ("1-1", "1-2", ["icu 1-1 1-2"]),
        ("1-1", "2-1", ["icu 1-1 2-1"]),
        ("2-1", "1:1-1", ["icu 2-1 1:1-1"]),
        ("1:2-1", "1:2.1-1", ["icu 1:2-1 1:2.1-1"]),
        ("2-1", "1-1", ["icu 2-1 1-1"]),  # it came back, and what is built against it breaks, too
        ("1.0-1", "1.00-1", []),  # neither is newer
        ("0:1-1", "1-1", []),
        ("no version", "1-1", ["icu no version 1-1"]),
    ],
)
def test_a_library_moves_with_its_version(before: str, now: str, expected: list[str]) -> None:
    moves = moved_libraries([fresh(CORE, icu=now)], [snapshot(CORE, icu=before)], {})

    assert ways(moves) == expected


def test_what_is_seen_for_the_first_time_has_not_moved() -> None:
    known = [snapshot(CORE, icu="1-1")]

    assert moved_libraries([fresh(CORE, icu="1-1", boost="1-1")], known, {}) == []
    assert moved_libraries([fresh(CORE, icu="2-1")], [], {}) == []


def test_a_database_that_is_new_tells_nothing_yet() -> None:
    moves = moved_libraries(
        [fresh(EXTRA, icu="3-1")], [snapshot(CORE, icu="1-1")], {"icu": ("1-1",)}
    )

    assert moves == []


def test_a_database_that_has_another_address_is_the_same() -> None:
    moves = moved_libraries(
        [fresh("https://b.example/core.db", icu="2-1")], [snapshot(CORE, icu="1-1")], {}
    )

    assert ways(moves) == ["icu 1-1 2-1"]


def test_another_database_of_the_same_name_is_another_one() -> None:
    other = "https://a.example/core/os/aarch64/core.db"
    looks = [fresh(CORE, icu="1-1"), fresh(other, icu="2-1", arm="1-1")]

    assert moved_libraries(looks, [snapshot(CORE, icu="1-1")], {"icu": ("1-1",)}) == []


def test_from_one_database_to_the_other_nothing_moves() -> None:
    testing = "https://a.example/core-testing.db"
    known = [snapshot(CORE, icu="1-1"), snapshot(testing, icu="2-1")]
    state = {"icu": ("1-1", "2-1")}

    looks = [fresh(CORE, icu="2-1"), fresh(testing, other="1-1")]

    assert moved_libraries(looks, known, state) == []


def test_a_library_that_two_databases_have_moves_once() -> None:
    known = [snapshot(CORE, icu="1-1"), snapshot(EXTRA, icu="1-2")]
    looks = [fresh(CORE, icu="2-1"), fresh(EXTRA, icu="3-1")]

    assert ways(moved_libraries(looks, known, {})) == ["icu 1-1 3-1"]


class TestTurns:
    """The existing system sees libraries as well, and writes down what it saw."""

    def test_what_it_saw_it_has_dealt_with(self) -> None:
        known = [snapshot(CORE, icu="1-1", boost="1-1")]
        looks = [fresh(CORE, icu="2-1", boost="3-1")]

        moves = moved_libraries(looks, known, {"icu": ("2-1",), "boost": ("2-1",)})

        assert ways(moves) == ["boost 1-1 3-1"]

    def test_what_it_saw_last_is_where_we_begin(self) -> None:
        moves = moved_libraries(
            [fresh(CORE, icu="2-1", boost="1-1", new="1-1")],
            [],
            {"icu": ("1-1",), "boost": ("1-1",)},
        )

        assert ways(moves) == ["icu 1-1 2-1"]

    def test_what_could_not_be_read_at_first_is_compared_later(self) -> None:
        known = [snapshot(CORE, icu="1-1")]
        looks = [fresh(EXTRA, boost="2-1", icu="3-1", new="1-1")]

        moves = moved_libraries(looks, known, {"icu": ("1-1",), "boost": ("1-1",)})

        assert ways(moves) == ["boost 1-1 2-1"]

    def test_what_it_lost_by_a_failed_download_is_known_here(self) -> None:
        moves = moved_libraries([fresh(CORE, icu="2-1")], [snapshot(CORE, icu="1-1")], {})

        assert ways(moves) == ["icu 1-1 2-1"]

    @pytest.mark.parametrize(
        ("problem", "seen", "expected"),
        [
            ("no answer", ("3-1",), "3-1"),
            ("no answer", ("1-1",), "2-1"),  # by a mirror that lags
            ("no answer", ("3-1", "3-1"), "2-1"),
            ("no answer", (), "2-1"),
            ("", ("3-1",), "2-1"),  # the database says itself that this is it
        ],
    )
    def test_what_cannot_be_read_here_it_may_have_seen(
        self, problem: str, seen: tuple[str, ...], expected: str
    ) -> None:
        look = DatabaseLook(url=CORE, snapshot=snapshot(CORE, icu="2-1"), problem=problem)

        (found,) = caught_up([look], {"icu": seen, "boost": ("1-1",)})

        assert found.versions == {"icu": expected}

    def test_its_file_is_sorted_by_bytes(self) -> None:
        others = [snapshot(EXTRA, a="1:2-3"), snapshot("https://a/x.db", **{"0ad-data": "2-1"})]
        found = version_state_of(
            [snapshot(CORE, **{"0ad": "1-1", "Z": "1-1", "a": "1:2-3"}), *others],
            b"gone:1-1\n",
            complete=True,
        )

        # Twice where two databases have it: the existing system compares lines, with their number.
        assert found == b"0ad-data:2-1\n0ad:1-1\nZ:1-1\na:1:2-3\na:1:2-3\n"
        assert parse_version_state(found)["a"] == ("1:2-3", "1:2-3")

    def test_what_nobody_could_read_stays_in_its_file(self) -> None:
        found = version_state_of(
            [snapshot(CORE, icu="2-1")], b"icu:1-1\nboost:1-1\n", complete=False
        )

        assert found == b"boost:1-1\nicu:2-1\n"

    def test_lines_that_make_no_sense_count_for_nothing(self) -> None:
        assert parse_version_state(b"\xff:1\nicu\nicu:\n:1\n-x:1\nicu:1:2-1\n") == {
            "icu": ("1:2-1",)
        }


def test_what_is_stored_is_read_again() -> None:
    snapshots = (
        DatabaseSnapshot(
            url=CORE, etag='W/"x"', modified="yesterday", versions={"icu": "1:2-1", "a+b": "1-1"}
        ),
        DatabaseSnapshot(url=EXTRA, versions={}),
    )

    assert snapshots_from_bytes(snapshots_to_bytes(snapshots)) == snapshots


@pytest.mark.parametrize(
    "content", [b"", b"{\n", b'{"url":1,"etag":"","modified":""}\n', b"\xff\n", b"icu:1-1\n", b"{}"]
)
def test_what_is_damaged_is_as_if_it_was_not_there(content: bytes) -> None:
    good = snapshot(CORE, icu="1-1")

    assert snapshots_from_bytes(snapshots_to_bytes([good]) + content) == (good,)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (CORE, "core"),
        ("https://x/my.repo.db.tar.zst", "my.repo"),
        ("file:///srv/my-repo.files", "my-repo"),
    ],
)
def test_a_database_is_called_as_its_file(url: str, name: str) -> None:
    assert DatabaseSnapshot(url=url, versions={}).name == name


def test_a_rebuild_is_told_from_a_release() -> None:
    def move(before: str, after: str) -> bool:
        return LibraryMove(library="a", before=before, after=after).is_rebuild

    assert move("1-1", "1-1.1")
    assert move("1:1-1.1", "1:1-1.2")
    assert not move("1-1", "1-2")
    assert not move("1-1", "1:1-1.1")
    assert not is_same_version("?? ", "1")
