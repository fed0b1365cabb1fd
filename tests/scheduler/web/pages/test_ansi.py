"""Lines of logs as HTML."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caur_ci.plaintext import for_terminal
from scheduler.web.pages.ansi import line_text, plain, to_html


def html_of(line: bytes) -> str:
    return str(to_html(line_text(line)))


@pytest.mark.parametrize(
    ("line", "html"),
    [
        (b"plain\r\n", "plain"),
        (b"\x1b[31mred\x1b[0m plain", '<span class="f1">red</span> plain'),
        (
            b"\x1b[1;4;92mloud\x1b[22m less",
            '<span class="a-bold a-under f2">loud</span><span class="a-under f2"> less</span>',
        ),
        (b"\x1b[44mback\x1b[49m", '<span class="g4">back</span>'),
        (b"\x1b[38;5;196mred\x1b[39mno", '<span class="f1">red</span>no'),
        (b"\x1b[38;5;250mgrey", '<span class="f7">grey</span>'),
        (b"\x1b[38;2;10;200;30mgreen", '<span class="f2">green</span>'),
        (b"\x1b[48;2;250;250;250;1mwhite", '<span class="a-bold g7">white</span>'),
        (b"\x1b[38mnothing follows", "nothing follows"),
        (b"<script>alert('1')</script>&", "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;"),
        (b"\x1b[31m<b>\x1b[m", '<span class="f1">&lt;b&gt;</span>'),
        (b"10%\r 55%\r100% done\r\n", "100% done"),
        (b"\x1b]0;title\x07text\x1b[2Jmore", "textmore"),
        (b"broken \xff utf-8", "broken \ufffd utf-8"),
        ("\u202eback\u200b".encode(), "\ufffdback\ufffd"),
    ],
    ids=lambda value: None if isinstance(value, str) else repr(value)[:30],
)
def test_colours_are_classes_and_everything_else_is_text(line: bytes, html: str) -> None:
    assert html_of(line) == html


_PIECES = st.sampled_from(
    [
        b"\x1b[",
        b"31",
        b";",
        b"m",
        b"\x1b[0m",
        b"<",
        b">",
        b'"',
        b"'",
        b"&",
        b"\r",
        b"\x00",
        b"38;5;",
        b"48;2;",
        b"\xc3",
        b"a",
        b"onclick=",
        b"\x9b",
        b"999999999999",
    ]
)


@settings(max_examples=60)
@given(st.lists(_PIECES, max_size=20).map(b"".join))
def test_whatever_a_line_holds_only_our_own_markup_is_html(line: bytes) -> None:
    text = line_text(line)
    html = str(to_html(text))
    assert text == for_terminal(text)
    without_ours = re.sub(r'<span class="[a-z0-9 -]+">|</span>', "", html)

    assert not set(without_ours) & set("<>\"'\0\x1b")
    assert unescape(without_ours) == plain(text)
