"""What is found, code by code, and where."""

from __future__ import annotations

from dataclasses import replace

import pytest

from caur_ci.update import nvchecker_file
from caur_ci.validation import Report, checking
from caur_ci.validation.catalogue import RULES
from caur_ci.validation.snapshot import NVCHECKER_FILES, FolderFile
from tests.caur_ci.validation.cases import AUR, CASES, DATABASES, Case, managed, sourced
from tests.caur_ci.validation.worlds import (
    Content,
    executable,
    only,
    package,
    report_on,
    snapshot_of,
)


def codes(report: Report) -> list[str]:
    return [found.code for found in report.findings]


@pytest.mark.parametrize("case", CASES, ids=lambda it: it.code)
def test_it_is_found_where_it_is_and_nowhere_else(case: Case) -> None:
    around = {"surroundings": case.surroundings, "nvchecker": case.nvchecker}
    bad = report_on(case.bad, **around)  # type: ignore[arg-type]
    good = report_on(case.good, **around)  # type: ignore[arg-type]

    found = next(it for it in bad.findings if it.code == case.code)
    assert str(found).startswith(f"{case.place}: "), found
    assert case.said in found.message
    assert found.remedy
    assert found.severity is RULES[case.code].severity
    assert case.code not in codes(good)


def test_every_code_is_shown() -> None:
    # What is left is a bug of ours, which the next test makes one of.
    assert {case.code for case in CASES} == RULES.keys() - {"unchecked"}


def test_a_check_that_fails_costs_other_packages_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(view: object) -> list[object]:
        if "bad" in repr(view):
            raise RecursionError("too deep")
        return []

    monkeypatch.setattr(checking, "check_sources", broken)
    report = report_on({**package("bad"), **package("b", bash="depends=(c)")})

    assert codes(report) == ["srcinfo-stale", "unchecked"]
    assert "too deep" in report.findings[1].message


def test_nothing_is_wrong_with_what_is_well() -> None:
    assert report_on(package()).findings == ()


def test_only_what_is_looked_at_is_told() -> None:
    files = {**package("a", bash="depends=(x)"), **package("b", bash="depends=(x)")}

    report = report_on(only(snapshot_of(files), "b"))

    assert [found.package for found in report.findings] == ["b"]
    assert report.packages == ("b",)


@pytest.mark.parametrize("name", ["prepare", "interfere.patch", "PKGBUILD.append"])
def test_names_that_interfere_may_change_are_not_told(name: str) -> None:
    files = {path.replace("tool/", "other/"): text for path, text in package().items()}

    report = report_on({**files, f"other/.CI/{name}": ":"})

    assert "pkgbase-other" not in codes(report)


def test_a_file_that_prepare_may_change_is_not_compared_with_a_patch() -> None:
    (case,) = (it for it in CASES if it.code == "patch-fails")
    assert isinstance(case.bad, dict)

    assert "patch-fails" not in codes(report_on({**case.bad, "tool/.CI/prepare": ":"}))


@pytest.mark.parametrize(
    ("lines", "idle"),
    [
        (["CI_REBUILD_TRIGGERS=a", "CI_REBUILD_ABI=b"], ["CI_REBUILD_TRIGGERS", "CI_REBUILD_ABI"]),
        (["CI_REBUILD_TRIGGERS=a", "CI_LIB_DB=file:///x.db"], []),
        (["CI_REBUILD_AUTO=true"], ["CI_REBUILD_AUTO"]),
        (["CI_REBUILD_AUTO=true", "CI_REPO_DB=file:///x.db"], []),
        (["CI_REBUILD_AUTO=false"], []),
    ],
    ids=["libraries", "with databases", "losses", "with a database", "off"],
)
def test_keys_that_take_others_to_do_anything(lines: list[str], idle: list[str]) -> None:
    config = "".join(f"{line}\n" for line in ["REPO_NAME=x", *lines])
    report = report_on({**package(), ".ci/config": config})

    assert [it.message.partition(" ")[0] for it in report.findings] == idle


def test_reviewers_of_what_nvchecker_finds_have_something_to_do() -> None:
    files = {
        **package(config="CI_NVCHECKER=true\n"),
        "tool/.nvchecker.toml": "[tool]\n",
        ".ci/config": "REPO_NAME=x\nCI_HUMAN_REVIEW_REVIEWERS=me\n",
    }

    assert report_on(files).findings == ()


def test_a_signature_of_what_was_packed_afterwards_counts() -> None:
    sources = ("https://example.org/x.tar.xz", "https://example.org/x.tar.sign")

    assert report_on(sourced(*sources, sums="SKIP SKIP")).findings == ()


def test_modes_that_git_does_not_take_up_are_not_told() -> None:
    snapshot = executable(package(), "tool/PKGBUILD")

    assert codes(report_on(snapshot)) == ["executable"]
    assert report_on(replace(snapshot, has_modes=False)).findings == ()


@pytest.mark.parametrize(
    ("changed", "files"),
    [
        ({"tool/LICENSES/GPL3.txt": "x"}, ["tool/LICENSES/GPL3.txt"]),
        ({"tool/.CI/big": FolderFile(size=500_001)}, []),
        ({"tool/.CI/config": "#\n", "tool/fix.patch": FolderFile("120000", target="x")}, []),
        ({"tool/fix.patch": FolderFile("120000", target="x")}, ["tool/fix.patch"]),
        # What is missing for anybody is told once.
        ({"tool/.SRCINFO": "what\n"}, []),
    ],
    ids=["licence", "ours", "not managed", "link", "unreadable"],
)
def test_what_the_aur_refuses_of_what_is_pushed_there(
    changed: dict[str, Content], files: list[str]
) -> None:
    report = report_on({**managed(), **AUR, **changed})

    assert [it.file for it in report.findings if it.code == "aur-refuses"] == files


def test_the_aur_gets_a_srcinfo_that_is_generated() -> None:
    files = {**managed(), ".ci/config": "CI_MANAGE_AUR=true\nREPO_NAME=x\nCI_SRCINFO=generate\n"}
    del files["tool/.SRCINFO"]
    assert report_on(files).findings == ()

    files["tool/fix.patch"] = FolderFile(size=500_001)
    assert codes(report_on(files)) == ["aur-refuses"]


def test_a_missing_srcinfo_is_told_with_the_doubt_where_one_would_be_generated() -> None:
    files: dict[str, Content] = {".ci/config": "REPO_NAME=x\nCI_SRCINFO=generate\n"}
    files["tool/PKGBUILD"] = package(bash="depends=($(< needs))")["tool/PKGBUILD"]

    (found,) = report_on(files).findings
    assert found.code == "srcinfo-missing"
    assert "not sure: line 6: depends" in found.message
    assert found.mend is None


def test_what_makepkg_refuses_is_told_once() -> None:
    files: dict[str, Content] = {".ci/config": "REPO_NAME=x\nCI_SRCINFO=generate\n"}
    files["tool/PKGBUILD"] = "pkgname=tool\npkgver=a-b\npkgrel=1\narch=(any)\n"

    assert codes(report_on(files)) == ["pkgbuild-refused"]


def test_a_version_of_what_is_made_here_may_be_behind() -> None:
    files = {**package("bash"), **package(bash="depends=('bash>=6')", info="depends = bash>=6")}

    assert report_on(files, surroundings=DATABASES).findings == ()


def test_without_databases_no_dependency_is_missed() -> None:
    report = report_on(package(bash="depends=(bosh)", info="depends = bosh"))

    assert report.findings == ()


def test_the_names_of_nvchecker_files_are_those_that_are_read() -> None:
    assert NVCHECKER_FILES == nvchecker_file.FILES
