"""What can be said of the Containerfiles without making images of them."""

from __future__ import annotations

import re
import subprocess
import tomllib

import pytest

from tests.containers.images import CHECKOUT
from tests.support.tools import need_tools

FILES = sorted((CHECKOUT / "containers").glob("*/Containerfile"))


def _instructions(text: str) -> list[str]:
    return text.replace("\\\n", " ").splitlines()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_hadolint_has_nothing_to_say(path: object) -> None:
    need_tools("hadolint")
    done = subprocess.run(["hadolint", str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_images_say_who_they_are_and_run_services_that_are_watched() -> None:
    assert [path.parent.name for path in FILES] == ["builder", "manager"]
    version = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]
    for path in FILES:
        lines = _instructions(path.read_text())
        assert f"ARG VERSION={version}" in lines
        assert sum(line.startswith("HEALTHCHECK ") for line in lines) == 1
        assert any(line.startswith("USER ") for line in lines)
        assert any("org.opencontainers.image.title=" in line for line in lines)
        assert not re.search(r":latest\b", path.read_text())
    manager = _instructions((CHECKOUT / "containers/manager/Containerfile").read_text())
    assert "USER 1000:1000" in manager
    assert all("PASSWORD" not in line and "TOKEN" not in line for line in manager)


def test_what_goes_into_images_is_named() -> None:
    lines = (CHECKOUT / ".containerignore").read_text().splitlines()
    assert lines[0] == "*"
    copied = {
        word
        for path in FILES
        for line in _instructions(path.read_text())
        if line.startswith("COPY ") and "--from=" not in line
        for word in line.split()[1:-1]
        if not word.startswith("--")
    }
    kept = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert all(any(word == name or word.startswith(f"{name}/") for name in kept) for word in copied)
    assert all((CHECKOUT / name).exists() for name in kept)
