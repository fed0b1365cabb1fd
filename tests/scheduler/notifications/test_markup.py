"""Whatever is in a text, those who read its markup show it as it is."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from caur_ci.plaintext import printable
from scheduler.notifications.markup import Line, Markup, Span, length, written
from tests.support.telegram import read_markdown_v2

NASTY = "_*[]()~`>#+-=|{}.!\\<&>\"' 1"
TEXTS = st.text(st.sampled_from(NASTY + "aä📣\n\x1b\u202e") | st.characters(codec="utf-8"))
URLS = st.from_regex(r"https://[a-z]{1,5}\.org/[!-~]{0,20}", fullmatch=True)


class Html(HTMLParser):
    """What a browser would show."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = ""
        self.bold: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [url or "" for name, url in attrs if name == "href"]
        self.text += "\n" if tag == "br" else ""

    def handle_data(self, data: str) -> None:
        self.text += data


def as_shown(text: str) -> str:
    return printable(text.replace("\n", " ").replace("\t", " "))


@settings(max_examples=60)
@given(TEXTS, TEXTS, URLS)
@example(NASTY, NASTY, "https://example.org/_(*)[.]!~\\")
def test_telegram_shows_what_was_meant(bold: str, label: str, url: str) -> None:
    line = Line((Span(f"x{bold}", bold=True), Span(" - "), Span(f"y{label}", url=url)))

    shown = read_markdown_v2(written([line, Line((Span(label),), quoted=True)], Markup.TELEGRAM))

    first = f"{as_shown('x' + bold)} - {as_shown('y' + label)}"
    assert shown.text == f"{first}\n{as_shown(label)}"
    assert shown.bold == (as_shown(f"x{bold}"),)
    assert shown.links == ((as_shown(f"y{label}"), url),)
    assert shown.quoted == (as_shown(label),)


@settings(max_examples=60)
@given(TEXTS, URLS)
@example(NASTY, 'https://example.org/?a="&b=<')
def test_a_browser_shows_what_was_meant(text: str, url: str) -> None:
    lines = [Line((Span(text), Span(f"x{text}", url=url)))]

    shown = Html(written(lines, Markup.HTML))

    assert shown.text == as_shown(text) + as_shown(f"x{text}")
    assert shown.links == [url]
    assert shown.tags == ["a"]


@settings(max_examples=60)
@given(st.text(st.sampled_from(NASTY + "aä"), min_size=1), URLS)
@example(NASTY, "https://example.org/(<>)")
def test_markdown_shows_what_was_meant(text: str, url: str) -> None:
    lines = [Line((Span(f"x{text}y"), Span("-"), Span(f"x{text}y", url=url)))]

    (_, inline, _) = MarkdownIt("commonmark").parse(written(lines, Markup.MARKDOWN))

    found = "".join(it.content for it in inline.children or () if it.type == "text")
    assert found == f"x{text}y-x{text}y"
    assert [it.type for it in inline.children or () if it.nesting] == ["link_open", "link_close"]


def test_plain_text_has_the_addresses_in_it() -> None:
    lines = [Line((Span("a_b", bold=True), Span(" - "), Span("logs", url="https://example.org/")))]

    assert written(lines, Markup.TEXT) == "a_b - logs: https://example.org/"


@pytest.mark.parametrize("markup", list(Markup), ids=str)
@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://a b", "ftp://example.org"])
def test_only_addresses_of_the_web_are_linked(markup: Markup, url: str) -> None:
    assert written([Line((Span("x", url=url),))], markup) == "x"


@pytest.mark.parametrize(("text", "units"), [("abc", 3), ("ä", 1), ("📣", 2)], ids=str)
def test_length_is_counted_as_telegram_does(text: str, units: int) -> None:
    assert length(text) == units
