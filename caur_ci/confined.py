"""Reads what strangers wrote in a process of its own, with limits of time and memory.

A parser is a program that a stranger's text drives: it may take minutes, or all memory, or crash.
In a child none of this costs more than the one answer, and the text finds no secrets beside it. A
child answers many questions, one after the other; only one that gave up is replaced.

Answers travel as JSON: a child that was taken over must not choose what runs here.
"""

from __future__ import annotations

import json
import os
import resource
import selectors
import signal
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

from caur_ci.environment import child_environment
from caur_ci.errors import GaveUpError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

# Of processor time, so that a busy machine changes no answer.
CPU_SECONDS = 5
# For a child that waits instead of working, or for a machine that hardly does.
DEADLINE = 120.0
MEMORY = 1024**3
_LARGEST_ANSWER = 64 * 1024**2
_LENGTH = struct.Struct(">Q")
_CHUNK = 1024**2
_FILES = 64
_TIME = "it takes too much time to be understood"
_MEMORY = "it takes too much memory to be understood"

P = ParamSpec("P")
T = TypeVar("T")


class Confined:
    """Calls functions in children of this process.

    Such a function is one at the top of its module; what it takes and returns is what JSON can
    hold. For several threads at once, each with a child; all of them end with the block.
    `cpu_seconds`, `deadline` (seconds that pass) and `memory` (bytes) are for one call.
    """

    def __init__(
        self, *, cpu_seconds: int = CPU_SECONDS, deadline: float = DEADLINE, memory: int = MEMORY
    ) -> None:
        self._limits = (str(cpu_seconds), str(memory))
        self._deadline = deadline
        self._idle: list[_Child] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            children, self._idle = self._idle, []
        for child in children:
            child.end()

    def call(self, function: Callable[P, T], *args: P.args, **_none: P.kwargs) -> T:
        """Return what `function` returns, without running it here.

        Raises GaveUpError where it takes too much or fails, InputError where it does.
        """
        request = json.dumps([function.__module__, function.__qualname__, args]).encode()
        child = self._take()
        try:
            answer = child.ask(request, time.monotonic() + self._deadline)
        except BaseException:
            child.end()
            raise
        with self._lock:
            self._idle.append(child)
        if "refused" in answer:
            kind = GaveUpError if answer["gave up"] else InputError
            raise kind(answer["refused"], hint=answer["hint"])
        found: T = answer["found"]
        return found

    def _take(self) -> _Child:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return _Child(self._limits)


class _Child:
    """One child, which answers one question at a time."""

    def __init__(self, limits: tuple[str, str]) -> None:
        # Not `-m` alone: it would look for modules in the current folder first, the checkout.
        command = [sys.executable, "-P", "-m", __name__, *limits]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child_environment(),
            bufsize=0,
        )
        for pipe in (self._process.stdin, self._process.stdout):
            os.set_blocking(_file(pipe).fileno(), False)

    def ask(self, request: bytes, end: float) -> dict[str, Any]:
        """Return the answer to a request, which has to come before `end`.

        Raises GaveUpError; the child cannot be asked again then.
        """
        try:
            self._send(_LENGTH.pack(len(request)) + request, end)
            (length,) = _LENGTH.unpack(self._receive(_LENGTH.size, end))
            if length > _LARGEST_ANSWER:
                raise GaveUpError("there is too much in it to be understood")
            answer = json.loads(self._receive(length, end))
        except TimeoutError:
            raise GaveUpError(_TIME) from None
        except (OSError, EOFError):
            raise self._lost() from None
        except (ValueError, RecursionError):
            raise GaveUpError("it cannot be understood") from None
        if not isinstance(answer, dict):
            raise GaveUpError("it cannot be understood")
        if "failed" in answer:
            raise GaveUpError(str(answer["failed"]))
        return answer

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                _file(pipe).close()

    def _lost(self) -> GaveUpError:
        code = self._process.wait()
        if code == -signal.SIGPROF:
            return GaveUpError(_TIME)
        if code == -signal.SIGKILL:  # by the kernel, which has no memory left
            return GaveUpError(_MEMORY)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return GaveUpError(f"it cannot be understood: the parser ended with {how}")

    def _send(self, data: bytes, end: float) -> None:
        pipe = _file(self._process.stdin)
        left = memoryview(data)
        while left:
            _wait(pipe, selectors.EVENT_WRITE, end)
            left = left[pipe.write(left) or 0 :]

    def _receive(self, size: int, end: float) -> bytes:
        pipe = _file(self._process.stdout)
        data = bytearray()
        while len(data) < size:
            _wait(pipe, selectors.EVENT_READ, end)
            chunk = pipe.read(min(size - len(data), _CHUNK))
            if chunk == b"":
                raise EOFError
            data += chunk or b""
        return bytes(data)


def _file(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - a pipe was asked for
    return pipe


def _wait(pipe: IO[bytes], event: int, end: float) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, event)
        if not selector.select(max(0.0, end - time.monotonic())):
            raise TimeoutError


def _serve(cpu_seconds: int, memory: int) -> None:
    """Answer what is asked on standard input until it ends."""
    # It ends when nobody asks any more; Ctrl-C is for whoever asks.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NOFILE, _FILES)
    _limit(resource.RLIMIT_AS, memory)
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    while head := questions.read(_LENGTH.size):
        request = questions.read(*_LENGTH.unpack(head))
        # Of its own clock, for this request. RLIMIT_CPU is for all of a process's time, by a clock
        # that nobody can read.
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        answer = _answer(request)
        signal.setitimer(signal.ITIMER_PROF, 0)
        answers.write(_LENGTH.pack(len(answer)) + answer)
        answers.flush()


def _limit(kind: int, wanted: int) -> None:
    _, hard = resource.getrlimit(kind)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(kind, (limit, limit))


def _answer(request: bytes) -> bytes:
    try:
        module, name, arguments = json.loads(request)
        function = getattr(import_module(module), name)
        return json.dumps({"found": function(*arguments)}).encode()
    except InputError as error:
        gave_up = isinstance(error, GaveUpError)
        refusal = {"refused": error.message, "hint": error.hint, "gave up": gave_up}
        return json.dumps(refusal).encode()
    except MemoryError:
        return json.dumps({"failed": _MEMORY}).encode()
    except Exception as error:  # noqa: BLE001 - whatever a stranger's text does is its own
        reason = f"it cannot be understood: {error!r}"[:300]
        return json.dumps({"failed": reason}).encode()


if __name__ == "__main__":
    _serve(*map(int, sys.argv[1:]))
