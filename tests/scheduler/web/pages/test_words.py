"""Words for times and sizes, and feeds of anything."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from scheduler.job import JobState
from scheduler.web.pages import words
from scheduler.web.pages.atom import Entry, feed
from scheduler.web.pages.rendering import web_link


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (9000, "2 h 30 min"),
        (90_000, "1 d 1 h"),
        (86_459, "1 d"),
    ],
)
def test_lengths_of_time(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


def test_times() -> None:
    assert words.relative(100.0, 220.0) == "2 min ago"
    assert words.relative(4000.0, 100.0) == "in 1 h"
    assert (words.iso(0.0), words.exact(1e18)) == (
        "1970-01-01T00:00:00Z",
        "9999-12-31 23:59:59 UTC",
    )


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (50 * 1024**2, "50 MiB")]
)
def test_sizes(count: int, text: str) -> None:
    assert words.size(count) == text


def test_only_the_web_is_linked() -> None:
    assert web_link("https://example.org") == "https://example.org"
    assert web_link("javascript:alert(1)") == web_link("data:text/html,x") == ""


def test_a_feed_survives_whatever_it_tells() -> None:
    nasty = "a\x00b\x1b[31m]]><!-- & \ud800\uffff"
    entry = Entry("x", nasty, "http://h/?a=1&b=<2>", 1.0, nasty)
    content = feed(title=nasty, key="k", page="http://h/", address="http://h/a", entries=[entry])
    root = ET.fromstring(content)  # noqa: S314 - it is ours

    title = root.findtext("{http://www.w3.org/2005/Atom}title")
    assert title is not None
    assert title.startswith("a\ufffdb\ufffd[31m]]><!-- & ")


@pytest.mark.parametrize("state", JobState)
def test_there_are_words_for_every_state(state: JobState) -> None:
    assert words.state_words(state)
