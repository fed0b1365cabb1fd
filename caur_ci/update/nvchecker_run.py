"""Runs nvchecker, which knows where all the world keeps versions: one process for many packages.

It gets no secrets but those of the key file that its owner has set up, a home folder of its own,
and little time. What takes too long of one package is told apart by asking again in parts.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caur_ci.environment import is_secret
from caur_ci.errors import ProcessError
from caur_ci.hiding import hide_this_process
from caur_ci.plaintext import one_line
from caur_ci.process import run
from caur_ci.update.nvchecker_file import as_toml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caur_ci.update.nvchecker_file import Entry

# The variable with the path of nvchecker's key file.
KEYFILE = "NVCHECKER_KEYFILE"
SECONDS_FOR_A_RUN = 300.0
SECONDS_FOR_A_PROCESS = 120.0
_LARGEST_LOG = 16 * 1024**2
# What it has logged is there also when it has to be ended.
_PROGRAM = (
    "import runpy, sys; sys.stdout = open(sys.argv.pop(1), 'w', 1, 'utf-8'); "
    "runpy.run_module('nvchecker', run_name='__main__', alter_sys=True)"
)
_LONGEST_TEXT = 300
_SETTINGS = {"max_concurrency": 10, "http_timeout": 20}
_KEPT = re.compile(
    r"PATH|LANG|LC_.*|TZ|SSL_CERT_(?:FILE|DIR)|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|"
    r"(?:https?|ftp|all|no)_proxy",
    re.IGNORECASE,
)
# They lead to a folder of its own.
_OWN = ("HOME", "TMPDIR", "XDG_CONFIG_HOME")
_STATUS = re.compile(r"HTTPError\((\d+), '([^']*)'")

# For each package what it found, or `problem`; what JSON can hold.
Answers = dict[str, dict[str, str]]


class Nvchecker:
    """nvchecker as it is installed beside us.

    `keyfile` is the path of its key file, if there is one; `seconds` are for all of a run, and
    `seconds_each` for one process.
    """

    def __init__(
        self,
        *,
        keyfile: str = "",
        seconds: float = SECONDS_FOR_A_RUN,
        seconds_each: float = SECONDS_FOR_A_PROCESS,
    ) -> None:
        self._keyfile = keyfile
        self._seconds = seconds
        self._seconds_each = seconds_each

    @property
    def has_keys(self) -> bool:
        """Whether there are tokens that it could send somewhere."""
        return bool(self._keyfile)

    def versions(self, entries: Mapping[str, Entry]) -> Answers:
        """Return for each package `version`, and `revision`, `gitref`, `url` where they are known.

        A package that has none has `problem`.
        """
        if importlib.util.find_spec("nvchecker") is None:
            told = "nvchecker is not installed: `pip install 'caur-ci[nvchecker]'` brings it"
            return {name: {"problem": told} for name in entries}
        hide_this_process()  # commands may be among them, by the same user
        end = time.monotonic() + self._seconds
        found = _unknown(entries)
        # Breadth first: what hangs must not eat the time of what does not.
        waiting: list[Sequence[str]] = [[name for name in entries if name not in found]]
        while waiting:
            names = waiting.pop(0)
            if not names:
                continue
            left = min(self._seconds_each, end - time.monotonic())
            if left <= 0:
                found |= {name: {"problem": _LATE} for name in names}
                continue
            answers, problem = self._run({name: entries[name] for name in names}, left)
            found |= answers
            missing = [name for name in names if name not in answers]
            if problem == _LATE and len(missing) > 1:
                middle = len(missing) // 2
                waiting += [missing[:middle], missing[middle:]]
            else:
                told = problem or "nvchecker gave no answer"
                found |= {name: {"problem": told} for name in missing}
        return found

    def _run(self, entries: Mapping[str, Entry], seconds: float) -> tuple[Answers, str]:
        """Return the answers, and why there are no more."""
        with tempfile.TemporaryDirectory(prefix="caur-ci-", ignore_cleanup_errors=True) as folder:
            file, log = Path(folder, "nvchecker.toml"), Path(folder, "log")
            file.write_text(as_toml(entries, _SETTINGS), encoding="utf-8")
            log.touch()
            keys = ("--keyfile", self._keyfile) if self._keyfile else ()
            command = [*_without_variables(), sys.executable, "-P", "-c", _PROGRAM, str(log)]
            problem = ""
            try:
                run(
                    [*command, "--file", str(file), *keys, "--logger", "json"],
                    cwd=Path(folder),
                    environment=dict.fromkeys(_OWN, folder),
                    timeout=seconds,
                    allowed=(0, 3),
                    with_children=True,
                    largest_file=_LARGEST_LOG,
                )
            except ProcessError as error:
                late = "took longer than" in error.message
                said = one_line(error.stderr.decode(errors="replace"))[-_LONGEST_TEXT:]
                problem = _LATE if late else f"nvchecker failed: {said}"
            return _answers(log.read_bytes()), problem


_LATE = "nvchecker gave no answer in time"


def _unknown(entries: Mapping[str, Entry]) -> Answers:
    """Return the problem of packages with a source that nvchecker lacks: it would stop at them."""
    return {
        name: {"problem": f"nvchecker knows no source {entry.source}"}
        for name, entry in entries.items()
        if importlib.util.find_spec(f"nvchecker_source.{entry.source}") is None
    }


def _without_variables() -> list[str]:
    """Return the command that takes all variables away that it does not need.

    Names only: what values they have is nobody's business.
    """
    names = [
        name
        for name in os.environ
        if not is_secret(name) and not _KEPT.fullmatch(name) and name not in _OWN
    ]
    return ["env", *(word for name in names for word in ("-u", name))]


def _answers(output: bytes) -> Answers:
    """Read the lines that nvchecker logs."""
    found: Answers = {}
    for line in output.decode(errors="replace").splitlines():
        told = _line(line)
        name = told.get("name")
        if not isinstance(name, str):
            continue
        if told.get("event") == "updated" and isinstance(told.get("version"), str):
            found[name] = _found(told)
        elif told.get("level") in {"error", "critical"} and "version" not in found.get(name, {}):
            found.setdefault(name, {"problem": _problem(told)})
    return found


def _line(line: str) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _found(told: Mapping[str, Any]) -> dict[str, str]:
    rich = told.get("rich_result")
    values = {**(rich if isinstance(rich, dict) else {}), "version": told["version"]}
    names = ("version", "revision", "gitref", "url")
    return {name: values[name] for name in names if isinstance(values.get(name), str)}


def _problem(told: Mapping[str, Any]) -> str:
    parts = [str(told[key]) for key in ("event", "error", "exception") if told.get(key)]
    # Of a trace, the last line says what it is.
    last = [part.strip().splitlines()[-1] for part in parts if part.strip()]
    text = one_line(": ".join(last))
    status = _STATUS.search(text)
    text = f"status {status[1]} ({status[2]})" if status else text
    return f"nvchecker: {text[:_LONGEST_TEXT]}"
