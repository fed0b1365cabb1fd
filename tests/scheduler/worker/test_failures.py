"""Which kind of failure it was: real builds that fail, and lines that were seen elsewhere."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from scheduler.diagnosis.firsterror import find_first_error
from scheduler.diagnosis.lines import read_lines
from scheduler.job import FailureClass, JobState, Outcome
from scheduler.worker.executors.protocol import StepResult
from scheduler.worker.failures import Phase, classify
from tests.support.packages import pkgbuild
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.building import BuildWorld

SUM = "0" * 64


def sources(text: str, sums: str = "SKIP") -> str:
    return f"source=({text})\nsha256sums=({sums})\n"


def with_function(function: str, body: str, head: str = "") -> str:
    return pkgbuild("tool", head=f"{head}{function}() {{\n{body}\n}}")


class Answers(BaseHTTPRequestHandler):
    """Has nothing, and says so."""

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - that is its name
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


GCC = 'echo "int main(void) { return undeclared; }" >x.c; gcc x.c'
HUNGRY = "ulimit -v 60000; bash -c 'x=$(head -c 200000000 /dev/zero | tr \"\\0\" x)'"
PATCH = "printf -- '--- a/f\\n+++ b/f\\n@@ -1 +1 @@\\n-old\\n+new\\n' | (echo x >f; patch -p1)"


@pytest.mark.parametrize(
    ("text", "kind", "words", "error"),
    [
        (
            pkgbuild("tool", head=sources("not-there")),
            FailureClass.SOURCE_MISSING,
            "not-there",
            "==> ERROR: not-there was not found in the build directory and is not a URL.",
        ),
        (
            pkgbuild("tool", head=sources("git+file:///not/there.git")),
            FailureClass.SOURCE_MISSING,
            "/not/there.git is on the worker itself, of which builds see no more than BUILDER_READ",
            "fatal: '/not/there.git' does not appear to be a git repository",
        ),
        (
            pkgbuild("tool", head=sources("file", SUM)),
            FailureClass.CHECKSUM,
            "validity check",
            "    file ... FAILED",
        ),
        (
            pkgbuild("tool", build="no-such-tool"),
            FailureClass.MISSING_DEPENDENCY,
            "no-such-tool",
            "line 8: no-such-tool: command not found",
        ),
        (
            pkgbuild("tool", head="exit 15"),
            FailureClass.CONFIGURATION,
            "exit code 15",
            "",
        ),
        (
            with_function("prepare", PATCH),
            FailureClass.PATCH,
            "FAILED",
            "Hunk #1 FAILED at 1.",
        ),
        (
            with_function("prepare", "echo so it ends; false"),
            FailureClass.UNKNOWN,
            "prepare()",
            "so it ends",
        ),
        (
            pkgbuild("tool", build=GCC),
            FailureClass.COMPILE,
            "build() failed (exit code 4)",
            "x.c:1:25: error: ",
        ),
        (
            with_function("check", "echo Connection refused; echo FAIL: t; false"),
            FailureClass.CHECK,
            "check()",
            "FAIL: t",
        ),
        (
            pkgbuild("tool", package="install -m644 gone $pkgdir/"),
            FailureClass.PACKAGING,
            "package() failed",
            "install: cannot stat 'gone': No such file or directory",
        ),
        (
            pkgbuild("tool", build=HUNGRY),
            FailureClass.OUT_OF_MEMORY,
            "annot allocate",
            "annot allocate",
        ),
        (
            pkgbuild("tool", build="echo x >/dev/full"),
            FailureClass.DISK_FULL,
            "No space left on device",
            "No space left on device",
        ),
        (
            pkgbuild("tool", build="echo so it ends; exit 77"),
            FailureClass.COMPILE,
            "exit code 77",
            "so it ends",
        ),
        (
            pkgbuild("tool").replace("pkgrel=1", "pkgrel=x"),
            FailureClass.CONFIGURATION,
            "pkgrel",
            "",
        ),
        (
            "not a PKGBUILD (",
            FailureClass.CONFIGURATION,
            "reading the PKGBUILD",
            "PKGBUILD: line 1: syntax error",
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, FailureClass) else "",
)
def test_a_build_that_fails_says_how(
    world: BuildWorld, text: str, kind: FailureClass, words: str, error: str
) -> None:
    need_tools("gcc", "patch")
    view = world.build({"PKGBUILD": text, "file": "content"})
    assert (view.outcome, view.failure) == (Outcome.FAILED, kind), view.reason
    assert words in view.reason
    log = world.log()
    assert f"ended: FAILED ({kind})" in log
    found = find_first_error(read_lines([log.encode()]), view.failure).error
    assert (found is None) is (error == ""), log
    assert found is None or error in found.line.text, log


def test_a_source_that_is_gone_from_its_server(world: BuildWorld, server: str) -> None:
    view = world.build({"PKGBUILD": pkgbuild("tool", head=sources(f"{server}/file"))})
    assert (view.outcome, view.failure) == (Outcome.FAILED, FailureClass.SOURCE_MISSING)
    assert "404" in view.reason


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/file", "git+http://127.0.0.1:1/file"])
def test_a_server_out_of_reach_is_not_the_packages_fault(world: BuildWorld, address: str) -> None:
    view = world.build({"PKGBUILD": pkgbuild("tool", head=sources(address))})
    assert (view.state, view.outcome, view.lost) == (JobState.WAITING, None, 1)
    assert "fetching and preparing the sources: " in view.reason
    assert view.delayed_until > 0


PACMAN = (
    "error: failed retrieving file 'core.db' from mirror : The requested URL returned error: 503"
)
IN_BUILD = "==> ERROR: A failure occurred in build()."
NPM = (
    "npm error network request to https://registry.example failed\n==> ERROR: A failure occurred in"
)


@pytest.mark.parametrize(
    ("phase", "code", "tail", "kind"),
    [
        (Phase.DEPENDENCIES, 1, PACMAN, FailureClass.INFRASTRUCTURE),
        (Phase.DEPENDENCIES, 1, "error: target not found: libfoo", FailureClass.MISSING_DEPENDENCY),
        (
            Phase.DEPENDENCIES,
            1,
            ":: unable to satisfy dependency 'a>=2' required by b",
            FailureClass.MISSING_DEPENDENCY,
        ),
        (Phase.DEPENDENCIES, 1, "", FailureClass.MISSING_DEPENDENCY),
        (
            Phase.FETCH,
            1,
            "curl: (6) Could not resolve host: example.org\n==> ERROR: Failure while downloading x",
            FailureClass.INFRASTRUCTURE,
        ),
        (
            Phase.FETCH,
            1,
            "curl: (22) The requested URL returned error: 503",
            FailureClass.INFRASTRUCTURE,
        ),
        (
            Phase.FETCH,
            1,
            "fatal: unable to access 'https://x/': The requested URL returned error: 502",
            FailureClass.INFRASTRUCTURE,
        ),
        (
            Phase.FETCH,
            1,
            "fatal: unable to access 'https://x/': The requested URL returned error: 403",
            FailureClass.SOURCE_MISSING,
        ),
        (
            Phase.FETCH,
            1,
            "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
            FailureClass.SOURCE_MISSING,
        ),
        (
            Phase.FETCH,
            1,
            "error: RPC failed; curl 92 HTTP/2 stream 5 was not closed cleanly",
            FailureClass.INFRASTRUCTURE,
        ),
        (
            Phase.FETCH,
            1,
            "==> ERROR: One or more PGP signatures could not be verified!",
            FailureClass.SIGNATURE,
        ),
        (Phase.FETCH, 4, f"{NPM} prepare().", FailureClass.UNKNOWN),
        (Phase.FETCH, 8, "==> ERROR: Could not resolve", FailureClass.MISSING_DEPENDENCY),
        (
            Phase.BUILD,
            4,
            f"c++: fatal error: Killed signal terminated program cc1plus\n{IN_BUILD}",
            FailureClass.OUT_OF_MEMORY,
        ),
        (
            Phase.BUILD,
            4,
            f"curl: (6) Could not resolve host: x\n{IN_BUILD}",
            FailureClass.COMPILE,
        ),
        (
            Phase.BUILD,
            4,
            "==> ERROR: A failure occurred in package_tool-doc().",
            FailureClass.PACKAGING,
        ),
        (Phase.BUILD, 5, "==> ERROR: Failed to create package file.", FailureClass.PACKAGING),
        (
            Phase.PREPARE,
            1,
            "error: failed to synchronize all databases",
            FailureClass.INFRASTRUCTURE,
        ),
        (Phase.PREPARE, 2, "sed: can't read x", FailureClass.INTERFERE),
        (Phase.STAGE, 1, "cp: cannot create", FailureClass.INFRASTRUCTURE),
    ],
)
def test_lines_that_were_seen_elsewhere(
    phase: Phase, code: int, tail: str, kind: FailureClass
) -> None:
    assert classify(phase, StepResult(code), tail).kind is kind


def test_the_kernel_knows_best_what_it_was() -> None:
    ending = StepResult(4, out_of_memory=True)
    tail = "==> ERROR: A failure occurred in check()."
    assert classify(Phase.BUILD, ending, tail).kind is FailureClass.OUT_OF_MEMORY


def test_the_line_that_tells_cannot_steer_a_terminal() -> None:
    line = classify(Phase.FETCH, StepResult(1), "\x1b[2Jcurl: (6) Could not resolve host\x07").line
    assert line == "curl: (6) Could not resolve host\N{REPLACEMENT CHARACTER}"
