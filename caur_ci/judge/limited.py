"""The judge in a process of its own, with limits of time and memory.

What it reads is a stranger's: whatever it does to the parser, the caller goes on, and the change is
major. Run as `python -m caur_ci.judge.limited`, it judges what comes in on standard input, one pair
after the other, until there is no more.
"""

from __future__ import annotations

import base64
import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, Self

from caur_ci.environment import child_environment
from caur_ci.judge.catalogue import finding
from caur_ci.judge.judging import judge
from caur_ci.judge.model import Judgement, PackageContext
from caur_ci.judge.package import File, files_of
from caur_ci.judge.pair import PKGBUILD

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

# Seconds of processor time: one for each file that changed, but no more than this for a folder.
_MOST_SECONDS = 10
# A busy machine gives less of it than there is.
_PATIENCE = 20.0
# The content of the folders comes on top, two times: as it was sent, and decoded.
_MEMORY = 300 * 1024**2
_LARGEST_ANSWER = 32 * 1024**2
# Not `-m` alone: it would look for modules in the current folder first, which may be a checkout.
_COMMAND = (sys.executable, "-P", "-m", "caur_ci.judge.limited")


class LimitedJudge:
    """Judges changes one after the other in a process with limits, which is replaced as needed.

    For one thread at a time. The process is started with the first change.
    """

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def judge(
        self,
        old: Mapping[str, File | bytes],
        new: Mapping[str, File | bytes],
        *,
        package: PackageContext = PackageContext(),  # noqa: B008 - it cannot be changed
    ) -> Judgement:
        """Judge a change as `judging.judge` does.

        Where that takes too much time or memory, or fails, the change is major.
        """
        before, after = files_of(old), files_of(new)
        changed = {
            path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
        }
        if not changed:
            return Judgement.of(())
        seconds = min(len(changed), _MOST_SECONDS)
        request = _packed(before, after, package, seconds)
        answer = self._answer(request, seconds * _PATIENCE)
        if answer is None:
            self.close()
            return Judgement.of([finding("took-too-long", file=_blamed(changed))])
        if "problem" in answer:
            problem = str(answer["problem"])
            return Judgement.of([finding("judge-failed", file=_blamed(changed), what=problem)])
        return Judgement.from_dict(answer)

    def close(self) -> None:
        """End the process."""
        if self._child is None:
            return
        child, self._child = self._child, None
        child.kill()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        child.wait()

    def _answer(self, request: bytes, patience: float) -> dict[str, Any] | None:
        """Return what the process says, None where it ends or says nothing in time."""
        if self._child is None or self._child.poll() is not None:
            self.close()
            self._child = subprocess.Popen(
                _COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=child_environment(None),
            )
        child = self._child
        assert child.stdin is not None  # noqa: S101 - pipes were asked for
        assert child.stdout is not None  # noqa: S101
        sender = threading.Thread(target=_send, args=(child.stdin, request), daemon=True)
        sender.start()
        line = _line_in_time(child.stdout, patience)
        if not line:
            child.kill()
        sender.join()
        try:
            answer = json.loads(line)
        except ValueError:
            return None
        return answer if isinstance(answer, dict) else None


def _send(stream: IO[bytes], request: bytes) -> None:
    with suppress(OSError, ValueError):
        stream.write(request)
        stream.flush()


def _line_in_time(stream: IO[bytes], patience: float) -> bytes:
    """Return the next line, nothing where there is none within `patience` seconds."""
    end = time.monotonic() + patience
    handle = stream.fileno()
    found = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(handle, selectors.EVENT_READ)
        while not found.endswith(b"\n"):
            if not selector.select(max(end - time.monotonic(), 0)):
                return b""
            chunk = os.read(handle, 64 * 1024)
            found += chunk
            if not chunk or len(found) > _LARGEST_ANSWER:
                return b""
    return bytes(found)


def _blamed(changed: set[str]) -> str:
    return PKGBUILD if PKGBUILD in changed else min(changed)


def _packed(
    old: Mapping[str, File], new: Mapping[str, File], package: PackageContext, seconds: int
) -> bytes:
    request = {
        "seconds": seconds,
        "old": _packed_files(old),
        # What is the same is sent once.
        "new": {
            path: None if old.get(path) == new[path] else it
            for path, it in _packed_files(new).items()
        },
        "package": {
            "name": package.name,
            "allow": list(package.allow),
            "others": sorted(package.others),
            "known": sorted(package.known),
        },
    }
    return json.dumps(request).encode() + b"\n"


def _packed_files(files: Mapping[str, File]) -> dict[str, list[object]]:
    return {
        path: [base64.b64encode(it.content).decode(), it.executable, it.link]
        for path, it in files.items()
    }


def _unpacked(packed: Mapping[str, Any], same: Mapping[str, File]) -> dict[str, File]:
    return {
        path: same[path]
        if it is None
        else File(base64.b64decode(it[0]), executable=it[1], link=it[2])
        for path, it in packed.items()
    }


def _judged(line: bytes) -> dict[str, Any]:
    request = json.loads(line)
    _limit(request["seconds"], len(line))
    old = _unpacked(request["old"], {})
    given = request["package"]
    package = PackageContext(
        name=given["name"],
        allow=tuple(given["allow"]),
        others=frozenset(given["others"]),
        known=frozenset(given["known"]),
    )
    try:
        return judge(old, _unpacked(request["new"], old), package=package).to_dict()
    except MemoryError:
        return {"problem": "it takes too much memory"}
    except Exception as error:  # noqa: BLE001 - whatever a stranger's files do to the judge
        return {"problem": f"{type(error).__name__}: {error}"[:300]}


def _limit(seconds: int, size: int) -> None:
    """Allow so many more seconds of processor time, and memory for a request of this size."""
    # The signal that comes then ends the process, whatever the parser is at.
    signal.setitimer(signal.ITIMER_PROF, seconds)
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    wanted = _MEMORY + 2 * size
    resource.setrlimit(
        resource.RLIMIT_AS, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most)
    )


def _serve() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while line := sys.stdin.buffer.readline():
        answer = _judged(line)
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
