"""Text that shows something else than it is, or that talks to whoever judges it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING

from caur_ci.judge.catalogue import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.judge.model import Finding

_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200d\u2060-\u2064\u206a-\u206f\u2800\u3164\ufeff"
    "\uffa0\ufff9-\ufffb\ufe00-\ufe0f\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
)
# A joined picture of several, or one in colour: U+FE0F and U+200D stand among pictures.
_PICTURE = re.compile("[\u2190-\u2bff\U0001f000-\U0001faff\u00a9\u00ae0-9#*]\ufe0f?[\u200d\ufe0f]?")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]|[\x80-\x9f]")
_WORD = re.compile(r"[^\W\d_]+")
_FAR = re.compile(r"[ \t\u00a0\u2000-\u200a\u3000]{100,}\S")
_LIKE_LATIN = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "MATHEMATICAL", "FULLWIDTH")
_WHOM = (
    r"\b(?:A\.?I\.?|LLMs?|(?:large )?language models?|chat ?gpt|claude|gemini|copilot|GPT-?\d?|"
    r"agents?|assistants?|"
    r"(?:automat\w+|security|code) (?:reviewers?|reviews?|scann?ers?|scans?|auditors?)|"
    r"reviewers?|scanners?|bots?)\b"
)
_WISH = (
    r"\b(?:ignore|disregard|approve|skip|trust|do(?: not|n't) (?:report|flag|review|mention)|"
    r"safe|benign|harmless|mark (?:this|it)?|verdict|instructions?|pre-?approved|"
    r"false positive|nothing to see|whitelist\w*)\b"
)
_TALK = re.compile(
    rf"{_WHOM}.{{0,80}}{_WISH}|{_WISH}.{{0,80}}{_WHOM}|(?:ignore|disregard|forget) (?:all |any )?"
    r"(?:the )?(?:previous|prior|above|earlier) (?:instructions|prompts?|rules)|system prompt",
    re.IGNORECASE,
)
_LONGEST_LINE = 3000
_LONGEST_SCANNED = 20_000
_MOST = 5


def judge_text(
    file: str, old: bytes | None, new: bytes, *, is_code: bool = True, has_long_lines: bool = False
) -> Iterator[Finding]:
    """Yield what is odd about the lines of a text that it did not have before.

    `is_code` says that bash reads it, which takes a carriage return for a character;
    `has_long_lines` that such lines are usual in files of this kind.
    """
    text = new.decode("utf-8", "replace")
    if not _is_utf8(new) and (old is None or _is_utf8(old)):
        yield finding("not-text", file=file, what="bytes that are no UTF-8")
    counts: Counter[str] = Counter()
    for number, line in new_lines(old, text):
        for code, what in _about(line, is_code=is_code, has_long_lines=has_long_lines):
            counts[code] += 1
            if counts[code] <= _MOST:
                yield finding(code, file=file, line=number, new=_visible(line), what=_visible(what))


def new_lines(old: bytes | None, text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text, with their numbers, that an older one does not have."""
    before = Counter((old or b"").decode("utf-8", "replace").split("\n"))
    for number, line in enumerate(text.split("\n"), start=1):
        if before[line] > 0:
            before[line] -= 1
        else:
            yield number, line


def _about(line: str, *, is_code: bool, has_long_lines: bool) -> Iterator[tuple[str, str]]:
    if len(line) > _LONGEST_LINE and not has_long_lines:
        yield "long-line", f"{len(line):,} characters"
    line = line[:_LONGEST_SCANNED]
    if "\r" in (line if is_code else line.removesuffix("\r")):
        yield "carriage-return", line
    if match := _FAR.search(line):
        yield "out-of-sight", line[match.end() - 1 :]
    if _TALK.search(line):
        yield "addresses-reviewer", line
    if match := _CONTROL.search(line.replace("\r", "")):
        yield "control-character", _name(match[0])
    if not line.isascii():
        yield from _about_letters(line)


def _about_letters(line: str) -> Iterator[tuple[str, str]]:
    if match := _BIDI.search(line):
        yield "bidi-text", _name(match[0])
    if match := _INVISIBLE.search(_PICTURE.sub("", line)):
        yield "invisible-text", _name(match[0])
    for word in _WORD.findall(line):
        if not word.isascii() and _is_mixed(word):
            yield "homoglyph", f"{word} ({_name(_odd_letter(word))})"
            return


def _is_mixed(word: str) -> bool:
    if unicodedata.normalize("NFKC", word).isascii():
        return True
    return any(char.isascii() for char in word) and bool(_odd_letter(word))


def _odd_letter(word: str) -> str:
    return next((char for char in word if unicodedata.name(char, "").startswith(_LIKE_LATIN)), "")


def _name(char: str) -> str:
    return f"U+{ord(char):04X} {unicodedata.name(char, '')}".strip() if char else "letters"


def _visible(text: str) -> str:
    return "".join(char if char.isprintable() else f"<U+{ord(char):04X}>" for char in text[:1200])


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
