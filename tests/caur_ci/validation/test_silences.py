"""What a repository does not want to be told."""

from __future__ import annotations

import tomllib

import pytest
from jsonschema import Draft202012Validator

from caur_ci.validation.silences import Silences, silences_schema
from tests.caur_ci.validation.cases import licensed
from tests.caur_ci.validation.worlds import Files, only, package, report_on, snapshot_of

FILE = ".ci/validate.toml"


def silenced(*tables: str, files: Files | None = None) -> Files:
    text = "".join(f"[[silence]]\n{table}\n" for table in tables)
    return {**(files or licensed("GPL3")), FILE: text}


def fits_the_schema(text: str | bytes) -> bool:
    try:
        data = tomllib.loads(text if isinstance(text, str) else text.decode())
    except ValueError:
        return False
    return Draft202012Validator(silences_schema()).is_valid(data)


def codes(files: Files) -> list[str]:
    return [found.code for found in report_on(files).findings]


@pytest.mark.parametrize(
    ("packages", "is_silenced"),
    [
        ("", True),
        ('packages = ["tool"]', True),
        ('packages = ["t*"]', True),
        ('packages = ["x"]', False),
    ],
)
def test_codes_are_silenced_everywhere_or_in_some_packages(
    packages: str, is_silenced: bool
) -> None:
    table = f'codes = ["license-old"]\nreason = "old"\n{packages}'

    files = silenced(table)
    report = report_on(files)

    text = files[FILE]
    assert isinstance(text, str)
    assert fits_the_schema(text)

    assert ("license-old" not in [it.code for it in report.findings]) is is_silenced
    assert report.silenced == is_silenced


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[silence]]\n", "number 1 names no codes"),
        ('[[silence]]\ncodes = ["license-old"]\n', "number 1 has no reason"),
        ('[[silence]]\ncodes = ["license-old"]\nreason = " "\n', "has no reason"),
        ('[[silence]]\ncodes = ["licence-old"]\nreason = "x"\n', "Did you mean license-old?"),
        ('[[silence]]\ncodes = "license-old"\nreason = "x"\n', "codes is a list of texts"),
        ('[[silence]]\ncode = ["license-old"]\nreason = "x"\n', "Did you mean codes?"),
        ('[silence]\ncodes = ["license-old"]\n', "two brackets"),
        ("silences = 1\n", "only [[silence]] is known"),
        ("[[silence]\n", "line 1"),
        (b"\xff", "utf-8"),
    ],
    ids=["codes", "reason", "blank", "code", "list", "key", "table", "name", "toml", "bytes"],
)
def test_mistakes_are_told_and_silence_nothing(text: str | bytes, said: str) -> None:
    report = report_on({**licensed("GPL3"), FILE: text})

    assert not fits_the_schema(text)
    told = {found.code: found.message for found in report.findings}
    assert said in told["silences-unusable"]
    assert "license-old" in told


def test_a_mistake_is_told_whatever_is_silenced() -> None:
    table = 'codes = ["silences-unusable", "silence-unused"]\nreason = "quiet"'

    assert codes(silenced(table, 'codes = ["nothing"]\nreason = "x"', files=package())) == [
        "silences-unusable"
    ]


def test_what_silences_nothing_is_told_once_everything_was_looked_at() -> None:
    files = silenced('codes = ["sum-weak"]\nreason = "x"', files={**package(), **package("b")})

    assert codes(files) == ["silence-unused"]
    assert report_on(only(snapshot_of(files), "b")).findings == ()


def test_no_file_silences_nothing() -> None:
    assert Silences.parse(None).silences == ()
