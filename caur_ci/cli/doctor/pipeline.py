"""Looks at the pipeline that runs this, and at the token that it pushes with."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from caur_ci.web import Web, WebError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.cli.doctor.checks import Examination
    from caur_ci.pipeline.shared.forge import ForgePipeline

_SOON = 14
_ADD = "Add it to the secrets of the pipelines, with the rights that the template names."


def examine_pipeline(
    found: Examination, pipeline: ForgePipeline, environ: Mapping[str, str], token: str
) -> None:
    """Look at what a pipeline of GitLab or GitHub has."""
    found.ok("forge", pipeline.forge)
    if pipeline.forge == "gitlab":
        if token:
            _gitlab_token(found, environ.get("CI_API_V4_URL", ""), token)
        else:
            found.problem("ACCESS_TOKEN", "it is not set: nothing can be pushed", _ADD)
    elif not token and not environ.get("GITHUB_TOKEN"):
        found.warn("ACCESS_TOKEN", "neither it nor GITHUB_TOKEN is set", _ADD)


def _gitlab_token(found: Examination, api: str, token: str) -> None:
    """Ask GitLab what the token is good for. It goes to the server of the pipeline only."""
    if urlsplit(api).scheme not in {"http", "https"}:
        found.skip("ACCESS_TOKEN", "the pipeline does not say where GitLab's API is")
        return
    try:
        answer = Web().get(f"{api}/personal_access_tokens/self", headers={"PRIVATE-TOKEN": token})
        told: Any = json.loads(answer.content)
    except (WebError, ValueError) as error:
        message = error.message if isinstance(error, WebError) else "GitLab gave no answer"
        found.problem("ACCESS_TOKEN", f"GitLab does not know it: {message}", "Make a new one.")
        return
    scopes = set(told.get("scopes") or ()) if isinstance(told, dict) else set()
    if not scopes & {"api", "write_repository"}:
        found.problem("ACCESS_TOKEN", "it lacks the scope write_repository: it cannot push", _ADD)
    elif "api" not in scopes:
        found.warn("ACCESS_TOKEN", "it lacks the scope api, which review requests need", _ADD)
    else:
        found.ok("ACCESS_TOKEN", f"it has the scopes {', '.join(sorted(scopes))}")
    _expiry(found, str(told.get("expires_at") or ""))


def _expiry(found: Examination, day: str) -> None:
    try:
        expires = datetime.fromisoformat(day).replace(tzinfo=UTC)
    except ValueError:
        return
    left = (expires - datetime.now(UTC)).days
    if left < _SOON:
        found.warn("ACCESS_TOKEN", f"it expires on {day}", "Make a new one in time.")
