"""What is made of the code is up to date, and is what man and MkDocs take without a word."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import ExitCode
from caur_ci.process import run
from documentation.__main__ import MAN, ROOT, files
from documentation.commands import all_commands, command_tree
from tests.support.tools import need_tools

if TYPE_CHECKING:
    import pytest


def test_the_reference_is_that_of_the_code() -> None:
    old = [
        str(path.relative_to(ROOT))
        for path, text in files().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    assert not old, "run `make reference`"
    assert set(MAN.glob("*/*")) <= files().keys()


def test_every_command_has_a_summary_and_every_parameter_a_help() -> None:
    for command in all_commands(command_tree()):
        assert command.summary.endswith("."), command.name
        for parameter in command.parameters:
            assert parameter.help, (command.name, parameter.names)


def test_every_exit_code_is_told() -> None:
    text = (ROOT / "docs" / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| (\d+) \|", text, re.MULTILINE) == [str(int(code)) for code in ExitCode]


def test_man_pages_are_good_troff() -> None:
    need_tools("groff")
    for path in sorted(MAN.glob("*/*")):
        done = run(["groff", "-Kutf8", "-man", "-ww", "-Tutf8", path])
        assert done.stderr == b"", path.name
        assert path.stem.encode() in done.stdout


def test_the_site_is_made_without_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")
    mkdocs = ROOT / ".venv" / "bin" / "mkdocs"
    program = mkdocs if mkdocs.exists() else Path("mkdocs")
    run([program, "build", "--strict", "--site-dir", tmp_path / "site"], cwd=ROOT)

    page = (tmp_path / "site" / "reference" / "commands.html").read_text(encoding="utf-8")
    assert "caur-ci on-schedule" in page
    assert "fonts.googleapis.com" not in page
