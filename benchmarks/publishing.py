"""What is measured of publishing: one transaction, against a repo-add call for each package."""

from __future__ import annotations

import hashlib
import shutil
import statistics
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import BenchmarkError
from benchmarks.queue.rows import QueueRow
from caur_ci.process import run
from scheduler.database.layout import Layout
from scheduler.database.packages import read_package
from scheduler.database.repository import open_repository
from scheduler.database.signing import Signer

if TYPE_CHECKING:
    from collections.abc import Iterator

_REPOSITORY, _PUBLISHED, _SAMPLED = 3_000, 200, 5
_GOAL = 1 / 10
_FILES_OF_EACH = 40


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many packages there are, are published, and are added one by one for comparison."""

    repository: int = _REPOSITORY
    published: int = _PUBLISHED
    sampled: int = _SAMPLED


def publishing_rows(repeat: int, sizes: Sizes | None = None) -> Iterator[QueueRow]:
    """Measure both by turns, in the same repository, `repeat` times."""
    sizes = sizes or Sizes()
    together, single = [], []
    with tempfile.TemporaryDirectory(prefix="caur-bench-") as folder, _key() as signer:
        bench = _Bench(Path(folder), sizes, signer)
        for number in range(repeat):
            together.append(bench.publish_together(number))
            single.append(bench.add_one_by_one(number))
    median, one = statistics.median(together), statistics.median(single)
    all_of_them = one * sizes.published
    ratio = median / all_of_them
    yield QueueRow(
        f"publish {sizes.published:,} packages into {sizes.repository:,}, in one transaction",
        f"{median:.2f} s",
        f"{min(together):.2f} s",
        goal=f"≤ {_GOAL:g} of repo-add",
        ratio=f"{ratio:.3f}",
        is_met=ratio <= _GOAL,
    )
    yield QueueRow(
        f"one repo-add call, unsigned; {sizes.published:,} of them take {all_of_them:.0f} s",
        f"{one:.2f} s",
        f"{min(single):.2f} s",
    )


class _Bench:
    def __init__(self, folder: Path, sizes: Sizes, signer: Signer) -> None:
        self._folder = folder
        self._sizes = sizes
        self._signer = signer
        self._pristine = folder / "pristine"
        self._pristine.mkdir()
        self._packages = folder / "packages"
        self._packages.mkdir()
        _write_databases(self._pristine, sizes.repository)
        for number in range(sizes.published):
            _write_package(self._packages, number)

    def publish_together(self, number: int) -> float:
        """Return how long one transaction takes, from checked packages to what readers see."""
        layout = Layout(self._folder / f"together-{number}", "bench", "x86_64")
        shutil.copytree(self._pristine, layout.folder)
        with (
            open_repository(layout) as repository,
            repository.transaction(self._signer) as transaction,
        ):
            shutil.copytree(self._packages, transaction.folder, dirs_exist_ok=True)
            checked = [read_package(path) for path in sorted(transaction.folder.iterdir())]
            started = time.perf_counter()
            transaction.add(checked)
            transaction.prepare()
            repository.commit(transaction)
            taken = time.perf_counter() - started
            if len(repository.entries()) != self._sizes.repository:
                raise BenchmarkError("the transaction did not lead to the packages expected")
        return taken

    def add_one_by_one(self, number: int) -> float:
        """Return how long one repo-add call takes, of a sample."""
        folder = self._folder / f"single-{number}"
        shutil.copytree(self._pristine, folder)
        sample = sorted(self._packages.iterdir())[: self._sizes.sampled]
        started = time.perf_counter()
        for path in sample:
            run(["repo-add", "--nocolor", "--quiet", "bench.db.tar.zst", path], cwd=folder)
        return (time.perf_counter() - started) / len(sample)


@contextmanager
def _key() -> Iterator[Signer]:
    # A short path: the agent's socket lies there.
    with tempfile.TemporaryDirectory(prefix="gpg-") as name:
        home = Path(name)
        home.chmod(0o700)
        gpg = ["gpg", "--homedir", name, "--batch", "--quiet", "--passphrase", ""]
        try:
            run([*gpg, "--quick-generate-key", "bench@example.org", "ed25519", "sign", "never"])
            yield Signer(home)
        finally:
            run(["gpgconf", "--homedir", home, "--kill", "all"], allowed=(0, 1, 2))


def _name(number: int) -> str:
    return f"package-{number:05}"


def _write_databases(folder: Path, count: int) -> None:
    """Write the databases of a repository; nobody needs the files of its packages here."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        for number in range(count):
            entry = Path(name, f"{_name(number)}-1-1")
            entry.mkdir()
            (entry / "desc").write_text(_description(number), encoding="utf-8")
        command = ["bsdtar", "--zstd", "-C", name, "-cf"]
        run([*command, folder / "bench.db.tar.zst", *_entries(Path(name))])
        for number in range(count):
            files = "".join(f"{path}\n" for path in _files(number))
            path = Path(name, f"{_name(number)}-1-1", "files")
            path.write_text(f"%FILES%\n{files}", encoding="utf-8")
        run([*command, folder / "bench.files.tar.zst", *_entries(Path(name))])


def _entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _description(number: int) -> str:
    name = _name(number)
    fields = {
        "FILENAME": f"{name}-1-1-any.pkg.tar.zst",
        "NAME": name,
        "BASE": name,
        "VERSION": "1-1",
        "DESC": "One of many packages",
        "CSIZE": "1000",
        "ISIZE": "10000",
        "SHA256SUM": hashlib.sha256(name.encode()).hexdigest(),
        "URL": "https://example.org",
        "LICENSE": "none",
        "ARCH": "any",
        "BUILDDATE": "1700000000",
        "PACKAGER": "somebody",
        "DEPENDS": "glibc",
    }
    return "".join(f"%{field}%\n{value}\n\n" for field, value in fields.items())


def _files(number: int) -> list[str]:
    folder = f"usr/share/{_name(number)}"
    return ["usr/", "usr/share/", f"{folder}/", *(f"{folder}/{i}" for i in range(_FILES_OF_EACH))]


def _write_package(folder: Path, number: int) -> None:
    name = _name(number)
    info = (
        f"pkgname = {name}\npkgbase = {name}\npkgver = 2-1\npkgdesc = One of many packages\n"
        "url = https://example.org\nbuilddate = 1700000000\npackager = somebody\nsize = 10000\n"
        "arch = any\nlicense = none\n"
    )
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        (root / ".PKGINFO").write_text(info, encoding="utf-8")
        for path in _files(number):
            if path.endswith("/"):
                (root / path).mkdir()
            else:
                (root / path).write_text(path, encoding="utf-8")
        target = folder / f"{name}-2-1-any.pkg.tar.zst"
        run(["bsdtar", "--zstd", "-cf", target, ".PKGINFO", "usr"], cwd=root)
