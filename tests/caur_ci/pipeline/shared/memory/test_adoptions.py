"""Who came to maintain packages, as it is remembered."""

from __future__ import annotations

import pytest

from caur_ci.errors import InputError
from caur_ci.pipeline.shared.memory.adoptions import Adoption, Adoptions

BOB = Adoption(package="a", account="bob", before="alice", time=5)
ORPHANED = Adoption(package="a", account="", before="bob", time=6)
CO = Adoption(package="b", account="carol", time=7, comaintainer=True)


def test_they_can_be_stored() -> None:
    all_ = Adoptions().add([BOB, ORPHANED, CO])

    assert Adoptions.from_bytes(all_.to_bytes()) == all_
    assert Adoptions.from_bytes(b"") == Adoptions()
    assert all_.of("a") == [BOB, ORPHANED]
    assert all_.only({"b"}).entries == (CO,)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"package": "a"}\n', b'{"x": 1}'])
def test_what_makes_no_sense_is_no_memory(content: bytes) -> None:
    with pytest.raises(InputError, match=r"adoptions\.jsonl on branch caur"):
        Adoptions.from_bytes(content)


def test_the_same_is_remembered_once_and_with_its_first_time() -> None:
    again = Adoption(package="a", account="bob", before="alice", time=50)

    assert Adoptions((BOB, CO)).add([again]).entries == (BOB, CO)
    back = Adoption(package="a", account="alice", before="bob", time=60)
    assert Adoptions((BOB,)).add([back]).add([again]).entries == (BOB, back, again)
    assert Adoptions((CO, BOB)).add([CO]).entries == (CO, BOB)
