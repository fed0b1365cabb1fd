"""The package's own hook, `.CI/update.sh`: the repository owner's program, which may change the
package's folder.

It is run as the existing system runs it, sourced in the package's folder with PACKAGE set, but in
a copy of that folder and in a sandbox: it sees its own processes only, and neither home folders nor
the checkout nor /run. Where bubblewrap does not work it is not run. Owners who want it all the same
have to say so: its environment is free of secrets and this process cannot be looked into then, but
other processes and files of the same user can.
"""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from caur_ci.environment import Secrets, child_environment
from caur_ci.errors import CaurError
from caur_ci.git.export import export_tree
from caur_ci.git.import_folder import Limits, import_folder
from caur_ci.git.trees import UnsafeTreeError, files_below
from caur_ci.hiding import hide_this_process
from caur_ci.names import check_package_name
from caur_ci.package_folders import LARGEST_FILE, LARGEST_FOLDER, MOST_FILES
from caur_ci.update.sandbox import sandboxed
from caur_ci.update.takeover import NEEDED, check_contents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caur_ci.git import GitRepository

HOOK = ".CI/update.sh"
MAX_OUTPUT = 256 * 1024
_SHELL = ("bash", "--noprofile", "--norc", "-c", 'source "$0"', HOOK)
_LIMITS = Limits(files=MOST_FILES, file_size=LARGEST_FILE, folder_size=LARGEST_FOLDER)
_NO_SANDBOX = (
    f"{HOOK} is not run: bubblewrap is missing or does not work here, and without it the script "
    "could read the pipeline's secrets (CI_HOOK_WITHOUT_SANDBOX=true in .ci/config allows that)"
)
_LAST_LINES = 3
_CHUNK = 64 * 1024
# How long it may go unnoticed that the hook has ended while a child of it holds its output open.
_LOOKED_EVERY = 0.2
_SHORTEST_PAUSE = 0.001
# Of our own secrets we know the names. What else owners keep in variables is told by these words.
_LOOKS_SECRET = re.compile(r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE|_KEY$|_PAT$")
# They lead to keys, to the home folder, or to programs that bash or git would run first.
_LEADS_ELSEWHERE = re.compile(
    r"SSH_.*|GPG_.*|GNUPGHOME|DBUS_.*|XDG_.*|DOCKER_.*|BASH_ENV|ENV|GIT_.*|NETRC|CURL_HOME|OLDPWD"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HookResult:
    """What became of a package's folder.

    `tree` is the folder as the hook left it; as it was, where `problem` says what went wrong.
    `output` is what the hook printed, without secrets.
    """

    tree: str
    output: str = ""
    problem: str = ""


def run_hook(
    git: GitRepository,
    *,
    package: str,
    tree: str,
    timeout: float,
    secrets: Secrets | None = None,
    ignored: bytes = b"",
    without_sandbox: bool = False,
) -> HookResult:
    """Run the hook that is in `tree`, the folder of `package`, for `timeout` seconds at most.

    `ignored` is the repository's own `.gitignore`, `without_sandbox` allows it to run where there
    is no sandbox. From now on this process is hidden from others
    of the same user, hooks among them.
    """
    check_package_name(package)
    hide_this_process()
    try:
        with tempfile.TemporaryDirectory(prefix="caur-ci-", ignore_cleanup_errors=True) as base:
            workspace = _Workspace(Path(base).resolve(), package)
            command = sandboxed(_SHELL, git=git, shared=workspace.base, cwd=workspace.folder)
            if command is None and not without_sandbox:
                return HookResult(tree=tree, problem=_NO_SANDBOX)
            workspace.prepare(git, tree, ignored)
            run = _run(command or _SHELL, workspace, timeout)
            output = (secrets or Secrets()).redact(run.text)
            if run.problem:
                problem = "; ".join([f"{HOOK} {run.problem}", *_last_lines(output)])
                return HookResult(tree=tree, output=output, problem=problem)
            return _result(git, workspace.folder, tree, output)
    except (CaurError, OSError) as error:
        said = error.message if isinstance(error, CaurError) else error.strerror
        return HookResult(tree=tree, problem=f"{HOOK} cannot be run: {said}")


def _result(git: GitRepository, folder: Path, before: str, output: str) -> HookResult:
    try:
        return HookResult(tree=_taken_in(git, folder, before), output=output)
    except (CaurError, OSError) as error:
        said = error.message if isinstance(error, CaurError) else error.strerror
        problem = f"what {HOOK} left is not taken over: {said}"
        return HookResult(tree=before, output=output, problem=problem)


@dataclass(frozen=True, slots=True)
class _Workspace:
    """A folder of ours with the package's folder in it, and a home and room for the hook."""

    base: Path
    package: str

    @property
    def folder(self) -> Path:
        return self.base / self.package

    # No package's name starts with a dot.
    @property
    def home(self) -> Path:
        return self.base / ".home"

    @property
    def temporary(self) -> Path:
        return self.base / ".tmp"

    def prepare(self, git: GitRepository, tree: str, ignored: bytes) -> None:
        export_tree(git, tree, self.folder)
        self.home.mkdir()
        self.temporary.mkdir()
        (self.base / ".gitignore").write_bytes(ignored)

    def environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in child_environment().items()
            if not (_LOOKS_SECRET.search(name.upper()) or _LEADS_ELSEWHERE.fullmatch(name))
        }
        own = {"HOME": self.home, "TMPDIR": self.temporary, "PWD": self.folder}
        return kept | {name: str(path) for name, path in own.items()} | {"PACKAGE": self.package}


@dataclass(frozen=True, slots=True)
class _Run:
    text: str
    problem: str


def _run(command: Sequence[str], workspace: _Workspace, timeout: float) -> _Run:
    """Run the hook, and end what is left of it."""
    deadline = time.monotonic() + timeout
    with subprocess.Popen(
        command,
        cwd=workspace.folder,
        env=workspace.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            output = _Output(process.stdout)
            ended = output.read_until_the_end_of(process, deadline)
        finally:
            with suppress(ProcessLookupError):  # not reaped yet, so the group is still that one
                os.killpg(process.pid, signal.SIGKILL)
        output.read_what_is_there()
        code = process.wait()
    if not ended:
        return _Run(output.text, f"took longer than {timeout:g} s and was ended")
    if code != 0:
        return _Run(output.text, f"ended with {_reason(code)}")
    return _Run(output.text, "")


class _Output:
    """The end of what a process prints."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        assert stream is not None  # noqa: S101 - a pipe was asked for
        self._stream = stream
        self._kept = b""
        self._left_out = 0
        self._at_end = False
        os.set_blocking(stream.fileno(), False)

    @property
    def text(self) -> str:
        missing = f"… {self._left_out} bytes are left out\n" if self._left_out else ""
        return missing + self._kept.decode(errors="replace")

    def read_until_the_end_of(self, process: subprocess.Popen[bytes], deadline: float) -> bool:
        """Read until the process has ended; tell whether it did so in time."""
        pause = _SHORTEST_PAUSE
        with selectors.DefaultSelector() as selector:
            selector.register(self._stream, selectors.EVENT_READ)
            while not _has_ended(process):
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                if self._at_end:  # as a rule the process is about to end as well
                    time.sleep(min(left, pause))
                    pause = min(2 * pause, _LOOKED_EVERY)
                elif selector.select(min(left, _LOOKED_EVERY)):
                    self.read_what_is_there()
        return True

    def read_what_is_there(self) -> None:
        """Read without waiting."""
        while not self._at_end and (chunk := self._stream.read(_CHUNK)) is not None:
            self._at_end = not chunk
            self._kept += chunk
            self._left_out += max(0, len(self._kept) - MAX_OUTPUT)
            self._kept = self._kept[-MAX_OUTPUT:]


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    # It stays unreaped: until then nobody else can get its number, which we end the rest by.
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, process.pid, options) is not None


def _reason(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _last_lines(output: str) -> list[str]:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-_LAST_LINES:]


def _taken_in(git: GitRepository, folder: Path, before: str) -> str:
    known = {file.path for file in files_below(git, before)}
    after = import_folder(git, folder, known=known, limits=_LIMITS)
    if after != before:
        check_contents(git, after)
        left = {entry.name for entry in git.entries(after)}
        missing = [name for name in NEEDED if name in known and name not in left]
        if missing:
            raise UnsafeTreeError(f"there is no {' and no '.join(missing)} in it any more")
    return after
