"""The files of a recording: what was asked of the outside world, and what it answered."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections import defaultdict, deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from caur_ci.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_FORMAT = 1
_ANSWERS, _BODIES, _PACKS = "answers.jsonl", "bodies", "packs"
# The index makes a pack known: it comes last.
_PACK_FILES = (".pack", ".idx")


class RecordingError(InputError):
    """A recording cannot be made there, or does not have what is asked of it."""


class RecordingWriter:
    """A recording that is being made. For several threads at once."""

    def __init__(self, folder: Path) -> None:
        self.packs = folder / _PACKS
        self._bodies = folder / _BODIES
        self._lines = (folder / _ANSWERS).open("x", encoding="utf-8")
        self._lock = threading.Lock()

    @classmethod
    @contextmanager
    def create(cls, folder: Path, head: str) -> Iterator[Self]:
        """Begin a recording in a new or empty folder. Raises RecordingError."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise RecordingError(
                    f"{folder} is not empty", hint="Name a new folder for the recording."
                )
            (folder / _PACKS).mkdir()
            (folder / _BODIES).mkdir()
            log = cls(folder)
        except OSError as error:
            raise RecordingError(f"{folder} cannot be written: {error.strerror}") from error
        with log._lines:
            log.add({"recording": _FORMAT}, {"head": head})
            yield log

    def add(self, question: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """Keep an answer, as JSON can hold it."""
        line = json.dumps({"question": question, "answer": answer}, sort_keys=True)
        with self._lock:
            self._lines.write(f"{line}\n")
            self._lines.flush()  # what failed half-way is worth looking at, too

    def add_body(self, content: bytes) -> str:
        """Keep the content of an answer, and return what to find it by."""
        name = hashlib.sha256(content).hexdigest()
        (self._bodies / name).write_bytes(content)
        return name

    def add_packs(self, folder: Path) -> list[str]:
        """Keep the packs in a folder, and return their names."""
        names = sorted(pack.stem for pack in folder.glob("pack-*.pack"))
        _copy_packs(names, folder, self.packs)
        return names


class RecordingReader:
    """A recording that was made. For several threads at once."""

    def __init__(self, folder: Path, answers: Mapping[str, deque[Mapping[str, Any]]]) -> None:
        self._folder = folder
        self._answers = answers
        self._lock = threading.Lock()

    @classmethod
    def read(cls, folder: Path, head: str) -> Self:
        """Read a recording of a run at the commit `head`. Raises RecordingError."""
        answers: defaultdict[str, deque[Mapping[str, Any]]] = defaultdict(deque)
        try:
            for line in (folder / _ANSWERS).read_text(encoding="utf-8").splitlines():
                data = json.loads(line)
                answers[_key(data["question"])].append(data["answer"])
        except OSError as error:
            raise RecordingError(f"{folder} holds no recording: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise RecordingError(f"the recording {folder} is damaged: {error}") from error
        made = cls(folder, answers)
        made_at = made.next({"recording": _FORMAT}).get("head")
        if made_at != head:
            raise RecordingError(
                f"the recording {folder} was made at commit {made_at}, but HEAD is {head}",
                hint=f"Check out {made_at} to replay it.",
            )
        return made

    def next(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the next answer to a question. Raises RecordingError where there is none."""
        key = _key(question)
        with self._lock:
            waiting = self._answers.get(key)
            if not waiting:
                raise RecordingError(
                    f"the recording {self._folder} has no (further) answer to {key}",
                    hint="Has the program or the repository changed since it was made?",
                )
            return waiting.popleft()

    def body(self, name: str) -> bytes:
        """Return the content of an answer. Raises RecordingError where it is missing."""
        try:
            content = (self._folder / _BODIES / name).read_bytes()
        except OSError as error:
            raise self._missing(f"{_BODIES}/{name}", error) from error
        if hashlib.sha256(content).hexdigest() != name:
            raise RecordingError(f"the recording {self._folder} is damaged: {_BODIES}/{name}")
        return content

    def copy_packs(self, names: Iterable[str], destination: Path) -> None:
        """Copy packs to where git finds them. Raises RecordingError where one is missing."""
        try:
            _copy_packs(names, self._folder / _PACKS, destination)
        except OSError as error:
            raise self._missing(_PACKS, error) from error

    def _missing(self, what: str, error: OSError) -> RecordingError:
        return RecordingError(
            f"the recording {self._folder} is not complete: {what}: {error.strerror}"
        )


def _key(question: Mapping[str, Any]) -> str:
    return json.dumps(question, sort_keys=True)


def _copy_packs(names: Iterable[str], source: Path, destination: Path) -> None:
    destination.mkdir(exist_ok=True)
    for name in names:
        for suffix in _PACK_FILES:
            if not (destination / f"{name}{suffix}").exists():
                shutil.copy(source / f"{name}{suffix}", destination)
