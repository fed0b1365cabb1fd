"""A folder of another machine as a publishing target, by rsync over SSH."""

from __future__ import annotations

import re
import shlex
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote

from caur_ci.errors import ConfigError, ProcessError, TemporaryError
from caur_ci.process import run
from scheduler.files import link_or_copy
from scheduler.hosting.lease import PREFIX as LEASES
from scheduler.hosting.lease import leased, name_of, number_of
from scheduler.hosting.protocol import TargetError, nothing_to_check
from scheduler.ssh.command import host_options, need_programs, ssh_error
from scheduler.ssh.host import SshHost
from scheduler.ssh.hostkeys import pinned_keys
from scheduler.ssh.keys import key_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from urllib.parse import SplitResult

    from scheduler.hosting.protocol import Change, Check, Upload, Uploader

PREFIX = "PUBLISH_SSH"
# Files of many gigabytes over a slow line.
_TIMEOUT = 6 * 3600.0
_LISTED = re.compile(rb"-\S+ +(\d+) \S+ \S+ (.+)")
_LISTED_LINK = re.compile(rb"l\S+ +\d+ \S+ \S+ (?:.*/)?([^/]+) -> (\S+)")
_MADE_LINK = re.compile(rb"^cL\+", re.MULTILINE)
# rsync's own code for what was not there, and that of the shell for what cannot be started.
_MISSING = 23
_SSH_FAILED = 255
_NO_RSYNC_THERE = 127


class RsyncTarget:
    """The folder `root` of an SSH host, with R/A/NAME below it."""

    def __init__(self, host: SshHost, root: str) -> None:
        self._host = host
        self._root = root

    @classmethod
    def at(cls, url: SplitResult, environ: Mapping[str, str], secrets: Mapping[str, str]) -> Self:
        """Return the target of an ssh:// URL; what else ssh has to know is in variables.

        Raises ConfigError.
        """
        root = unquote(url.path).rstrip("/")
        # A shell on the other side may read it.
        if not url.hostname or not re.fullmatch(r"(/[A-Za-z0-9._+@-]+)+", root):
            raise ConfigError(
                f"ssh://{url.hostname or ''}{url.path} names no folder of a host",
                hint="As ssh://USER@HOST/srv/http, of letters, digits and . _ + @ -",
            )
        named = {
            f"{PREFIX}_HOST": url.hostname,
            f"{PREFIX}_USER": unquote(url.username or ""),
            f"{PREFIX}_PORT": str(url.port or ""),
        }
        host = SshHost.from_environment({**environ, **named}, secrets, prefix=PREFIX)
        assert host is not None  # noqa: S101 - it has a name
        return cls(host, root)

    @property
    def address(self) -> str:
        user = f"{self._host.user}@" if self._host.user else ""
        port = f":{self._host.port}" if self._host.port else ""
        return f"ssh://{user}{self._host.host}{port}{self._root}"

    @property
    def server(self) -> str:
        return ""

    def listing(self, repository: str) -> Mapping[str, int]:
        options = ["--recursive", "--relative", "--list-only", "--no-human-readable"]
        try:
            with self._ssh() as ssh:
                listed = self._rsync([*options, self._there(repository)], ssh)
        except _NothingThereError:
            return {}
        found = filter(None, map(_LISTED.fullmatch, listed.splitlines()))
        return {each[2].decode("utf-8", "replace"): int(each[1]) for each in found}

    def fetch(self, paths: Iterable[str], root: Path) -> None:
        names = sorted(paths)
        if not names:
            return
        try:
            with self._ssh() as ssh:
                self._rsync(
                    ["--times", "--files-from=-", self._there(), f"{root}/"],
                    ssh,
                    stdin="".join(f"{name}\n" for name in names).encode(),
                )
        except _NothingThereError as error:
            raise TargetError(f"{self.address} does not have all of: {', '.join(names)}") from error

    def admit(self, change: Change) -> None:
        """Take any file."""

    @contextmanager
    def held(self, repository: str, uploader: Uploader) -> Iterator[Check]:
        with (
            self._ssh() as ssh,
            leased(_Leases(self, repository, ssh), uploader, self.address) as check,
        ):
            yield check

    def apply(self, change: Change, check: Check = nothing_to_check) -> None:
        # The host is looked at once for all stages.
        with self._ssh() as ssh:
            for stage in change.stages:
                check()
                self._upload(stage, ssh)
            check()
            if change.removals:
                self._remove(change.removals, ssh)

    def links(self, repository: str, start: str, ssh: Sequence[str]) -> dict[str, str]:
        """Return what symbolic links lead to whose names in a repository begin so."""
        options = ["--dirs", "--links", "--list-only", f"--include=/{start}*", "--exclude=*"]
        try:
            listed = self._rsync([*options, f"{self._there()}{repository}/"], ssh)
        except _NothingThereError:
            return {}
        found = filter(None, map(_LISTED_LINK.fullmatch, listed.splitlines()))
        return {each[1].decode(): each[2].decode("ascii", "replace") for each in found}

    def make_link(self, path: str, leads_to: str, ssh: Sequence[str]) -> bool:
        """Make a symbolic link; False where there is one, which stays as it is.

        There is no other way for two rsyncs to see which one was first: it is made in one step,
        which fails where one has come up meanwhile.
        """
        with _linked(path, leads_to) as folder:
            options = ("--recursive", "--links", "--ignore-existing", "--itemize-changes")
            try:
                told = self._rsync(
                    [*options, "--mkpath", "--chmod=D755", f"{folder}/", self._there()], ssh
                )
            except _IncompleteError as error:
                if "File exists" in error.message:
                    return False
                raise
        return _MADE_LINK.search(told) is not None

    def replace_link(
        self, path: str, leads_to: str, ssh: Sequence[str], *, without: Iterable[str]
    ) -> None:
        """Let a symbolic link lead elsewhere, and remove files beside it."""
        with _linked(path, leads_to) as folder:
            self._rsync(
                [
                    *("--links", "--delete-missing-args", "--files-from=-"),
                    *(f"{folder}/", self._there()),
                ],
                ssh,
                stdin="".join(f"{each}\n" for each in (path, *without)).encode(),
            )

    def _upload(self, stage: Iterable[Upload], ssh: Sequence[str]) -> None:
        # Put together as it will be there: rsync gives files no other names. Where that is on
        # another file system, they are copied.
        uploads = list(stage)
        if not uploads:
            return
        with tempfile.TemporaryDirectory(prefix="caur-ci-upload-") as folder:
            for upload in uploads:
                path = Path(folder) / upload.path
                path.parent.mkdir(parents=True, exist_ok=True)
                link_or_copy(upload.source.resolve(), path)
            self._rsync(
                [
                    *("--recursive", "--times", "--checksum", "--delay-updates", "--mkpath"),
                    *("--chmod=D755,F644", f"{folder}/", self._there()),
                ],
                ssh,
            )

    def _remove(self, paths: Iterable[str], ssh: Sequence[str]) -> None:
        with tempfile.TemporaryDirectory(prefix="caur-ci-upload-") as folder:
            for path in paths:
                # What is missing in a folder is missing; without the folder, it is an error.
                (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            self._rsync(
                ["--delete-missing-args", "--files-from=-", f"{folder}/", self._there()],
                ssh,
                stdin="".join(f"{path}\n" for path in paths).encode(),
            )

    def _there(self, repository: str = "") -> str:
        # With `/./`, what is listed has paths from there on.
        inner = f"/./{repository}/" if repository else "/"
        host = f"[{self._host.host}]" if ":" in self._host.host else self._host.host
        return f"{host}:{self._root}{inner}"

    def _rsync(self, arguments: Sequence[str], ssh: Sequence[str], *, stdin: bytes = b"") -> bytes:
        command = ["rsync", "--protect-args", f"--rsh={shlex.join(ssh)}", *arguments]
        try:
            return run(command, stdin=stdin, timeout=_TIMEOUT).stdout
        except ProcessError as error:
            raise self._translated(error) from error

    def _translated(self, error: ProcessError) -> Exception:
        said = error.message.splitlines()
        if error.returncode == _MISSING and "No such file or directory" in error.message:
            return _NothingThereError(f"{self.address}: {error.message}")
        if error.returncode == _NO_RSYNC_THERE or "rsync: command not found" in error.message:
            return TargetError(
                f"{self.address}: rsync is not installed there", hint="Install it on that machine."
            )
        if error.returncode == _SSH_FAILED or any(
            "rror in rsync protocol" in line for line in said
        ):
            return ssh_error(self._host, said[1:], otherwise=f"no connection to {self.address}")
        kind = _IncompleteError if error.returncode == _MISSING else TemporaryError
        return kind(f"{self.address}: {error.message}")

    @contextmanager
    def _ssh(self) -> Iterator[list[str]]:
        """Provide the command that rsync starts; the key is in a file of its own meanwhile."""
        need_programs(self._host, "rsync", purpose="the publishing target on")
        with (
            tempfile.TemporaryDirectory(prefix="caur-ci-ssh-") as folder,
            pinned_keys(self._host) as pinned,
        ):
            key_file = ""
            text = key_text(self._host)
            if text:
                path = Path(folder) / "key"
                path.touch(mode=0o600)
                path.write_bytes(text)
                key_file = str(path)
            elif self._host.key:
                key_file = str(Path(self._host.key).expanduser())
            options = host_options(self._host, key_file=key_file, pinned=pinned)
            yield [
                "ssh",
                *(word for option in options for word in ("-o", option)),
                *(("-i", key_file) if key_file else ()),
            ]


class _NothingThereError(TargetError):
    """What was asked for is not there."""


class _IncompleteError(TemporaryError):
    """Not everything got there."""


@dataclass(frozen=True, slots=True)
class _Leases:
    """The leases of a repository: symbolic links that lead nowhere, by an `ssh` that is ready."""

    target: RsyncTarget
    repository: str
    ssh: Sequence[str]

    def read(self) -> Mapping[int, str]:
        links = self.target.links(self.repository, LEASES, self.ssh)
        found = {number_of(name): text for name, text in links.items()}
        return {number: text for number, text in found.items() if number is not None}

    def create(self, number: int, text: str) -> bool:
        return self.target.make_link(self._path(number), text, self.ssh)

    def replace(self, number: int, text: str, obsolete: Collection[int]) -> None:
        others = [self._path(each) for each in obsolete]
        self.target.replace_link(self._path(number), text, self.ssh, without=others)

    def _path(self, number: int) -> str:
        return f"{self.repository}/{name_of(number)}"


@contextmanager
def _linked(path: str, leads_to: str) -> Iterator[Path]:
    """Provide a folder with nothing but a symbolic link."""
    with tempfile.TemporaryDirectory(prefix="caur-ci-upload-") as folder:
        link = Path(folder) / path
        link.parent.mkdir(parents=True)
        link.symlink_to(leads_to)
        yield Path(folder)
