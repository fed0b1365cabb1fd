"""The names in package databases."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import InputError
from caur_ci.pipeline.validating.distribution import databases_of, names_in
from tests.support.sync_databases import archive, desc

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    core = desc("bash", "5-1", provides=["sh", "libx.so=1-64"])
    extra = desc("tool-libs", "1:2-1", base="tool", provides=["tool-api>=3"])
    (tmp_path / "core.db").write_bytes(gzip.compress(archive({"bash-5-1/desc": core})))
    (tmp_path / "extra.db").write_bytes(archive({"tool-libs-1:2-1/desc": extra}))
    return tmp_path


def test_a_folder_stands_for_its_databases(folder: Path) -> None:
    names, problem = names_in(databases_of([str(folder)], ()))

    assert problem == ""
    assert names == {
        "bash": {"5-1"},
        "sh": set(),
        "libx.so": {"1-64"},
        "tool": {"1:2-1"},
        "tool-libs": {"1:2-1"},
        "tool-api": {"3"},
    }


def test_files_urls_and_what_is_configured(folder: Path) -> None:
    core, extra = folder / "core.db", (folder / "extra.db").as_uri()
    meant = databases_of([str(core), "configured", str(core)], [extra])

    assert meant == [str(core), extra]
    assert names_in(meant)[0] == names_in(databases_of([str(folder)], ()))[0]


def test_without_a_database_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="CI_LIB_DB"):
        databases_of(["configured"], ())
    with pytest.raises(InputError, match="has no databases"):
        databases_of([str(tmp_path)], ())


@pytest.mark.parametrize(
    "content", [None, b"no archive", b"\x1f\x8bcut"], ids=["none", "text", "cut"]
)
def test_one_that_cannot_be_read_makes_all_of_them_unknown(
    folder: Path, content: bytes | None
) -> None:
    bad = folder / "bad.db"
    if content is not None:
        bad.write_bytes(content)

    for text in (str(bad), bad.as_uri()):
        names, problem = names_in([str(folder / "core.db"), text])
        assert names is None
        assert "bad.db cannot be read: " in problem
