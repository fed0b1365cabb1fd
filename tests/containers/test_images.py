"""The images, made and used: as a system of services, and by the manager of the existing system."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from scheduler.connection import connect
from scheduler.job import JobState, Outcome
from scheduler.queue import Queue
from scheduler.worker.executors.container.launcher import RIGHTS
from tests.containers.images import Images, made_images
from tests.support.containers import need_containers
from tests.support.git import Checkout
from tests.support.packages import SigningKey, pkgbuild, signing_key, srcinfo_of
from tests.support.queue import eventually, job
from tests.support.redis_server import free_port, redis_server
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# The user of the manager's image.
_MANAGER = 1000
_RIGHTS = ("--cap-drop=all", *(f"--cap-add={right}" for right in RIGHTS))
_SERVICES = ("database", "web", "worker")


def test_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # One test of everything, so that the images are made once.
    need_tools("gpg", "bsdtar")
    containers = need_containers(monkeypatch)
    if os.geteuid() != 0:
        pytest.skip("only root can give folders to the users of images")
    tmp_path.chmod(0o755)
    checkout = Checkout.create(tmp_path / "source")
    with made_images(containers, tmp_path / "wheels") as images, signing_key() as key:
        _check_services(images, tmp_path, checkout, key)
        _check_existing_manager(images, tmp_path / "existing", checkout, key)


def _check_services(images: Images, place: Path, checkout: Checkout, key: SigningKey) -> None:
    with redis_server(place / "redis") as server:
        environment = {
            "REDIS_URL": f"redis://127.0.0.1:{server.port}",
            "PACKAGE_REPOS": json.dumps({"source": {"url": checkout.remote.as_uri()}}),
            "PACKAGE_TARGET_REPOS": json.dumps({"repo": {}}),
        }
        _start_services(images, place, checkout, key, environment)
        queue = Queue(connect(environment["REDIS_URL"]))
        commit = _add(checkout, "tool", build='id -un; ! test -r "/var/lib/caur-ci/worker-key"')
        (job_id,) = queue.submit(secrets.token_hex(8), [job("tool", commit=commit)]).jobs
        _await_success(queue, images, job_id)
        assert (place / "http" / "repo" / "x86_64" / "tool-1-1-any.pkg.tar.zst.sig").is_file()
        for service in _SERVICES:
            assert images.is_healthy(service), images.said(service)
        # A check that nothing could fail would be none.
        assert images.within("web", "env", "WEB_PORT=1", _HEALTHY).returncode != 0
        assert images.within("database", "id", "-u").stdout == f"{_MANAGER}\n"
        # In order: who builds goes before who publishes.
        for service in reversed(_SERVICES):
            assert images.end(service) == 0, images.said(service)
        assert queue.snapshot().workers == ()


_HEALTHY = "/usr/local/lib/caur-ci/healthy"


def _start_services(
    images: Images, place: Path, checkout: Checkout, key: SigningKey, shared: Mapping[str, str]
) -> None:
    for name in ("state", "http", "landing", "gnupg"):
        (place / name).mkdir(mode=0o700 if name == "gnupg" else 0o755)
    _copy_key(key, place / "gnupg")
    worker = [
        *_RIGHTS,
        f"--volume={place / 'worker'}:/var/lib/caur-ci",
        f"--volume={place / 'landing'}:/landing",
        f"--volume={checkout.remote}:{checkout.remote}:ro",
    ]
    (place / "worker").mkdir()
    named = {"BUILDER_HOSTNAME": "builder-1"}
    line = images.run("worker", ["worker", "--print-key"], *worker, environment=named).stdout
    assert line.startswith("builder-1 "), line
    (place / "state" / "allowed_workers").write_text(line)
    # The repository is a folder that belongs to somebody else, which git minds.
    (place / "state" / ".gitconfig").write_text("[safe]\n\tdirectory = *\n")
    for folder in ("state", "http", "landing", "gnupg"):
        _give(place / folder)
    manager = [
        *("--read-only", "--cap-drop=all"),
        f"--volume={place / 'state'}:/var/lib/caur-ci",
        f"--volume={place / 'http'}:/srv/http",
        f"--volume={place / 'landing'}:/landing",
        f"--volume={place / 'gnupg'}:/gnupg",
        f"--volume={checkout.remote}:{checkout.remote}:ro",
    ]
    ports = {"METRICS_PORT": str(free_port()), "WEB_PORT": str(free_port())}
    own = {**shared, **ports, "ALLOWED_WORKERS": "/var/lib/caur-ci/allowed_workers"}
    images.start("database", "manager", *manager, environment=own)
    images.start("web", "manager", *manager, environment=own)
    images.start("worker", "worker", *worker, environment={**shared, **named})


def _await_success(queue: Queue, images: Images, job_id: int) -> None:
    def is_over() -> bool:
        view = queue.job(job_id)
        gone = [service for service in _SERVICES if not images.is_running(service)]
        assert not gone, images.said(gone[0])
        return view is None or view.state is JobState.DONE

    eventually(is_over, within=120)
    view = queue.job(job_id)
    assert view is not None
    said = [images.said(service) for service in _SERVICES]
    assert view.outcome is Outcome.SUCCESS, (view.reason, said)


def _check_existing_manager(
    images: Images, place: Path, checkout: Checkout, key: SigningKey
) -> None:
    existing = _ExistingManager(images, place, checkout, key)
    config = "CI_PACKAGE_BUMP=1-1/2\n"
    prepare = 'echo "prepared by $(id -u)"; export FROM_PREPARE=prepared\n'
    build = 'echo "$FROM_PREPARE, built by $(id -un)"'
    _add(checkout, "other", build=build, head="replaces=(linux)", config=config, prepare=prepare)
    built = existing.build("other")
    assert built.returncode == 0, built.stderr
    assert {"prepared by 0", "prepared, built by builder"} <= set(built.stdout.splitlines())
    file = "other-1-1.2-any.pkg.tar.zst"
    info = subprocess.run(
        ["bsdtar", "-xOf", existing.output / file, ".PKGINFO"], capture_output=True, check=True
    ).stdout.decode()
    assert "pkgver = 1-1.2\n" in info
    assert "replaces" not in info
    assert existing.build("other").returncode == 13
    _add(checkout, "skips", prepare="exit $CI_CODE_SKIP\n")
    assert existing.build("skips").returncode == 77
    _add(checkout, "slow", build="sleep 100", config="BUILDER_EXTRA_TIMEOUT=2\n")
    assert existing.build("slow", BUILDER_TIMEOUT="1").returncode == 124
    assert existing.build("../other").returncode == 1
    _add(checkout, "gone")
    assert existing.build("gone").returncode == 0
    existing.check_publishing("other", file, "gone-1-1-any.pkg.tar.zst")


class _ExistingManager:
    """What the existing system's manager does with the image in BUILDER_IMAGE."""

    def __init__(self, images: Images, place: Path, checkout: Checkout, key: SigningKey) -> None:
        self._images = images
        self._place = place
        self._remote = checkout.remote
        self._key = key
        self.output = place / "pkgout"
        for name in ("pkgout", "kept", "sources", "landing", "root", "gnupg"):
            (place / name).mkdir(parents=True, mode=0o700 if name == "gnupg" else 0o755)
        _copy_key(key, place / "gnupg")

    def build(self, package: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self._images.run(
            "worker",
            ["build", package],
            f"--volume={self.output}:/home/builder/pkgout",
            f"--volume={self._place / 'kept'}:/home/builder/srcdest_cached",
            f"--volume={self._place / 'sources'}:/pkgbuilds",
            f"--volume={self._remote}:{self._remote}:ro",
            environment={
                "CI_CODE_SKIP": "77",
                "PACKAGE_REPO_ID": "source",
                "PACKAGE_REPO_URL": self._remote.as_uri(),
                **environment,
            },
        )

    def check_publishing(self, name: str, file: str, other: str) -> None:
        """Publish two files, and remove all that is not of the pkgbase `name` again."""
        for built in (file, other):
            shutil.move(self.output / built, self._place / "landing" / built)
        words = ("repo-add", "x86_64", "/landing_zone", "/repo_root", "repo", file, other)
        added = self._database(*words)
        assert added.returncode == 0, added.stderr
        home = self._place / "root" / "repo"
        published = home / "x86_64" / file
        gpg = ["gpg", "--homedir", str(self._key.home), "--batch", "--verify"]
        subprocess.run([*gpg, f"{published}.sig", published], check=True, capture_output=True)
        assert (home / "pkgs.txt").read_text() == f"gone-1-1/\n{name}-1-1.2/\n"
        removing = ("auto-repo-remove", "x86_64", "/repo_root", "repo")
        # A list of nothing that is there is a mistake.
        assert self._database(*removing, "others").returncode == 1
        assert self._database(*removing, name, "others").returncode == 0
        assert (home / "pkgs.txt").read_text() == f"{name}-1-1.2/\n"
        assert (home / "pkgs.files.txt").read_text() == f"{file}\n{file}.sig\n"

    def _database(self, *command: str) -> subprocess.CompletedProcess[str]:
        return self._images.run(
            "worker",
            command,
            f"--volume={self._place / 'landing'}:/landing_zone",
            f"--volume={self._place / 'root'}:/repo_root",
            f"--volume={self._place / 'gnupg'}:/root/.gnupg",
        )


def _add(
    checkout: Checkout,
    name: str,
    *,
    build: str = ":",
    head: str = "",
    config: str = "",
    prepare: str = "",
) -> str:
    """Commit and push a package; return the commit."""
    text = pkgbuild(name, build=build, head=head)
    files: dict[str, str | bytes | None] = {
        f"{name}/PKGBUILD": text,
        f"{name}/.SRCINFO": srcinfo_of(text, name),
        f"{name}/.CI/config": config or None,
        f"{name}/.CI/prepare": prepare or None,
    }
    commit = checkout.commit("packages", {path: text for path, text in files.items() if text})
    checkout.push()
    return commit


def _copy_key(key: SigningKey, folder: Path) -> None:
    # Without the sockets of the agent.
    for name in ("pubring.kbx", "trustdb.gpg", "private-keys-v1.d"):
        source = key.home / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        elif source.exists():
            shutil.copy(source, folder / name)


def _give(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, _MANAGER, _MANAGER)
