"""What `--fix` makes of a repository, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.validation import Snapshot
from caur_ci.validation.catalogue import RULES
from caur_ci.validation.mending import mended
from tests.caur_ci.validation.cases import CASES, Case, configured
from tests.caur_ci.validation.worlds import package, report_on, snapshot_of

if TYPE_CHECKING:
    from caur_ci.validation import Finding
    from tests.caur_ci.validation.worlds import Files


def find(snapshot: Snapshot) -> tuple[Finding, ...]:
    return report_on(snapshot).findings


def fix(state: Files | Snapshot) -> tuple[Snapshot, dict[str, bytes]]:
    snapshot = state if isinstance(state, Snapshot) else snapshot_of(state)
    now, edits, _ = mended(snapshot, find)
    return now, {edit.path: edit.after for edit in edits}


@pytest.mark.parametrize(
    # What was meant by the key of that case is not certain.
    "case",
    [it for it in CASES if RULES[it.code].mended and it.code != "key-unknown"],
    ids=lambda it: it.code,
)
def test_what_is_certain_is_mended_once_and_for_all(case: Case) -> None:
    now, edits = fix(case.bad)

    assert case.code not in {found.code for found in find(now)}
    assert list(edits) == [case.place.partition(":")[0]]
    assert fix(now)[1] == {}


def test_only_what_is_said_to_be_is_mended() -> None:
    for case in CASES:
        if not RULES[case.code].mended:
            findings = report_on(
                case.bad, surroundings=case.surroundings, nvchecker=case.nvchecker
            ).findings
            assert all(it.mend is None for it in findings if it.code == case.code), case.code


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("CI_PACKAGE_BUM=1", "CI_PACKAGE_BUMP=1"),
        ("CI_PACAKGE_BUMP=1", "CI_PACKAGE_BUMP=1"),
        ("  builder-class = 2 # x", None),
        ("builder_class = 2 # x", "BUILDER_CLASS = 2 # x"),
        # The value would not fit, or nobody knows which key was meant.
        ("CI_PACKAGE_BUM=what", None),
        ("BUILDER_KLASSE=2", None),
    ],
)
def test_keys_are_corrected_where_it_is_sure_which(written: str, meant: str | None) -> None:
    _, edits = fix(configured("# before", written, "# after"))

    expected = (
        {} if meant is None else {"tool/.CI/config": f"# before\n{meant}\n# after\n".encode()}
    )
    assert edits == expected


def test_a_key_that_is_there_already_is_not_written_twice() -> None:
    assert fix(configured("BUILDER_CLAS=2", "BUILDER_CLASS=1"))[1] == {}


def test_what_comes_to_light_by_a_mend_is_mended_as_well() -> None:
    files = package()
    files["tool/PKGBUILD"] = str(files["tool/PKGBUILD"]).replace("\n", "\r\n")
    files["tool/.SRCINFO"] = str(files["tool/.SRCINFO"]).replace("pkgrel = 1", "pkgrel = 2")

    now, edits = fix(files)

    assert find(now) == ()
    assert edits == {
        "tool/PKGBUILD": str(package()["tool/PKGBUILD"]).encode(),
        "tool/.SRCINFO": str(package()["tool/.SRCINFO"]).replace(" = \n", "").encode(),
    }


def test_a_srcinfo_that_is_not_sure_stays() -> None:
    files = package(bash="depends=($(< needs) bash)\npkgdesc=x")

    assert fix(files)[1] == {}
    assert [it.code for it in report_on(files).findings] == ["srcinfo-stale"]


def test_a_diff_shows_what_becomes_of_a_file() -> None:
    files = package()
    files["tool/x.install"] = "a\r\nb"
    state = snapshot_of(files).with_file("tool/PKGBUILD", b"pkgname=x\n", executable=True)
    _, edits, _ = mended(state, find)

    shown = "".join(edit.diff() for edit in edits)
    assert "old mode 100755\nnew mode 100644\n" in shown
    assert "--- a/tool/x.install\n+++ b/tool/x.install\n" in shown
    assert "-a^M\n" in shown
    assert "+a\n b\n\\ No newline at end of file\n" in shown
