"""Lines that a package's own configuration lets change."""

from __future__ import annotations

import pytest

from caur_ci.judge import PackageContext, Severity, Verdict
from caur_ci.judge.judging import judge
from tests.caur_ci.judge.folders import BUMP, Case, Edits

FLAGS = ("_flags=-O2", "_flags=-O3")


def verdict(*allow: str, edits: Edits = (FLAGS,)) -> Verdict:
    case = Case(title="", both=(("_name=tool", "_flags=-O2\n_name=tool"),), edits=edits, bump=False)
    return judge(*case.folders(), package=PackageContext(allow=allow)).verdict


@pytest.mark.parametrize("allow", ["_flags=-O[0-9]", "_flags=.*", "other", r"_flags=\S+"])
def test_the_whole_old_and_new_line_have_to_match(allow: str) -> None:
    expected = Verdict.MAJOR if allow == "other" else Verdict.MINOR

    assert verdict(allow) is expected


@pytest.mark.parametrize(
    "allow", ["", "_flags", "_flags=-O2", "flags=.*", "-O.", "_flags=-O[0-9", "("]
)
def test_a_part_of_a_line_or_one_of_both_is_not_enough(allow: str) -> None:
    assert verdict(allow) is Verdict.MAJOR


def test_one_expression_has_to_match_both() -> None:
    assert verdict("_flags=-O2", "_flags=-O3") is Verdict.MAJOR


def test_a_line_that_is_new_is_not_allowed() -> None:
    assert verdict(".*", edits=((FLAGS[0], f"{FLAGS[0]}\n_more=1"),)) is Verdict.MAJOR


def test_what_is_allowed_is_told() -> None:
    case = Case(title="", both=(("_name=tool", "_flags=-O2\n_name=tool"),), edits=(FLAGS, *BUMP))
    judgement = judge(
        *Case(title="", both=case.both, edits=(FLAGS,)).folders(),
        package=PackageContext(allow=("_flags=.*",)),
    )

    (told,) = [finding for finding in judgement.findings if finding.code == "allowed"]
    assert (told.severity, told.line, told.old, told.new) == (Severity.NOTE, 3, "-O2", "-O3")
    assert "variable" in told.message or "_flags" in told.message


@pytest.mark.parametrize(
    "line",
    ["_flags=$(id)", "_flags='</dev/tcp/192.0.2.1/1'", "_flags=~/.ssh/id_rsa", "_flags=p\u0430"],
)
def test_a_danger_is_never_allowed(line: str) -> None:
    assert verdict("_flags=.*", edits=((FLAGS[0], line),)) is Verdict.MAJOR


def test_a_line_of_a_function_does_not_cover_the_others() -> None:
    edits = (("cmake -B build", "cmake -B other"), ("  make -C build\n", "  make -C other\n"))
    one = verdict(" *cmake .*", edits=edits[:1])
    both = verdict(" *cmake .*", edits=edits)

    assert (one, both) == (Verdict.MINOR, Verdict.MAJOR)
    assert verdict(" *(cmake|make) .*", edits=edits) is Verdict.MINOR


@pytest.mark.parametrize("end", ["", "\\"])
def test_a_line_that_begins_something_does_not_cover_what_follows(end: str) -> None:
    both = (("depends=(glibc ", f"depends=(glibc {end}\n"),)
    edits = (("depends=(glibc ", "depends=(glibc zlib "), ('"libfoo', 'evil "libfoo'))
    case = Case(title="", both=both, edits=edits, bump=False)

    judged = judge(*case.folders(), package=PackageContext(allow=("depends=.*",)))
    assert judged.verdict is Verdict.MAJOR
