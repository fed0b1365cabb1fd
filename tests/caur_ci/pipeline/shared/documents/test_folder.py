"""The folder `.ci` with the hand-over documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import CaurError, InputError
from caur_ci.git import GitRepository
from caur_ci.pipeline.shared.documents.folder import DocumentFolder
from caur_ci.pipeline.shared.documents.handover import HandoverDocuments
from caur_ci.request import BuildRequest

if TYPE_CHECKING:
    from pathlib import Path

REQUEST = BuildRequest(request_id="1", created="", source_repo="s", target_repo="t", commit="c")
DOCUMENTS = HandoverDocuments(
    request=REQUEST, schedule_params='declare -x A="\udcff é"\n', deptree="a:a:"
)
NAMES = ["deptree.txt", "schedule-params.txt", "schedule.json"]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_folder_is_made(tmp_path: Path) -> None:
    folder = DocumentFolder.of(GitRepository(tmp_path, bare=False))

    written = folder.write(DOCUMENTS)

    assert sorted(path.name for path in written) == names(tmp_path / ".ci") == NAMES
    assert {path.parent for path in written} == {tmp_path / ".ci"}


def test_contents_are_byte_for_byte(tmp_path: Path) -> None:
    DocumentFolder(tmp_path).write(DOCUMENTS)

    params = (tmp_path / "schedule-params.txt").read_bytes()
    assert params == b'declare -x A="\xff \xc3\xa9"\n'
    assert (tmp_path / "deptree.txt").read_bytes() == b"a:a:\n"
    stored = (tmp_path / "schedule.json").read_text(encoding="utf-8")
    assert stored == REQUEST.to_json()


def test_others_may_read_them(tmp_path: Path) -> None:
    for path in DocumentFolder(tmp_path).write(DOCUMENTS):
        assert path.stat().st_mode & 0o777 == 0o644


def test_they_take_the_place_of_links_without_following_them(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("mine")
    (tmp_path / "schedule.json").symlink_to("kept")

    DocumentFolder(tmp_path).write(DOCUMENTS)

    assert not (tmp_path / "schedule.json").is_symlink()
    assert (tmp_path / "kept").read_text() == "mine"


def test_they_stay_where_all_went_well(tmp_path: Path) -> None:
    with DocumentFolder(tmp_path) as folder:
        folder.write(DOCUMENTS)

    assert names(tmp_path) == NAMES


@pytest.mark.parametrize("error", [CaurError("no"), ZeroDivisionError(), KeyboardInterrupt()])
def test_they_go_where_anything_failed(tmp_path: Path, error: BaseException) -> None:
    (tmp_path / "config").touch()

    def run() -> None:
        with DocumentFolder(tmp_path) as folder:
            folder.write(DOCUMENTS)
            raise error

    with pytest.raises(type(error)):
        run()

    assert names(tmp_path) == ["config"]


def test_those_of_an_earlier_run_go_as_well(tmp_path: Path) -> None:
    (tmp_path / "schedule.json").touch()

    with pytest.raises(ZeroDivisionError), DocumentFolder(tmp_path):
        raise ZeroDivisionError

    assert names(tmp_path) == []


def test_one_that_cannot_be_written_is_named_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    (tmp_path / "deptree.txt").mkdir()

    with pytest.raises(CaurError, match=r"deptree\.txt cannot be written: Is a directory"):
        DocumentFolder(tmp_path).write(DOCUMENTS)

    assert names(tmp_path) == ["deptree.txt", "schedule-params.txt"]


def test_a_folder_in_the_way_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "schedule.json" / "x").mkdir(parents=True)

    folder = DocumentFolder(tmp_path)
    with pytest.raises(CaurError, match=r"schedule\.json cannot be written"), folder:
        folder.write(DOCUMENTS)

    assert names(tmp_path) == ["schedule.json"]


def test_a_bare_repository_has_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="bare repository") as caught:
        DocumentFolder.of(GitRepository(tmp_path, bare=True))
    assert "--dry-run" in caught.value.hint
