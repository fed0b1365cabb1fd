"""What a process said and heard, kept whatever happens to it.

Times are those of the one monotonic clock that all processes of a machine share, so that "this
was heard before that was said" means something.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What may have been heard. A lost answer leaves open whether the word had its effect.
OK = "ok"
STALE = "stale"
LOST = "lost"
# To a claim: there is nothing more for this worker.
DRAINED = "drained"

_SUFFIX = ".journal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Something said to the queue at `said`; nothing was `heard` by those that died before."""

    actor: str
    kind: str
    said: float
    told: dict[str, Any] = field(default_factory=dict)
    heard: float | None = None
    answer: str | None = None
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def is_accepted(self) -> bool:
        """Whether the queue is known to have done as it was told."""
        return self.answer == OK


class Journal:
    """The journal of one process. Every line is written in one step, and on disk before going on:
    what is about to be said is known even of those that die while they say it."""

    def __init__(self, folder: Path, process: str, actor: str) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(folder / f"{process}{_SUFFIX}", flags, 0o600)
        self._number = 0
        self._write({"actor": actor})

    def say(self, kind: str, told: dict[str, Any]) -> int:
        """Write down what is about to be said; the answer refers to the number returned."""
        self._number += 1
        self._write({"say": self._number, "kind": kind, "told": told})
        return self._number

    def hear(self, number: int, answer: str, result: dict[str, Any] | None = None) -> None:
        """Write down what the answer was."""
        self._write({"hear": number, "answer": answer, "result": result or {}})

    def _write(self, line: dict[str, Any]) -> None:
        line["time"] = time.monotonic()
        os.write(self._file, json.dumps(line).encode() + b"\n")
        os.fdatasync(self._file)


def read_journals(folder: Path, processes: str = "*") -> list[Word]:
    """Return all that the `processes` (a pattern) said, in the order of time."""
    files = sorted(folder.glob(f"{processes}{_SUFFIX}"))
    return sorted((word for file in files for word in _words(file)), key=lambda word: word.said)


def _words(file: Path) -> Iterator[Word]:
    actor = ""
    open_words: dict[int, dict[str, Any]] = {}
    for text in file.read_bytes().split(b"\n"):
        try:
            line = json.loads(text)
        except ValueError:
            continue  # killed in the middle of it
        if "actor" in line:
            actor = line["actor"]
        elif "say" in line:
            open_words[line["say"]] = line
        else:
            said = open_words.pop(line["hear"])
            yield Word(
                actor=actor,
                kind=said["kind"],
                said=said["time"],
                told=said["told"],
                heard=line["time"],
                answer=line["answer"],
                result=line["result"],
            )
    for said in open_words.values():
        yield Word(actor=actor, kind=said["kind"], said=said["time"], told=said["told"])
