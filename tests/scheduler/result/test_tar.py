"""Archives as makepkg writes them, and those that it would not write."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from scheduler.result import Allowance
from scheduler.result.errors import BadPackageError
from scheduler.result.tar import TarReader, TarWriter
from scheduler.worker.executors.protocol import Stop, StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from scheduler.result.tar import Member


def entry(name: str, content: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    info.mtime = 1700000000
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


def archive(*entries: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    written = io.BytesIO()
    with tarfile.open(
        fileobj=written, mode="w", format=form, encoding="utf-8", errors="surrogateescape"
    ) as stream:
        for info, content in entries:
            stream.addfile(info, io.BytesIO(content))
    return written.getvalue()


STRANGE = [
    entry("plain", b"content"),
    entry("a/" * 120 + "long", b"x" * 513),
    entry("blank and ünï\\+:code\nline", b"y"),
    entry("bytes-\udcff", b"z"),
    entry("folder", type=tarfile.DIRTYPE, mode=0o1777),
    entry("link", type=tarfile.SYMTYPE, linkname="p" * 200),
    entry("again", type=tarfile.LNKTYPE, linkname="plain"),
    entry("capable", b"", pax_headers={"SCHILY.xattr.security.capability": "\x01\x00\x00\x02 "}),
    entry("fifo", type=tarfile.FIFOTYPE),
]


def test_what_is_passed_on_stays_as_it_is() -> None:
    content = archive(*STRANGE)
    reader, written = TarReader(io.BytesIO(content), Allowance()), io.BytesIO()
    writer = TarWriter(written)
    names = []
    for member in reader:
        names.append(member.name)
        writer.write(member.header)
        for chunk in reader.chunks():
            writer.write(chunk)
        writer.fill_block()
    writer.close()

    assert written.getvalue() == content
    expected = [info.name.encode(errors="surrogateescape") for info, _ in STRANGE]
    assert [name.rstrip(b"/") for name in names] == expected


def test_content_can_be_read_or_skipped() -> None:
    reader = TarReader(
        io.BytesIO(archive(entry("a", b"12345"), entry("b", b"6" * 600))), Allowance()
    )
    members = iter(reader)

    assert next(members).size == 5
    assert (reader.read(2), reader.read(100), reader.read(1)) == (b"12", b"345", b"")
    assert next(members).name == b"b"
    assert list(members) == []


def test_a_file_can_get_another_size() -> None:
    reader = TarReader(
        io.BytesIO(archive(entry("a", b"12345", uname="ünï"), form=tarfile.USTAR_FORMAT)),
        Allowance(),
    )
    (member,) = reader
    written = io.BytesIO()
    writer = TarWriter(written)
    writer.write(member.resized(3))
    writer.write(b"new")
    writer.fill_block()
    writer.close()

    with tarfile.open(fileobj=io.BytesIO(written.getvalue())) as stream:
        (info,) = stream.getmembers()
        file = stream.extractfile(info)
        assert file is not None
        assert (info.name, info.size, info.mtime, file.read()) == ("a", 3, 1700000000, b"new")


def cut(content: bytes) -> bytes:
    return content[:700]


def other_byte(content: bytes) -> bytes:
    return b"X" + content[1:]


@pytest.mark.parametrize(
    ("content", "change", "message"),
    [
        (archive(entry("a", b"12345")), cut, "cut off"),
        (archive(entry("a", b"12345")), lambda content: content[:512], "cut off"),
        (archive(entry("a")), lambda _: b"", "cut off"),
        (archive(entry("a")), other_byte, "is no tar archive"),
        (archive(entry("a")), lambda _: b"text " * 200, "is no (tar archive|number)"),
        (archive(entry("a", type=b"S")), bytes, "of kind b'S' that makepkg never writes"),
        (archive(entry("a", pax_headers={"size": "2e3"})), bytes, "is no size"),
        (archive(entry("a", pax_headers={"size": "9" * 30})), bytes, "is no size"),
        (archive(entry("a", pax_headers={"size": "9" * 18})), bytes, "cut off|too large"),
        (
            archive(entry("a", pax_headers={"size": "512"}, type=tarfile.DIRTYPE)),
            bytes,
            "never writes",
        ),
        (
            archive(entry("a", pax_headers={"x": "y"})),
            lambda content: content.replace(b" x=y\n", b" x y\n", 1),
            "header that cannot be read",
        ),
    ],
)
def test_what_makepkg_would_not_write_is_refused(
    content: bytes, change: Callable[[bytes], bytes], message: str
) -> None:
    with pytest.raises(BadPackageError, match=message):
        list(TarReader(io.BytesIO(change(content)), Allowance()))


def members(content: bytes, allowance: Allowance) -> list[Member]:
    return list(TarReader(io.BytesIO(content), allowance))


def test_there_is_an_end_to_everything() -> None:
    content = archive(entry("a", b"x" * 5000), entry("b"), entry("c"))
    with pytest.raises(BadPackageError, match="too many files"):
        members(content, Allowance(members=2))
    with pytest.raises(BadPackageError, match="too large without its compression"):
        members(content, Allowance(unpacked=4096))
    with pytest.raises(BadPackageError, match="too large without its compression"):
        members(archive() + bytes(10_000), Allowance(unpacked=10_240))

    several = Allowance(members=5)
    assert len(members(content, several)) == 3
    with pytest.raises(BadPackageError, match="too many files"):
        members(content, several)


def test_names_and_headers_have_an_end_too() -> None:
    with pytest.raises(BadPackageError, match="a name of 5000 bytes"):
        members(archive(entry("a" * 5000)), Allowance())
    with pytest.raises(BadPackageError, match="header that is too large"):
        members(archive(entry("a", pax_headers={"x": "y" * 2_000_000})), Allowance())
    longer = archive(entry("a", pax_headers={"x": "y" * 1_000_000}), form=tarfile.PAX_FORMAT)
    pax = longer[: longer.index(b"y\n") // 512 * 512 + 512]
    with pytest.raises(BadPackageError, match="of kind b'x'"):
        members(pax * 20 + longer, Allowance())


def test_whoever_waits_can_end_it() -> None:
    def stop() -> None:
        raise StoppedError(Stop.TIMEOUT)

    with pytest.raises(StoppedError):
        members(archive(entry("a")), Allowance(check=stop))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (archive(entry("a"), entry("b"), entry("a")), "holds a twice"),
        (archive(entry("a"), entry("./a")), "holds a twice"),
        (archive(entry("a", type=tarfile.DIRTYPE), entry("a")), "holds a twice"),
        (archive(entry("/a")), "holds the name"),
        (archive(entry("a/../b")), "holds the name"),
        (archive(entry("a//b")), "holds the name"),
        (archive(entry(".PKGINFO/a")), "a folder .PKGINFO"),
        (archive(entry("a")) + archive(entry("b")), "something behind the end"),
        (archive(entry("a")) + bytes(2_000_000), "too much behind the end"),
        (archive(entry("x" * 200), form=tarfile.GNU_FORMAT), "another form"),
        (archive(entry("a", pax_headers={"GNU.sparse.size": "1"})), "as makepkg has none"),
        (archive(entry("a", pax_headers={"path": "b\0c"})), "as makepkg has none"),
    ],
)
def test_what_others_may_read_in_another_way_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(BadPackageError, match=message):
        list(TarReader(io.BytesIO(content), Allowance()))
