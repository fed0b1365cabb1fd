"""What a PKGBUILD says, and how far a committed `.SRCINFO` is from it, in one confined call."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from caur_ci.errors import InputError
from caur_ci.pkgbuild.compare import Difference, compare_srcinfo
from caur_ci.pkgbuild.evaluate import evaluate
from caur_ci.pkgbuild.refusals import Refusal, refusals
from caur_ci.pkgbuild.srcinfo import Doubt, doubts, render_srcinfo
from caur_ci.pkgbuild.syntax import parse

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from caur_ci.confined import Confined
    from caur_ci.pkgbuild.evaluate import Evaluation

# What travels is JSON, which has no bytes: a character stands for each.
_BYTES = "latin-1"
_SURE = frozenset({"pkgver", "pkgrel", "epoch", "pkgname", "arch", "package"})
_PKGBUILD, _SRCINFO = "PKGBUILD", ".SRCINFO"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is sure of a PKGBUILD.

    `srcinfo` is the `.SRCINFO` that follows from it, None where that is not sure. `differences` are
    those of the committed file, as far as they are sure, `refusals` what makepkg surely refuses.
    `lines` has where each variable is set.
    """

    srcinfo: bytes | None = None
    differences: tuple[Difference, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    lines: Mapping[str, int] | None = None
    doubt: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON has."""
        return {
            "srcinfo": None if self.srcinfo is None else self.srcinfo.decode(_BYTES),
            "differences": [asdict(it) for it in self.differences],
            "refusals": [list(it) for it in self.refusals],
            "lines": dict(self.lines or {}),
            "doubt": self.doubt,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Recipe:
        """Return what `to_dict` was made of."""
        srcinfo = data["srcinfo"]
        return cls(
            None if srcinfo is None else srcinfo.encode(_BYTES),
            tuple(
                Difference(
                    it["field"], tuple(it["committed"]), tuple(it["expected"]), it["package"]
                )
                for it in data["differences"]
            ),
            tuple(Refusal(*it) for it in data["refusals"]),
            data["lines"],
            data["doubt"],
        )


def read_recipe(
    confined: Confined, pkgbuild: bytes, committed: bytes | None, files: Collection[str]
) -> Recipe:
    """Evaluate a PKGBUILD, and compare the committed `.SRCINFO` where there is one.

    `files` are the names in its folder. Raises GaveUpError where that takes too much; a file that
    cannot be read is one that nothing is sure of.
    """
    srcinfo = None if committed is None else committed.decode(_BYTES)
    found = confined.call(_read, pkgbuild.decode(_BYTES), srcinfo, sorted(files))
    return Recipe.from_dict(found)


def _read(pkgbuild: str, committed: str | None, files: list[str]) -> dict[str, Any]:
    try:
        evaluation = evaluate(parse(pkgbuild.encode(_BYTES), origin=_PKGBUILD), files=files)
    except InputError as error:
        return Recipe(doubt=error.message).to_dict()
    unsure = doubts(evaluation)
    refused = refusals(evaluation) if unsure and evaluation.lost is None else []
    # Where something else is in doubt, it may be what makes the difference.
    is_refused = unsure == [Doubt(*it) for it in refused]
    return Recipe(
        srcinfo=None if unsure else render_srcinfo(evaluation),
        differences=() if refused else _differences(evaluation, committed),
        refusals=tuple(filter(_is_sure, refused)) if is_refused else (),
        lines={name: variable.line for name, variable in evaluation.variables.items()},
        doubt=str(unsure[0]) if unsure else "",
    ).to_dict()


def _is_sure(refusal: Refusal) -> bool:
    """Tell whether every makepkg refuses that: options and relations differ between them."""
    return refusal.field in _SURE or refusal.reason.startswith("should ")


def _differences(evaluation: Evaluation, committed: str | None) -> tuple[Difference, ...]:
    if committed is None:
        return ()
    try:
        return tuple(compare_srcinfo(evaluation, committed.encode(_BYTES), origin=_SRCINFO))
    except InputError:
        return ()  # that it cannot be read is told by whoever reads it
