"""Who a PKGBUILD says that it is maintained by."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caur_ci.judge.catalogue import finding
from caur_ci.judge.package import PKGBUILD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.judge.model import Finding
    from caur_ci.judge.pair import Pair

_MAINTAINER = re.compile(r"#+\s*(?:co-?)?maintainer\s*:?\s*(?P<who>.*)", re.IGNORECASE)


def judge_people(pair: Pair) -> Iterator[Finding]:
    """Yield who is new as a maintainer where somebody was named before."""
    old = dict(_maintainers(pair.old.script.lines))
    new = dict(_maintainers(pair.new.script.lines))
    if not old:
        return
    for who, (line, text) in new.items():
        if who not in old:
            before = "; ".join(text for _, text in old.values())
            yield finding(
                "maintainer-changed", file=PKGBUILD, line=line, old=before, new=text, what=text
            )


def _maintainers(lines: list[str]) -> Iterator[tuple[str, tuple[int, str]]]:
    for number, line in enumerate(lines, start=1):
        if match := _MAINTAINER.fullmatch(line.strip()):
            who = re.split(r"[<(\[]|\s(?:at|aka)\s|@", match["who"])[0]
            plain = "".join(char for char in who.casefold() if char.isalnum())
            if plain:
                yield plain, (number, match["who"])
