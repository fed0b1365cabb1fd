"""The words in commit messages that ask for builds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import InputError
from caur_ci.git import CommitMessage
from caur_ci.pipeline.on_commit.deploy import DeployRequests, read_deploys

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES = ("a", "b", "c-git", "x@y")
FIRST, SECOND, THIRD = "1" * 40, "2" * 40, "3" * 40


def read(
    *messages: str, existed: Callable[[str, str], bool] = lambda _, __: False
) -> DeployRequests:
    """Read messages of the commits 111…, 222… and so on."""
    commits = [
        CommitMessage(str(number) * 40, text) for number, text in enumerate(messages, start=1)
    ]
    return read_deploys(commits, PACKAGES, existed)


class TestWishes:
    """What asks for which package."""

    @pytest.mark.parametrize(
        ("message", "expected"),
        [
            ("feat: x", {}),
            ("feat: x [deploy a]", {"a": None}),
            ("[deploy a] feat: x", {"a": None}),
            ("feat: x\n\nbody\n[deploy a]\n", {"a": None}),
            ("[Deploy a]", {"a": None}),
            ("[deploy a b]", {"a": None, "b": None}),
            ("[deploy a,b]", {"a": None, "b": None}),
            ("[deploy  a ,\n b ]", {"a": None, "b": None}),
            ("[deploy a][deploy b]", {"a": None, "b": None}),
            ("[deploy c-git x@y]", {"c-git": None, "x@y": None}),
            ("[deploy all]", dict.fromkeys(PACKAGES)),
            ("[deploy all/3]", dict.fromkeys(PACKAGES, "3")),
            ("[deploy a/3]", {"a": "3"}),
            ("[deploy a/003]", {"a": "3"}),
            ("[deploy a/0]", {"a": "1"}),
            ("[deploy a/big-one b]", {"a": "big-one", "b": None}),
            ("[deploy]", {}),
            ("[deploy ]", {}),
            ("[deploy-skip]", {}),
            ("[deploya]", {}),
            ("[redeploy a]", {}),
            ("[deploy [a]]", {}),
            ("deploy a", {}),
            ("[deploy a", {}),
        ],
    )
    def test_words(self, message: str, expected: dict[str, str | None]) -> None:
        deploys = read(message)

        assert deploys.packages == expected
        assert deploys.reasons == dict.fromkeys(expected, f"[deploy] in {FIRST[:12]}")
        assert deploys.notes == []

    @pytest.mark.parametrize(
        ("messages", "expected"),
        [
            (("[deploy a]", "[deploy b]"), {"a": None, "b": None}),
            (("[deploy a/3]", "[deploy a]"), {"a": "3"}),
            (("[deploy a/3]", "[deploy a/4]"), {"a": "4"}),
            (("[deploy all/3]", "[deploy a/4]"), dict.fromkeys(PACKAGES, "3") | {"a": "4"}),
            (("[deploy a/4]", "[deploy all]"), dict.fromkeys(PACKAGES) | {"a": "4"}),
        ],
    )
    def test_later_ones_add_to_earlier_ones(
        self, messages: tuple[str, ...], expected: dict[str, str | None]
    ) -> None:
        assert read(*messages).packages == expected

    def test_the_latest_commit_is_the_reason(self) -> None:
        assert read("[deploy a]", "[deploy a]").reasons == {"a": f"[deploy] in {SECOND[:12]}"}


class TestMistakes:
    """A name that is no package stops everything, and what was meant is told."""

    @pytest.mark.parametrize(
        ("word", "problem"),
        [
            ("d", "there is no package 'd'."),
            ("A", "there is no package 'A'."),
            ("c-gti", "there is no package 'c-gti'. Did you mean c-git?"),
            ("a/", "'' is no build class"),
            ("a/b/c", "'b/c' is no build class"),
            ("a/-x", "'-x' is no build class"),
            ("/3", "there is no package ''."),
        ],
    )
    def test_one_word(self, word: str, problem: str) -> None:
        with pytest.raises(InputError) as caught:
            read(f"feat: x [deploy {word}]")

        assert caught.value.message == f"commit {FIRST[:12]}: [deploy {word}]: {problem}"
        assert "[deploy-skip SHA]" in caught.value.hint

    def test_all_of_them_are_told_at_once(self) -> None:
        with pytest.raises(InputError) as caught:
            read("[deploy d a e]", "[deploy b]", "[deploy f]")

        told = [line.split(":")[0:2] for line in caught.value.message.splitlines()]
        assert told == [
            [f"commit {FIRST[:12]}", " [deploy d]"],
            [f"commit {FIRST[:12]}", " [deploy e]"],
            [f"commit {THIRD[:12]}", " [deploy f]"],
        ]

    def test_a_package_that_was_removed_since_is_none(self) -> None:
        asked: list[tuple[str, str]] = []

        def existed(commit: str, name: str) -> bool:
            asked.append((commit, name))
            return name == "old"

        deploys = read("[deploy old a]", existed=existed)

        assert deploys.packages == {"a": None}
        expected = f"commit {FIRST[:12]} asks to deploy old, which was removed since"
        assert deploys.notes == [expected]
        assert asked == [(FIRST, "old")]


class TestSkipping:
    """A later commit takes back what an earlier one asked for."""

    @pytest.mark.parametrize("sha", [FIRST, FIRST[:7], FIRST[:12], f"{FIRST[:7]} {THIRD[:7]}"])
    def test_what_an_earlier_commit_asked_for(self, sha: str) -> None:
        deploys = read("[deploy nothing a]", "[deploy b]", "x", f"[deploy-skip {sha}]")

        assert deploys.packages == {"b": None}
        assert deploys.notes == [f"skipped what {FIRST[:12]} asked to deploy"]

    def test_its_letters_may_be_capitals(self) -> None:
        commit = "abcdef0" * 5 + "abcde"
        messages = [
            CommitMessage(commit, "[deploy a]"),
            CommitMessage(SECOND, "[DEPLOY-SKIP ABCDEF0]"),
        ]

        assert read_deploys(messages, PACKAGES, lambda _, __: False).packages == {}

    def test_a_commit_that_skips_may_ask_for_something_itself(self) -> None:
        assert read("[deploy a]", f"[deploy-skip {FIRST}] [deploy b]").packages == {"b": None}

    @pytest.mark.parametrize(
        "sha",
        [
            FIRST[:6],  # too short
            SECOND,  # the commit itself
            THIRD,  # a later one
            "f" * 40,
            "1111111x",
        ],
    )
    def test_an_id_that_matches_no_earlier_commit_skips_nothing(self, sha: str) -> None:
        deploys = read("[deploy a]", f"[deploy-skip {sha}]", "[deploy b]")

        assert deploys.packages == {"a": None, "b": None}
        (note,) = deploys.notes
        assert note.startswith(f"commit {SECOND[:12]}: [deploy-skip {sha}] matches no earlier")

    def test_nothing_is_told_of_a_skipped_commit_that_asked_for_nothing(self) -> None:
        assert read("feat: x", f"[deploy-skip {FIRST}]").notes == []
