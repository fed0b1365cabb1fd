"""Messages of automated commits."""

from __future__ import annotations

import pytest

from caur_ci.pipeline.shared.commit_messages import (
    aur_message,
    bump_message,
    is_automated,
    review_message,
    update_message,
)
from caur_ci.pipeline.shared.forge import ForgePipeline


@pytest.mark.parametrize(
    ("packages", "forge", "expected"),
    [
        (["a"], "", "chore(update): a\n"),
        (["a"], "gitlab", "chore(update): a\n"),
        (["a"], "github", "chore(update): a [skip ci]\n"),
        (["a", "b", "c", "d"], "", "chore(update): a, b, c, d\n"),
        (list("abcde"), "", "chore(update): packages (5)\n\nchanged: a, b, c, d, e\n"),
        (
            list("abcde"),
            "github",
            "chore(update): packages (5) [skip ci]\n\nchanged: a, b, c, d, e\n",
        ),
    ],
)
def test_an_update(packages: list[str], forge: str, expected: str) -> None:
    message = update_message(packages, ForgePipeline(forge=forge))

    assert message == expected
    assert is_automated(message)


@pytest.mark.parametrize(
    ("reasons", "forge", "expected"),
    [
        ({"a": "explicit, x"}, "", "chore(bump): a\n\n- a: explicit, x\n"),
        (
            {"b": "y [deploy all]", "a": "x"},
            "github",
            "chore(bump): a, b [skip ci]\n\n- a: x\n- b: y (deploy all)\n",
        ),
        (
            dict.fromkeys("abcde", "x"),
            "gitlab",
            (
                "chore(bump): packages (5)\n\nbumped: a, b, c, d, e\n\n"
                "- a: x\n- b: x\n- c: x\n- d: x\n- e: x\n"
            ),
        ),
    ],
)
def test_a_bump(reasons: dict[str, str], forge: str, expected: str) -> None:
    message = bump_message(reasons, ForgePipeline(forge=forge))

    assert message == expected
    assert not is_automated(message)  # it tells why, and is not replaced


@pytest.mark.parametrize(
    ("reasons", "link", "expected"),
    [
        ((), "", "chore(update): a\n\n"),
        (("x is new", "y"), "", "chore(update): a\n\n- x is new\n- y\n"),
        (("x",), "https://e/1", "chore(update): a\n\n- x\n\nhttps://e/1\n"),
    ],
)
def test_a_review(reasons: tuple[str, ...], link: str, expected: str) -> None:
    message = review_message("a", reasons, link)

    assert message == expected
    assert is_automated(message)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("chore(update): a", True),
        ("chore(update): a\n\nanything\nbelow", True),
        ("chore(packages): update packages", True),
        ("chore(packages): update packages [skip ci]\n", True),
        ("chore(packages): update packages by hand\n", False),
        ("chore(update): \n", False),
        ("chore(update):\nchore(update): a\n", False),
        (" chore(update): a\n", False),
        ("fix: x\n\nchore(update): a\n", False),
        ("Revert chore(update): a\n", False),
        ("", False),
    ],
)
def test_what_a_pipeline_made(message: str, expected: bool) -> None:
    assert is_automated(message) is expected


def test_what_readers_of_the_aur_are_told() -> None:
    pipeline = ForgePipeline(
        forge="github",
        branch="refs/heads/main",
        url="https://github.com/o/n/actions/runs/1",
        project="https://github.com/o/n",
    )

    subject, made, history, run = aur_message("a", pipeline).split("\n\n")

    assert subject == "chore: update a"
    assert made.startswith("This commit was made by the pipeline")
    assert history.endswith(" https://github.com/o/n/commits/main/a")
    assert run == "The pipeline: https://github.com/o/n/actions/runs/1\n"
    assert aur_message("a", ForgePipeline()) == f"{subject}\n\n{made}\n"
