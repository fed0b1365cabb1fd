"""A repository of PKGBUILDs, a folder that readers see, and the command between the two."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from caur_ci.git import GitRepository, Identity
from caur_ci.pipeline.shared.memory.holds import Hold
from caur_ci.pipeline.shared.refs import SharedRepository
from scheduler import embedded
from scheduler.files import remove_tree
from tests.support.git import Checkout
from tests.support.packages import SigningKey, pkgbuild, signing_key, srcinfo_of
from tests.support.pacman_client import PacmanClient
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from caur_ci.pipeline.shared.memory.branch import Memory

_CONFIG = "BUILD_REPO=source\nREPO_NAME=repo\nCI_HUMAN_REVIEW=false\n"
IDENTITY = Identity("Tester", "tester@example.org")


@dataclass
class RunWorld:
    """What `caur-ci run` has to do with. `gate` is a folder that builds may look into.

    `publish_to` is the address of a publishing target, by default the folder `target`; `program`
    are the options by which Python runs the command.
    """

    base: Path
    checkout: Checkout
    environment: dict[str, str] = field(default_factory=dict)
    publish_to: str = ""
    program: tuple[str, ...] = ("-m", "caur_ci")

    @property
    def target(self) -> Path:
        return self.base / "www"

    @property
    def work(self) -> Path:
        return self.base / "work"

    @property
    def gate(self) -> Path:
        return self.base / "gate"

    def push(self, message: str, **pkgbuilds: str | None) -> str:
        """Commit PKGBUILDs with their `.SRCINFO`s, and push; None removes a folder."""
        files: dict[str, str | bytes | None] = {".ci/config": self.config}
        for name, text in pkgbuilds.items():
            if text is None:
                shutil.rmtree(self.checkout.folder / name)
            else:
                files |= {f"{name}/PKGBUILD": text, f"{name}/.SRCINFO": srcinfo_of(text, name)}
        commit = self.checkout.commit(message, files)
        self.checkout.push()
        return commit

    config: str = _CONFIG

    def command(self, *arguments: str) -> list[str]:
        run = ["run", "--executor", "host", "--workers", "1", "--work-dir", str(self.work)]
        where = self.publish_to or str(self.target)
        to = ["--publish-to", where, "--repo", str(self.checkout.folder)]
        return [sys.executable, "-P", *self.program, *run, *to, *arguments]

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end; nothing that is a bug passes."""
        done = subprocess.run(
            self.command(*arguments),
            env={**os.environ, **self.environment, **variables},
            cwd=self.base,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode != 70, done.stderr
        return done

    def report(self, *arguments: str, code: int = 0, **variables: str) -> dict[str, Any]:
        """Run it, and return what it tells programs."""
        done = self.run("--json", *arguments, **variables)
        assert done.returncode == code, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    @property
    def shared(self) -> SharedRepository:
        git = GitRepository.open(self.checkout.folder)
        return SharedRepository.open(git, remote=None, credentials=None)

    def memory(self) -> Memory:
        """Return what is on branch `caur` of the remote."""
        shared = self.shared
        return shared.memory(shared.snapshot())

    def change_memory(self, change: Callable[[Memory], Memory]) -> None:
        self.shared.change_memory(change, identity=IDENTITY, push_options=())

    def hold(self, package: str) -> None:
        """Put a package on hold."""
        hold = Hold("somebody", since=0, reason="")
        self.change_memory(lambda it: it.with_holds(it.holds.with_hold(package, hold)))

    def outbox(self) -> set[str]:
        """Return the packages that are still asked for."""
        return {it.pkgbase for r in self.memory().outbox.requests for it in r.packages}

    def seen(self) -> dict[str, tuple[int, int]]:
        """Return all that readers may see, with what changes when it is written."""
        return {
            str(path): (path.stat().st_ino, path.stat().st_mtime_ns)
            for path in self.target.rglob("*")
            if path.is_file()
        }

    def client(self, key: SigningKey, *, server: str = "") -> PacmanClient:
        """Return a pacman that reads the target, or `server`, and trusts the key."""
        published = self.target / "repo" / "x86_64"
        folder = Path(tempfile.mkdtemp(dir=self.base))
        client = PacmanClient(folder, repository="repo", published=published, server=server)
        client.trust(key.public, key.fingerprint)
        client.refresh()
        return client


@pytest.fixture(scope="module")
def key() -> Iterator[SigningKey]:
    need_tools("makepkg", "bsdtar", "fakeroot", "setpriv", "gpg", "repo-add", "pacman", "zstd")
    with signing_key() as key:
        yield key


@pytest.fixture
def world(tmp_path: Path, key: SigningKey, quick_makepkg: None) -> Iterator[RunWorld]:
    need_tools("valkey-server|redis-server")
    # Builds run as another user, who has to get there.
    base = Path(tempfile.mkdtemp(prefix="caur-run-"))
    base.chmod(0o755)
    (base / "gate").mkdir()
    checkout = Checkout.create(tmp_path / "source")
    yield RunWorld(base, checkout, {"GPG_PATH": str(key.home), "BUILDER_READABLE": f"{base}/gate"})
    embedded.stop(base / "work/private/state")  # of a run that was killed, where the test failed
    remove_tree(base)


def waiting(world: RunWorld, name: str) -> str:
    """Return a PKGBUILD that is built as soon as the file `NAME` is in the gate."""
    gate = world.gate / name
    return pkgbuild(name, build=f"while ! [[ -e {gate} ]]; do sleep 0.1; done")
