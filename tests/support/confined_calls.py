"""What children are asked to do in tests of `caur_ci.confined`; quick to import."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NoReturn

from caur_ci.errors import InputError


def spin() -> NoReturn:
    while True:
        pass


def burn(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def fill_memory() -> int:
    return len(bytearray(2**31))


def refuse(what: str) -> NoReturn:
    raise InputError(f"{what} cannot be used", hint="Use another.")


def write_a_file(path: str) -> None:
    Path(path).write_text("x", encoding="utf-8")
