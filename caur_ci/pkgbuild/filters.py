"""What `echo`, `printf` and a few programs write, where that is beyond doubt."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caur_ci.pkgbuild.ansi_c import unescaped
from caur_ci.pkgbuild.values import UnsureError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from caur_ci.pkgbuild.values import Budget

_FIELD = re.compile(r"%(%|s|d|0?[0-9]{0,2}d)")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_PLAIN = re.compile(r"[A-Za-z0-9 _.,:;=@#+~-]*")
_SED = re.compile(r"s(?P<by>[/|,#:@&])(?P<what>.*?)(?P=by)(?P<new>.*?)(?P=by)(?P<flags>g?)")
# One character of a regular expression that means itself, or any of a few.
_SED_PLAIN = re.compile(r"(?:[A-Za-z0-9 _:;=@#~,/-]|\\[./-]|\[[A-Za-z0-9._:,-]\])*")
_RANGES = {"A-Z": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "a-z": "abcdefghijklmnopqrstuvwxyz"}
_RANGES |= {"[:upper:]": _RANGES["A-Z"], "[:lower:]": _RANGES["a-z"], "0-9": "0123456789"}


def echo(arguments: Sequence[str]) -> str:
    """Return what bash's `echo` writes."""
    newline, escapes = "\n", False
    words = list(arguments)
    while words and re.fullmatch(r"-[neE]+", words[0]):
        for flag in words.pop(0)[1:]:
            newline = "" if flag == "n" else newline
            escapes = escapes if flag == "n" else flag == "e"
    text = " ".join(words)
    return (unescaped(text) if escapes else text) + newline


def formatted(arguments: Sequence[str], budget: Budget) -> str:
    """Return what bash's `printf` writes; raise UnsureError for rarer formats."""
    if not arguments:
        raise UnsureError("printf without a format")
    form, rest = arguments[0], list(arguments[1:])
    if form.startswith("-"):
        raise UnsureError("an option of printf")
    takes = [match[1] for match in _FIELD.finditer(form) if match[1] != "%"]
    if form.count("%") != len(takes) + 2 * sum(m[1] == "%" for m in _FIELD.finditer(form)):
        raise UnsureError("a format that is not modelled")
    made: list[str] = []
    while True:
        budget.made(len(form) + 1)
        budget.step()
        made.append(_filled(form, rest))
        if not rest or not takes:
            return "".join(made)


def _filled(form: str, rest: list[str]) -> str:
    made: list[str] = []
    at = 0
    for match in _FIELD.finditer(form):
        made.append(unescaped(form[at : match.start()]))
        at = match.end()
        if match[1] == "%":
            made.append("%")
        elif match[1] == "s":
            made.append(rest.pop(0) if rest else "")
        else:
            number = rest.pop(0) if rest else "0"
            if not _NUMBER.fullmatch(number):
                raise UnsureError("printf of what is no plain number")
            made.append(match[0] % int(number))
    made.append(unescaped(form[at:]))
    return "".join(made)


def _tr(arguments: Sequence[str], text: str, _budget: Budget) -> str | None:
    """Carry out `tr` with plain characters; None where it is not plain."""
    delete = list(arguments[:1]) == ["-d"]
    sets = [_characters(argument) for argument in arguments[delete:]]
    if any(found is None for found in sets) or len(sets) != 2 - delete or not text.isascii():
        return None
    first, second = sets[0] or "", (sets[1] or "") if not delete else ""
    if delete:
        return "".join(char for char in text if char not in first)
    if not first or not second:
        return None
    second += second[-1] * max(0, len(first) - len(second))
    # The last of several equal characters counts.
    table = dict(zip(first, second, strict=False))
    return "".join(table.get(char, char) for char in text)


def _characters(argument: str) -> str | None:
    if argument in _RANGES:
        return _RANGES[argument]
    if argument == "\\n":
        return "\n"
    if argument.startswith("-") and len(argument) > 1:
        return None
    if "-" in argument[1:-1] or (":" in argument and "[" in argument):
        return None
    return argument if _PLAIN.fullmatch(argument) or argument in {"/", "\n"} else None


def _cut(arguments: Sequence[str], text: str, _budget: Budget) -> str | None:
    """Carry out `cut -d X -f LIST`; None where it is not plain."""
    delimiter, wanted = "", ""
    waiting = list(arguments)
    while waiting:
        option = waiting.pop(0)
        if option[:2] not in {"-d", "-f"} or not (option[2:] or waiting):
            return None
        value = option[2:] or waiting.pop(0)
        delimiter, wanted = (value, wanted) if option[1] == "d" else (delimiter, value)
    match = re.fullmatch(r"([1-9][0-9]?)?(-)?([1-9][0-9]?)?", wanted)
    if len(delimiter) != 1 or not wanted or match is None or wanted == "-":
        return None
    first = int(match[1] or 1)
    last = int(match[3]) if match[3] else None if match[2] else first
    if last is not None and last < first:
        return None
    lines = text.split("\n")
    return "\n".join(
        delimiter.join(line.split(delimiter)[first - 1 : last]) if delimiter in line else line
        for line in lines
    )


def _sed(arguments: Sequence[str], text: str, budget: Budget) -> str | None:
    """Carry out `sed s/…/…/` where what is looked for is plain; None where it is not."""
    scripts = [argument for argument in arguments if argument not in {"-e", "-E", "-r"}]
    if len(scripts) != 1 or scripts[0].startswith("-"):
        return None
    commands = [part.strip() for part in scripts[0].split(";")] if ";" in scripts[0] else scripts
    lines = text.split("\n")
    for command in commands:
        match = _SED.fullmatch(command)
        if match is None or not _SED_PLAIN.fullmatch(match["what"]) or not match["what"]:
            return None
        if not re.fullmatch(r"[A-Za-z0-9 _.:;=@#~,+-]*", match["new"]):
            return None
        plain = re.sub(r"\\(.)|\[(.)\]", lambda found: found[1] or found[2], match["what"])
        budget.made(sum(map(len, lines)) * (1 + len(match["new"])))
        lines = [line.replace(plain, match["new"], -1 if match["flags"] else 1) for line in lines]
    return "\n".join(lines)


def _cat(arguments: Sequence[str], text: str, _budget: Budget) -> str | None:
    return text if not arguments else None


def _rev(arguments: Sequence[str], text: str, _budget: Budget) -> str | None:
    if arguments or not text.isascii():
        return None
    return "\n".join(line[::-1] for line in text.split("\n"))


FILTERS: Mapping[str, Callable[[Sequence[str], str, Budget], str | None]] = {
    "tr": _tr,
    "cut": _cut,
    "sed": _sed,
    "cat": _cat,
    "rev": _rev,
}
