"""Children that work within limits: real processes, and what they die of."""

from __future__ import annotations

import operator
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from caur_ci.confined import Confined
from caur_ci.errors import GaveUpError, InputError
from tests.support.confined_calls import burn, fill_memory, refuse, spin, write_a_file

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _tests_are_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_one_child_answers_many_questions_and_ends_with_the_block() -> None:
    with Confined() as confined:
        child = confined.call(os.getpid)
        assert child != os.getpid()
        assert confined.call(os.getpid) == child
    assert not is_running(child)


def test_what_is_refused_there_is_refused_here() -> None:
    with Confined() as confined:
        child = confined.call(os.getpid)
        with pytest.raises(InputError, match="a name cannot be used") as caught:
            confined.call(refuse, "a name")
        assert caught.value.hint == "Use another."
        assert not isinstance(caught.value, GaveUpError)
        assert confined.call(os.getpid) == child


def test_whoever_computes_for_ever_is_ended() -> None:
    with Confined(cpu_seconds=1) as confined, pytest.raises(GaveUpError, match="too much time"):
        confined.call(spin)


def test_the_time_is_for_each_question() -> None:
    with Confined(cpu_seconds=1) as confined:
        child = confined.call(os.getpid)
        for _ in range(3):
            confined.call(burn, 0.4)
        assert confined.call(os.getpid) == child


def test_whoever_waits_for_ever_is_ended() -> None:
    with Confined(deadline=0.5) as confined, pytest.raises(GaveUpError, match="too much time"):
        confined.call(time.sleep, 1000)


def test_memory_has_an_end() -> None:
    with Confined() as confined, pytest.raises(GaveUpError, match="too much memory"):
        confined.call(fill_memory)


def test_a_crash_is_told() -> None:
    with Confined() as confined, pytest.raises(GaveUpError, match="ended with signal 6"):
        confined.call(os.abort)


def test_an_exit_is_told() -> None:
    with Confined() as confined, pytest.raises(GaveUpError, match="ended with exit code 3"):
        confined.call(os._exit, 3)


def test_an_error_that_nobody_expects_is_told() -> None:
    with Confined() as confined, pytest.raises(GaveUpError, match="ZeroDivisionError"):
        confined.call(operator.truediv, 1, 0)


def test_an_answer_that_is_too_large_is_not_read() -> None:
    with Confined() as confined, pytest.raises(GaveUpError, match="too much in it"):
        confined.call(operator.mul, "a", 80 * 1024**2)


def test_the_next_question_has_another_child() -> None:
    with Confined() as confined:
        child = confined.call(os.getpid)
        with pytest.raises(GaveUpError):
            confined.call(os.abort)
        assert confined.call(os.getpid) != child
        assert not is_running(child)


def test_several_threads_get_their_own_answers() -> None:
    with Confined() as confined, ThreadPoolExecutor(4) as threads:
        numbers = list(range(200))
        assert list(threads.map(lambda it: confined.call(operator.neg, it), numbers)) == [
            -number for number in numbers
        ]


def test_nothing_is_written(tmp_path: Path) -> None:
    with Confined() as confined, pytest.raises(GaveUpError):
        confined.call(write_a_file, str(tmp_path / "file"))
    assert not (tmp_path / "file").read_bytes()


def test_modules_in_the_current_folder_are_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(9)\n")
    monkeypatch.chdir(tmp_path)
    with Confined() as confined:
        assert confined.call(operator.add, 1, 2) == 3
