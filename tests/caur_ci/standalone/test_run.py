"""`caur-ci run` with everything real in it: git, makepkg, the embedded Redis, gpg and pacman."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from caur_ci.environment import Secrets
from caur_ci.errors import ConfigError, ExitCode
from caur_ci.pipeline.shared.memory.standalone_run import OnItsWay, StandaloneRun
from caur_ci.process import run
from caur_ci.request import BuildRequest, PackageRequest
from caur_ci.standalone.signing import signing_home
from scheduler.database.signing import Signer
from tests.caur_ci.standalone.conftest import waiting
from tests.support.packages import pkgbuild, srcinfo_of
from tests.support.queue import eventually
from tests.support.upstream import upstream

if TYPE_CHECKING:
    from tests.caur_ci.standalone.conftest import RunWorld
    from tests.support.packages import SigningKey

PASSPHRASE = "correct horse"


def with_passphrase(key: SigningKey) -> str:
    """Return the secret key as text, with a passphrase."""
    gpg = ["gpg", "--homedir", str(key.home), "--batch", "--pinentry-mode", "loopback"]
    export = [*gpg, "--passphrase", "", "--armor", "--export-secret-keys", key.fingerprint]
    text = run(export).stdout
    home = Path(str(key.home) + "-p")
    home.mkdir(mode=0o700)
    other = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--pinentry-mode", "loopback"]
    try:
        run([*other, "--import"], stdin=text)
        change = [*other, "--command-fd", "0", "--change-passphrase", key.fingerprint]
        run(change, stdin=f"\n{PASSPHRASE}\n".encode())
        export = [*other, "--passphrase", PASSPHRASE, "--armor", "--export-secret-keys"]
        return run(export).stdout.decode()
    finally:
        run(["gpgconf", "--homedir", home, "--kill", "all"], allowed=(0, 1, 2))
        shutil.rmtree(home)


def test_from_a_commit_to_an_installed_package_and_on(
    world: RunWorld, key: SigningKey, tmp_path: Path
) -> None:
    # The first run: as a job of a pipeline, with the key in a secret variable.
    world.push(
        "feat: packages",
        lib=pkgbuild("lib"),
        tool=pkgbuild("tool"),
        bad=pkgbuild("bad", build="echo this is BROKEN; false"),
    )
    page = tmp_path / "page"
    secrets = {
        "GPG_PATH": "",
        "GPG_PASSPHRASE": PASSPHRASE,
        "GPG_PRIVATE_KEY": str(tmp_path / "key"),  # as GitLab hands over a file
    }
    (tmp_path / "key").write_text(with_passphrase(key))
    forge = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(page)}

    done = world.run(**secrets, **forge)

    assert done.returncode == ExitCode.PARTIAL, done.stderr
    assert "::group::The end of the log of bad" in done.stdout
    assert "this is BROKEN" in done.stdout
    assert "bad: failed: it stood at build()" in done.stderr
    assert r"| bad | failed" in page.read_text()
    logs = "".join(path.read_text() for path in (world.work / "logs").iterdir())
    assert PASSPHRASE not in done.stdout + done.stderr + logs
    assert {"bad.log", "lib.log", "tool.log"} <= {p.name for p in (world.work / "logs").iterdir()}
    client = world.client(key)
    client.install("tool")
    assert client.available() == {"lib": "1-1", "tool": "1-1"}
    assert client.installed() == {"tool": "1-1"}
    assert world.outbox() == set()
    assert world.memory().run is None
    assert world.memory().failed.packages == ["bad"]

    # Nothing has changed: what failed is not tried again, and nothing is touched.
    before = world.seen()
    report = world.report()
    assert (report["packages"], report["published"]) == ([], "")
    assert world.seen() == before

    # A removal, and what failed is put right; the machine is another one.
    shutil.rmtree(world.work)
    world.push("fix: bad", bad=pkgbuild("bad"), lib=None)
    report = world.report()
    assert [(it["package"], it["outcome"]) for it in report["packages"]] == [("bad", "SUCCESS")]
    assert report["removed"] == ["lib"]
    client = world.client(key)
    assert client.available() == {"bad": "1-1", "tool": "1-1"}
    client.install("bad")
    # The file that was there before was neither fetched nor written again.
    tool = str(world.target / "repo/x86_64/tool-1-1-any.pkg.tar.zst")
    assert world.seen()[tool] == before[tool]
    assert not list((world.work / "repository").rglob("tool-*.pkg.tar.zst"))
    assert not world.memory().failed.packages

    # A run was killed between its upload and its last push: what it published is not built again.
    (built,) = report["packages"]
    leave_as_killed(world, built)
    shutil.rmtree(world.work)
    assert world.outbox() == {"bad"}
    assert world.report()["packages"] == []
    assert world.outbox() == set()
    assert world.memory().run is None


def leave_as_killed(world: RunWorld, built: dict[str, Any]) -> None:
    """Let branch `caur` be as while something is on its way to readers."""
    request = BuildRequest(
        request_id="of-the-killed-run",
        created="2026-01-01T00:00:00+00:00",
        source_repo="source",
        target_repo="repo",
        commit=built["commit"],
        packages=(PackageRequest(pkgbase=built["package"], pkgnames=(built["package"],)),),
    )
    way = OnItsWay(
        request_id=request.request_id,
        package=built["package"],
        arch=built["arch"],
        files=tuple(built["files"]),
    )
    killed = StandaloneRun(id="killed", until=0, who="somebody", on_its_way=(way,))
    world.change_memory(
        lambda memory: replace(memory, run=killed, outbox=memory.outbox.add(request))
    )


def test_a_killed_run_and_one_whose_time_is_over_are_gone_on_with(
    world: RunWorld, key: SigningKey
) -> None:
    second = waiting(world, "second").replace("build() {", "depends=(first)\nbuild() {", 1)
    world.push("feat: packages", first=pkgbuild("first"), second=second)
    told, log = world.base / "told", world.work / "logs/run-1.log"
    with (
        told.open("wb") as errors,
        subprocess.Popen(
            world.command(), env={**os.environ, **world.environment}, stderr=errors
        ) as process,
    ):
        expected = ("first: published", "second: building")
        eventually(lambda: all(it in told.read_text() for it in expected), within=100)
        process.kill()

    # Whatever it was at ends with it, and nothing of it is published.
    eventually(lambda: workers_of(world) == 0, within=60)
    assert not world.target.exists()
    assert world.outbox() == {"first", "second"}
    elsewhere = world.run("--work-dir", str(world.base / "other"))
    assert elsewhere.returncode == ExitCode.TEMPORARY
    assert "another run is under way" in elsewhere.stderr

    # The next run builds the first one no more, and publishes it before its time is over.
    report = world.report("--timeout", "12", code=ExitCode.PARTIAL)
    assert [it["package"] for it in report["packages"]] == ["first"]
    assert report["left"].keys() == {"second"}
    assert report["out_of_time"]
    assert "first: building" not in log.read_text()
    assert world.client(key).available() == {"first": "1-1"}
    assert world.outbox() == {"second"}

    (world.gate / "second").touch()
    report = world.report()
    assert [it["package"] for it in report["packages"]] == ["second"]
    assert world.client(key).available() == {"first": "1-1", "second": "1-1"}
    assert world.outbox() == set()


def workers_of(world: RunWorld) -> int:
    """Return how many workers there are of runs in the work folder."""
    state = f"CAUR_STATE_DIR={world.work}/".encode()
    found = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            worker = b"\0worker\0" in (folder / "cmdline").read_bytes()
            found += worker and state in (folder / "environ").read_bytes()
        except OSError:
            continue
    return found


def test_what_is_not_built_for_an_architecture_any_more_waits_for_nobody(world: RunWorld) -> None:
    config = world.config
    world.config += "CI_ARCHITECTURES=x86_64 aarch64\n"
    request = BuildRequest(
        request_id="of-another-machine",
        created="2026-01-01T00:00:00+00:00",
        source_repo="source",
        target_repo="repo",
        commit=world.push("feat: begin"),
        packages=(PackageRequest(pkgbase="tool", pkgnames=("tool",), arch="aarch64"),),
    )
    world.change_memory(lambda memory: replace(memory, outbox=memory.outbox.add(request)))
    report = world.report(code=ExitCode.PARTIAL)
    assert report["left"] == {"tool": "nothing is built for aarch64 here"}
    assert world.outbox() == {"tool"}

    world.config = config
    world.push("feat: for one architecture only")
    assert world.report()["left"] == {}
    assert world.outbox() == set()


def test_what_is_new_at_the_aur_is_taken_over_and_built(
    world: RunWorld, key: SigningKey, tmp_path: Path
) -> None:
    with upstream(tmp_path / "upstream") as outside:
        world.config += outside.settings
        # An older one, which nobody has asked to build.
        texts = [pkgbuild("tool", version=version) for version in ("1", "2")]
        world.push("feat: tool", tool=texts[0])
        world.checkout.commit("ci: follow it", {"tool/.CI/config": "CI_PKGBUILD_SOURCE=aur\n"})
        world.checkout.schedule_here()
        outside.push({"tool": "2-1"}, mirrored=False)
        outside.mirror_push(
            {"tool": {"PKGBUILD": texts[1], ".SRCINFO": srcinfo_of(texts[1], "tool")}}
        )

        done = world.run("on-schedule")

    assert done.returncode == ExitCode.OK, done.stderr
    assert world.client(key).available() == {"tool": "2-1"}


def test_a_pipeline_without_a_key_is_told_before_anything_is_built(world: RunWorld) -> None:
    world.push("feat: packages", one=pkgbuild("one"))

    tried = world.run("--dry-run")
    assert tried.returncode == ExitCode.OK
    assert world.outbox() == set()
    done = world.run(GITHUB_ACTIONS="true", GPG_PATH="")

    assert done.returncode == ExitCode.FAILED
    assert "GPG_PRIVATE_KEY" in done.stderr
    assert world.outbox() == {"one"}
    assert not world.target.exists()


def test_a_key_that_cannot_be_read_is_not_shown(tmp_path: Path) -> None:
    secrets = Secrets({"GPG_PRIVATE_KEY": "no key at all"})

    with (
        pytest.raises(ConfigError, match="GnuPG cannot read the key in GPG_PRIVATE_KEY") as caught,
        signing_home(tmp_path / "kept", {}, secrets, may_make=True),
    ):
        pass

    assert "no key at all" not in f"{caught.value.message}{caught.value.hint}"


def test_a_key_in_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    secrets = Secrets({"GPG_PRIVATE_KEY": str(tmp_path / "missing")})

    with (
        pytest.raises(ConfigError, match="GPG_PRIVATE_KEY names cannot be read: No such file"),
        signing_home(tmp_path / "kept", {}, secrets, may_make=True),
    ):
        pass


def test_a_key_that_was_made_is_there_for_the_next_run(tmp_path: Path) -> None:
    kept = tmp_path / "kept.asc"

    def fingerprint() -> bytes:
        with signing_home(kept, {}, Secrets(), may_make=True) as home:
            assert home.made_here == kept
            return Signer(home.folder).public_key()

    assert fingerprint() == fingerprint()
    assert kept.stat().st_mode & 0o077 == 0


def test_a_key_may_be_given_by_its_path(tmp_path: Path) -> None:
    kept = tmp_path / "kept.asc"
    with signing_home(kept, {}, Secrets(), may_make=True) as home:
        made = Signer(home.folder).public_key()
    secrets = Secrets({"GPG_PRIVATE_KEY": str(kept)})

    with signing_home(tmp_path / "other.asc", {}, secrets, may_make=False) as home:
        assert home.made_here is None
        assert Signer(home.folder).public_key() == made
