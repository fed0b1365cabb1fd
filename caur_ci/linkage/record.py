"""One package of an index."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from caur_ci.linkage.capabilities import is_capability
from caur_ci.names import is_package_name

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_CAPABILITIES = 20_000
_MAX_TEXT = 4096
_TEXTS = ("name", "base", "version", "sha256", "problem")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageLinkage:
    """What one package file needs and offers.

    `sha256` is that of the file. `needs` has for each capability some of the files that need it;
    what the package brings itself is not among these. `offers` are libraries that the loader finds
    although no file has their name. With a `problem`, not all of it is known.
    """

    name: str
    base: str
    version: str
    sha256: str
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    offers: tuple[str, ...] = ()
    problem: str = ""

    def to_line(self) -> bytes:
        """Return it as a line of an index, without the line feed."""
        data: dict[str, Any] = {key: getattr(self, key) for key in _TEXTS if getattr(self, key)}
        if self.needs:
            data["needs"] = {capability: list(paths) for capability, paths in self.needs.items()}
        if self.offers:
            data["offers"] = list(self.offers)
        return json.dumps(data, separators=(",", ":")).encode()

    @classmethod
    def from_line(cls, line: bytes) -> Self:
        """Read a line of an index. Raises ValueError for what is none."""
        try:
            data = json.loads(line)
            texts = {key: _text(data.get(key, "")) for key in _TEXTS}
            needs = {
                _text(capability): tuple(map(_text, paths))
                for capability, paths in data.get("needs", {}).items()
            }
            offers = tuple(map(_text, data.get("offers", ())))
        except (AttributeError, TypeError, RecursionError) as error:
            raise ValueError(f"it is no description of a package: {error}") from error
        if not is_package_name(texts["name"]) or not is_package_name(texts["base"]):
            raise ValueError(f"{texts['name']!a} of {texts['base']!a} is no package")
        odd = next((it for it in (*needs, *offers) if not is_capability(it)), None)
        if odd is not None:
            raise ValueError(f"{odd[:80]!a} is nothing that a package can need")
        if len(needs) > MAX_CAPABILITIES or len(offers) > MAX_CAPABILITIES:
            raise ValueError(f"{texts['name']} needs or offers more than {MAX_CAPABILITIES} things")
        return cls(**texts, needs=needs, offers=offers)


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise TypeError(f"{str(value)[:80]!a} is no text, or too long")
    return value
