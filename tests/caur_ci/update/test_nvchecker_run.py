"""nvchecker in a process of its own: what it answers, what it gets to see, and what hangs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from caur_ci.update.nvchecker_file import Entry
from caur_ci.update.nvchecker_run import _LATE, Nvchecker, _answers
from tests.support.source_server import Answer, SourceServer, source_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("nvchecker")


@pytest.fixture
def there() -> Iterator[SourceServer]:
    with source_server() as made:
        made.put("/list", b"tool-1.2.tgz tool-1.10.tgz tool-1.9.tgz")
        yield made


def regex(url: str, pattern: str = r"tool-([\d.]+)\.tgz") -> Entry:
    return Entry("regex", {"url": url, "regex": pattern})


def test_many_are_answered_by_one_process(there: SourceServer) -> None:
    entries = {
        "a": regex(f"{there.url}/list"),
        "b.c@d": regex(f"{there.url}/list"),
        "gone": regex(f"{there.url}/gone"),
        "bad": regex(f"{there.url}/list", "("),
        "none": regex(f"{there.url}/list", "nothing"),
        "unknown": Entry("no_such_source", {}),
        "given": Entry("manual", {"manual": "v5"}),
        "shown": Entry("cmd", {"cmd": "env | tr '\\n' ' '; echo $PPID"}),
        "again": Entry("cmd", {"cmd": "echo $PPID"}),
    }

    found = Nvchecker(seconds=30).versions(entries)

    assert set(found) == set(entries)
    assert found["a"] == found["b.c@d"] == {"version": "1.10"}
    assert "404" in found["gone"]["problem"]
    assert "regex" in found["bad"]["problem"]
    assert "not found" in found["none"]["problem"]
    assert "no source no_such_source" in found["unknown"]["problem"]
    assert found["given"]["version"] == "v5"
    assert found["shown"]["version"].endswith(f" {found['again']['version']}")


def test_it_sees_no_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ACCESS_TOKEN", "s3cret")
    monkeypatch.setenv("MY_OWN_THING", "s3cret")
    monkeypatch.setenv("NVCHECKER_GITHUB_TOKEN", "s3cret")
    monkeypatch.setenv("HOME", str(tmp_path))
    entries = {"shown": Entry("cmd", {"cmd": "env | tr '\\n' ' '"})}

    (answer,) = Nvchecker(seconds=30).versions(entries).values()

    assert "PATH=" in answer["version"]
    assert "s3cret" not in answer["version"]
    assert str(tmp_path) not in answer["version"].replace("TMPDIR", "")


def test_what_hangs_costs_no_other_its_answer(there: SourceServer) -> None:
    there.put("/slow", Answer(b"tool-", hangs=True))
    entries = {
        "a": regex(f"{there.url}/list"),
        "slow": regex(f"{there.url}/slow"),
        "b": regex(f"{there.url}/list"),
    }

    found = Nvchecker(seconds=30, seconds_each=5).versions(entries)

    assert found["a"] == found["b"] == {"version": "1.10"}
    assert "in time" in found["slow"]["problem"]


class TestParts:
    """What blocks the whole process is told apart by asking again in parts."""

    @staticmethod
    def versions(
        monkeypatch: pytest.MonkeyPatch, *names: str, seconds: float = 60
    ) -> tuple[dict[str, dict[str, str]], list[list[str]]]:
        """Ask for `names`, of which those with a capital block their process."""
        asked: list[list[str]] = []

        def ran(
            _self: Nvchecker, entries: dict[str, Entry], _seconds: float
        ) -> tuple[dict[str, dict[str, str]], str]:
            asked.append(list(entries))
            if any(name.isupper() for name in entries):
                return {}, _LATE
            return {name: {"version": "1"} for name in entries}, ""

        monkeypatch.setattr(Nvchecker, "_run", ran)
        entries = {name: Entry("manual", {}) for name in names}
        return Nvchecker(seconds=seconds).versions(entries), asked

    def test_the_others_are_answered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found, asked = self.versions(monkeypatch, "a", "b", "C", "d")

        assert [name for name, answer in found.items() if "problem" in answer] == ["C"]
        assert asked == [["a", "b", "C", "d"], ["a", "b"], ["C", "d"], ["C"], ["d"]]

    def test_it_ends_when_the_time_is_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found, asked = self.versions(monkeypatch, "a", "b", seconds=0)

        assert asked == []
        assert "in time" in found["a"]["problem"]


def test_the_key_file_is_given_to_it(tmp_path: Path, there: SourceServer) -> None:
    keyfile = tmp_path / "keys.toml"
    keyfile.write_text('[keys]\nhttptoken_tool = "Basic abc"\n')

    found = Nvchecker(keyfile=str(keyfile), seconds=30).versions(
        {"tool": regex(f"{there.url}/list")}
    )

    assert found["tool"] == {"version": "1.10"}
    assert there.headers[0]["Authorization"] == "Basic abc"


def test_a_key_file_that_is_not_there_fails_them(tmp_path: Path) -> None:
    keyfile = str(tmp_path / "none")
    found = Nvchecker(keyfile=keyfile, seconds=30).versions({"a": Entry("manual", {"manual": "1"})})
    assert "nvchecker failed" in found["a"]["problem"]


def test_without_nvchecker_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    found = Nvchecker().versions({"a": Entry("manual", {"manual": "1"})})
    assert "caur-ci[nvchecker]" in found["a"]["problem"]


def test_its_words_are_taken_with_care() -> None:
    lines = [
        "no json",
        "[]",
        "[" * 5000,
        '{"event":"updated","name":"a","version":1}',
        '{"event":"updated","name":["a"],"version":"1"}',
        json.dumps({"event": "updated", "name": "b", "version": "1", "rich_result": [1]}),
        json.dumps({"event": "x", "level": "error", "name": "b"}),
        json.dumps({"event": "x\n\x1b[1m", "level": "error", "name": "c", "error": "y" * 999}),
        json.dumps(
            {
                "event": "updated",
                "name": "d",
                "version": "1",
                "rich_result": {"version": "2", "revision": "r", "gitref": 1, "extra": "x"},
            }
        ),
    ]

    found = _answers(b"\xff\n" + "\n".join(lines).encode())

    assert found["b"] == {"version": "1"}
    assert found["d"] == {"version": "1", "revision": "r"}
    assert len(found["c"]["problem"]) < 330
    assert "\x1b" not in found["c"]["problem"]
    assert "a" not in found
