"""Whatever the files are made of, the judge has an answer.

`make fuzz` does the same for as long as one wants: `CAUR_FUZZ_EXAMPLES` is how often.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caur_ci.judge import File, Verdict
from caur_ci.judge.judging import judge
from caur_ci.pkgbuild import UnparsableError, parse
from tests.caur_ci.judge.folders import PKGBUILD, Case

_EXAMPLES = int(os.environ.get("CAUR_FUZZ_EXAMPLES", "0"))
SETTINGS = settings(
    deadline=None,
    max_examples=_EXAMPLES or 150,
    derandomize=not _EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
_TOKENS = st.sampled_from(
    [
        "$(",
        ")",
        "`",
        "${",
        "}",
        "'",
        '"',
        "\\",
        "\n",
        ";",
        "|",
        "&",
        "<<E\n",
        "E\n",
        "((",
        "))",
        "[[",
        "]]",
        "=",
        "+=(",
        "#",
        "$'",
        "pkgver=",
        "source=(",
        "x() {",
        "eval ",
        "\t",
        " ",
        "a",
        "1",
        "~",
        "*",
        "if ",
        "then ",
        "fi\n",
        "case ",
        " in ",
        ";;",
        "esac\n",
        "<(",
        ">",
        "/etc",
        "\x00",
        "\r",
        "é",
        "�",
    ]
)
_PIECES = st.one_of(st.lists(_TOKENS, max_size=12).map("".join), st.text(max_size=20))


@given(at=st.integers(0, len(PKGBUILD)), piece=_PIECES, gone=st.integers(0, 30))
@SETTINGS
def test_a_pkgbuild_that_is_torn_is_judged(at: int, piece: str, gone: int) -> None:
    text = PKGBUILD[:at] + piece + PKGBUILD[at + gone :]
    old, _ = Case(title="").folders()
    data = text.encode("utf-8", "surrogateescape" if "\udcff" in text else "replace")

    judgement = judge(old, {**old, "PKGBUILD": File(data)})
    if data != old["PKGBUILD"].content and has_errors(data):
        assert judgement.verdict is Verdict.MAJOR


@given(
    path=st.sampled_from(["tool.sh", "fix.patch", ".SRCINFO", "x.install", "x.service", "x.png"]),
    data=st.binary(max_size=300),
)
@SETTINGS
def test_any_other_file_that_is_changed_is_major(path: str, data: bytes) -> None:
    old, _ = Case(title="").folders()
    if old.get(path) != File(data):
        assert judge(old, {**old, path: File(data)}).verdict is Verdict.MAJOR


@given(old=_PIECES, new=_PIECES)
@SETTINGS
def test_any_two_pkgbuilds_are_judged(old: str, new: str) -> None:
    before, after = (text.encode("utf-8", "replace") for text in (old, new))

    judgement = judge({"PKGBUILD": before}, {"PKGBUILD": after})
    if before != after and has_errors(after):
        assert judgement.verdict is Verdict.MAJOR


def has_errors(data: bytes) -> bool:
    try:
        return parse(data).has_errors
    except UnparsableError:
        return True
