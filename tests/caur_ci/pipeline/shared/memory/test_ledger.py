"""The ledger by itself."""

from __future__ import annotations

from dataclasses import replace

from caur_ci.pipeline.shared.memory import ledger as module
from caur_ci.pipeline.shared.memory.ledger import Ledger, LedgerEntry


def entry(package: str, time: int = 1, reason: str = "changed") -> LedgerEntry:
    return LedgerEntry(
        time=time,
        run="on-commit",
        commit="c" * 40,
        package=package,
        decision="build",
        reason=reason,
    )


def test_what_is_stored_is_read_again() -> None:
    entries = [entry("a"), entry("b\n\u2028", 2), entry("a", 3, "é \n x")]

    stored = Ledger().add(entries).to_bytes()

    assert list(Ledger.from_bytes(stored)) == entries
    assert stored.count(b"\n") == 3


def test_the_newest_about_a_package_comes_first() -> None:
    ledger = Ledger().add([entry("a", 1), entry("ab", 2), entry("a", 3), entry("b", 4, "a")])

    assert [found.time for found in ledger.about("a")] == [3, 1]
    assert ledger.about("c") == []


def test_the_oldest_go_when_there_are_too_many() -> None:
    ledger = Ledger().add(entry("a", number) for number in range(module.MAX_ENTRIES))
    ledger = ledger.add([entry("b", 1), entry("b", 2)])

    assert len(ledger.lines) == module.MAX_ENTRIES
    assert [found.time for found in ledger.about("b")] == [2, 1]
    assert min(found.time for found in ledger.about("a")) == 2


def test_what_stays_as_it_is_is_told_once() -> None:
    failed = replace(entry("a"), decision="failed", reason="out of reach")
    ledger = Ledger().add([failed]).add([replace(failed, time=2), entry("b", 2)])
    ledger = ledger.add([replace(failed, time=3, reason="no such branch")])
    ledger = ledger.add([replace(failed, time=4), entry("b", 4)])

    assert [(found.time, found.reason) for found in ledger.about("a")] == [
        (4, "out of reach"),
        (3, "no such branch"),
        (1, "out of reach"),
    ]
    assert [found.time for found in ledger.about("b")] == [4, 2]


def test_lines_of_another_version_are_kept_and_not_shown() -> None:
    strange = [b"{}", b"[]", b"no json", b'{"time": "soon", "package": "a"}', b"\xff"]
    ledger = Ledger.from_bytes(b"\n".join(strange)).add([entry("a")])

    assert [found.package for found in ledger] == ["a"]
    assert ledger.lines[:-1] == tuple(strange)


def test_fields_of_a_later_version_are_overlooked() -> None:
    line = Ledger().add([entry("a")]).to_bytes().replace(b"{", b'{"mood": "good",')

    assert list(Ledger.from_bytes(line)) == [entry("a")]


def test_a_reason_without_end_is_cut() -> None:
    (kept,) = Ledger().add([entry("a", reason="x" * 10_000)])

    assert len(kept.reason) == 500
