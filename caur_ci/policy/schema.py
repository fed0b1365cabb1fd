"""The JSON Schema of `.ci/policy.toml`."""

from __future__ import annotations

from typing import Any

from caur_ci.judge.model import Severity
from caur_ci.policy.durations import PATTERN
from caur_ci.policy.model import Action
from caur_ci.policy.rules import EVERY_RULE

_ACCOUNT = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_HOST = r"^(?:\*\.)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$"
_OWNER = r"^[a-z0-9.-]+/[^/\s]+$"
_LIST = r"^(?!/)(?!.*(?:^|/)\.\.?(?:/|$))[^\x00-\x1f\\]+$"
_ACTIONS = [action.value for action in Action]


def _texts(pattern: str, summary: str) -> dict[str, Any]:
    items = {"type": "string", "pattern": pattern, "description": summary}
    return {"type": "array", "description": summary, "items": items, "uniqueItems": True}


def _duration(summary: str) -> dict[str, Any]:
    return {"type": "string", "description": summary, "pattern": f"^(?:{PATTERN})$"}


def _table(summary: str, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - parts of a schema
    return {
        "type": "object",
        "description": summary,
        "additionalProperties": False,
        "properties": {name.replace("_", "-"): it for name, it in properties.items()},
    }


def _codes(summary: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": summary,
        "propertyNames": {"enum": sorted(EVERY_RULE)},
        "additionalProperties": {"enum": _ACTIONS},
    }


_COOL_DOWN = "How old a version at the AUR has to be before it is taken over."
_HOSTS = "Hosts that sources may move to: exact names, or `*.` and a domain."
_OWNERS = "Accounts at forges that sources may move to, as `github.com/NAME`."
_TRUSTED = (
    "Accounts at the AUR, exactly as they are written there. Warnings about a package need nobody "
    "where its maintainer and all co-maintainers are among them."
)


def policy_schema() -> dict[str, Any]:
    """Return the schema of a policy as TOML reads it."""
    severities = {
        severity.value: {"enum": _ACTIONS[1:] if severity is Severity.DANGER else _ACTIONS}
        for severity in Severity
    }
    package = _table(
        "What holds for one package in addition.",
        trusted=_texts(_ACCOUNT, _TRUSTED),
        hosts=_texts(_HOST, _HOSTS),
        owners=_texts(_OWNER, _OWNERS),
        codes=_codes("What findings about this package lead to."),
        cool_down=_duration(_COOL_DOWN),
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Trust policy of caur-ci (.ci/policy.toml)",
        **_table(
            "Whom and what a repository trusts.",
            maintainers=_table("People at the AUR.", trusted=_texts(_ACCOUNT, _TRUSTED)),
            age=_table(
                "How long something has to be there before it counts as known.",
                package=_duration("The package at the AUR. Default: 0."),
                adoption=_duration("Its maintainer. Default: 30 days."),
                cool_down=_duration(f"{_COOL_DOWN} Default: 0."),
            ),
            adoptions=_table(
                "When one account takes over too many packages.",
                many={"type": "integer", "minimum": 2, "description": "How many. Default: 10."},
                within=_duration("In which time. Default: 7 days."),
            ),
            sources=_table(
                "Where sources may move to in every package.",
                hosts=_texts(_HOST, _HOSTS),
                owners=_texts(_OWNER, _OWNERS),
            ),
            indicators=_table(
                "Lists of signs of known attacks: files below .ci, one entry a line.",
                hosts=_texts(_LIST, "Lists of hosts; what is below them counts as well."),
                accounts=_texts(_LIST, "Lists of accounts at the AUR and at forges."),
                hashes=_texts(_LIST, "Lists of sums of files and ids of commits, in hex."),
            ),
            severities={
                "type": "object",
                "description": "What findings lead to by their severity.",
                "additionalProperties": False,
                "properties": severities,
            },
            codes=_codes("What findings lead to by their code."),
            packages={
                "type": "object",
                "description": "What holds for single packages in addition.",
                "additionalProperties": package,
            },
        ),
    }
