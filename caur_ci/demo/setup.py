"""What the demonstration makes for itself: folders, Git repositories, a signing key."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.locks import try_lock
from caur_ci.process import run
from caur_ci.srcinfo import parse_fields
from caur_ci.standalone import signing
from caur_ci.standalone.system import allow_workers
from scheduler.files import remove_tree
from scheduler.settings import ExecutorKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from caur_ci.demo.packages import Fixtures
    from caur_ci.standalone.interrupts import Interrupts

REPOSITORY = "caur-demo"
ARCHITECTURE = "x86_64"

# Lies in an output folder, so that the next run knows that it may empty it.
_MARK = ".caur-ci-demo"
_PERSON = "caur-ci demo"
_EMAIL = "demo@localhost.invalid"
# All that the processes of the demonstration see of the environment it was started in.
_INHERITED = ("PATH", "PYTHONPATH", "TERM", "TMPDIR", "TZ", "XDG_RUNTIME_DIR")
# What else engines of containers, and workers that use them, are set up by.
_OF_CONTAINERS = (
    *("CONTAINERS_CONF", "CONTAINER_HOST", "DOCKER_HOST", "CONTAINER_ENGINE"),
    *("BUILDER_IMAGE", "BUILDER_NETWORK_MODE", "BUILDER_USERNS"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoFolders:
    """Where everything is: `work` goes away in the end, `output` stays."""

    work: Path
    output: Path

    @property
    def checkout(self) -> Path:
        """The clone in which somebody works, and in which the pipeline runs."""
        return self.work / "checkout"

    @property
    def remote(self) -> Path:
        """The bare repository that is pushed to."""
        return self.work / "remote.git"

    @property
    def upstream(self) -> Path:
        """The repository that the -git package follows."""
        return self.work / "upstream.git"

    @property
    def state(self) -> Path:
        """The state folder, with the embedded Redis."""
        return self.work / "state"

    @property
    def gnupg(self) -> Path:
        """The home of the key that packages are signed with."""
        return self.work / "gnupg"

    @property
    def allowed_workers(self) -> Path:
        """The file that says whose deliveries are published."""
        return self.work / "allowed_workers"

    @property
    def client(self) -> Path:
        """Root, database and keyring of pacman."""
        return self.work / "client"

    @property
    def machine(self) -> Path:
        """Root, database and keyring of pacman on the machine that builds on the host run on."""
        return self.work / "machine"

    @property
    def machine_root(self) -> Path:
        """What is installed there: builds on the host find libraries in it."""
        return self.machine / "root"

    def worker_key(self, name: str) -> Path:
        """Return the key that the worker `name` signs with."""
        return self.work / "worker-keys" / name

    @property
    def logs(self) -> Path:
        """The log of every build and of every process."""
        return self.output / "logs"

    @property
    def repositories(self) -> Path:
        """The folder of pacman repositories."""
        return self.output / "repository"

    @property
    def published(self) -> Path:
        """The folder of the one pacman repository."""
        return self.repositories / REPOSITORY / ARCHITECTURE

    @property
    def public_key(self) -> Path:
        """The key that packages are to be checked with."""
        return self.output / f"{REPOSITORY}.asc"

    @property
    def pacman_conf(self) -> Path:
        """The lines for pacman.conf that make the repository known."""
        return self.output / "pacman.conf"


@contextmanager
def places(output: Path, interrupts: Interrupts, *, keep: bool) -> Iterator[DemoFolders]:
    """Make the folders; `keep` leaves the work folder when all is over.

    Raises InputError when `output` holds something that is not ours to remove, or is in use.
    """
    with _emptied(output.absolute()) as ours:
        work = Path(tempfile.mkdtemp(prefix="caur-ci-demo-"))
        try:
            # Builds run as another user when this is root, and have to get to their folders.
            work.chmod(0o711)
            made = DemoFolders(work=work, output=ours)
            _fill(made)
            yield made
        finally:
            if not keep:
                with interrupts.held():
                    remove_tree(work)


def _fill(made: DemoFolders) -> None:
    for folder in (made.logs, made.repositories, made.work / "home"):
        folder.mkdir(parents=True)
    made.gnupg.mkdir(mode=0o700)
    _git_config(made).write_text(
        f"[user]\n\tname = {_PERSON}\n\temail = {_EMAIL}\n[commit]\n\tgpgsign = false\n"
        "[init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n",
        encoding="utf-8",
    )


@contextmanager
def _emptied(output: Path) -> Iterator[Path]:
    """Make the output folder ours alone, and empty."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        found = list(output.iterdir())
        mark = output / _MARK
        if found and not mark.exists():
            raise InputError(
                f"the folder {output} is not empty, and not from an earlier demonstration",
                hint="Name another folder with --output.",
            )
        lock = try_lock(mark)
    except OSError as error:
        raise InputError(
            f"{output} cannot be used as the output folder: {error.strerror}",
            hint="Name another folder with --output.",
        ) from error
    if lock is None:
        raise InputError(
            f"another demonstration is writing to {output}",
            hint="Wait for its end, or name another folder with --output.",
        )
    try:
        for path in found:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path != mark:
                path.unlink()
        yield output
    finally:
        os.close(lock)


def _git_config(made: DemoFolders) -> Path:
    return made.work / "home" / ".gitconfig"


def git_environment(made: DemoFolders) -> dict[str, str]:
    """Return what makes git look at the demonstration's configuration only."""
    return {"GIT_CONFIG_GLOBAL": str(_git_config(made)), "GIT_CONFIG_NOSYSTEM": "1"}


def environment(made: DemoFolders, executor: ExecutorKind) -> dict[str, str]:
    """Return the whole environment of the demonstration's processes."""
    names = (*_INHERITED, *(_OF_CONTAINERS if executor is ExecutorKind.CONTAINER else ()))
    inherited = {name: os.environ[name] for name in names if name in os.environ}
    return {
        **inherited,
        **git_environment(made),
        "HOME": str(made.work / "home"),
        # Where engines without root keep the images of whoever runs this.
        "XDG_DATA_HOME": os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share"),
        "LC_ALL": "C.UTF-8",
        "CAUR_STATE_DIR": str(made.state),
        "SHARED_PATH": str(made.work / "shared"),
        "LANDING_ZONE_PATH": str(made.work / "landing"),
        "REPO_PATH": str(made.repositories),
        "GPG_PATH": str(made.gnupg),
        "ALLOWED_WORKERS": str(made.allowed_workers),
        "BUILDER_EXECUTOR": executor.value,
        "BUILDER_READABLE": f"{made.upstream}:{made.machine_root}",
        "PACKAGE_REPOS": json.dumps({REPOSITORY: {"url": made.remote.as_uri()}}),
        "PACKAGE_TARGET_REPOS": json.dumps({REPOSITORY: _target(made)}),
        "PACKAGER": f"{_PERSON} <{_EMAIL}>",
    }


def rebuild_settings(made: DemoFolders) -> str:
    """Return lines for `.ci/config`: what has lost a library is rebuilt."""
    return f"CI_REPO_DB={made.published.as_uri()}/{REPOSITORY}.db\nCI_REBUILD_AUTO=true\n"


def _target(made: DemoFolders) -> dict[str, object]:
    """Return what builds need to know to install dependencies that were published before."""
    server = f"{made.repositories.as_uri()}/$repo/$arch"
    return {
        "extra_repos": [{"name": REPOSITORY, "servers": [server]}],
        "keys": [str(made.public_key)],
    }


def make_key(made: DemoFolders) -> str:
    """Make the signing key, write its public half, and return its fingerprint."""
    fingerprint = signing.make_key(made.gnupg, f"{_PERSON} <{_EMAIL}>")
    gpg = ["gpg", "--homedir", str(made.gnupg), "--batch", "--quiet"]
    run([*gpg, "--armor", "--output", made.public_key, "--export", fingerprint])
    return fingerprint


def make_worker_keys(made: DemoFolders, names: Iterable[str]) -> None:
    """Make a key for each worker, and allow their deliveries."""
    allow_workers(made.allowed_workers, {name: made.worker_key(name) for name in names})


class DemoRepository:
    """The package repository: a clone to work in, and the bare repository behind it."""

    def __init__(
        self, made: DemoFolders, fixtures: Fixtures, *, library_root: Path | None = None
    ) -> None:
        """`library_root` is below which folder builds find the library, where that is not /."""
        self.fixtures = fixtures
        self._made = made
        self._library_root = str(library_root or "")

    def create(self, settings: str = "") -> None:
        """Make both, with the configuration as the first commit, which is scheduled.

        `settings` are further lines for `.ci/config`.
        """
        made = self._made
        self._make_upstream()
        self._git(made.work, "init", "--quiet", "--bare", "--initial-branch=main", str(made.remote))
        self._git(made.work, "clone", "--quiet", made.remote.as_uri(), str(made.checkout))
        config = made.checkout / ".ci" / "config"
        config.parent.mkdir()
        config.write_text(
            f"BUILD_REPO={REPOSITORY}\nREPO_NAME={REPOSITORY}\n"
            f"GIT_AUTHOR_NAME={_PERSON}\nGIT_AUTHOR_EMAIL={_EMAIL}\n{settings}",
            encoding="utf-8",
        )
        # What the pipeline hands from job to job.
        (made.checkout / ".gitignore").write_text(
            ".ci/schedule*\n.ci/deptree.txt\n.state/\n", encoding="utf-8"
        )
        self.push("ci: configure the repository")
        self._git(made.checkout, "tag", "scheduled")
        self._git(made.checkout, "push", "--quiet", "origin", "scheduled")

    def change(self, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Add fixtures to the working tree, and remove packages from it."""
        self.fixtures.place(
            add,
            self._made.checkout,
            upstream_url=self._made.upstream.as_uri(),
            library_root=self._library_root,
        )
        for name in remove:
            shutil.rmtree(self._made.checkout / name)

    def push(self, message: str) -> str:
        """Commit everything, push it, and return the commit."""
        checkout = self._made.checkout
        self._git(checkout, "add", "--all")
        self._git(checkout, "commit", "--quiet", f"--message={message}")
        self._git(checkout, "push", "--quiet", "origin", "HEAD:main")
        return self._git(checkout, "rev-parse", "HEAD")

    def move_library(self) -> str:
        """Let the library in the working tree have its next soname; return its version."""
        package = self.fixtures.place_moved_library(self._made.checkout)
        return parse_fields((package / ".SRCINFO").read_bytes()).version

    def head(self) -> str:
        """Return the last commit of the bare repository's branch."""
        return self.remote_refs().get("refs/heads/main", "")

    def remote_refs(self) -> Mapping[str, str]:
        """Return what every ref of the bare repository points at."""
        lines = self._git(self._made.remote, "for-each-ref", "--format=%(refname) %(objectname)")
        return dict(line.split(" ", 1) for line in lines.splitlines())

    def outbox(self) -> list[str]:
        """Return the names of the requests that the queue has not acknowledged."""
        listing = ["ls-tree", "-r", "--name-only", "refs/heads/caur", "--", "outbox"]
        return self._git(self._made.remote, *listing).splitlines()

    def _make_upstream(self) -> None:
        draft = self._made.work / "upstream"
        shutil.copytree(self.fixtures.upstream, draft)
        self._git(draft, "init", "--quiet")
        self._git(draft, "add", "--all")
        self._git(draft, "commit", "--quiet", "--message=feat: tell whether columns are straight")
        self._git(draft, "tag", "--annotate", "--message=v0.3", "v0.3")
        (draft / "NEWS").write_text("Nothing new since 0.3.\n", encoding="utf-8")
        self._git(draft, "add", "--all")
        self._git(draft, "commit", "--quiet", "--message=docs: add NEWS")
        self._git(draft, "clone", "--quiet", "--bare", ".", str(self._made.upstream))
        # Builds read it as another user, whatever the umask is here.
        run(["chmod", "--recursive", "a+rX", self._made.upstream])

    def _git(self, folder: Path, *arguments: str) -> str:
        done = run(["git", *arguments], cwd=folder, environment=git_environment(self._made))
        return done.stdout.decode().strip()
