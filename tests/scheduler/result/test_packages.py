"""What a build leaves behind: described, freed of what is prohibited, and never trusted."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from caur_ci.errors import CaurError
from caur_ci.process import run
from scheduler.files import NotAFileError
from scheduler.landing import ElfFile
from scheduler.result import Allowance, BadPackageError, sanitize_and_describe_packages
from scheduler.result.compression import FORMATS, packed
from scheduler.result.metadata import with_pkginfo, without_prohibited
from tests.support.elf import elf
from tests.support.packages import make_package
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scheduler.landing import DeliveredFile

THING, LIBS = "thing-1:1.2+r3-1-any.pkg.tar.zst", "thing-libs-1:1.2+r3-1-any.pkg.tar.zst"
PROGRAMS = {"": "cat", ".bz2": "bzip2", ".gz": "gzip", ".lz4": "lz4", ".xz": "xz", ".zst": "zstd"}


def describe(
    output: Path, *, allow_prohibited: bool = False, said: list[str] | None = None
) -> dict[str, DeliveredFile]:
    say = (said if said is not None else []).append
    files = sanitize_and_describe_packages(output, allow_prohibited=allow_prohibited, say=say)
    return {file.name: file for file in files}


def content_of(package: Path, member: str) -> bytes:
    return run(["bsdtar", "-xOf", package, member]).stdout


def members_of(package: Path) -> dict[str, tuple[dict[str, Any], Mapping[str, str], bytes]]:
    """Return header, pax attributes and content of everything in a package."""
    unpacked = run(["zstd", "-dc", package]).stdout
    found = {}
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as stream:
        for info in stream:
            file = stream.extractfile(info) if info.isreg() else None
            header: dict[str, Any] = dict(info.get_info())
            header.pop("chksum")
            found[info.name] = (header, info.pax_headers, file.read() if file else b"")
    return found


def test_files_are_described_with_their_sonames(output: Path) -> None:
    files = describe(output, allow_prohibited=True)

    assert list(files) == [THING, LIBS]
    for name, file in files.items():
        content = (output / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.size, file.sha256)
    # The other name of the same file is a hard link, and debug symbols say nothing new.
    (program,) = files[THING].elf
    assert program.path in {"usr/bin/thing", "usr/bin/thing-again"}
    assert program.soname == ""
    assert program.needs[0] == "libthing.so.1"
    (library,) = files[LIBS].elf
    assert (library.path, library.soname) == ("usr/lib/libthing.so.1.2", "libthing.so.1")


def test_prohibited_fields_go_and_nothing_else_changes(built: Path, output: Path) -> None:
    said: list[str] = []
    files = describe(output, said=said)

    assert (
        f"{THING}: removed 'replaces = linux', 'replaces = other<2', 'group = base-devel'"
        in (said[0])
    )
    for name, file in files.items():
        assert hashlib.sha256((output / name).read_bytes()).hexdigest() == file.sha256
        before, after = members_of(built / name), members_of(output / name)
        assert list(before) == list(after)
        for member, (header, attributes, content) in before.items():
            if member in {".PKGINFO", ".MTREE"}:
                header["size"] = after[member][0]["size"]
                assert after[member][:2] == (header, attributes)
            else:
                assert after[member] == (header, attributes, content), member
        lines = before[".PKGINFO"][2].decode().splitlines()
        kept = [line for line in lines if not line.startswith(("replaces =", "group ="))]
        assert len(kept) < len(lines)
        assert after[".PKGINFO"][2].decode().splitlines() == kept
    assert sorted(path.name for path in output.iterdir()) == [THING, LIBS]


def test_the_mtree_fits_again(built: Path, output: Path) -> None:
    describe(output)

    for name in (THING, LIBS):
        before = gzip.decompress(content_of(built / name, ".MTREE")).decode().splitlines()
        after = gzip.decompress(content_of(output / name, ".MTREE")).decode().splitlines()
        (old,) = (line for line in before if line not in after)
        (new,) = (line for line in after if line not in before)
        pkginfo = content_of(output / name, ".PKGINFO")
        assert f" size={len(pkginfo)} " in new
        assert f" sha256digest={hashlib.sha256(pkginfo).hexdigest()}" in new
        assert f" md5digest={hashlib.md5(pkginfo, usedforsecurity=False).hexdigest()} " in new
        changing = r" (size|\w+digest)=\w+"
        assert re.sub(changing, "", new) == re.sub(changing, "", old)


def test_pacman_and_repo_add_take_what_comes_out(output: Path, tmp_path: Path) -> None:
    need_tools("pacman", "repo-add", "fakeroot")
    describe(output)

    shown = run(["pacman", "-Qip", *sorted(output.iterdir())]).stdout.decode()
    assert re.findall(r"(?:Replaces|Groups) +: (.*)", shown) == ["None"] * 4
    run(["repo-add", "repo.db.tar.zst", THING, LIBS], cwd=output)
    entries = run(["bsdtar", "-xOf", output / "repo.db.tar.zst"]).stdout
    assert b"%REPLACES%" not in entries
    assert b"%GROUPS%" not in entries

    altered = re.findall(
        r"total files, (\d+) altered", install(tmp_path, output / LIBS, output / THING)
    )
    assert altered == ["0", "0"]
    libraries = str(tmp_path / "root/usr/lib")
    run([tmp_path / "root/usr/bin/thing"], environment={"LD_LIBRARY_PATH": libraries})


def install(folder: Path, *packages: Path) -> str:
    """Install packages in a root of their own; return what pacman says when it checks them."""
    for name in ("root", "db", "cache"):
        (folder / name).mkdir()
    (folder / "pacman.conf").write_text(
        f"[options]\nRootDir = {folder}/root/\nDBPath = {folder}/db/\nCacheDir = {folder}/cache/\n"
        f"LogFile = {folder}/log\nGPGDir = {folder}\nHookDir = {folder}/hooks/\n"
        "Architecture = x86_64\nSigLevel = Never\nLocalFileSigLevel = Never\n"
    )
    pacman = ["fakeroot", "pacman", "--config", str(folder / "pacman.conf"), "--noconfirm"]
    run([*pacman, "--upgrade", *map(str, packages)])
    # It may find fault with owners, which are not root here.
    return run([*pacman, "--query", "--check", "--check"], allowed=(0, 1)).stdout.decode()


@pytest.mark.parametrize("suffix", sorted(FORMATS))
def test_the_compression_stays_and_the_result_is_always_the_same(
    built: Path, tmp_path: Path, suffix: str
) -> None:
    program = PROGRAMS[suffix]
    need_tools(program)
    content = run(["zstd", "-dc", built / THING]).stdout
    packed_with = [program] if program == "cat" else [program, "-q", "-c"]
    results = set()
    for number in "12":
        folder = tmp_path / number
        folder.mkdir()
        name = THING.removesuffix(".zst") + suffix
        (folder / name).write_bytes(run(packed_with, stdin=content).stdout)
        described = describe(folder)[name]
        again = [program] if program == "cat" else [program, "-q", "-d", "-c"]
        unpacked = run(again, stdin=(folder / name).read_bytes()).stdout
        results.add((described, hashlib.sha256(unpacked).hexdigest()))
    ((described, _),) = results
    assert described.elf


def test_programs_are_read_by_their_segments(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = describe(output, allow_prohibited=True)
    # Of the program and the library, the names lie in the first page, the segment in a later one.
    monkeypatch.setattr("caur_ci.elf.reading._HEAD", 4096)
    assert describe(output, allow_prohibited=True) == whole

    monkeypatch.setattr("caur_ci.elf.reading._HEAD", 600)
    monkeypatch.setattr("caur_ci.elf.reading._BEFORE", 0)
    said: list[str] = []
    assert describe(output, allow_prohibited=True, said=said)[LIBS].elf == ()
    assert f"{LIBS}: the sonames of 1 ELF files are not recorded" in said


def test_what_is_said_of_programs_has_an_end(output: Path) -> None:
    for allowance in (Allowance(elf=1), Allowance(elf_names=40)):
        said: list[str] = []
        files = sanitize_and_describe_packages(
            output, allow_prohibited=True, say=said.append, allowance=allowance
        )
        assert sum(len(file.elf) for file in files) == 1
        assert any("the sonames of 1 ELF files are not recorded" in line for line in said)


def test_the_packages_of_a_build_have_limits_together(output: Path) -> None:
    size = sum(path.stat().st_size for path in output.iterdir())
    with pytest.raises(BadPackageError, match="packages of the build are too large"):
        sanitize_and_describe_packages(
            output, allow_prohibited=True, say=print, allowance=Allowance(packed=size - 1)
        )


def test_what_else_lies_about_has_limits_too(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(50):
        (output / f"note-{number:02}").touch()
    said: list[str] = []
    assert list(describe(output, said=said)) == [THING, LIBS]
    assert "… nor are 30 others" in said
    assert len([line for line in said if "is no package" in line]) == 20

    monkeypatch.setattr("scheduler.result.packages.MAX_ENTRIES", 20)
    with pytest.raises(BadPackageError, match="more than 20 files"):
        describe(output)


def test_only_so_much_of_what_goes_is_shown(tmp_path: Path) -> None:
    lines = "".join(f"replaces = {'x' * 1000}{number}\n" for number in range(500))
    make_package(tmp_path, "a", extra=lines)
    said: list[str] = []
    describe(tmp_path, said=said)
    assert "removed 'replaces = xxx" in said[0]
    assert len(said[0]) < 10_000


def test_broken_programs_do_not_fail_a_build(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    for name, content in {
        ".PKGINFO": b"pkgname = a\n",
        "empty": b"",
        "short": b"\x7fELF",
        "strange": b"\x7fELF" + b"\xff" * 500,
        "library": elf(soname="liba.so"),
    }.items():
        (tmp_path / "root" / name).write_bytes(content)
    (tmp_path / "output").mkdir()
    package = tmp_path / "output" / "a-1-1-any.pkg.tar.zst"
    run(["bsdtar", "--zstd", "-cf", package, "-C", tmp_path / "root", "."])

    (file,) = describe(tmp_path / "output").values()
    assert file.elf == (ElfFile(path="library", bits=64, soname="liba.so"),)


def test_only_packages_are_delivered(output: Path) -> None:
    (output / "notes.txt").symlink_to("/etc/passwd")
    (output / f"{THING}.sig").write_bytes(b"no signature")
    said: list[str] = []

    assert list(describe(output, said=said)) == [THING, LIBS]
    assert "'notes.txt' is no package and is not delivered" in said


def test_links_pipes_and_folders_are_no_packages(tmp_path: Path) -> None:
    make_package(tmp_path, "real")
    ways: list[Callable[[Path], object]] = [
        lambda path: path.symlink_to("/etc/passwd"),
        lambda path: path.hardlink_to(tmp_path / "real-1-1-any.pkg.tar.zst"),
        os.mkfifo,
        Path.mkdir,
    ]
    for number, make in enumerate(ways):
        folder = tmp_path / str(number)
        folder.mkdir()
        make(folder / "a-1-1-any.pkg.tar.zst")
        with pytest.raises(NotAFileError):
            describe(folder)


@pytest.mark.parametrize(
    "name",
    [
        "-a-1-1-any.pkg.tar.zst",
        ".a-1-1-any.pkg.tar.zst",
        "a b.pkg.tar.zst",
        "a*.pkg.tar.zst",
        "a\n.pkg.tar.zst",
        "a'.pkg.tar.zst",
        "a\\.pkg.tar.zst",
        "ä.pkg.tar.zst",
        "a.pkg.tar.zst.exe",
        "a.pkg.tar.lrz",
        f"{'a' * 240}.pkg.tar.zst",
    ],
)
def test_a_name_that_pacmans_rules_forbid_is_refused(tmp_path: Path, name: str) -> None:
    make_package(tmp_path, "a", filename=name)
    with pytest.raises(BadPackageError, match="cannot be the name of a package file"):
        describe(tmp_path)


def tarred(tmp_path: Path, *options: str, **files: str) -> Path:
    """Make a package of what bsdtar is told; return its folder."""
    root, output = tmp_path / "root", tmp_path / "output"
    for folder in (root, output):
        folder.mkdir()
    for name, content in files.items():
        (root / name.replace("_", ".")).write_text(content)
    package = output / "a-1-1-any.pkg.tar.zst"
    run(["bsdtar", "--zstd", "-cf", package, "-C", root, *options])
    return output


def test_a_package_has_exactly_one_pkginfo(tmp_path: Path) -> None:
    (tmp_path / "twice").mkdir()
    output = tarred(tmp_path / "twice", ".PKGINFO", "./.PKGINFO", _PKGINFO="a = b\n")
    with pytest.raises(BadPackageError, match=r"holds \.PKGINFO twice"):
        describe(output)

    (tmp_path / "none").mkdir()
    with pytest.raises(BadPackageError, match=r"has no \.PKGINFO"):
        describe(tarred(tmp_path / "none", "other", other="text"))

    (tmp_path / "link").mkdir()
    with pytest.raises(BadPackageError, match=r"\.PKGINFO is no file, or too large"):
        describe(tarred(tmp_path / "link", ".PKGINFO", _PKGINFO="x" * (5 * 1024 * 1024)))


def test_broken_packages_are_refused(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = (output / THING).read_bytes()
    for content in (b"", b"text", whole[:-20], whole[: len(whole) // 2], whole + b"rubbish"):
        (output / THING).write_bytes(content)
        with pytest.raises(BadPackageError, match=re.escape(THING)):
            describe(output)

    (output / THING).write_bytes(whole)
    monkeypatch.setattr("scheduler.result.packages.MAX_FILES", 1)
    with pytest.raises(BadPackageError, match="made 2 packages; 1 are allowed"):
        describe(output)


def fill(target: Path) -> None:
    with target.open("wb") as stream, packed(stream, ".zst") as content:
        for _ in range(64):
            content.write(os.urandom(65536))


def test_a_full_disk_is_not_the_packages_fault() -> None:
    with pytest.raises(CaurError, match="zstd ended with") as caught:
        fill(Path("/dev/full"))
    assert not isinstance(caught.value, BadPackageError)


@pytest.mark.parametrize("line", ["group=x", "  replaces\t=x", "replaces = x", "group ="])
def test_no_way_of_writing_a_field_helps(line: str) -> None:
    pkginfo = f"pkgname = a\n{line}\npkgdesc = replaces = all\n# group = x\n".encode()
    kept, gone = without_prohibited(pkginfo)
    assert kept == b"pkgname = a\npkgdesc = replaces = all\n# group = x\n"
    assert gone == [line.strip()]


def test_an_mtree_that_cannot_be_mended_is_refused() -> None:
    for mtree in (b"text", gzip.compress(b"#mtree\n"), gzip.compress(b"x" * 9)[:-9]):
        with pytest.raises(BadPackageError, match=r"its \.MTREE"):
            with_pkginfo(mtree, b"")
