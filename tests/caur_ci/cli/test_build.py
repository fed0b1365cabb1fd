"""`caur-ci build`, as somebody calls it who maintains packages."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from caur_ci.process import run as run_tool
from scheduler.files import remove_tree
from scheduler.worker import service
from tests.support.packages import make_package, pkgbuild, srcinfo_of
from tests.support.queue import eventually
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.git import Checkout

HEAD = """\
touch {trace} 2>/dev/null || :
echo "this home is $HOME"
"""
TOOL = pkgbuild("tool", build="echo built from $(cat ../note)")


def folder(text: str, name: str = "tool", **files: str) -> dict[str, str | bytes | None]:
    """Return the files of a package folder, as paths from the top."""
    inner = {"PKGBUILD": text, ".SRCINFO": srcinfo_of(text, name), **files}
    return {f"{name}/{path}": content for path, content in inner.items()}


class Build:
    """Runs `caur-ci build` on this machine, and keeps what it said."""

    def __init__(self, checkout: Checkout, capfd: pytest.CaptureFixture[str]) -> None:
        self.checkout = checkout
        self.output = checkout.folder.parent / "made"
        self._capfd = capfd
        self.out = self.err = ""

    def commit(self, *folders: Mapping[str, str | bytes | None]) -> str:
        files = {path: text for each in folders for path, text in each.items()}
        return self.checkout.commit("packages", files)

    def __call__(self, *arguments: str, expect: int = ExitCode.OK) -> str:
        where = ["--executor", "host"]
        if "--output" not in arguments:
            where += ["--output", str(self.output)]
        if "--repo" not in arguments:
            where += ["--repo", str(self.checkout.folder)]
        code = run(["build", *arguments, *where], Session())
        said = self._capfd.readouterr()
        self.out, self.err = said.out, said.err
        assert code == expect, said
        return self.out

    def json(self, *arguments: str, expect: int = ExitCode.OK) -> Any:  # noqa: ANN401
        return json.loads(self(*arguments, "--json", expect=expect))

    def made(self) -> set[str]:
        return {path.name for path in self.output.iterdir() if ".pkg.tar" in path.name}


@pytest.fixture
def shared_state() -> Iterator[Path]:
    """Return a state folder that every user can get to, as builds by root have to."""
    folder = Path(tempfile.mkdtemp(prefix="caur-state-"))
    folder.chmod(0o711)
    yield folder
    remove_tree(folder)


@pytest.fixture
def build(
    checkout: Checkout,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    shared_state: Path,
    quick_makepkg: None,
) -> Build:
    need_tools("makepkg", "bsdtar", "fakeroot", "setpriv")
    monkeypatch.setenv("CAUR_STATE_DIR", str(shared_state))
    # It is for good, and of this process.
    monkeypatch.setattr(service, "hide_this_process", lambda: None)
    return Build(checkout, capfd)


def builds_left(state: Path) -> list[str]:
    return [path.name for path in (state / "shared" / "builds").iterdir()]


def test_the_working_tree_and_a_commit(build: Build, shared_state: Path) -> None:
    trace = shared_state / "trace"
    text = pkgbuild("tool", head=HEAD.format(trace=trace), build="cd ..; ls; cat note")
    more = {".gitignore": "ignored", ".CI/config": "CI_PACKAGE_BUMP=2", "note": "committed"}
    commit = build.commit(folder(text, **more), {"other/PKGBUILD": "exit 1"})
    place = build.checkout.folder / "tool"
    for name in ("ignored", "added", "src/left", "pkg/left", "tool-1-1-any.pkg.tar.zst"):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text("not committed")
    (place / "note").unlink()
    (place / "note").symlink_to("added")

    build("tool")

    shown = build.out.split("Starting build()...\n")[1].split("==>")[0].split("\n")
    assert shown == ["PKGBUILD", "added", "note", "pkg", "src", "not committed"]
    assert "this home is /home/builder" in build.out
    assert not trace.exists()
    assert "what is built is not committed: tool as on disk" in build.err
    assert build.made() == {"tool-1-1.2-any.pkg.tar.zst"}
    assert f"built {build.output}/tool-1-1.2-any.pkg.tar.zst" in build.err
    log = (build.output / "tool.log").read_text()
    assert "building tool for target/x86_64 from checkout at the working tree, here" in log
    assert log in build.out
    assert (build.output / ".gitignore").read_text() == "*\n"

    build(f"./tool/@{commit[:12]}")

    assert "\nPKGBUILD\nnote\npkg\nsrc\ncommitted" in build.out
    assert "not committed" not in build.err
    assert builds_left(shared_state) == []
    assert (place / "note").is_symlink()


def test_an_address_of_a_repository(build: Build) -> None:
    old = build.commit(folder(TOOL, note="old"))
    build.commit({"tool/note": "new"})
    build.checkout.push("HEAD:refs/heads/side")
    address = build.checkout.remote.as_uri()

    assert "built from new\n" in build("tool@side", "--repo", address)
    assert f"the package is from {address}, built by the executor host" in build.out
    assert "built from old\n" in build(f"tool@{old}", "--repo", address)
    build("tool@elsewhere", "--repo", address, expect=ExitCode.FAILED)
    assert "no branch or tag 'elsewhere'" in build.err
    build("tool", "--repo", "https://127.0.0.1:1/x.git", expect=ExitCode.TEMPORARY)
    assert "cannot be fetched" in build.err


def test_a_failure_is_explained(build: Build) -> None:
    need_tools("gcc")
    broken = 'echo "int main(void) { return undeclared; }" >x.c; gcc -c x.c'
    build.commit(folder(pkgbuild("tool", build=broken)))

    build("tool", expect=ExitCode.FAILED)

    assert "target/x86_64/tool failed (compile)" in build.err
    assert "The first error, in build(), by compiler:" in build.err
    assert "x.c:1:25: error: " in build.err
    assert "interfere.patch" in build.err
    assert "caur-ci build" not in build.err
    assert build.made() == set()


def test_dependencies_of_the_repository(build: Build) -> None:
    app = pkgbuild("app", head="depends=(lib)", build="exit 123")
    needs_lib = srcinfo_of(app, "app").replace("\npkgname", "\n\tdepends = lib\n\npkgname", 1)
    build.commit(
        folder(pkgbuild("lib", build="echo this is lib"), "lib"),
        {**folder(app, "app"), "app/.SRCINFO": needs_lib},
    )

    build("app", "--output", "/dev/null/x", expect=ExitCode.FAILED)
    assert "app needs lib of this repository, as published; --with-dependencies" in build.err

    data = build.json("app", "--with-dependencies", expect=ExitCode.PARTIAL)
    assert [done["package"] for done in data["builds"]] == ["lib", "app"]
    assert [done["outcome"] for done in data["builds"]] == ["SUCCESS", "SKIPPED"]
    assert data["builds"][0]["packages"] == [str(build.output / "lib-1-1-any.pkg.tar.zst")]
    assert "nothing is installed for builds on this machine" in build.err
    assert "app: the package asked to be skipped" in build.err

    commit = build.commit(folder(pkgbuild("lib", build="echo no lib; false"), "lib"))
    data = build.json("app@HEAD", "--with-dependencies", expect=ExitCode.FAILED)
    assert "app needs lib, and is not built" in build.err
    (done,) = data["builds"]
    assert (data["commit"], done["outcome"], done["failure"]) == (commit, "FAILED", "compile")
    offset = done["explanation"]["error"]["line"]["offset"]
    assert (build.output / "lib.log").read_bytes()[offset:].startswith(b"no lib\n")


def test_what_is_published_already(
    build: Build, monkeypatch: pytest.MonkeyPatch, shared_state: Path
) -> None:
    need_tools("repo-add")
    build.commit(folder(pkgbuild("tool")))
    place = shared_state / "repos/mine"
    place.mkdir(parents=True)
    package = make_package(place, "tool")
    database = place / "mine.db.tar.gz"
    run_tool(["repo-add", "--quiet", database, package])
    extra = {"name": "mine", "servers": [f"{(shared_state / 'repos').as_uri()}/$repo"]}
    monkeypatch.setenv("PACKAGE_TARGET_REPOS", json.dumps({"mine": {"extra_repos": [extra]}}))

    build("tool", "--target-repo", "mine", expect=ExitCode.PARTIAL)
    assert "the repository has it already" in build.err
    assert build.made() == set()
    build("tool", "--target-repo", "mine", "--again")
    assert build.made() == {package.name}


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["nothing"], "there is no package nothing", ExitCode.FAILED),
        (["tool@"], "'tool@' names no commit", ExitCode.FAILED),
        (["tool@nope"], "nope is no commit", ExitCode.FAILED),
        (["tool@--all"], "is no commit", ExitCode.FAILED),
        (["tool", "--arch", "../x"], "cannot be the name of an architecture", ExitCode.FAILED),
        (["tool", "--target-repo", "-x/"], "cannot be the name of a repository", ExitCode.FAILED),
        (["tool", "--timeout", "0"], "BUILDER_TIMEOUT", ExitCode.FAILED),
        (["tool", "--output", "/dev/null/x"], "/dev/null/x: Not a directory", ExitCode.FAILED),
        ([], "Missing argument", ExitCode.USAGE),
    ],
)
def test_wrong_calls(build: Build, arguments: list[str], words: str, code: ExitCode) -> None:
    build.commit(folder(pkgbuild("tool")))
    build(*arguments, expect=code)
    assert words in build.err
    assert build.out == ""


def test_no_repository(build: Build, tmp_path: Path) -> None:
    build("tool", "--repo", str(tmp_path), expect=ExitCode.FAILED)
    assert "is not in a git repository" in build.err


def test_ctrl_c_leaves_nothing_behind(build: Build, shared_state: Path, tmp_path: Path) -> None:
    build.commit(folder(pkgbuild("tool", build="echo it runs; sleep 1000.25")))
    command = [sys.executable, "-P", "-m", "caur_ci", "build", "tool", "--executor", "host"]
    command += ["--repo", str(build.checkout.folder), "--output", str(build.output)]
    log = build.output / "tool.log"
    with subprocess.Popen(
        command,
        env=os.environ,
        cwd=Path(__file__).parents[3],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            eventually(lambda: log.exists() and b"it runs" in log.read_bytes())
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == ExitCode.INTERRUPTED, said
    assert b"interrupted" in said
    assert b"Traceback" not in said
    assert builds_left(shared_state) == []
    assert build.made() == set()
    assert not any(b"1000.25" in path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline"))
