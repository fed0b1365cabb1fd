"""What the AUR would refuse is found before anybody pushes."""

from __future__ import annotations

from caur_ci.pipeline.validating.aur import aur_refusals
from caur_ci.validation.snapshot import Folder, FolderFile
from tests.caur_ci.pipeline.aur_pushing.world import with_sources


def folder(name: str, **sizes: int) -> Folder:
    files = with_sources(name, "fix.patch")
    contents = {path.removeprefix(f"{name}/"): str(it).encode() for path, it in files.items()}
    entries = {path: FolderFile(size=len(content)) for path, content in contents.items()}
    return Folder(name, {**entries, **{k: FolderFile(size=v) for k, v in sizes.items()}}, contents)


def test_only_what_belongs_there_counts() -> None:
    there = {"fix.patch": 1, "huge.bin": 1_000_000, ".CI/huge": 1_000_000}

    assert aur_refusals(folder("app", **there), generates=False) == []
    ((file, reason),) = aur_refusals(folder("app"), generates=False)
    assert (file, "no such file in the folder" in reason) == (".SRCINFO", True)
    ((file, _),) = aur_refusals(folder("app", **{"fix.patch": 1_000_000}), generates=False)
    assert file == "fix.patch"


def test_a_name_is_told_at_the_pkgbuild() -> None:
    found = aur_refusals(folder("App", **{"fix.patch": 1}), generates=False)
    assert "PKGBUILD" in dict(found)


def test_of_a_srcinfo_that_is_made_nothing_is_known() -> None:
    bare = Folder("app", {"PKGBUILD": FolderFile()}, {"PKGBUILD": b""})

    assert aur_refusals(bare, generates=True) == []
    assert ".SRCINFO" in dict(aur_refusals(bare, generates=False))
