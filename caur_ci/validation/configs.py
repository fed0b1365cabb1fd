"""Configuration files: keys, values, and lines that are neither."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from caur_ci.config import PackageConfig, RepositoryConfig
from caur_ci.config.loading import Flaw, keys_of, look
from caur_ci.errors import ConfigError
from caur_ci.keyvalue import KeyValueFile
from caur_ci.names import suggestion
from caur_ci.validation.catalogue import finding
from caur_ci.validation.model import Mend
from caur_ci.validation.spelling import is_misspelt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from caur_ci.config.loading import LineProblem
    from caur_ci.validation.model import Finding

_CODES = {
    Flaw.STRAY: "line-ignored",
    Flaw.UNKNOWN: "key-unknown",
    Flaw.MISPLACED: "key-misplaced",
    Flaw.IGNORED: "value-ignored",
    Flaw.BAD: "value-bad",
}


class ReadConfig:
    """A configuration file, as far as it can be used: `config` is None where it cannot at all."""

    def __init__(self, kind: type[Any], data: bytes, *, path: str, package: str = "") -> None:
        self._kind = kind
        self._path = path
        self._about = partial(finding, package=package, file=path)
        self._other = RepositoryConfig if kind is PackageConfig else PackageConfig
        self.config: Any = None
        self.lines: dict[str, int] = {}
        self._file: KeyValueFile | None = None
        self._problems: list[LineProblem] = []
        self._unreadable = ""
        try:
            self._file = KeyValueFile.parse(data, origin=path)
            values, self._problems = look(kind, self._file, self._other)
            self.config = kind(**values)
            self.lines = {it.key: it.line for it in self._file.assignments().values()}
        except ConfigError as error:
            self._unreadable = error.message.removeprefix(f"{path}:")
        except Exception as error:  # noqa: BLE001 - whatever is in it is that file's
            self._unreadable = repr(error)

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong with the file."""
        if self._unreadable:
            line, _, reason = self._unreadable.partition(": ")
            number = int(line) if line.isdecimal() else 0
            what = reason if number else self._unreadable
            yield self._about("config-unreadable", line=number, what=what)
        for problem in self._problems:
            yield self._finding(problem)
        for repeated in self._file.overridden() if self._file else ():
            what = f"{repeated.key} is set again below"
            yield self._about("key-repeated", line=repeated.line, what=what)

    def _finding(self, problem: LineProblem) -> Finding:
        code = _CODES[problem.flaw]
        if problem.flaw is not Flaw.UNKNOWN:
            blank = "" if problem.text.startswith("=") else " "
            what = f"{problem.key}{blank}{problem.text}"
            return self._about(code, line=problem.line, what=what)
        known = keys_of(self._kind)
        meant = self._meant(problem)
        remedy = f"Write {meant}, or `--fix`." if meant else suggestion(problem.key, known, 1)
        mend = Mend(self._path, _renamed(problem.line, problem.key, meant)) if meant else None
        return self._about(code, line=problem.line, what=problem.key, remedy=remedy, mend=mend)

    def _meant(self, problem: LineProblem) -> str:
        """Return the key that is surely meant, which stands nowhere else in the file."""
        assert self._file is not None  # noqa: S101 - it has a problem in a line
        given = self._file.assignments()
        value = given[problem.key].value
        fitting = [
            name
            for name, (_, declared) in keys_of(self._kind).items()
            if name not in given and is_misspelt(problem.key, name) and _fits(declared.kind, value)
        ]
        return fitting[0] if len(fitting) == 1 else ""


def _fits(kind: Any, value: str) -> bool:  # noqa: ANN401 - any kind of value
    try:
        kind.parse(value)
    except ValueError:
        return False
    return True


def _renamed(line: int, key: str, meant: str) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        lines = data.split(b"\n")
        lines[line - 1 : line] = [
            it.replace(key.encode(), meant.encode(), 1) for it in lines[line - 1 : line]
        ]
        return b"\n".join(lines)

    return change
