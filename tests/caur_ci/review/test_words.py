"""Which labels count as words of people."""

from __future__ import annotations

import pytest

from caur_ci.review.forge import Account, ForgeRequest, LabelEvent, RequestHistory
from caur_ci.review.words import Said, Word, listen

ALICE, BOB = Account(1, "alice"), Account(2, "bob")
ROBOT = Account(3, "robot", is_person=False)
COMMIT = "c" * 40


def heard(*events: LabelEvent, labels: set[str], since: int | None = 10) -> list[Said | str]:
    request = ForgeRequest(
        number=1,
        branch="update-a",
        commit=COMMIT,
        url="https://e/1",
        labels=frozenset(labels),
        title="t",
        description="d",
    )
    return list(listen(request, RequestHistory(since, events), lambda who: who != ALICE))


def put(label: str, who: Account, time: int = 20) -> LabelEvent:
    return LabelEvent(label, is_added=True, account=who, time=time)


def took(label: str, who: Account, time: int = 20) -> LabelEvent:
    return LabelEvent(label, is_added=False, account=who, time=time)


def said(word: Word, time: int = 20) -> Said:
    return Said(
        word=word, branch="update-a", commit=COMMIT, by="bob", time=time, page="https://e/1"
    )


@pytest.mark.parametrize("word", list(Word))
def test_a_word_of_somebody_who_may_merge_counts(word: Word) -> None:
    assert heard(put(word, BOB), labels={word, "ci"}) == [said(word)]


def test_other_labels_are_no_words() -> None:
    assert heard(put("ci", BOB), labels={"ci", "Approved", "approved "}) == []


@pytest.mark.parametrize("word", list(Word))
def test_it_does_not_count_of_others(word: Word) -> None:
    assert heard(put(word, ALICE), labels={word}) == [
        f"alice said {word}, and has no right to merge"
    ]
    nobody = [f"the label {word} was not put there by a person"]
    assert heard(put(word, ROBOT), labels={word}) == nobody
    assert heard(labels={word}) == nobody
    assert heard(took(word, BOB), labels={word}) == nobody


def test_the_last_one_who_put_it_there_said_it() -> None:
    first, again = put("hold", BOB, 20), put("hold", ALICE, 40)

    assert heard(first, took("hold", BOB, 30), again, labels={"hold"}) == [
        "alice said hold, and has no right to merge"
    ]


@pytest.mark.parametrize(
    ("since", "time", "counts"), [(10, 11, True), (10, 10, False), (10, 9, False)]
)
@pytest.mark.parametrize("word", [Word.APPROVED, Word.APPROVED_DANGER])
def test_an_approval_is_of_what_was_there(
    word: Word, since: int, time: int, *, counts: bool
) -> None:
    (found,) = heard(put(word, BOB, time), labels={word}, since=since)

    assert isinstance(found, Said) is counts


def test_an_approval_does_not_count_where_nobody_knows_of_what() -> None:
    (found,) = heard(put("approved", BOB), labels={"approved"}, since=None)

    assert found == "bob said approved before the change was as it is now"


def test_other_words_are_of_any_state() -> None:
    assert heard(put("hold", BOB, 5), labels={"hold"}) == [said(Word.HOLD, 5)]


def test_it_can_be_stored() -> None:
    one = said(Word.HOLD, 1_800_000_000)

    assert Said.from_dict(one.to_dict()) == one
    assert str(one) == "hold by bob on 2027-01-15 08:00 UTC"
