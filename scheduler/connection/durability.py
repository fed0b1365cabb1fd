"""Whether a server keeps what it has acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scheduler.connection.errors import redis_errors

if TYPE_CHECKING:
    from redis import Redis

_APPEND_ONLY = "appendonly"
_POLICY = "maxmemory-policy"


def check_durability(client: Redis) -> list[str]:
    """Return what is wrong with how the server keeps its data, one sentence each.

    A setting that this user is not allowed to ask for is told as well.
    Raises TemporaryError when the server is out of reach.
    """
    findings = []
    append_only = _setting(client, _APPEND_ONLY)
    if append_only is None:
        findings.append(f"it does not tell whether {_APPEND_ONLY} is on")
    elif append_only != "yes":
        findings.append(f"{_APPEND_ONLY} is off: when it is restarted, jobs are lost")
    policy = _setting(client, _POLICY)
    if policy is None:
        findings.append(f"it does not tell its {_POLICY}")
    elif policy != "noeviction":
        findings.append(f"{_POLICY} is {policy}: when memory runs short, it drops jobs")
    return findings


def _setting(client: Redis, name: str) -> str | None:
    """Return a setting, None where the server tells it in neither of two ways."""
    from redis import exceptions  # noqa: PLC0415 - slow to import

    # Users without rights may not ask for settings, and hosted servers may not know the command.
    for ask in (_from_config, _from_info):
        with redis_errors():
            try:
                return ask(client, name)
            except (exceptions.ResponseError, KeyError):
                continue
    return None


def _from_config(client: Redis, name: str) -> str:
    settings: Any = client.config_get(name)
    return str(settings[name])


def _from_info(client: Redis, name: str) -> str:
    info: Any = client.info("persistence" if name == _APPEND_ONLY else "memory")
    if name == _APPEND_ONLY:
        return "yes" if info["aof_enabled"] else "no"
    return str(info["maxmemory_policy"])
