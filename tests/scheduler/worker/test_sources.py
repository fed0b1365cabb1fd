"""Sources: kept between builds, checked by PGP, and the network they come by."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from caur_ci.process import run
from scheduler.job import FailureClass, JobState, Outcome
from scheduler.worker.sources import Sources
from scheduler.worker.srcdest_cache import SrcdestCache
from tests.support.git import Checkout, git
from tests.support.packages import pkgbuild, signing_key, srcinfo_of
from tests.support.queue import job
from tests.support.quick_makepkg import MAKEPKG
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.support.building import BuildWorld
    from tests.support.packages import SigningKey


class Shelf(ThreadingHTTPServer):
    """Has one file, and counts who fetches it."""

    fetched = 0

    class Handler(BaseHTTPRequestHandler):
        server: Shelf

        def do_GET(self) -> None:
            self.server.fetched += 1
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"data")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            pass

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/file"


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with Shelf(("127.0.0.1", 0), Shelf.Handler) as shelf:
        threading.Thread(target=shelf.serve_forever, daemon=True).start()
        yield shelf
        shelf.shutdown()


SUM = hashlib.sha256(b"data").hexdigest()
CACHE = {".CI/config": "BUILDER_CACHE_SOURCES=true"}


def with_source(
    source: str, sums: str, *, version: str = "1", build: str = ":", package: str = ":"
) -> dict[str, str]:
    """Return the files of a package that has one source and says so in its `.SRCINFO`."""
    head = f"source=('{source}')\nsha256sums=({sums})"
    text = pkgbuild("tool", version=version, head=head, build=build, package=package)
    fields = f"source = {source}\nsha256sums = {sums}\n"
    return {"PKGBUILD": text, ".SRCINFO": srcinfo_of(text, "tool") + fields}


def build_and_publish(world: BuildWorld, files: Mapping[str, str]) -> None:
    assert world.build(files).state is JobState.LANDED, world.log()
    (claim,) = world.queue.claim_landed("runner-1")
    world.queue.finish(claim, Outcome.SUCCESS)


class TestKept:
    def kept(self, world: BuildWorld) -> Path:
        return world.worker._workspace.downloads / "source" / "tool"

    def names(self, world: BuildWorld) -> list[str]:
        return [path.name for path in (self.kept(world) / "files").glob("*")]

    def test_what_was_downloaded_is_used_again(self, world: BuildWorld, shelf: Shelf) -> None:
        files = {**with_source(shelf.url, SUM), **CACHE}
        build_and_publish(world, files)
        assert self.names(world) == [f"sha256-{SUM}"]
        build_and_publish(world, files)
        assert shelf.fetched == 1

    def test_nothing_is_kept_unasked(self, world: BuildWorld, shelf: Shelf) -> None:
        build_and_publish(world, with_source(shelf.url, SUM))
        assert not self.kept(world).exists()

    @pytest.mark.parametrize(
        ("sums", "spoil"),
        [
            ("SKIP", ":"),
            (SUM, 'echo other > "$SRCDEST/file"'),
            (SUM, 'ln -sf /etc/passwd "$SRCDEST/file"'),
            (SUM, 'rm "$SRCDEST/file"; mkfifo "$SRCDEST/file"'),
            (SUM, 'rm "$SRCDEST/file"'),
        ],
    )
    def test_only_what_is_vouched_for_is_kept(
        self, world: BuildWorld, shelf: Shelf, sums: str, spoil: str
    ) -> None:
        build_and_publish(world, {**with_source(shelf.url, sums, build=spoil), **CACHE})
        assert self.names(world) == []

    def test_a_build_changes_a_copy(self, world: BuildWorld, shelf: Shelf) -> None:
        build_and_publish(world, {**with_source(shelf.url, SUM), **CACHE})
        spoil = 'echo other > "$SRCDEST/file"'
        build_and_publish(world, {**with_source(shelf.url, SUM, build=spoil), **CACHE})
        (kept,) = (self.kept(world) / "files").iterdir()
        assert kept.read_text() == "data"

    def test_what_no_version_names_any_more_goes(self, world: BuildWorld, shelf: Shelf) -> None:
        build_and_publish(world, {**with_source(shelf.url, SUM), **CACHE})
        build_and_publish(world, {**with_source(shelf.url, "SKIP"), **CACHE})
        assert self.names(world) == []

    def test_a_build_that_finds_them_in_use_does_without(
        self, world: BuildWorld, shelf: Shelf
    ) -> None:
        downloads = SrcdestCache(world.worker._workspace.downloads)
        with downloads.of_package("source", "tool") as held:
            assert held is not None
            build_and_publish(world, {**with_source(shelf.url, SUM), **CACHE})
        assert "another build has the kept sources" in world.log()
        assert self.names(world) == []

    def test_they_go_when_the_package_goes_or_nobody_uses_them(self, world: BuildWorld) -> None:
        downloads = SrcdestCache(world.worker._workspace.downloads)
        srcinfo = "pkgbase = tool\npkgver = 1\npkgrel = 1\npkgname = tool\n"
        commit = world.add(
            {"tool": pkgbuild("tool"), "old": pkgbuild("old")},
            tool={".SRCINFO": srcinfo},
            old={".SRCINFO": srcinfo.replace("tool", "old")},
        )
        assert commit
        for name in ("tool", "old", "gone", "busy"):
            with downloads.of_package("source", name) as kept:
                assert kept is not None
                (kept.folder / "file").write_text("data")
        month_ago = time.time() - 31 * 24 * 3600
        os.utime(downloads._folder / "source" / "old.lock", (month_ago, month_ago))
        with downloads.of_package("source", "busy"):
            world.worker._builder.tidy()
            assert sorted(path.name for path in (downloads._folder / "source").iterdir()) == [
                *("busy", "busy.lock", "tool", "tool.lock"),
            ]
        world.worker._builder.tidy()
        assert downloads.packages("source") == ("tool",)

    def test_an_idle_worker_tidies_up(self, world: BuildWorld) -> None:
        world.add({"other": pkgbuild("other")})
        downloads = SrcdestCache(world.worker._workspace.downloads)
        with downloads.of_package("source", "gone"):
            pass
        world.worker.run(idle_exit=0)
        assert downloads.packages("source") == ()

    def test_names_from_outside_do_not_lead_out(self, tmp_path: Path) -> None:
        with pytest.raises(Exception, match="cannot be the name"):
            SrcdestCache(tmp_path).of_package("source", "../tool").__enter__()

    def test_what_builds_could_write_to_is_not_trusted(self, tmp_path: Path) -> None:
        old = tmp_path / "source" / "tool"
        (old / "mirrors").mkdir(parents=True)
        old.chmod(0o755)
        with SrcdestCache(tmp_path).of_package("source", "tool") as kept:
            assert kept is not None
            assert list(kept.folder.iterdir()) == []


@pytest.fixture
def upstream(shared: Path) -> Checkout:
    """A git repository on this machine with a file and the tags v1 and v2 on it."""
    made = Checkout.create(shared / "good")
    for tag in ("v1", "v2"):
        made.commit(tag, {"program": f"good {tag}"})
        git(made.folder, "tag", tag)
    return made


class TestMirrors:
    def mirror(self, world: BuildWorld) -> Path:
        (mirror,) = (world.worker._workspace.downloads / "source" / "tool" / "mirrors").iterdir()
        return mirror

    def files(self, place: Path, tag: str, build: str = ":") -> dict[str, str]:
        source = f"up::git+{place.as_uri()}{tag and f'#tag={tag}'}"
        package = 'install -D "$srcdir/up/program" "$pkgdir/usr/share/program"'
        version = tag.removeprefix("v") or "3"
        made = with_source(source, "SKIP", version=version, build=build, package=package)
        return {**made, **CACHE}

    def program(self, world: BuildWorld) -> str:
        name = world.manifest().files[0].name
        package = world.landing.path_of(world.view("tool").delivery) / name
        return run(["bsdtar", "-xOf", package, "usr/share/program"]).stdout.decode()

    def test_a_build_cannot_choose_what_the_next_one_is_made_of(
        self, world: BuildWorld, upstream: Checkout, shared: Path
    ) -> None:
        evil = Checkout.create(shared / "evil")
        evil.commit("evil", {"program": "evil"})
        for tag in ("v1", "v2"):
            git(evil.folder, "tag", tag)
        good = upstream.folder
        spoil = (
            f'cd "$SRCDEST/up"; git config url.{evil.folder.as_uri()}.insteadOf {good.as_uri()}; '
            "git fetch -q origin '+refs/*:refs/*'; echo '#!/bin/sh' > hooks/post-checkout; "
            "chmod +x hooks/post-checkout; git symbolic-ref HEAD refs/tags/v1"
        )
        build_and_publish(world, self.files(good, "v1", build=spoil))
        config = (self.mirror(world) / "config").read_text()
        assert "insteadOf" not in config
        assert not (self.mirror(world) / "hooks" / "post-checkout").exists()

        assert world.build(self.files(good, "v2")).state is JobState.LANDED, world.log()
        assert self.program(world) == "good v2"

    def test_a_mirror_is_brought_up_to_date_with_its_default_branch(
        self, world: BuildWorld, upstream: Checkout
    ) -> None:
        build_and_publish(world, self.files(upstream.folder, "v1"))
        git(upstream.folder, "branch", "--move", "trunk")
        upstream.commit("more", {"program": "of trunk"})

        assert world.build(self.files(upstream.folder, "")).state is JobState.LANDED, world.log()
        assert self.program(world) == "of trunk"
        assert (self.mirror(world) / "HEAD").read_text().strip() == "ref: refs/heads/trunk"

    def test_what_cannot_be_fetched_is_told_by_makepkg(self, world: BuildWorld) -> None:
        view = world.build(self.files(world.checkout.folder.parent / "nothing", "v1"))
        assert view.failure is FailureClass.SOURCE_MISSING
        assert "the git repository up cannot be kept" in world.log()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("source = https://e.org/a-1.tar.gz", ["a-1.tar.gz"]),
        ("source = b::https://e.org/a\n", ["b"]),
        ("source = local.patch", []),
        ("source = ../x::https://e.org/a", []),
        ("source = ..::https://e.org/a", []),
        ("source = https://e.org/", []),
        ("source_x86_64 = https://e.org/a", []),
    ],
)
def test_which_files_have_a_sum(text: str, names: list[str]) -> None:
    content = f"pkgbase = x\n\t{text}\n\tmd5sums = {'0' * 32}\n\tsha256sums = {SUM}\n"
    assert [file.name for file in Sources.of_srcinfo(content.encode()).files] == names


@pytest.mark.parametrize(
    ("source", "name", "url"),
    [
        ("git+https://e.org/a/b.git#tag=v1", "b", "https://e.org/a/b.git"),
        ("x::git+https://e.org/a/b.git?signed", "x", "https://e.org/a/b.git"),
        ("git+ssh://git@e.org/b/", "b", "ssh://git@e.org/b/"),
        ("git://e.org/b", "b", "git://e.org/b"),
    ],
)
def test_which_git_repositories_are_mirrored(source: str, name: str, url: str) -> None:
    (found,) = Sources.of_srcinfo(f"source = {source}".encode()).git
    assert (found.name, found.url) == (name, url)


@pytest.mark.parametrize(
    "source", ["git+ext::sh -c x", "x::git+ext::sh", "git+e.org/b", "svn+https://e.org/b", "../git"]
)
def test_no_other_protocol_is(source: str) -> None:
    assert Sources.of_srcinfo(f"source = {source}".encode()).git == ()


class TestNetwork:
    @pytest.fixture
    def address(self) -> Iterator[str]:
        need_tools("bwrap")
        with socket.create_server(("127.0.0.1", 0)) as server:
            yield f"/dev/tcp/127.0.0.1/{server.getsockname()[1]}"

    @pytest.mark.parametrize(
        ("package", "repository", "reaches"),
        [
            ("BUILDER_NETWORK=false", "", False),
            ("", "BUILDER_NETWORK=false", False),
            ("BUILDER_NETWORK=true", "BUILDER_NETWORK=false", True),
        ],
    )
    def test_builds_have_it_or_not(
        self, world: BuildWorld, address: str, package: str, repository: str, *, reaches: bool
    ) -> None:
        attempt = f"(: <{address}) && echo reached || echo did not reach"
        text = pkgbuild(
            "tool",
            head=f"prepare() {{ : <{address}; echo prepared; }}",
            build=attempt,
            package=attempt,
        )
        world.checkout.commit("config", {".ci/config": repository})
        assert world.build({"PKGBUILD": text, ".CI/config": package}).state is JobState.LANDED
        lines = world.log().splitlines()
        assert "prepared" in lines
        assert lines.count("reached") == (2 if reaches else 0)
        assert lines.count("did not reach") == (0 if reaches else 2)

    def test_a_failure_for_want_of_it_is_explained(self, world: BuildWorld) -> None:
        need_tools("bwrap")
        text = pkgbuild("tool", build="curl --silent --show-error http://nowhere.example/")
        view = world.build({"PKGBUILD": text, ".CI/config": "BUILDER_NETWORK=false"})
        assert (view.outcome, view.failure) == (Outcome.FAILED, FailureClass.COMPILE)
        assert "which BUILDER_NETWORK denies it" in view.reason


class TestSignatures:
    @pytest.fixture
    def key(self) -> Iterator[SigningKey]:
        need_tools("gpg")
        with signing_key() as key:
            yield key

    def files(self, key: SigningKey, *, shipped: bool, config: str = "") -> dict[str, str | bytes]:
        (key.home / "data").write_text("signed")
        gpg = ["gpg", "--homedir", str(key.home), "--batch", "--quiet", "--yes"]
        run([*gpg, "--detach-sign", key.home / "data"])
        head = f"source=(data data.sig)\nsha256sums=(SKIP SKIP)\nvalidpgpkeys=({key.fingerprint})"
        files: dict[str, str | bytes] = {
            "PKGBUILD": pkgbuild("tool", head=head),
            "data": "signed",
            "data.sig": (key.home / "data.sig").read_bytes(),
            ".CI/config": config,
        }
        if shipped:
            files[f"keys/pgp/{key.fingerprint}.asc"] = key.public.read_bytes()
        return files

    def test_shipped_keys_are_used(self, world: BuildWorld, key: SigningKey) -> None:
        files = self.files(key, shipped=True, config="BUILDER_PGP_CHECK=false")
        assert world.build(files).state is JobState.LANDED, world.log()
        assert "data ... Passed" in world.log()
        assert "not checked" not in world.log()

    def test_what_was_changed_is_not_built(self, world: BuildWorld, key: SigningKey) -> None:
        view = world.build({**self.files(key, shipped=True), "data": "changed"})
        assert (view.outcome, view.failure) == (Outcome.FAILED, FailureClass.SIGNATURE)
        assert "bad signature" in world.log()

    def test_without_a_key_nothing_is_checked_and_this_is_said(
        self, world: BuildWorld, key: SigningKey
    ) -> None:
        view = world.build({**self.files(key, shipped=False), "data": "changed"})
        assert view.state is JobState.LANDED
        assert "PGP signatures of sources are not checked" in world.log()

    @pytest.mark.parametrize("place", ["package", "repository"])
    def test_without_a_key_it_is_checked_where_that_is_wanted(
        self, world: BuildWorld, key: SigningKey, place: str
    ) -> None:
        wish = "BUILDER_PGP_CHECK=true"
        world.checkout.commit("config", {".ci/config": wish if place == "repository" else ""})
        config = wish if place == "package" else ""
        view = world.build(self.files(key, shipped=False, config=config))
        assert (view.outcome, view.failure) == (Outcome.FAILED, FailureClass.SIGNATURE)
        assert "unknown public key" in world.log()


@pytest.fixture
def broken_makepkg(shared: Path, quick_makepkg: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a makepkg first on PATH that has the defect of Debian 13: `git clone ---mirror`."""
    need_tools("makepkg")
    library = shared / "share" / "makepkg"
    shutil.copytree("/usr/share/makepkg", library)
    clones = library / "source" / "git.sh"
    clones.write_text(re.sub(r" --+mirror ", " ---mirror ", clones.read_text()))
    wrapper = shared / "bin" / "makepkg"
    wrapper.parent.mkdir()
    place = shlex.quote(str(library))
    wrapper.write_text(
        f'#!/bin/sh\nexport LIBRARY={place} MAKEPKG_LIBRARY={place}\nexec {MAKEPKG} "$@"\n'
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", str(wrapper.parent), prepend=":")


@pytest.mark.usefixtures("broken_makepkg")
def test_git_sources_are_cloned(world: BuildWorld, shared: Path) -> None:
    upstream = shared / "upstream.git"
    world.checkout.commit("feat: begin", {"file": "from git"})
    shutil.copytree(world.checkout.folder / ".git", upstream)
    head = (
        f"source=('up::git+{upstream.as_uri()}')\nsha256sums=(SKIP)\n"
        'pkgver() { git -C "$srcdir/up" rev-list --count HEAD; }'
    )
    text = pkgbuild("tool-git", head=head, build='cat "$srcdir/up/file"').replace(
        "pkgver=1", "pkgver=0"
    )
    world.submit(job("tool-git", commit=world.add({"tool-git": text})))
    world.build_next()
    assert world.view("tool-git").state is JobState.LANDED, world.log("tool-git")
    assert "from git" in world.log("tool-git")
    assert world.pkginfo("tool-git")["pkgver"] != "0-1"
    assert "git installed" in world.manifest("tool-git").applied


def test_blanks_without_end_take_no_time() -> None:
    content = b"source = x" + b" " * 2_000_000 + b"y\nsource = https://e.org/a \n"
    assert Sources.of_srcinfo(content + f"sha256sums = {SUM}\nsha256sums = {SUM}\n".encode()).files
