"""Sources: local ones that are missing, and sums that prove nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.judge.sources import SIGNATURES, Source
from caur_ci.pkgbuild.schema import SUMS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from caur_ci.validation.model import Finding
    from caur_ci.validation.srcinfo_lines import Entry
    from caur_ci.validation.view import PackageView

_SKIP = "SKIP"
_WEAK = frozenset({"cksums", "md5sums", "sha1sums"})
_PACKED = (".gz", ".xz", ".bz2", ".zst", ".lz", ".lzma")


def check_sources(view: PackageView) -> Iterator[Finding]:
    """Yield what is wrong with a package's sources, their sums, and the files that it names."""
    if view.folder.pkgbuild is not None:
        yield from _local_files(view)
    fields = [name for name, _ in view.srcinfo.with_architectures("source")]
    proven = {
        name.removeprefix("source"): _sums(view, name.removeprefix("source")) for name in fields
    }
    if fields and not any(proven.values()):
        yield view.about("sums-missing", fields[0], line=view.srcinfo.values(fields[0])[0].line)
        return
    for field in fields:
        yield from _checked(view, field, proven[field.removeprefix("source")])
    strong = {name for sums in proven.values() for name in sums} - _WEAK
    weak = [
        name for sums in proven.values() for name, values in sums.items() if not _all_skip(values)
    ]
    if weak and not strong:
        yield view.about("sum-weak", weak[0], what=weak[0])


def _all_skip(values: Sequence[Entry]) -> bool:
    return all(entry.value == _SKIP for entry in values)


def _sums(view: PackageView, suffix: str) -> dict[str, list[Entry]]:
    return {name: found for name in SUMS if (found := view.srcinfo.values(f"{name}{suffix}"))}


def _local_files(view: PackageView) -> Iterator[Finding]:
    names = {name.rpartition("/")[2] for name in view.folder.files} | {*view.folder.files}
    for field, entries in view.srcinfo.with_architectures("source"):
        for entry in entries:
            source = Source.of(entry.value)
            if source.is_local and not names.intersection({source.name, source.url}):
                yield view.about(
                    "source-missing", field, source.name, line=entry.line, what=source.name
                )
    for field in ("install", "changelog"):
        for entry in view.srcinfo.values(field):
            if entry.value not in view.folder.files:
                yield view.about(
                    "install-missing",
                    field,
                    entry.value,
                    line=entry.line,
                    what=f"{entry.value} ({field})",
                )


def _checked(view: PackageView, field: str, sums: dict[str, list[Entry]]) -> Iterator[Finding]:
    entries = view.srcinfo.values(field)
    for name, values in sums.items():
        if len(values) != len(entries):
            full = f"{name}{field.removeprefix('source')}"
            what = f"there are {len(values)} {full} for {len(entries)} sources"
            yield view.about("sum-count", full, line=values[0].line, what=what)
            return
    sources = [Source.of(entry.value) for entry in entries]
    signed = _signed(sources)
    for place, (entry, source) in enumerate(zip(entries, sources, strict=True)):
        if source.is_repository or source.is_signature or source.name in signed:
            continue
        if all(values[place].value == _SKIP for values in sums.values()):
            code = "sum-skipped-here" if source.is_local else "sum-skipped"
            yield view.about(code, field, source.name, line=entry.line, what=source.name)


def _signed(sources: Sequence[Source]) -> set[str]:
    """Return the names of the files whose signatures are among the sources."""
    signed: set[str] = set()
    for source in sources:
        for ending in SIGNATURES:
            if source.name.endswith(ending):
                name = source.name.removesuffix(ending)
                # Of a file that was signed before it was packed, makepkg finds the signature too.
                signed |= {name, *(f"{name}{packed}" for packed in _PACKED)}
    return signed
