"""How `return`, `exit`, `break` and `continue` travel."""

from __future__ import annotations


class Jump(Exception):  # noqa: N818 - not an error
    """One of them on its way; `levels` is how many loops `break` and `continue` mean."""

    def __init__(self, kind: str, levels: int = 1) -> None:
        super().__init__(kind)
        self.kind = kind
        self.levels = levels
