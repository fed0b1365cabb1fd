"""Fixtures of reviews: each kind of forge, with a client that talks to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.caur_ci.review.forges import KINDS, ForgeUnderTest, forge_of_kind

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=KINDS)
def there(request: pytest.FixtureRequest) -> Iterator[ForgeUnderTest]:
    """A forge with the branch `update-a`, where every call has to be of the right shape."""
    with forge_of_kind(request.param) as made:
        made.forge.branches = {"main": "0" * 40, "update-a": "a" * 40}
        yield made
