"""The judge in a process of its own: whatever comes in, something comes out, and it is major."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from caur_ci.judge import File, PackageContext, Severity, Verdict
from caur_ci.judge.judging import judge
from caur_ci.judge.limited import LimitedJudge
from tests.caur_ci.judge.folders import Case
from tests.caur_ci.judge.hostile_recipes import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENTS = [f"E{number}" for number in range(900)]
ENDLESS = {
    "here-documents": f"cat {' '.join(f'<<{name}' for name in DOCUMENTS)}\n" + "\n".join(DOCUMENTS),
    "parentheses": "(" * 100_000,
    "arrays": "a=(" * 5_000,
    "defaults": "x=${y:-" * 5_000,
    "sums": "$((" * 20_000,
    "functions": "f(){\n" * 5_000,
    "a pipeline": "a|" * 50_000 + "a\n",
    "conditions": "if a; then " * 5_000,
    "negations": "! " * 20_000 + "a\n",
    "a chain": "a&&" * 50_000 + "b\n",
    "a long word": "x=" + "A" * 400_000 + "\n",
    "many assignments": "a=b\n" * 60_000,
    "many functions": "f(){ curl http://192.0.2.4/; }\n" * 10_000,
    "no text": "\udcff" * 1_000,
}


@pytest.fixture(scope="module")
def limited() -> Iterator[LimitedJudge]:
    with LimitedJudge() as judge_apart:
        yield judge_apart


@pytest.mark.parametrize("case", [Case(title="a new version"), NAMES[0]], ids=["minor", "major"])
def test_it_says_what_the_judge_says(limited: LimitedJudge, case: Case) -> None:
    old, new = case.folders()

    assert limited.judge(old, new, package=case.package) == judge(old, new, package=case.package)


@pytest.mark.parametrize("what", ENDLESS)
def test_no_file_takes_it_long_or_makes_it_lenient(limited: LimitedJudge, what: str) -> None:
    old, _ = Case(title="").folders()
    content = old["PKGBUILD"].content + ENDLESS[what].encode("utf-8", "surrogateescape")

    judgement = limited.judge(old, {**old, "PKGBUILD": File(content)})
    assert judgement.verdict is Verdict.MAJOR

    assert limited.judge(*Case(title="").folders()).verdict is Verdict.MINOR, "and it goes on"


def test_an_expression_without_an_end_is_given_up(limited: LimitedJudge) -> None:
    package = PackageContext(allow=("x=(a+)+",))
    old = {"PKGBUILD": b"pkgver=1\npkgrel=1\nx=" + b"a" * 60 + b"!\n"}
    new = {"PKGBUILD": old["PKGBUILD"].replace(b"!", b"?")}

    judgement = limited.judge(old, new, package=package)
    assert [finding.code for finding in judgement.findings] == ["took-too-long"]
    assert judgement.findings[0].severity is Severity.DANGER


def test_what_takes_all_memory_is_given_up() -> None:
    old, _ = Case(title="").folders()
    large = {**old, "data": File(bytes(90 * 1024**2))}
    with LimitedJudge() as own:
        judgement = own.judge(old, large)
        assert [finding.code for finding in judgement.findings] == ["judge-failed"]
        assert "memory" in judgement.findings[0].message


def test_a_large_file_that_stays_as_it_is_takes_none() -> None:
    old, new = Case(title="").folders()
    data = File(bytes(90 * 1024**2))
    with LimitedJudge() as own:
        assert own.judge({**old, "data": data}, {**new, "data": data}).verdict is Verdict.MINOR


def test_what_goes_wrong_inside_is_told(limited: LimitedJudge) -> None:
    package = PackageContext(allow=(7,))  # type: ignore[arg-type]

    judgement = limited.judge(*NAMES[0].folders(), package=package)
    assert [finding.code for finding in judgement.findings] == ["judge-failed"]
    assert judgement.verdict is Verdict.MAJOR


def test_several_threads_have_a_process_each(limited: LimitedJudge) -> None:
    folders = Case(title="").folders()
    with ThreadPoolExecutor(3) as pool:
        judgements = list(pool.map(lambda _: limited.judge(*folders), range(9)))

    assert [judgement.verdict for judgement in judgements] == [Verdict.MINOR] * 9
