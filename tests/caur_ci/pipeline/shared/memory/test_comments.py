"""What is remembered of comments."""

from __future__ import annotations

import pytest

from caur_ci.errors import InputError
from caur_ci.pipeline.shared.memory.comments import Answer, CommentMemory
from caur_ci.review import Place, PlaceKind

PLACE = Place(PlaceKind.REQUEST, 3, internally=True)


def test_it_comes_back_as_it_was() -> None:
    memory = CommentMemory().from_floor(50).with_done({7: 60}, [Answer(7, PLACE, "done\n")])

    assert CommentMemory.from_bytes(memory.to_bytes()) == memory
    assert CommentMemory().to_bytes() == b""
    assert CommentMemory.from_bytes(b"") == CommentMemory()


def test_the_floor_rises_and_what_is_below_is_forgotten() -> None:
    memory = CommentMemory(floor=50, done={1: 60, 2: 80})

    assert memory.from_floor(60) == CommentMemory(floor=60, done={2: 80})
    assert memory.from_floor(40) == memory


def test_what_was_answered_is_not_answered_again() -> None:
    memory = CommentMemory().with_done({1: 5, 2: 6}, [Answer(n, PLACE, "x") for n in (1, 2)])

    assert [it.comment for it in memory.answered({1}).answers] == [2]
    assert memory.answered({1}).done == memory.done


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b'{"floor": 1, "done": {}}',
        b'{"floor": 1, "done": {"x": 1}, "answers": []}',
        b'{"floor": 1, "done": {}, "answers": [{"comment": 1, "place": {}, "text": ""}]}',
    ],
)
def test_nonsense_is_an_error_with_a_remedy(content: bytes) -> None:
    with pytest.raises(InputError, match=r"comments\.json on branch caur") as caught:
        CommentMemory.from_bytes(content)
    assert "Restore" in caught.value.hint
