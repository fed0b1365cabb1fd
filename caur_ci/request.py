"""What the CI side asks the build side for: packages to build, packages to take out.

This is the native hand-over form: `.ci/schedule.json` in a pipeline, and the files of the outbox
on branch `caur`. The legacy form is written by `caur_ci.pipeline.shared.documents.legacy`.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Self, cast

from caur_ci.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsonschema.protocols import Validator

SCHEMA_VERSION = 1

_NUMERIC_CLASS = re.compile(r"[0-9]{1,4}")
_SCHEMA_FILE = "build-request.schema.json"
_DEFAULTS = {
    "on_failure": "proceed",
    "on_running": "follow",
    "on_older": "refuse",
    "remove_from": (),
}
_PACKAGE_DEFAULTS = {"group": "", "publish": "together", "arch": "", "shared_with": ()}


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageRequest:
    """One package to build.

    `pkgnames` are the packages it will produce, `provides` the other names these answer to,
    `depends` the names it needs to build and to run; all without versions. Without a build class
    any worker may build it.

    Packages of the same `group` are published together, in one step, when all of them are built.
    `publish` is `together`, or `partial` for a group that goes without those that cannot be built.

    `arch` is what it is built for, where that is not the architecture of the request; a package may
    come once for each. `shared_with` are architectures that have no build of their own: what is
    built goes to their databases as well, and packages there wait for it.
    """

    pkgbase: str
    build_class: str | None = None
    pkgnames: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()
    reason: str = ""
    group: str = ""
    publish: str = "together"
    arch: str = ""
    shared_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest:
    """A batch of builds and removals that belongs together.

    `request_id` is remembered by the queue, so handing a request over twice is harmless.
    `commit` is the full id of the commit whose package folders are built.
    `commit_reference` is what commit statuses refer to: `SHA` or `SHA:PIPELINE`.
    `created` is an ISO 8601 time in UTC.
    `on_failure` is `proceed`, or `hold` for builds that wait when a dependency of theirs fails;
    `on_running` is `follow`, or `cancel` to end running builds of the same packages;
    `on_older` is `refuse`, or `publish` for packages that may be older than the published ones.
    What is in `remove` goes from the databases of `remove_from`, without these from that of `arch`.
    """

    request_id: str
    created: str
    source_repo: str
    target_repo: str
    commit: str
    arch: str = "x86_64"
    arch_mirror: str = ""
    commit_reference: str = ""
    packages: tuple[PackageRequest, ...] = ()
    remove: tuple[str, ...] = ()
    remove_from: tuple[str, ...] = ()
    on_failure: str = "proceed"
    on_running: str = "follow"
    on_older: str = "refuse"
    version: int = field(default=SCHEMA_VERSION)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be built or removed."""
        return not (self.packages or self.remove)

    @property
    def removes_from(self) -> tuple[str, ...]:
        """The architectures from whose databases packages are removed."""
        return self.remove_from or (self.arch,)

    def to_json(self) -> str:
        """Return the request as a JSON document, one line per package."""
        data = asdict(self)
        packages = data.pop("packages")
        # Left out where nobody asked for them: older programs do not know these fields.
        _leave_out(data, _DEFAULTS)
        for package in packages:
            _leave_out(package, _PACKAGE_DEFAULTS)
        lines = ",\n".join("    " + json.dumps(package, ensure_ascii=False) for package in packages)
        head = json.dumps(data, indent=2, ensure_ascii=False)
        body = f"[\n{lines}\n  ]" if lines else "[]"
        return f'{head[:-2]},\n  "packages": {body}\n}}\n'

    @classmethod
    def from_json(cls, text: str | bytes, *, origin: str) -> Self:
        """Read a request that came from `origin` (a file name, for messages).

        Raises InputError when it is not JSON or does not fit the schema.
        """
        try:
            data = json.loads(text)
        except ValueError as error:
            raise InputError(f"{origin} is not JSON: {error}") from error
        _validate(data, origin)
        packages = tuple(
            PackageRequest(**{key: _frozen(value) for key, value in package.items()})
            for package in data.pop("packages")
        )
        return cls(packages=packages, **{key: _frozen(value) for key, value in data.items()})


def _leave_out(data: dict[str, Any], defaults: Mapping[str, object]) -> None:
    for option, default in defaults.items():
        if data[option] == default:
            del data[option]


def normalize_build_class(text: str) -> str:
    """Return a build class in its one form; the numeric class 0 means 1.

    A number is the least class a worker must have, other text the name of the worker.
    """
    if _NUMERIC_CLASS.fullmatch(text):
        return str(int(text) or 1)
    return text


def request_schema() -> dict[str, Any]:
    """Return the JSON Schema of the hand-over document."""
    text = resources.files("caur_ci.schemas").joinpath(_SCHEMA_FILE).read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def _validator() -> Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow to import

    return Draft202012Validator(request_schema())


def _validate(data: object, origin: str) -> None:
    version = data.get("version") if isinstance(data, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise InputError(
            f"{origin} has version {version}, this program reads up to {SCHEMA_VERSION}",
            hint="Install a newer caur-ci here.",
        )
    from jsonschema.exceptions import best_match  # noqa: PLC0415 - slow to import

    error = best_match(_validator().iter_errors(cast("Any", data)))
    if error is not None:
        raise InputError(f"{origin}: {error.json_path}: {error.message[:300]}")


def _frozen(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    return tuple(value) if isinstance(value, list) else value
