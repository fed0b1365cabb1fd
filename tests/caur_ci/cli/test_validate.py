"""`caur-ci validate`, as a maintainer, a pipeline and pre-commit use it."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from scheduler.queue import WorkerIdentity
from tests.caur_ci.validation.worlds import package
from tests.support.git import Checkout, git
from tests.support.sync_databases import database

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.queue import Queue

STALE = "it does not follow from the PKGBUILD: depends is nothing, the PKGBUILD says bash"

pytestmark = pytest.mark.usefixtures("lent_children")


@pytest.fixture
def world(tmp_path: Path) -> Checkout:
    """A repository with a package that is well, one with an error, one with a warning."""
    checkout = Checkout.create(tmp_path / "world")
    files = {
        ".ci/config": "REPO_NAME=x\n",
        **package("good"),
        **package("stale", bash="depends=(bash)"),
        **package("loose", config="BUILDER_CLAS=2\nSOMETHING=1\n"),
    }
    checkout.commit("x", files)  # type: ignore[arg-type]
    return checkout


def validate(
    capsys: pytest.CaptureFixture[str], world: Checkout, *arguments: str
) -> tuple[int, str, str]:
    """Run the command; return its exit code, and what it printed and said."""
    code = run(["validate", "--repo", str(world.folder), *arguments], Session())
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_people_see_what_is_wrong_and_what_to_do(
    capsys: pytest.CaptureFixture[str], world: Checkout
) -> None:
    code, out, err = validate(capsys, world)

    assert code == ExitCode.FAILED
    assert out.splitlines() == [
        "loose",
        "  warning  .CI/config:1: BUILDER_CLAS is not known and ignored  (key-unknown)",
        "           Write BUILDER_CLASS, or `--fix`.",
        "  warning  .CI/config:2: SOMETHING is not known and ignored  (key-unknown)",
        "           Correct it.",
        "stale",
        f"  error    .SRCINFO: {STALE}  (srcinfo-stale)",
        "           `caur-ci srcinfo --write stale` writes it, or `--fix`.",
    ]
    assert "1 error, 2 warnings in 2 of 3 packages" in err
    assert "not checked: dependencies on the distribution" in err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["good"], ExitCode.OK),
        (["loose"], ExitCode.OK),
        (["loose", "--strict"], ExitCode.FAILED),
        (["stale", "good"], ExitCode.FAILED),
        (["goad"], ExitCode.USAGE),
        (["good", "--changed"], ExitCode.USAGE),
        (["--range", "HEAD"], ExitCode.USAGE),
        (["--range", "nothing..HEAD"], ExitCode.USAGE),
        (["--commit", "nothing"], ExitCode.USAGE),
        (["--commit", "HEAD", "--fix"], ExitCode.USAGE),
        (["--commit", "HEAD", "--worktree"], ExitCode.USAGE),
        (["--dry-run"], ExitCode.USAGE),
        (["--json", "--sarif"], ExitCode.USAGE),
        (["--output", "xml=x"], ExitCode.USAGE),
        (["--output", "json"], ExitCode.USAGE),
        (["--db", "configured"], ExitCode.USAGE),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, list) else "",
)
def test_the_exit_code_tells(
    capsys: pytest.CaptureFixture[str], world: Checkout, arguments: list[str], expected: ExitCode
) -> None:
    assert validate(capsys, world, *arguments)[0] == expected


def test_a_place_without_a_repository_is_a_wrong_call(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["validate", "--repo", str(tmp_path)], Session()) == ExitCode.USAGE
    assert "is not in a git repository" in capsys.readouterr().err


def test_a_wrong_name_has_the_nearest_one(
    capsys: pytest.CaptureFixture[str], world: Checkout
) -> None:
    assert "Did you mean good?" in validate(capsys, world, "goad")[2]
    assert "Did you mean junit?" in validate(capsys, world, "--output", "junet=x")[2]


def test_several_forms_at_once(
    capsys: pytest.CaptureFixture[str], world: Checkout, tmp_path: Path
) -> None:
    names = ("sarif", "junit", "code-quality", "json")
    outputs = [part for name in names for part in ("--output", f"{name}={tmp_path / name}")]

    code, out, _ = validate(capsys, world, "--json", *outputs)

    assert code == ExitCode.FAILED
    assert json.loads(out) == json.loads((tmp_path / "json").read_text())
    assert [it["code"] for it in json.loads(out)["findings"]] == [
        "key-unknown", "key-unknown", "srcinfo-stale",
    ]  # fmt: skip
    assert len(json.loads((tmp_path / "sarif").read_text())["runs"][0]["results"]) == 3
    assert len(json.loads((tmp_path / "code-quality").read_text())) == 3
    assert ET.parse(tmp_path / "junit").getroot().attrib["failures"] == "3"  # noqa: S314 - ours


@pytest.mark.parametrize("form", ["--sarif", "--junit", "--code-quality"])
def test_each_form_can_be_printed(
    capsys: pytest.CaptureFixture[str], world: Checkout, form: str
) -> None:
    _, out, _ = validate(capsys, world, form)

    assert out.startswith("<?xml") if form == "--junit" else json.loads(out)


def test_commits_are_looked_at_instead_of_the_disk(
    capsys: pytest.CaptureFixture[str], world: Checkout
) -> None:
    start = world.head()
    world.commit("y", package("stale"))  # type: ignore[arg-type]
    (world.folder / "stale" / ".SRCINFO").unlink()

    assert validate(capsys, world, "--range", f"{start}..HEAD")[0] == ExitCode.OK
    assert validate(capsys, world, "--range", f"{start}..", "--worktree")[0] == ExitCode.FAILED
    assert validate(capsys, world, "--commit", start)[0] == ExitCode.FAILED
    assert validate(capsys, world, "--commit", "HEAD", "stale")[0] == ExitCode.OK
    assert "srcinfo-missing" in validate(capsys, world, "--changed")[1]


def test_a_bare_repository_is_looked_at_as_well(
    capsys: pytest.CaptureFixture[str], world: Checkout
) -> None:
    world.push()
    code = run(["validate", "--repo", str(world.remote)], Session())

    assert code == ExitCode.FAILED
    assert "srcinfo-stale" in capsys.readouterr().out


def test_files_can_be_named_as_pre_commit_does(
    capsys: pytest.CaptureFixture[str], world: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world.folder)
    code = run(["validate", "good/PKGBUILD", "good/.SRCINFO", ".ci/config"], Session())
    captured = capsys.readouterr()

    assert (code, captured.out) == (ExitCode.OK, "")
    assert "nothing is wrong in 1 package" in captured.err


def state(world: Checkout) -> dict[str, tuple[bytes, int]]:
    """Return everything in the repository, git's own files included, but for what is ours."""
    return {
        str(path.relative_to(world.folder)): (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
        for path in world.folder.rglob("*")
        if path.is_file() and path.parent.name != "caur-ci"
    }


def test_what_is_certain_is_mended_and_nothing_else(
    capsys: pytest.CaptureFixture[str], world: Checkout
) -> None:
    (world.folder / "good" / "PKGBUILD").chmod(0o755)
    before = state(world)

    code, out, _ = validate(capsys, world, "--fix")

    after = state(world)
    assert code == ExitCode.OK
    assert out.splitlines()[:3] == [
        "good/PKGBUILD: mended (executable)",
        "loose/.CI/config: mended (key-unknown)",
        "stale/.SRCINFO: mended (srcinfo-stale)",
    ]
    assert {path for path in after if after[path] != before.get(path)} == {
        "good/PKGBUILD", "loose/.CI/config", "stale/.SRCINFO",
    }  # fmt: skip
    assert after["good/PKGBUILD"] == (before["good/PKGBUILD"][0], 0o644)
    assert after["loose/.CI/config"][0] == b"BUILDER_CLASS=2\nSOMETHING=1\n"
    assert b"depends = bash" in after["stale/.SRCINFO"][0]
    assert before.keys() == after.keys()
    again = validate(capsys, world, "--fix")[1]
    assert "mended" not in again
    assert state(world) == after


def test_a_dry_run_shows_a_diff_that_git_can_apply(
    capsys: pytest.CaptureFixture[str], world: Checkout
) -> None:
    before = state(world)

    _, out, err = validate(capsys, world, "--fix", "--dry-run")

    assert state(world) == before
    assert "2 files would be changed" in err
    diff = out[: out.index("loose\n  warning")]
    git(world.folder, "apply", "-", stdin=diff.encode())
    applied = state(world)
    git(world.folder, "checkout", "--quiet", ".")
    validate(capsys, world, "--fix")
    assert {path: it for path, it in state(world).items() if ".git/" not in path} == {
        path: it for path, it in applied.items() if ".git/" not in path
    }


def test_a_mended_file_takes_the_place_of_a_link(
    capsys: pytest.CaptureFixture[str], world: Checkout, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.write_text("untouched")
    srcinfo = world.folder / "stale" / ".SRCINFO"
    srcinfo.unlink()
    srcinfo.symlink_to(outside)

    validate(capsys, world, "stale", "--fix")

    assert outside.read_text() == "untouched"
    assert not srcinfo.is_symlink()
    assert "depends = bash" in srcinfo.read_text()


def test_nothing_is_written_behind_a_link(
    capsys: pytest.CaptureFixture[str], world: Checkout, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    (world.folder / "loose" / ".CI").rename(outside)
    (world.folder / "loose" / ".CI").symlink_to(outside)

    code, _, err = validate(capsys, world, "loose", "--fix")

    assert code == ExitCode.FAILED
    assert "a link on the way to it leads elsewhere" in err
    assert (outside / "config").read_text() == "BUILDER_CLAS=2\nSOMETHING=1\n"


def test_nothing_is_run(capsys: pytest.CaptureFixture[str], world: Checkout) -> None:
    trap = world.folder / "trap"
    text = str(package("good")["good/PKGBUILD"])
    (world.folder / "good" / "PKGBUILD").write_text(f"touch {trap}\n$(touch {trap})\n{text}")

    validate(capsys, world, "--fix")

    assert not trap.exists()


def test_dependencies_that_nobody_provides(
    capsys: pytest.CaptureFixture[str], world: Checkout, tmp_path: Path
) -> None:
    known = tmp_path / "core.db"
    known.write_bytes(database({"zsh": "5-1"}))
    (world.folder / ".ci" / "config").write_text(f"REPO_NAME=x\nCI_LIB_DB={known.as_uri()}\n")

    for given in (str(known), known.as_uri(), "configured", str(tmp_path)):
        _, out, _ = validate(capsys, world, "--db", given)
        assert "PKGBUILD:6: depends = bash: nobody provides it  (dependency-unmet)" in out
    known.write_bytes(database({"bash": "5-1"}))
    assert "dependency-unmet" not in validate(capsys, world, "--db", str(known))[1]
    known.write_text("no database")
    code, out, err = validate(capsys, world, "good", "--db", str(known))
    assert (code, out) == (ExitCode.OK, "")
    assert "not checked: dependencies on the distribution: " in err


def test_classes_that_no_worker_takes(
    capsys: pytest.CaptureFixture[str], world: Checkout, queue: Queue, redis_url: str
) -> None:
    queue.claim(WorkerIdentity.new("strong", 5))
    for name, build_class in (("good", "strong"), ("loose", "5"), ("stale", "9")):
        (world.folder / name / ".CI").mkdir(exist_ok=True)
        (world.folder / name / ".CI" / "config").write_text(f"BUILDER_CLASS={build_class}\n")

    _, out, _ = validate(capsys, world, "--redis", redis_url)

    assert [line for line in out.splitlines() if "class-unserved" in line] == [
        "  warning  .CI/config:1: no worker of the queue takes BUILDER_CLASS=9  (class-unserved)"
    ]


def test_many_notes_of_a_kind_are_one_line(
    capsys: pytest.CaptureFixture[str], world: Checkout
) -> None:
    for number in range(12):
        (world.folder / f"docs{number:02}").mkdir()
        (world.folder / f"docs{number:02}" / "page").write_text("x")

    _, out, _ = validate(capsys, world)
    assert "12 notes folder-empty: docs00, docs01, docs02, docs03, docs04 and 7 more" in out
    assert validate(capsys, world, "--all")[1].count("(folder-empty)") == 12
