"""`caur-ci reconcile` with databases as operators have them."""

from __future__ import annotations

import functools
import json
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from tests.support.git import Checkout, srcinfo
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scheduler.queue import Queue

# What repo-add writes, by the ending of the database's name.
COMPRESSION = {
    ".db.tar": (),
    ".db.tar.gz": ("gzip",),
    ".db.tar.bz2": ("bzip2",),
    ".db.tar.xz": ("xz",),
    ".db.tar.zst": ("zstd",),
    ".db.tar.lz4": ("lz4",),
}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def world(tmp_path: Path) -> Checkout:
    """Return a repository with package `a` in version 1-1."""
    checkout = Checkout.create(tmp_path / "world")
    checkout.commit(
        "x",
        {
            "a/PKGBUILD": "pkgname=a\n",
            "a/.SRCINFO": srcinfo("a"),
            ".ci/config": "REPO_NAME=r\nBUILD_REPO=r\n",
        },
    )
    return checkout


@pytest.fixture
def www(tmp_path: Path) -> Path:
    folder = tmp_path / "www" / "r" / "x86_64"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def site(www: Path) -> Iterator[str]:
    """Return the URL of a web server that has what is in `www`."""
    handler = functools.partial(_Quiet, directory=str(www))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def database(folder: Path, name: str, *, compression: tuple[str, ...] = ("gzip",)) -> Path:
    """Make a database that says that a 1-1 and gone 2-1 are published."""
    need_tools("bsdtar", *compression)
    tree = folder.parent / f"tree-{name}"
    for package, version in (("a", "1-1"), ("gone", "2-1")):
        entry = tree / f"{package}-{version}"
        entry.mkdir(parents=True)
        (entry / "desc").write_text(
            f"%FILENAME%\n{package}-{version}-any.pkg.tar.zst\n\n%NAME%\n{package}\n\n"
            f"%VERSION%\n{version}\n\n"
        )
        (entry / "files").write_text("%FILES%\nusr/\n\n")
    if ".files" not in name:
        for file in tree.glob("*/files"):
            file.unlink()
    data = subprocess.run(
        ["bsdtar", "-cf", "-", "-C", tree, "a-1-1", "gone-2-1"], capture_output=True, check=True
    ).stdout
    for program in compression:
        data = subprocess.run([program, "-c"], input=data, capture_output=True, check=True).stdout
    path = folder / name
    path.write_bytes(data)
    return path


class Reconcile:
    """Runs the command, and keeps what it said."""

    def __init__(self, world: Checkout, redis_url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self._command = ["reconcile", "--repo", str(world.folder), "--redis", redis_url]
        self._capsys = capsys
        self.err = ""

    def __call__(self, *options: str, expect: ExitCode = ExitCode.FAILED) -> str:
        code = run([*self._command, *options], Session())
        captured = self._capsys.readouterr()
        self.err = captured.err
        assert code == expect, captured.err
        return captured.out


@pytest.fixture
def reconcile(
    world: Checkout, queue: Queue, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> Reconcile:
    return Reconcile(world, redis_url, capsys)


GONE = "gone: extra: 2-1 is published, and no folder makes it\n"


@pytest.mark.parametrize("ending", [*COMPRESSION, ".files.tar.gz"])
@pytest.mark.parametrize("from_web", [True, False])
def test_in_every_form(
    reconcile: Reconcile, www: Path, site: str, ending: str, *, from_web: bool
) -> None:
    path = database(www, f"r{ending}", compression=COMPRESSION.get(ending, ("gzip",)))
    assert reconcile("--database", f"{site}/{path.name}" if from_web else str(path)) == GONE


def test_under_the_name_that_pacman_asks_for(reconcile: Reconcile, www: Path, site: str) -> None:
    (www / "r.db").symlink_to(database(www, "r.db.tar.xz", compression=("xz",)).name)
    for place in (f"{site}/r.db", f"{site}/", str(www), f"file://{www}/r.db", f"{www}/r.db"):
        assert reconcile("--database", place) == GONE


def test_where_the_settings_say(
    reconcile: Reconcile, www: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database(www, "r.db.tar.zst", compression=("zstd",))
    monkeypatch.setenv("REPO_PATH", str(tmp_path / "www"))
    assert reconcile() == GONE
    monkeypatch.delenv("REPO_PATH")
    settings = tmp_path / "settings.toml"
    settings.write_text(f'[database]\nrepo_path = "{tmp_path / "www"}"\n')
    assert reconcile("--config", str(settings)) == GONE


def test_what_is_missing_can_be_asked_for(reconcile: Reconcile, www: Path, world: Checkout) -> None:
    path = database(www, "r.db.tar.gz")
    world.commit("x", {"b/PKGBUILD": "pkgname=b\n", "b/.SRCINFO": srcinfo("b")})
    found = json.loads(reconcile("--database", str(path), "--json"))
    assert {one["package"]: one["standing"] for one in found} == {"b": "missing", "gone": "extra"}
    reconcile("--database", str(path), "--schedule")
    assert "asked for 1 builds" in reconcile.err
    assert reconcile("--database", str(path)) == GONE


@pytest.mark.parametrize("content", [b"<html>not found</html>", b"\x1f\x8b\x08cut"])
def test_what_is_no_database(reconcile: Reconcile, www: Path, site: str, content: bytes) -> None:
    (www / "r.db").write_bytes(content)
    reconcile("--database", f"{site}/r.db")
    assert f"error: {site}/r.db cannot be read as the database" in reconcile.err


def test_what_was_cut_to_nothing(reconcile: Reconcile, www: Path) -> None:
    (www / "r.db").touch()
    reconcile("--database", str(www))
    assert f"{www} is empty, and no database" in reconcile.err


def test_what_is_not_there(reconcile: Reconcile, www: Path, site: str) -> None:
    reconcile("--database", str(www / "r.db"))
    assert f"there is no database {www / 'r.db'}" in reconcile.err
    reconcile("--database", f"{site}/other.db")
    assert "answered with status 404" in reconcile.err
    reconcile("--database", "")
    assert "which database is published is not known here" in reconcile.err


def test_a_login_is_not_shown(reconcile: Reconcile, site: str) -> None:
    reconcile("--database", f"{site.replace('//', '//me:hunter2@')}/other.db")
    assert "answered with status 404" in reconcile.err
    assert "hunter2" not in reconcile.err
