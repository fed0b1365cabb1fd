"""Text with bold words and links, in the ways in which those who show it write that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from typing import TYPE_CHECKING

from caur_ci.plaintext import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_TELEGRAM_SPECIAL = re.compile(r"([_*\[\]()~`>#+\-=|{}.!\\])")
_TELEGRAM_URL_SPECIAL = re.compile(r"([)\\])")
_LINE_END = re.compile(r"[\n\t]")
_MARKDOWN_SPECIAL = re.compile(r"([!-/:-@\[-`{-~])")


class Markup(StrEnum):
    """Who reads it, and how."""

    TELEGRAM = "telegram"  # MarkdownV2
    MARKDOWN = "markdown"  # CommonMark
    HTML = "html"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line. What comes from outside may hold anything; it is shown as it is."""

    text: str
    bold: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line, which is marked as a quotation or not."""

    spans: tuple[Span, ...]
    quoted: bool = False


def written(lines: Iterable[Line], markup: Markup) -> str:
    """Return the lines as they have to be sent."""
    return _ENDS[markup].join(_line(line, markup) for line in lines)


def length(text: str) -> int:
    """Return how long a text is by the count of Telegram, which nobody else's is above."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _line(line: Line, markup: Markup) -> str:
    text = "".join(_WRITERS[markup](_clean(span)) for span in line.spans)
    if not line.quoted:
        return text
    return f"{_QUOTES[markup]}{text}"


def _clean(span: Span) -> Span:
    text = printable(_LINE_END.sub(" ", span.text))
    return Span(text, span.bold, span.url if _is_safe(span.url) else "")


def _is_safe(url: str) -> bool:
    return bool(re.fullmatch(r"https?://[!-~]+", url))


def _telegram(span: Span) -> str:
    text = _TELEGRAM_SPECIAL.sub(r"\\\1", span.text)
    text = f"*{text}*" if span.bold and text else text
    if span.url:
        url = _TELEGRAM_URL_SPECIAL.sub(r"\\\1", span.url)
        return f"[{text}]({url})"
    return text


def _markdown(span: Span) -> str:
    text = _MARKDOWN_SPECIAL.sub(r"\\\1", span.text)
    text = f"**{text}**" if span.bold and text else text
    if span.url:
        url = span.url.replace("<", "%3C").replace(">", "%3E").replace("\\", "%5C")
        return f"[{text}](<{url}>)"
    return text


def _html(span: Span) -> str:
    text = escape(span.text)
    text = f"<b>{text}</b>" if span.bold and text else text
    return f'<a href="{escape(span.url)}">{text}</a>' if span.url else text


def _text(span: Span) -> str:
    return f"{span.text}: {span.url}" if span.url else span.text


_WRITERS: dict[Markup, Callable[[Span], str]] = {
    Markup.TELEGRAM: _telegram,
    Markup.MARKDOWN: _markdown,
    Markup.HTML: _html,
    Markup.TEXT: _text,
}
_QUOTES = {
    Markup.TELEGRAM: ">",
    Markup.MARKDOWN: "- ",
    Markup.HTML: "&gt; ",
    Markup.TEXT: "> ",
}
_ENDS = {Markup.TELEGRAM: "\n", Markup.MARKDOWN: "\n", Markup.HTML: "<br>\n", Markup.TEXT: "\n"}
