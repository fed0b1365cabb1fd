"""The messages of the existing system, however much has to go into one."""

from __future__ import annotations

import re

import pytest

from scheduler.notifications.markup import Markup, length
from scheduler.notifications.model import Note, Waiting
from scheduler.notifications.wording import groups, headline, message
from scheduler.settings.telling import Told
from tests.support.telegram import read_markdown_v2

COMMIT = "https://gitlab.example.org/g/p/-/commit/" + "a" * 40


def note(told: Told, pkgbase: str = "freecad-git", **fields: str) -> Note:
    return Note(
        told=told,
        repository="awesome-repo",
        time=1.0,
        arch="x86_64",
        pkgbase=pkgbase,
        commit_url=COMMIT,
        **({"node": "builder-1"} | fields),  # type: ignore[arg-type]
    )


def waiting(*notes: Note) -> list[Waiting]:
    return [Waiting(f"t {number}-0", "t", each) for number, each in enumerate(notes)]


def link(each: Note) -> str:
    return f"https://example.org/logs.html?id={each.pkgbase}"


def text_of(*notes: Note, limit: int = 4096) -> str:
    (group,) = groups(waiting(*notes))
    return message(group, Markup.TEXT, link, limit=limit, has_title=False).body


@pytest.mark.parametrize(
    ("told", "first"),
    [
        (Told.DEPLOYED, "📣 New deployment to awesome-repo on builder-1:"),
        (Told.FAILED, "🚨 Failed deploying to awesome-repo on builder-1:"),
        (Told.TIMED_OUT, "⏳ Build for awesome-repo failed due to a timeout:"),
        (
            Told.SOFTWARE_FAILURE,
            "💥 The code blew up while deploying to awesome-repo on builder-1:",
        ),
    ],
    ids=str,
)
def test_a_message_about_a_build(told: Told, first: str) -> None:
    assert text_of(note(told)) == (
        f"{first}\n> freecad-git - logs: https://example.org/logs.html?id=freecad-git"
        f" - commit: {COMMIT}"
    )


@pytest.mark.parametrize(
    ("told", "whole"),
    [
        (Told.CLEANUP, "✅ Cleanup job for awesome-repo finished successfully"),
        (Told.CLEANUP_FAILED, "🚫 Cleanup job awesome-repo failed to remove packages\n> locked"),
    ],
    ids=str,
)
def test_a_message_about_a_removal(told: Told, whole: str) -> None:
    assert text_of(note(told, "", reason="locked")) == whole


def test_telegram_gets_a_bold_headline_and_links() -> None:
    (group,) = groups(waiting(note(Told.FAILED, "a_b.c++")))

    made = message(group, Markup.TELEGRAM, link, limit=4096, has_title=False)

    shown = read_markdown_v2(made.body)
    assert shown.bold == ("🚨 Failed deploying to awesome-repo on builder-1:",)
    assert shown.quoted == ("a_b.c++ - logs - commit",)
    assert shown.links == (
        ("logs", "https://example.org/logs.html?id=a_b.c++"),
        ("commit", COMMIT),
    )


def test_mail_has_the_headline_as_its_subject() -> None:
    (group,) = groups(waiting(note(Told.FAILED)))

    made = message(group, Markup.HTML, link, limit=4096, has_title=True)

    assert made.title == "🚨 Failed deploying to awesome-repo on builder-1:"
    assert made.body.startswith("&gt; freecad-git - <a href=")


def test_what_is_alike_is_one_message() -> None:
    found = groups(
        waiting(note(Told.DEPLOYED, "a"), note(Told.FAILED, "b"), note(Told.DEPLOYED, "c"))
    )

    assert [(group.told, len(group.waiting)) for group in found] == [
        (Told.DEPLOYED, 2),
        (Told.FAILED, 1),
    ]


def test_several_workers_are_not_named() -> None:
    notes = [note(Told.DEPLOYED, "a"), note(Told.DEPLOYED, "b", node="builder-2")]

    assert headline(notes) == "📣 New deployment to awesome-repo:"


def test_of_one_package_the_latest_is_told() -> None:
    text = text_of(note(Told.FAILED, "a"), note(Told.FAILED, "a"), note(Told.FAILED, "b"))

    assert [line.split(" - ")[0] for line in text.splitlines()[1:]] == ["> a", "> b"]


@pytest.mark.parametrize("markup", list(Markup), ids=str)
@pytest.mark.parametrize("limit", [120, 500, 4096])
def test_a_storm_fits_in_one_message(markup: Markup, limit: int) -> None:
    (group,) = groups(waiting(*(note(Told.DEPLOYED, f"package{n}") for n in range(400))))

    made = message(group, markup, link, limit=limit, has_title=False)

    assert length(made.body) <= limit
    last = made.body.splitlines()[-1]
    named = made.body.count("id=package") + len(re.findall(r"[> ]package", last))
    assert f"… and {400 - named} more" in last
    assert named > 0 or limit == 120


def test_what_has_no_room_for_links_is_named() -> None:
    text = text_of(*(note(Told.FAILED, f"package{n}") for n in range(50)))

    assert all(re.search(rf"package{n}\b", text) for n in range(50))
    assert text.count("logs: ") == 13
