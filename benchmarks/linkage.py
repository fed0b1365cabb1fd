"""How long a look at all libraries takes, and how much memory a large package needs."""

from __future__ import annotations

import gzip
import io
import os
import random
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.generate import write_packages
from benchmarks.measure import measure
from caur_ci.elf import ElfObject
from caur_ci.linkage import LINKAGE, LinkageReader
from caur_ci.linkage.index import write_lines
from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measure import Measurement

_PACKAGES, _ELF_FILES = 3_000, 30_000
_DATABASE_PACKAGES, _FILES_EACH = 15_000, 400
_SONAMES = 6_000
_LARGE = 1024**3
_READ = (
    "import pathlib, sys; from scheduler.database.packages import read_package; "
    "assert read_package(pathlib.Path(sys.argv[1])).linkage.needs"
)


def linkage_rows(
    repeat: int,
    *,
    packages: int = _PACKAGES,
    database_packages: int = _DATABASE_PACKAGES,
    large: int = _LARGE,
) -> Iterator[tuple[str, str]]:
    """Measure on made-up data; sizes are those of the goals if nothing else is said."""
    with tempfile.TemporaryDirectory(prefix="caur-bench-") as made:
        folder = Path(made)
        checkout = _checkout(folder, packages)
        size = _databases(folder, packages, database_packages)
        command = [sys.executable, "-m", "caur_ci", "broken"]
        looked = measure(command, cwd=checkout, repeat=repeat)
        label = f"{packages:,} packages, {packages * _ELF_FILES // _PACKAGES:,} ELF files"
        yield "looked at", f"{label}; databases of {database_packages:,}, {size / 1e6:.0f} MB"
        yield "caur-ci broken (goals: 20 s, 500 MB)", _shown(looked, 20, 500)
        package = _large_package(folder, large)
        read = measure([sys.executable, "-c", _READ, package], cwd=Path.cwd(), repeat=1)
        yield f"a package of {large / 1e6:,.0f} MB (goal: 200 MB)", _shown(read, None, 200)


def _shown(measured: Measurement, seconds: float | None, memory: float) -> str:
    missed = measured.memory > memory or (seconds is not None and measured.median > seconds)
    shown = f"{measured.median:.1f} s, {measured.cpu:.1f} s, {measured.memory:.0f} MB"
    return f"{shown}{' (missed)' if missed else ''}"


def _checkout(folder: Path, packages: int) -> Path:
    checkout = folder / "checkout"
    write_packages(checkout, packages)
    (checkout / ".ci").mkdir(exist_ok=True)
    url = folder.as_uri()
    (checkout / ".ci/config").write_text(
        f"REPO_NAME=ours\nCI_REPO_DB={url}/ours.db\nCI_LIB_DB={url}/extra.db\n", encoding="utf-8"
    )
    identity = ("-c", "user.name=Bench", "-c", "user.email=bench@example.org")
    for words in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-q", "-m", "feat: begin")):
        run(["git", "-C", checkout, *words])
    return checkout


def _databases(folder: Path, packages: int, database_packages: int) -> int:
    """Write the databases and the index; return the size of the larger one without compression."""
    chosen = random.Random(1)
    linkages = []
    for number in range(packages):
        reader = LinkageReader()
        for file in range(_ELF_FILES // _PACKAGES):
            needs = tuple(f"libpart{chosen.randrange(_SONAMES)}.so.1" for _ in range(6))
            path = f"usr/lib/package{number}/plugin{file}.so"
            reader.add_file(path)
            reader.add_elf(path, ElfObject(bits=64, machine=62, needs=(*needs, "libc.so.6")))
        name = f"package{number}"
        linkages.append(
            reader.package(name=name, base=name, version="1-1", arch="x86_64", sha256="0" * 64)
        )
    plain = io.BytesIO()
    write_lines(LINKAGE, (it.to_line() for it in linkages), plain)
    (folder / "ours.linkage.jsonl").write_bytes(plain.getvalue())
    run(["zstd", "-q", "--rm", "ours.linkage.jsonl"], cwd=folder)
    _write(folder / "ours.files", ((it.name, _listed(it.name, ())) for it in linkages))
    sonames = [f"usr/lib/libpart{number}.so.1" for number in range(_SONAMES)]
    each = -(-_SONAMES // database_packages)
    return _write(
        folder / "extra.files",
        (
            (f"lib{number}", _listed(f"lib{number}", sonames[number * each : (number + 1) * each]))
            for number in range(database_packages)
        ),
    )


def _listed(name: str, more: list[str] | tuple[str, ...]) -> bytes:
    lines = [f"usr/share/{name}/data/some/folder/file-{n}.svg" for n in range(_FILES_EACH)]
    return "\n".join(["%FILES%", *lines, *more, ""]).encode()


def _write(path: Path, packages: Iterator[tuple[str, bytes]]) -> int:
    size = 0
    with (
        gzip.open(path, "wb", compresslevel=1) as packed,
        tarfile.open(fileobj=packed, mode="w|") as archive,
    ):
        for name, content in packages:
            member = tarfile.TarInfo(f"{name}-1-1/files")
            member.size = len(content)
            size += len(content)
            archive.addfile(member, io.BytesIO(content))
    return size


def _large_package(folder: Path, size: int) -> Path:
    root = folder / "root"
    (root / "usr/bin").mkdir(parents=True)
    info = "pkgname = large\npkgbase = large\npkgver = 1-1\narch = x86_64\n"
    (root / ".PKGINFO").write_text(info, encoding="utf-8")
    with Path(sys.executable).open("rb") as program, (root / "usr/bin/large").open("wb") as stream:
        stream.write(program.read())
        while stream.tell() < size:  # nothing that can be compressed
            stream.write(os.urandom(4 * 1024**2))
    path = folder / "large-1-1-x86_64.pkg.tar.zst"
    run(["bsdtar", "--zstd", "-cf", path, ".PKGINFO", "usr"], cwd=root)
    return path
