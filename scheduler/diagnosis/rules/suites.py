"""Test suites that tell which of their tests failed."""

from __future__ import annotations

from scheduler.diagnosis.rules.rule import Rank, Rules
from scheduler.job import FailureClass

RULES = Rules()
_CHECK = FailureClass.CHECK


def _add(tool: str, *messages: tuple[str, str]) -> None:
    RULES.add(tool, Rank.CAUSE, _CHECK, *messages, is_test=True)


def _add_summary(tool: str, *messages: tuple[str, str]) -> None:
    RULES.add(tool, Rank.CONSEQUENCE, _CHECK, *messages)


_add_summary(
    "ctest",
    ("tests passed", r"^\d+% tests passed, \d+ tests? failed"),
    ("the following tests", r"^The following tests FAILED:"),
    ("errors while running", r"^Errors while running CTest"),
)
_add("ctest", ("***", r"^\s*\d+/\d+ Test\s+#\d+: .*\*\*\*(?:Failed|Exception|Timeout|Not Run)"))
_add_summary("meson", ("summary of failures", r"^Summary of Failures"))
_add(
    "meson",
    ("/", r"^\s*\d+/\d+ .{0,300}\s(?:FAIL|ERROR|TIMEOUT|INTERRUPT|UNEXPECTEDPASS)\s+\d"),
)
_add_summary(
    "pytest",
    (" failed", r"^=+ .*\d+ failed\b.* =+$"),
    (" error", r"^=+ .*\d+ errors?\b.* =+$"),
    ("interrupted: ", r"^!+ Interrupted: "),
)
_add(
    "pytest",
    ("e ", r"^E {2,}\S"),
    ("internalerror", r"^INTERNALERROR> \S*Error"),
)
RULES.add(
    "pytest",
    Rank.LIKELY,
    _CHECK,
    ("error collecting", r"^_+ ERROR collecting "),
    ("failed ", r"^FAILED \S+::"),
    ("error ", r"^ERROR \S+\.py\b"),
    is_test=True,
)
_add_summary("unittest", ("failed (", r"^FAILED \((?:failures|errors|unexpected)"))
_add("unittest", ("fail: ", r"^FAIL: \w+ \("), ("error: ", r"^ERROR: \w+ \("))
RULES.add("unittest", Rank.LIKELY, _CHECK, ("failed", r"^test test_\w+ failed\b"), is_test=True)
_add_summary("cargo", ("test result", r"^test result: FAILED"))
_add("cargo", ("... failed", r"^test \S.* \.\.\. FAILED"))
_add_summary("go", ("fail", r"^FAIL(?:\s+\S+\s+[\d.]+s)?$"))
_add("go", ("--- fail", r"^\s*--- FAIL: "))
_add_summary(
    "perl",
    ("dubious", r"Dubious, test returned"),
    ("result: fail", r"^Result: FAIL"),
    ("looks like you failed", r"^# Looks like you failed"),
    ("failed", r"^Failed \d+/\d+ (?:subtests|test programs)"),
)
_add(
    "TAP",
    ("not ok", r"^\s*not ok \d+(?!.{0,500}# (?:TODO|SKIP|todo|skip)\b)"),
    ("failed test", r"^\s*#\s+Failed test\b"),
)
_add_summary("googletest", ("failed test", r"^\s*\d+ FAILED TESTS?"))
_add(
    "googletest",
    (": failure", r"^\S+:\d+: Failure$"),
    ("[  failed  ]", r"^\[  FAILED  \] "),
)
_add("catch2", ("failed", r"^\S+:\d+: FAILED:"))
_add(
    "boost",
    ("error: in", r"^\S+\(\d+\): (?:fatal )?error: in \""),
    ("error: in", r"^\S+:\d+: (?:fatal )?error: in \""),
)
_add_summary("jest", ("test suites: ", r"^Test Suites: .*failed"), ("tests: ", r"^Tests: .*failed"))
_add("jest", ("●", r"^\s*● .{1,300} \u203a "), ("fail ", r"^\s*FAIL {1,2}\S+\.\w+"))
_add("mocha", (" failing", r"^\s+\d+ failing$"))
_add(
    "maven",
    ("<<<", r"(?:Failures|Errors): [1-9].*<<< (?:FAILURE|ERROR)!"),
    ("<<<", r"^\[ERROR\] \S+.*<<< (?:FAILURE|ERROR)!"),
)
_add("gradle", (" failed", r"^\S+ > .{1,200} FAILED$"))
_add("rspec", ("failure/error", r"^\s+Failure/Error: "))
_add_summary("automake", ("# ", r"^# (?:FAIL|ERROR): +[1-9]"))
_add(
    "automake",
    ("fail: ", r"^FAIL: \S"),
    ("xpass: ", r"^XPASS: \S"),
    ("error: ", r"^ERROR: \S+\.(?:sh|test|py|t)\b"),
)
_add_summary("qtest", ("totals: ", r"^Totals: \d+ passed, [1-9]"))
_add("qtest", ("fail!", r"^FAIL! {2}: "))
