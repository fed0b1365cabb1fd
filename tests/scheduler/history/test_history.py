"""What the history remembers, and what it answers."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import TemporaryError
from scheduler.history import History, HistoryError, PublishedFile, Usage
from scheduler.job import FailureClass, Outcome
from tests.support.past import START, past_job

if TYPE_CHECKING:
    from pathlib import Path

DAY = 24 * 3600.0


def published(name: str, version: str = "1-1") -> PublishedFile:
    filename = f"{name}-{version}-x86_64.pkg.tar.zst"
    return PublishedFile(name=name, version=version, filename=filename, size=1234)


def test_a_job_is_remembered_with_all_that_is_known_of_it(history: History, tmp_path: Path) -> None:
    job = past_job(
        7,
        reason="a remark",
        request_id="request",
        commit_reference="main",
        tree="b" * 40,
        usage=Usage(peak_memory=5 * 1024**3, cpu_seconds=61.5),
        generation="12",
        files=(published("a"), published("a-docs")),
    )
    failure = past_job(8, outcome=Outcome.FAILED, failure=FailureClass.COMPILE, landed=0.0)
    history.record([job, failure])

    with History.open(tmp_path / "history", read_only=True) as reader:
        assert reader.job(7) == job
        assert reader.job(8) == failure
        assert reader.job(9) is None


def test_a_package_is_looked_back_on_page_by_page(history: History) -> None:
    history.record([past_job(number, "ab"[number % 2]) for number in range(1, 11)])

    first = history.of_package("repo/x86_64/a", limit=2)
    then = history.of_package("repo/x86_64/a", limit=9, before=first[-1].job_id)

    assert [job.job_id for job in (*first, *then)] == [10, 8, 6, 4, 2]
    assert history.of_package("repo/aarch64/a") == []


def test_lists_know_outcomes_patterns_and_what_was_published(history: History) -> None:
    history.record(
        [
            past_job(1, "python-b", files=(published("python-b"),)),
            past_job(2, "python-c", outcome=Outcome.FAILED),
            past_job(3, "c", outcome=Outcome.TIMED_OUT),
        ]
    )

    def ids(**question: object) -> list[int]:
        return [job.job_id for job in history.latest(**question)]  # type: ignore[arg-type]

    assert ids() == [3, 2, 1]
    assert ids(outcomes={Outcome.FAILED, Outcome.TIMED_OUT}) == [3, 2]
    assert ids(outcomes=()) == []
    assert ids(pattern="python-*") == [2, 1]
    assert ids(pattern="python-*", outcomes=[Outcome.FAILED]) == [2]
    assert ids(limit=1, before=3) == [2]
    assert [job.job_id for job in history.published()] == [1]
    assert history.totals() == {Outcome.SUCCESS: 1, Outcome.FAILED: 1, Outcome.TIMED_OUT: 1}
    with pytest.raises(HistoryError, match="at most 100 characters"):
        history.latest(pattern="*a" * 100)


def test_the_last_success_is_one_that_went_well_before(history: History) -> None:
    outcomes = [Outcome.SUCCESS, Outcome.SUCCESS, Outcome.FAILED, Outcome.ALREADY_BUILT]
    history.record(past_job(number, outcome=outcome) for number, outcome in enumerate(outcomes, 1))

    newest, older = (
        history.last_success("repo/x86_64/a"),
        history.last_success("repo/x86_64/a", before=2),
    )

    assert [job and job.job_id for job in (newest, older)] == [2, 1]
    assert history.last_success("repo/x86_64/a", before=1) is None


def test_what_was_published_since_fails_no_more(history: History) -> None:
    failed = {"outcome": Outcome.FAILED, "failure": FailureClass.COMPILE}
    history.record(
        [
            past_job(1, "mended", **failed),
            past_job(2, "mended"),
            past_job(3, "broken"),
            past_job(4, "broken", **failed),
            past_job(5, "broken", outcome=Outcome.TIMED_OUT),
            past_job(6, "broken", outcome=Outcome.SKIPPED),
            past_job(7, "never", **failed),
        ]
    )

    assert [job.job_id for job in history.failing()] == [7, 5]
    assert [job.job_id for job in history.failing(limit=1)] == [7]


def test_a_forecast_is_the_median_of_the_last_good_builds(history: History) -> None:
    # The oldest does not count any more, one that is far off does no harm.
    took = [9000, 100, 110, 90, 5000, 105]
    history.record(
        past_job(number, started=START, landed=START + seconds)
        for number, seconds in enumerate(took, 1)
    )
    history.record([past_job(7, outcome=Outcome.FAILED, landed=0.0), past_job(8, "b", started=0.0)])

    assert history.forecast("repo/x86_64/a") == 105
    assert history.forecasts(["repo/x86_64/a", "repo/x86_64/b"]) == {"repo/x86_64/a": 105}


def test_failures_are_counted_by_day_and_class(history: History) -> None:
    today = int(time.time() // DAY) * DAY + 60
    history.record(
        [
            past_job(1, outcome=Outcome.FAILED, failure=FailureClass.COMPILE, finished=today),
            past_job(2, outcome=Outcome.FAILED, failure=FailureClass.COMPILE, finished=today + 1),
            past_job(3, outcome=Outcome.TIMED_OUT, finished=today - DAY),
            past_job(4, outcome=Outcome.FAILED, finished=today - 40 * DAY),
            past_job(5, finished=today),
        ]
    )

    counted = history.failures_by_day(30)

    assert [(kind, number) for _, kind, number in counted] == [("unknown", 1), ("compile", 2)]
    assert counted[-1][0] == time.strftime("%Y-%m-%d", time.gmtime(today))


def test_what_is_known_of_a_job_is_not_lost_to_what_says_less(history: History) -> None:
    job = past_job(3, files=(published("a"),))
    history.record([job])
    history.record([past_job(3, commit="", source_repo="")])
    assert history.job(3) == job


def test_a_number_that_comes_again_is_that_of_the_newer_job(
    history: History, caplog: pytest.LogCaptureFixture
) -> None:
    history.record([past_job(3, files=(published("a"),))])
    newer = past_job(3, "b", submitted=START + 9999.0)
    history.record([newer])
    assert history.job(3) == newer
    assert "job 3 is repo/x86_64/b now" in caplog.text


def test_the_position_is_kept_with_what_was_recorded_or_not_at_all(history: History) -> None:
    assert history.position() == "0"
    history.record([past_job(1)], position="5-0")
    broken = past_job(3, reason=None)
    with pytest.raises(Exception, match="NOT NULL"):
        history.record([past_job(2), broken], position="6-0")
    assert (history.position(), history.job(2)) == ("5-0", None)


def test_old_jobs_are_forgotten_but_for_the_last_success(history: History) -> None:
    now = START + 500 * DAY
    history.record(
        [
            past_job(1, finished=START, files=(published("a"),)),
            past_job(2, finished=START),
            past_job(3, finished=START, outcome=Outcome.FAILED),
            past_job(4, finished=now, outcome=Outcome.FAILED),
        ]
    )
    assert history.prune(days=400, now=now) == 2
    assert [job.job_id for job in history.latest()] == [4, 2]
    assert history.published() == []


def test_packages_are_found_by_their_name(history: History) -> None:
    history.record([past_job(1), past_job(2, target_repo="other"), past_job(3, "b")])
    assert history.identities("a") == ["other/x86_64/a", "repo/x86_64/a"]
    assert history.identities("_") == []


def test_many_threads_ask_while_one_writes(history: History) -> None:
    failures: list[Exception] = []

    def ask() -> None:
        try:
            for _ in range(50):
                history.of_package("repo/x86_64/a")
        except Exception as error:  # noqa: BLE001 - whatever it is
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(1, 51):
        history.record([past_job(number)], position=f"{number}-0")
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(history.of_package("repo/x86_64/a")) == 50


def test_a_second_writer_is_refused(history: History, tmp_path: Path) -> None:
    with pytest.raises(TemporaryError, match="another process writes the history"):
        History.open(tmp_path / "history")
    history.close()
    History.open(tmp_path / "history").close()
