"""One package as the AUR describes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

_LARGEST = 2**53  # what every JSON reader keeps exactly


@dataclass(frozen=True, slots=True, kw_only=True)
class AurPackage:
    """A package of the AUR. `last_modified` is the time of the last push, `first_submitted` that of
    the first, in Unix seconds.

    Without a `maintainer` it is an orphan; `comaintainers` are None where the answer does not tell,
    as the archive does not. RPC and archives are up to six minutes behind pushes.
    Where there is a `problem` with the record, only `name` and `base` are known.
    """

    name: str
    base: str
    version: str
    last_modified: int
    maintainer: str = ""
    comaintainers: tuple[str, ...] | None = None
    submitter: str = ""
    first_submitted: int = 0
    out_of_date: int = 0
    problem: str = ""

    @classmethod
    def from_record(cls, record: object, *, knows_everybody: bool = False) -> Self:
        """Read an element of an RPC answer, which `knows_everybody`, or of a metadata archive.

        Raises ValueError where it does not tell which package it is about.
        """
        if not isinstance(record, dict):
            raise ValueError("not an object")  # noqa: TRY004 - of outside data
        name, base = _text(record, "Name"), _text(record, "PackageBase")
        try:
            return cls._described(record, name, base, knows_everybody=knows_everybody)
        except ValueError as error:
            return cls(name=name, base=base, version="", last_modified=0, problem=str(error))

    @classmethod
    def _described(
        cls, record: dict[str, Any], name: str, base: str, *, knows_everybody: bool
    ) -> Self:
        return cls(
            name=name,
            base=base,
            version=_text(record, "Version"),
            last_modified=_number(record, "LastModified"),
            maintainer=_text(record, "Maintainer", default=""),
            comaintainers=_texts(record, "CoMaintainers") if knows_everybody else None,
            submitter=_text(record, "Submitter", default=""),
            first_submitted=_number(record, "FirstSubmitted", default=0),
            out_of_date=_number(record, "OutOfDate", default=0),
        )


def _text(record: dict[str, Any], key: str, *, default: str | None = None) -> str:
    value = record.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise ValueError(f"{key} is not a text")  # noqa: TRY004 - of outside data
    return value


def _texts(record: dict[str, Any], key: str) -> tuple[str, ...]:
    """Return a list that is left out where it is empty."""
    values = record.get(key, [])
    if not isinstance(values, list) or not all(isinstance(it, str) for it in values):
        raise ValueError(f"{key} is no list of texts")
    return tuple(values)


def _number(record: dict[str, Any], key: str, *, default: int | None = None) -> int:
    value = record.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, int) or abs(value) > _LARGEST:
        raise ValueError(f"{key} is not a whole number")
    return value
