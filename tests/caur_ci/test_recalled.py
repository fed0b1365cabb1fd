"""The file with what was recalled."""

from __future__ import annotations

import pytest

from caur_ci.errors import InputError
from caur_ci.recalled import read_recalled, write_recalled


def test_it_is_what_was_written() -> None:
    assert write_recalled({"b", "a-git"}) == b"a-git\nb\n"
    assert read_recalled(b"a-git\nb\n") == {"a-git", "b"}
    assert read_recalled(write_recalled(())) == frozenset()


@pytest.mark.parametrize("content", [b"a\n../b\n", b"a b\n", b"\xff\n", b"a\r\n"])
def test_what_makes_no_sense_is_an_error(content: bytes) -> None:
    with pytest.raises(InputError, match="recalled on branch caur has the line"):
        read_recalled(content)
