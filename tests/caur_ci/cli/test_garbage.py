"""Commands look for garbage seldom, services as Python does."""

from __future__ import annotations

import gc
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.garbage import collect_as_usual, collect_rarely
from caur_ci.cli.session import Session
from caur_ci.cli.signals import service

if TYPE_CHECKING:
    from collections.abc import Iterator

_TELL = "import gc, runpy, sys; sys.argv = ['caur-ci', '--version']\n"
_TELL += "try: runpy.run_module('caur_ci', run_name='__main__')\n"
_TELL += "finally: print(gc.get_threshold()[0])\n"


@pytest.fixture(autouse=True)
def _usual() -> Iterator[None]:
    yield
    collect_as_usual()


def test_a_service_looks_as_usual() -> None:
    usual = gc.get_threshold()
    collect_rarely()
    assert gc.get_threshold() > usual

    with service(Session()):
        assert gc.get_threshold() == usual


def test_a_command_looks_seldom() -> None:
    done = subprocess.run([sys.executable, "-c", _TELL], capture_output=True, text=True, check=True)

    assert int(done.stdout.splitlines()[-1]) > 10_000
