"""Calls that set statuses are as the forges publish it themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler.settings.telling import ForgeKind
from scheduler.statuses.forge import CommitStatus
from scheduler.statuses.model import State
from tests.support.forges.published import FOLDER, check, operation_of, published

if TYPE_CHECKING:
    from tests.scheduler.statuses.conftest import Shown

pytestmark = pytest.mark.skipif(not FOLDER, reason="CAUR_FORGE_SCHEMAS is not set")


def test_every_call_is_as_published(there: Shown) -> None:
    # Forgejo publishes nothing of the kind; its statuses are GitHub's.
    document = published("gitlab" if there.kind is ForgeKind.GITLAB else "github")
    for number, state in enumerate(State):
        status = CommitStatus(
            commit=f"{number}" * 40,
            pipeline="42",
            name="builds: a",
            state=state,
            description="Build failed.",
            link="https://builds.example.org/logs.html?id=a",
        )
        there.client.set_status(status, before=None)

    calls = [call for call in there.forge.calls if "/api/v1/" not in call.path]
    for call in calls:
        operation = operation_of(document, call)
        assert operation is not None, call.what
        check(document, operation, call)
    assert len(calls) == (0 if there.kind is ForgeKind.FORGEJO else len(State))
