"""A patch is read before it is applied."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from caur_ci.interfere import Interfere, InterfereError
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from pathlib import Path

GOOD = b"""\
Why this is done.
---
 PKGBUILD | 2 +-

diff --git a/PKGBUILD b/PKGBUILD
index 123..456 100644
--- a/PKGBUILD
+++ b/PKGBUILD
@@ -1,3 +1,3 @@
 pkgname=a
-pkgver=1
+pkgver=2
 pkgrel=1
@@ -9 +9 @@ build() {
--- is removed
+++ is added

\\ No newline at end of file
--
2.40
"""


def read(patch: bytes) -> Interfere:
    return Interfere.of_files({".CI/interfere.patch": patch}, origin="a")


def test_a_patch_as_git_writes_it_is_taken() -> None:
    assert read(GOOD).patch == GOOD


def test_what_git_diff_prints_is_taken(tmp_path: Path) -> None:
    need_tools("git")
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("".join(f"line {n}\n" for n in range(50)), encoding="utf-8")
    new.write_text(
        "".join(f"-- line {n}\n\n" for n in range(50) if n % 7), encoding="utf-8", newline=""
    )
    command = ["git", "diff", "--no-index", "--src-prefix=a/", "--dst-prefix=b/", "old", "new"]
    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).stdout
    assert printed.count(b"@@") > 1
    read(printed)


def hunk(name: bytes) -> bytes:
    return b"--- a/x\n+++ %s\n@@ -1 +1 @@\n-a\n+b\n" % name


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        (b"", ":1: the patch has no hunk"),
        (b"Only words.\n", ":1: the patch has no hunk"),
        (b"@@ -1 +1 @@\n-a\n+b\n", ":1: no file is named"),
        (b"--- a/x\n+++ b/x\n@@ -1 @@\n", ":3: the head of a hunk"),
        (b"--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\n+b\n", ":3: the hunk that begins here"),
        (b"--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n-a\n+b\n", ":3: the hunk that begins here"),
        (b"--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n-a\n+b\nend\n", ":6: the hunk of line 3 is cut short"),
        (b"--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n-a\n+b\n+b\n", ":6: the hunk of line 3 is longer"),
        (hunk(b"/etc/passwd"), ":2: '/etc/passwd' leads out"),
        (hunk(b"b/../../x"), ":2: 'b/../../x' leads out"),
        (hunk(b"b/.git/config"), "is not for interfere"),
        (hunk(b"b/sub/.git/config"), "is not for interfere"),
        (hunk(b"b/.CI/config"), "is not for interfere"),
        (hunk(b"b//./.CI/config"), "is not for interfere"),
        (hunk(b"PKGBUILD"), "has no folder a/ or b/"),
        (hunk(b'"b/\\056\\056/x"'), "in quotes"),
        (b"diff --git a/x b/.CI/x\nrename from x\nrename to .CI/x\n", "is not for interfere"),
        (b"Index: ../x\n" + hunk(b"b/x"), "leads out"),
        (b"*** a/x\n--- b/x\n***************\n*** 1 ****\n", "a context diff"),
        (b"diff --git a/x b/x\nGIT binary patch\nliteral 1\n", "a binary patch"),
        (b"0a\nwhatever\n.\n!touch /tmp/x\nw\n", "has no hunk"),
    ],
)
def test_a_patch_that_cannot_be_used_says_where_and_why(patch: bytes, words: str) -> None:
    with pytest.raises(InterfereError) as raised:
        read(patch)
    assert words in raised.value.message
    assert raised.value.message.startswith("a/.CI/interfere.patch:")
    assert "interfere.md" in raised.value.hint


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InterfereError) as raised:
        read(hunk(b"/a") + hunk(b"b/../c"))
    assert len(raised.value.message.splitlines()) == 2
