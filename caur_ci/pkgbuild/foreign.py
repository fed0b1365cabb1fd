"""What is asked about strangers' PKGBUILDs, answered in a confined process.

Giving up there is an answer as well: it is not sure, because of the limit.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from caur_ci.errors import InputError
from caur_ci.pkgbuild.compare import (
    Difference,
    compare_sections,
    compare_srcinfo,
    read_sections,
)
from caur_ci.pkgbuild.evaluate import evaluate
from caur_ci.pkgbuild.srcinfo import Doubt, doubts, render_srcinfo
from caur_ci.pkgbuild.syntax import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from caur_ci.confined import Confined

# What travels is JSON, which has no bytes: a character stands for each.
_BYTES = "latin-1"


@dataclass(frozen=True, slots=True)
class EvaluatedSrcinfo:
    """The `.SRCINFO` that follows from a PKGBUILD; None where `doubts` say why it is not sure.

    `pkgver_moves`: the PKGBUILD has a function pkgver().
    """

    srcinfo: bytes | None
    doubts: tuple[Doubt, ...]
    pkgver_moves: bool


def evaluated_srcinfo(
    confined: Confined, pkgbuild: bytes, *, origin: str, files: Iterable[str] | None
) -> EvaluatedSrcinfo:
    """Evaluate a PKGBUILD; `origin` names it in reasons, `files` are the names in its folder.

    Without them patterns of file names are unsure.
    """
    names = None if files is None else list(files)
    try:
        found = confined.call(_evaluated, pkgbuild.decode(_BYTES), origin, names)
    except InputError as error:
        reason = error.message.removeprefix(origin).lstrip(", ")
        return EvaluatedSrcinfo(None, (Doubt("", 0, reason),), b"pkgver()" in pkgbuild)
    srcinfo = found["srcinfo"]
    return EvaluatedSrcinfo(
        None if srcinfo is None else srcinfo.encode(_BYTES),
        tuple(Doubt(**doubt) for doubt in found["doubts"]),
        found["pkgver_moves"] or b"pkgver()" in pkgbuild,
    )


def fields_out_of_step(
    confined: Confined, pkgbuild: bytes, committed: bytes, *, folder: str
) -> list[Difference]:
    """Return the fields of a committed `.SRCINFO` that surely do not follow from the PKGBUILD.

    Raises InputError where one of them cannot be read, GaveUpError where that takes too much.
    """
    found = confined.call(_out_of_step, pkgbuild.decode(_BYTES), committed.decode(_BYTES), folder)
    return _differences(found)


def srcinfo_differences(
    confined: Confined, expected: bytes, committed: bytes, *, origin: str, pkgver_moves: bool
) -> list[Difference]:
    """Return where a committed `.SRCINFO` differs in meaning from the one that is expected.

    Raises InputError where one of them cannot be read, GaveUpError where that takes too much.
    """
    found = confined.call(
        _compared, expected.decode(_BYTES), committed.decode(_BYTES), origin, pkgver_moves
    )
    return _differences(found)


def _evaluated(pkgbuild: str, origin: str, files: Sequence[str] | None) -> dict[str, Any]:
    evaluation = evaluate(parse(pkgbuild.encode(_BYTES), origin=origin), files=files)
    unsure = doubts(evaluation)
    return {
        "srcinfo": None if unsure else render_srcinfo(evaluation).decode(_BYTES),
        "doubts": [asdict(doubt) for doubt in unsure],
        "pkgver_moves": "pkgver" in evaluation.functions,
    }


def _out_of_step(pkgbuild: str, committed: str, folder: str) -> list[dict[str, Any]]:
    evaluation = evaluate(parse(pkgbuild.encode(_BYTES), origin=f"{folder}/PKGBUILD"))
    found = compare_srcinfo(evaluation, committed.encode(_BYTES), origin=f"{folder}/.SRCINFO")
    return [asdict(difference) for difference in found]


def _compared(
    expected: str, committed: str, origin: str, pkgver_moves: bool
) -> list[dict[str, Any]]:
    found = compare_sections(
        read_sections(expected.encode(_BYTES), origin=origin),
        read_sections(committed.encode(_BYTES), origin=origin),
        pkgver_moves=pkgver_moves,
    )
    return [asdict(difference) for difference in found]


def _differences(found: Iterable[dict[str, Any]]) -> list[Difference]:
    return [
        Difference(
            field=one["field"],
            committed=tuple(one["committed"]),
            expected=tuple(one["expected"]),
            package=one["package"],
        )
        for one in found
    ]
