"""Fixtures of the CI side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.aur_ssh import AurSsh, aur_ssh
from tests.support.git import Checkout, srcinfo
from tests.support.warm_children import WarmChildren, warm_children

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.git import Content


@pytest.fixture(scope="session")
def children() -> Iterator[WarmChildren]:
    with warm_children() as children:
        yield children


@pytest.fixture
def lent_children(children: WarmChildren, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let strangers' text be read in processes that tests before have started."""
    children.lend_and_keep(monkeypatch)


@pytest.fixture
def checkout(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, _first_checkout: list[Checkout]
) -> Checkout:
    """A repository with packages a, b, c and c-git, its configuration, and the tag at HEAD."""
    if not _first_checkout:  # it is made where the settings of a test hold for git
        _first_checkout.append(_make_checkout(tmp_path_factory.mktemp("checkout")))
    return _first_checkout[0].copy(tmp_path / "world")


@pytest.fixture(scope="session")
def _first_checkout() -> list[Checkout]:
    """Return where the one is put that the others are copies of."""
    return []


def _make_checkout(base: Path) -> Checkout:
    made = Checkout.create(base)
    files: dict[str, Content] = {".ci/config": "BUILD_REPO=source\nREPO_NAME=target\n"}
    for name in ("a", "b", "c", "c-git"):
        files |= {f"{name}/PKGBUILD": f"pkgname={name}\n", f"{name}/.SRCINFO": srcinfo(name)}
    made.commit("feat: begin", files)
    made.schedule_here()
    return made


@pytest.fixture(scope="session")
def _aur_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AurSsh]:
    with aur_ssh(tmp_path_factory.mktemp("aur") / "server") as server:
        yield server


@pytest.fixture
def aur(_aur_server: AurSsh) -> AurSsh:
    """The AUR's git repositories, reached by ssh; there is no package yet."""
    _aur_server.reset()
    return _aur_server
