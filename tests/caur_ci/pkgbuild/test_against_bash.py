"""What is evaluated is what bash has, or it is said to be unsure."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from caur_ci.pkgbuild import Evaluation, evaluate, parse
from caur_ci.pkgbuild.values import Unsure
from tests.caur_ci.pkgbuild.generated import ARRAYS, NAMES, programs

if TYPE_CHECKING:
    from pathlib import Path

_SETUP = """\
a=abc
b='x y.z'
c=1.2-3
l=(one 'two 2' x)
m=()
"""
_ALL = (*NAMES, "d", *ARRAYS)
_DUMP = "\n" + "\n".join(
    f'printf \'%s\\0\' {name} "${{#{name}[@]}}" "${{{name}[@]}}"' for name in _ALL
)


def in_bash(program: str, folder: Path) -> dict[str, list[str]] | None:
    """Return the elements of each variable that bash has in the end; None where it gives up."""
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{_SETUP}{program}{_DUMP}"],
        cwd=folder,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
        timeout=120,
    )
    fields = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    found: dict[str, list[str]] = {}
    while len(fields) > 1:
        name, count = fields[0], int(fields[1])
        found[name] = fields[2 : 2 + count]
        # printf writes one empty field where there are no elements.
        fields = fields[2 + max(count, 0) :]
    return found if len(found) == len(_ALL) else None


def evaluated(program: str) -> Evaluation:
    """Evaluate what `in_bash` runs."""
    return evaluate(parse(f"{_SETUP}{program}\n:\n".encode()), files=())


def unsure_names(evaluation: Evaluation) -> set[str]:
    """Return the variables that are not sure."""
    return {name for name in _ALL if isinstance(evaluation.value(name), Unsure)}


def elements(evaluation: Evaluation, name: str) -> list[str]:
    """Return the elements of a variable that is sure."""
    found = evaluation.elements(name)
    assert not isinstance(found, Unsure)
    return list(found)


@pytest.fixture(scope="module")
def empty_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder without files, so that no pattern matches any."""
    return tmp_path_factory.mktemp("empty")


@given(program=programs)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_whatever_is_sure_is_what_bash_has(empty_folder: Path, program: str) -> None:
    evaluation = evaluated(program)
    expected = in_bash(program, empty_folder)
    unsure = unsure_names(evaluation)
    if expected is None:
        assert unsure, f"bash gives up on {program!r}"
        return
    for name in _ALL:
        if name not in unsure:
            assert elements(evaluation, name) == expected[name], (name, program)


@pytest.mark.parametrize("subject", ["1", "2", "3", "4", "5", "6"])
def test_cases_that_go_on_are_followed_as_by_bash(subject: str, tmp_path: Path) -> None:
    items = "1) l+=(1) ;;& 2) l+=(2) ;& 3) l+=(3) ;& 4) l+=(4) ;; "
    items += "[15]) l+=(5) ;;& 6) l+=(6) ;; *) l+=(7) ;;"
    program = f"case {subject} in {items} esac"
    in_bash_too = in_bash(program, tmp_path)

    assert in_bash_too is not None
    assert elements(evaluated(program), "l") == in_bash_too["l"]
