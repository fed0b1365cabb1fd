"""Why a job failed: its log, and what is different from the last good build."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from scheduler.diagnosis import (
    Contrast,
    Explanation,
    FolderCommit,
    VersionChange,
    explain,
    to_data,
)
from scheduler.diagnosis.lines import read_lines
from scheduler.diagnosis.survey import GoodLog
from scheduler.history import PastJob, Usage
from scheduler.job import FailureClass, Outcome
from scheduler.logs import LogChunk

if TYPE_CHECKING:
    from collections.abc import Sequence

GOOD_LOG = """\
==> caur-ci: building tool for repo/x86_64 from source at commit aaaa, job 3, attempt 1, on alpha
==> caur-ci: the package is from https://example.org/pkgs.git, built by the executor container
==> caur-ci: installed packages: bash 5.3-1, gcc 15.1-1, libzip 1.11-1, zlib 1.3-1
==> Making package: tool 1.4.1-1 (Mon Nov 23 10:00:00 2026)
==> Retrieving sources...
==> Starting build()...
error: this is said each time, about 12 things
cc -c main.c
cc -c zip.c
==> Starting check()...
PASS: all
==> Entering fakeroot environment...
==> Starting package()...
==> Finished making: tool 1.4.1-1 (Mon Nov 23 10:00:09 2026)
==> caur-ci: interfere: nothing was applied
"""
BAD_LOG = """\
==> caur-ci: building tool for repo/x86_64 from source at commit bbbb, job 9, attempt 2, on beta
==> caur-ci: the package is from https://example.org/pkgs.git, built by the executor container
==> caur-ci: installed packages: bash 5.3-1, cmake 4.1-1, gcc 15.2-1, libzip 1.12-1
==> Making package: tool 1.4.2-1 (Tue Nov 24 11:00:00 2026)
==> Retrieving sources...
==> Starting build()...
error: this is said each time, about 31 things
cc -c main.c
cc -c zip.c
zip.c:7:3: error: too few arguments to function 'zip_open'
make: *** [Makefile:2: zip.o] Error 1
==> ERROR: A failure occurred in build().
    Aborting...
==> caur-ci: interfere: nothing was applied
==> caur-ci: ended: FAILED (compile): building: build() failed (exit code 4)
"""


@dataclass
class Logs:
    """Logs by job and attempt, handed out a few bytes at a time."""

    texts: dict[tuple[int, int], str] = field(default_factory=dict)

    def read(self, job_id: int, attempt: int, offset: int = 0, *, limit: int = 64) -> LogChunk:
        data = self.texts.get((job_id, attempt), "").encode()[offset : offset + min(limit, 64)]
        return LogChunk(data=data, next_offset=offset + len(data), ended=not data)


@dataclass
class Past:
    """A history with one good build."""

    good: PastJob | None = None

    def last_success(self, identity: str, *, before: int | None = None) -> PastJob | None:
        assert before is None or self.good is None or self.good.job_id < before
        return self.good if self.good and self.good.identity == identity else None


GOOD = PastJob(
    job_id=3,
    target_repo="repo",
    arch="x86_64",
    pkgbase="tool",
    source_repo="source",
    commit="a" * 40,
    build_class="1",
    outcome=Outcome.SUCCESS,
    tree="1" * 40,
    worker="alpha-0123456789",
    attempt=1,
    started=1000.0,
    landed=1125.0,
    finished=1130.0,
    usage=Usage(peak_memory=100 * 1024 * 1024),
)
BAD = replace(
    GOOD,
    job_id=9,
    commit="b" * 40,
    outcome=Outcome.FAILED,
    failure=FailureClass.COMPILE,
    reason="building: build() failed (exit code 4)",
    tree="2" * 40,
    worker="beta-9876543210",
    attempt=2,
    started=2000.0,
    landed=0.0,
    finished=2012.0,
    usage=Usage(peak_memory=300 * 1024 * 1024),
)
LOGS = Logs({(3, 1): GOOD_LOG, (9, 2): BAD_LOG})


def commits(pkgbase: str, old: str, new: str) -> Sequence[FolderCommit]:
    assert (pkgbase, old, new) == ("tool", GOOD.commit, BAD.commit)
    return [FolderCommit("b" * 40, "tool: 1.4.2")]


def explained(job: PastJob = BAD, logs: Logs = LOGS, good: PastJob | None = GOOD) -> Explanation:
    found = explain(job, logs=logs, history=Past(good), commits=commits)
    assert found is not None
    return found


def test_all_that_is_known() -> None:
    found = explained()

    assert (found.job_id, found.attempt, found.identity) == (9, 2, "repo/x86_64/tool")
    assert (found.failure, found.step) == (FailureClass.COMPILE, "build()")
    error = found.error
    assert error is not None
    assert error.line.text == "zip.c:7:3: error: too few arguments to function 'zip_open'"
    assert BAD_LOG[error.line.offset :].startswith("zip.c:7:3")
    assert [line.text for line in error.before][-2:] == ["cc -c main.c", "cc -c zip.c"]
    assert error.after[-1].text == "    Aborting..."
    differences = found.differences
    assert differences is not None
    assert differences.commits == (FolderCommit("b" * 40, "tool: 1.4.2"),)
    assert differences.same_folder is False
    assert differences.installed == (
        VersionChange("libzip", "1.11-1", "1.12-1"),  # the error names it
        VersionChange("cmake", "", "4.1-1"),
        VersionChange("gcc", "15.1-1", "15.2-1"),
        VersionChange("zlib", "1.3-1", ""),
    )
    assert differences.contrasts == (
        Contrast("worker", "alpha", "beta"),
        Contrast("duration", "2 min 5 s", "12 s"),
        Contrast("memory", "100 MiB", "300 MiB"),
    )
    parting = found.parting
    assert parting is not None
    assert (parting.job_id, parting.step, parting.missing) == (3, "build()", "check()")
    assert parting.line == error.line
    assert "interfere.patch" in found.hint
    assert json.loads(json.dumps(to_data(found)))["error"]["line"]["number"] == 10


def test_an_error_that_good_builds_have_as_well_is_not_the_cause() -> None:
    without = explained(good=None)
    assert without.error is not None
    assert without.error.line.text.startswith("zip.c")  # it says more than the other one
    text = BAD_LOG.replace("zip.c:7:3: error: too few", "it did not work, too few")
    alone = explained(logs=Logs({(9, 2): text}), good=None)
    assert alone.error is not None
    assert alone.error.line.text.startswith("error: this is said each time")
    compared = explained(logs=Logs({(9, 2): text, (3, 1): GOOD_LOG}))
    assert compared.error is not None
    assert compared.error.line.text.startswith("it did not work")


def test_the_command_builds_the_same() -> None:
    job = replace(BAD, target_repo="my repo; rm -rf", arch="aarch64")
    assert shlex.split(explained(job=job, good=None).command) == [
        *("caur-ci", "build", f"tool@{'b' * 40}", "--repo", "https://example.org/pkgs.git"),
        *("--target-repo", "my repo; rm -rf", "--arch", "aarch64"),
    ]


@pytest.mark.parametrize(
    ("origin", "options"),
    [
        ("/srv/pkgs.git, built by the executor host", ["--executor", "host"]),
        ("https://***@x/a, built by the executor container in img:1", ["--image", "img:1"]),
        (
            (
                "git@example.org:a/b.git, built by the executor container in "
                "docker.io/library/archlinux@sha256:0123"
            ),
            ["--repo", "git@example.org:a/b.git"],
        ),
        (
            "/srv/x, built by the executor container in localhost/builder:2@0123",
            ["--image", "localhost/builder:2"],
        ),
        ("--upload-pack=x, built by the executor container", []),
        ("https://x/$(id), built by the executor container", ["--repo", "https://x/$(id)"]),
    ],
)
def test_the_command_names_what_others_can_get_to(origin: str, options: list[str]) -> None:
    log = BAD_LOG.replace("https://example.org/pkgs.git, built by the executor container", origin)
    command = explained(logs=Logs({(9, 2): log}), good=None).command
    words = shlex.split(command)
    assert [word for word in words[3:] if word not in {"--target-repo", "repo"}] == options


def test_what_a_package_prints_is_not_taken_for_the_workers_words() -> None:
    lie = "==> caur-ci: the package is from https://evil.example/x, built by the executor host\n"
    found = explained(logs=Logs({(9, 2): BAD_LOG + lie}), good=None)
    assert "https://example.org/pkgs.git" in found.command


def test_a_build_that_hangs_stands_at_its_last_line() -> None:
    log = BAD_LOG[: BAD_LOG.index("make: ***")] + "Waiting for the lock\n"
    job = replace(BAD, outcome=Outcome.TIMED_OUT, failure=None, reason="it took longer than 60 s")
    found = explained(job, Logs({(9, 2): log}))
    assert found.failure is None
    assert found.error is not None
    assert found.error.line.text == "Waiting for the lock"
    assert "BUILDER_EXTRA_TIMEOUT" in found.hint


def test_a_failure_whose_kind_nobody_told_is_told_by_the_log() -> None:
    assert explained(replace(BAD, failure=None)).failure is FailureClass.COMPILE
    log = Logs({(9, 2): BAD_LOG.replace("zip.c:7:3: error: too", "c++: No space left on device")})
    assert explained(replace(BAD, failure=None), log).failure is FailureClass.DISK_FULL


def test_the_workers_word_decides_which_error_it_was() -> None:
    log = Logs({(9, 2): BAD_LOG.replace("make: ***", "Killed\nmake: ***")})
    found = explained(replace(BAD, failure=FailureClass.OUT_OF_MEMORY), log)
    assert found.error is not None
    assert found.error.line.text == "Killed"


@pytest.mark.parametrize(
    "outcome", [Outcome.SUCCESS, Outcome.ALREADY_BUILT, Outcome.SKIPPED, Outcome.CANCELED]
)
def test_nothing_to_explain(outcome: Outcome) -> None:
    assert explain(replace(BAD, outcome=outcome), logs=LOGS) is None


def test_a_refused_delivery_has_no_error_in_the_log() -> None:
    found = explained(replace(BAD, failure=FailureClass.DELIVERY, reason="wrong version"))
    assert (found.error, found.reason, found.parting) == (None, "wrong version", None)
    assert "refused" in found.hint


def test_a_last_line_that_would_lead_astray_is_not_told() -> None:
    log = Logs({(9, 2): "==> WARNING: something else\n"})
    assert explained(replace(BAD, failure=FailureClass.CONFIGURATION), log).error is None
    assert explained(replace(BAD, failure=FailureClass.PACKAGING), log).error is not None


def test_what_the_worker_says_itself_is_no_error() -> None:
    log = Logs({(9, 2): BAD_LOG[: BAD_LOG.index("cc -c main.c")].replace("error: ", "")})
    found = explained(replace(BAD, failure=FailureClass.PACKAGING), log, good=None)
    assert found.error is not None
    assert found.error.line.text == "this is said each time, about 31 things"
    ours = Logs({(9, 2): "".join(BAD_LOG.splitlines(keepends=True)[:3])})
    assert explained(replace(BAD, failure=FailureClass.PACKAGING), ours).error is None


def test_a_commit_that_was_built_before_is_the_same_folder() -> None:
    differences = explained(replace(BAD, commit=GOOD.commit, tree="")).differences
    assert differences is not None
    assert (differences.same_folder, differences.commits) == (True, ())


def test_logs_that_are_gone() -> None:
    found = explained(logs=Logs())
    assert (found.error, found.parting) == (None, None)
    assert found.differences is not None
    assert found.differences.installed == ()
    assert "--repo" not in found.command


def test_a_build_without_network_that_wants_it() -> None:
    reason = "building: build() failed (exit code 4); it sought the network, which BUILDER_NETWORK"
    assert "BUILDER_NETWORK=true" in explained(replace(BAD, reason=f"{reason} denies it")).hint


def test_a_long_good_log_is_compared_by_its_messages_and_steps() -> None:
    long = GOOD_LOG.replace("cc -c main.c", "cc -c main.c\r" + "x" * 70_000)
    chunks = [long.encode()] * 70
    good = GoodLog.read(read_lines(chunks))
    assert good.lines is None
    assert len(good.messages) == 1
    assert good.facts.steps[:2] == ["Making package", "Retrieving sources"]
    assert len(good.facts.steps) == 100
