"""Who stands behind what people decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.errors import InputError

if TYPE_CHECKING:
    from caur_ci.pipeline.shared.context import RunContext


def person_behind(context: RunContext) -> str:
    """Return the account that the pipeline was started by, or whom git knows.

    Raises InputError where nobody can tell.
    """
    git = context.git
    named = (
        git.git("config", "--get", f"user.{key}", allowed=(0, 1)).decode(errors="replace")
        for key in ("name", "email")
    )
    person = context.forge_pipeline.person or next((it.strip() for it in named if it.strip()), "")
    if not person:
        raise InputError(
            "who decides this is not known, and it is to be remembered",
            hint="`git config user.name NAME` tells it.",
        )
    return person
