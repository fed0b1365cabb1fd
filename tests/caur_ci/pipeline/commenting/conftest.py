"""Fixtures of comments: a repository at each kind of forge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.caur_ci.pipeline.commenting.world import FILES, Commented, commented
from tests.caur_ci.review.forges import KINDS
from tests.support.git import Checkout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def templates() -> list[Checkout]:
    """What the first test makes in its own home, for all the others."""
    return []


@pytest.fixture
def template(templates: list[Checkout], tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A repository whose comments were read once."""
    if not templates:
        checkout = Checkout.create(tmp_path_factory.mktemp("template") / "world")
        checkout.commit("feat: packages", FILES)
        checkout.schedule_here()
        with commented("gitlab", checkout) as world:
            first = world.run()
        told = "comments are read from now on; what was said before is not obeyed"
        assert first.notes == (told,)
        templates.append(checkout)
    return templates[0]


@pytest.fixture(params=KINDS)
def world(
    request: pytest.FixtureRequest, template: Checkout, tmp_path: Path
) -> Iterator[Commented]:
    """The repository, at each kind of forge."""
    with commented(request.param, template.copy(tmp_path / "world")) as made:
        yield made


@pytest.fixture
def here(template: Checkout, tmp_path: Path) -> Iterator[Commented]:
    """The repository, where all forges are alike."""
    with commented("gitlab", template.copy(tmp_path / "world")) as made:
        yield made
