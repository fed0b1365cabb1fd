"""What builds need of a repository whose packages are at a publishing target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler.database.dependencies import needed
from scheduler.hosting.folder import FolderTarget
from scheduler.hosting.needed import fetch_needed
from scheduler.hosting.picking_up import pick_up
from scheduler.hosting.protocol import TargetError
from scheduler.hosting.uploading import upload
from tests.support.shelf import Shelf

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.database.signing import Keyring


def test_what_is_needed_is_what_answers_to_a_name_and_what_that_needs() -> None:
    records = {
        "app": {"DEPENDS": ["lib>=2"]},
        "lib": {"DEPENDS": ["virtual", "app", "glibc"]},
        "real": {"PROVIDES": ["virtual=3"]},
        "other": {"DEPENDS": ["app"]},
    }

    assert needed(records, ["app", "elsewhere"]) == {"app", "lib", "real"}
    assert needed(records, ["virtual<9"]) == {"real"}
    assert needed(records, []) == set()


def test_its_files_come_as_they_are_listed_and_are_not_uploaded_again(
    shelf: Shelf, keyring: Keyring, tmp_path: Path
) -> None:
    target = FolderTarget(tmp_path / "web")
    shelf.publish(("tool", "1-1"), ("app", "2-1"))
    upload(target, shelf.layout.root, "repo", grace=60)
    other = Shelf(tmp_path / "other", shelf.signer)
    pick_up(target, other.layout.root, "repo", keyring)

    tool = tmp_path / "web/repo/x86_64/tool-1-1-any.pkg.tar.zst"
    right = tool.read_bytes()
    tool.write_bytes(b"wrong")
    with pytest.raises(TargetError, match="is not what the database lists"):
        fetch_needed(target, other.layout.root, "repo", ["tool"])
    assert other.files() == []

    tool.write_bytes(right)
    assert fetch_needed(target, other.layout.root, "repo", ["tool"]) == [tool.name]
    assert other.files() == [tool.name, f"{tool.name}.sig"]
    assert fetch_needed(target, other.layout.root, "repo", ["tool"]) == []
    assert upload(target, other.layout.root, "repo", grace=60).is_empty
