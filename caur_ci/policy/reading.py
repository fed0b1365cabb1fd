"""Reads the policy of a repository: `.ci/policy.toml`, and what it refers to."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from caur_ci.errors import ConfigError
from caur_ci.judge.model import Severity
from caur_ci.names import suggestion
from caur_ci.package_folders import read_regular
from caur_ci.policy.durations import seconds_of
from caur_ci.policy.model import Action, Indicators, PackagePolicy, Policy
from caur_ci.policy.rules import EVERY_RULE
from caur_ci.policy.schema import policy_schema

if TYPE_CHECKING:
    from pathlib import Path

    from caur_ci.git import GitRepository

FOLDER = ".ci"
POLICY = f"{FOLDER}/policy.toml"
MAINTAINERS = f"{FOLDER}/aur-maintainers"
_LARGEST = 4 * 1024**2
_MOST_PROBLEMS = 10
_ENTRIES = {
    "hosts": re.compile(r"[a-z0-9.-]{1,253}|[0-9a-f:.]{2,45}"),
    "accounts": re.compile(r"[a-z0-9][a-z0-9._-]{0,63}"),
    "hashes": re.compile(r"[0-9a-f]{32,128}"),
}

# Returns the content of a file of the repository, None where there is none.
PolicyFiles = Callable[[str], bytes | None]


def read_policy(read: PolicyFiles, *, origin: str = POLICY) -> Policy:
    """Return the policy of a repository whose files `read` returns; the default without a file.

    `origin` is what people call the file. Raises ConfigError that names every mistake, and for
    lists that are missing or make no sense.
    """
    trusted = frozenset(_lines(read(MAINTAINERS) or b"", MAINTAINERS))
    content = read(POLICY)
    if content is None:
        return Policy(trusted=trusted)
    data = _checked(_parsed(content, origin), origin)
    maintainers, age = data.get("maintainers", {}), data.get("age", {})
    adoptions, sources = data.get("adoptions", {}), data.get("sources", {})
    default = Policy()
    return Policy(
        trusted=trusted.union(maintainers.get("trusted", ())),
        package_age=_seconds(age.get("package"), default.package_age),
        adoption_age=_seconds(age.get("adoption"), default.adoption_age),
        cool_down=_seconds(age.get("cool-down"), default.cool_down),
        many_adoptions=adoptions.get("many", default.many_adoptions),
        adoptions_within=_seconds(adoptions.get("within"), default.adoptions_within),
        hosts=tuple(sources.get("hosts", ())),
        owners=_lowered(sources),
        indicators=_indicators(data.get("indicators", {}), read, origin),
        severities={Severity(it): Action(to) for it, to in data.get("severities", {}).items()},
        codes=_codes(data.get("codes", {})),
        packages={name: _package(it) for name, it in data.get("packages", {}).items()},
    )


def policy_at(git: GitRepository, commit: str) -> Policy:
    """Return the policy at a commit. Raises as `read_policy` does."""

    def read(path: str) -> bytes | None:
        (content,) = git.read_blobs([f"{commit}:{path}"])
        return content

    return read_policy(read)


def policy_on_disk(root: Path) -> Policy:
    """Return the policy in a working tree; links are not followed. Raises as `read_policy` does."""
    return read_policy(lambda path: read_regular(root / path))


def policy_in(file: Path) -> Policy:
    """Return the policy in a file, with its lists beside it. Raises as `read_policy` does.

    Raises ConfigError where there is none.
    """
    if read_regular(file) is None:
        raise ConfigError(f"{file} is no file that can be read")
    beside = {POLICY: file}
    return read_policy(
        lambda path: read_regular(beside.get(path, file.parent / path.removeprefix(f"{FOLDER}/"))),
        origin=str(file),
    )


def _parsed(content: bytes, origin: str) -> dict[str, Any]:
    if len(content) > _LARGEST:
        raise ConfigError(f"{origin} has more than {_LARGEST:,} bytes")
    try:
        return tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{origin} is no TOML: {error}") from error


def _checked(data: dict[str, Any], origin: str) -> dict[str, Any]:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow to import

    errors = Draft202012Validator(policy_schema()).iter_errors(data)
    problems = [
        f"{origin}: {_place(error.absolute_path)}{_said(error.validator, error)}"
        for error in sorted(errors, key=lambda error: list(map(str, error.absolute_path)))
    ]
    problems += [
        f"{origin}: codes.{code}: it is a danger, which cannot be applied for all packages"
        for code, action in data.get("codes", {}).items()
        if action == Action.APPLY
        and code in EVERY_RULE
        and EVERY_RULE[code].severity is Severity.DANGER
    ]
    if problems:
        more = len(problems) - _MOST_PROBLEMS
        shown = problems[:_MOST_PROBLEMS] + ([f"and {more} more"] if more > 0 else [])
        raise ConfigError("\n".join(shown), hint="`caur-ci policy check` reads it again.")
    return data


def _place(path: Any) -> str:  # noqa: ANN401 - jsonschema's own type
    return "".join(f"{part}." for part in path).removesuffix(".") + (": " if path else "")


def _said(validator: str, error: Any) -> str:  # noqa: ANN401 - jsonschema's own type
    """Return what is wrong, with the name that may have been meant."""
    if validator == "additionalProperties":
        known = error.schema.get("properties", {})
        unknown = [name for name in error.instance if name not in known]
        if known and unknown:
            meant = suggestion(unknown[0], known, 1) or f"Known are {', '.join(known)}."
            return f"{', '.join(map(repr, unknown))} is not known here. {meant}"
    if error.parent is not None and error.parent.validator == "propertyNames":
        return f"there is no finding {error.instance!r}. {suggestion(error.instance, EVERY_RULE)}"
    if validator == "enum" and isinstance(error.validator_value, list):
        if error.validator_value == sorted(EVERY_RULE):
            meant = suggestion(str(error.instance), EVERY_RULE)
            return f"there is no finding {error.instance!r}. {meant}".rstrip()
        allowed = ", ".join(map(str, error.validator_value))
        return f"{error.instance!r} does not fit; allowed is one of {allowed}"
    if validator == "pattern":
        return f"{error.instance!r} does not fit: {error.schema.get('description', 'see the docs')}"
    return str(error.message)[:300]


def _seconds(text: str | None, default: int) -> int:
    return default if text is None else seconds_of(text)


def _codes(data: Mapping[str, str]) -> dict[str, Action]:
    return {code: Action(action) for code, action in data.items()}


def _package(data: Mapping[str, Any]) -> PackagePolicy:
    cool_down = data.get("cool-down")
    return PackagePolicy(
        trusted=frozenset(data.get("trusted", ())),
        hosts=tuple(data.get("hosts", ())),
        owners=_lowered(data),
        codes=_codes(data.get("codes", {})),
        cool_down=None if cool_down is None else seconds_of(cool_down),
    )


def _lowered(table: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the owners, whose case forges do not care for."""
    return tuple(map(str.lower, table.get("owners", ())))


def _indicators(lists: Mapping[str, list[str]], read: PolicyFiles, origin: str) -> Indicators:
    return Indicators(**{kind: frozenset(_entries(kind, lists, read, origin)) for kind in _ENTRIES})


def _entries(
    kind: str, lists: Mapping[str, list[str]], read: PolicyFiles, origin: str
) -> Iterator[str]:
    for name in lists.get(kind, ()):
        path = f"{FOLDER}/{name}"
        content = read(path)
        if content is None:
            raise ConfigError(
                f"{origin} names the list {path}, which is not there",
                hint="Lists are files below .ci in the repository.",
            )
        for entry in map(str.lower, _lines(content, path)):
            if _ENTRIES[kind].fullmatch(entry) is None:
                raise ConfigError(f"{path}: {entry[:80]!r} is none of the {kind}")
            yield entry


def _lines(content: bytes, path: str) -> Iterator[str]:
    """Yield the entries of a list: one a line, `#` begins a comment."""
    if len(content) > _LARGEST:
        raise ConfigError(f"{path} has more than {_LARGEST:,} bytes")
    for line in content.decode("utf-8", "replace").splitlines():
        if entry := line.partition("#")[0].strip():
            yield entry
