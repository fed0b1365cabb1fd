"""Builds for flavours and for other architectures, and which of them a worker does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from caur_ci.errors import ConfigError
from caur_ci.process import run
from scheduler.job import JobState, Outcome
from scheduler.settings import ExtraRepository, Flavour, TargetRepository, WorkerSettings
from scheduler.worker.architectures import buildable, image_of, machine_architecture
from tests.support.packages import make_package, pkgbuild
from tests.support.queue import job

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.building import BuildSite, BuildWorld

V3 = "x86_64_v3"
# What a processor of the second level has, and what the third needs beside.
SECOND = "fpu cx16 lahf_lm pni popcnt sse4_1 sse4_2 ssse3"
THIRD = f"{SECOND} abm avx avx2 bmi1 bmi2 f16c fma movbe xsave"


def built(world: BuildWorld, text: str, arch: str) -> None:
    world.submit(job("tool", commit=world.add({"tool": text}), arch=arch))
    world.build_next()
    assert world.view("tool").state is JobState.LANDED, world.log()


class TestBuilds:
    def test_a_flavour_gets_its_flags_its_name_and_what_there_is_for_its_base(
        self, site: BuildSite
    ) -> None:
        text = pkgbuild(
            "tool",
            head="source_x86_64=(data)\nsha256sums_x86_64=(SKIP)\n_url=https://x/$CARCH",
            build='cat data; echo "$CFLAGS|$CXXFLAGS|$RUSTFLAGS|$GOAMD64|$MAKEFLAGS|$_url"',
        ).replace("arch=(any)", "arch=(x86_64)")
        with site.world(
            flavours={
                V3: Flavour(
                    cflags="-O3 -march=x86-64-v3",
                    rustflags="-C target-cpu=x86-64-v3",
                    makeflags="-j3",
                    environment={"GOAMD64": "v3; exit 1"},
                    options=("!strip",),
                )
            }
        ) as world:
            commit = world.add({"tool": text}, tool={"data": "for x86_64\n"})
            world.submit(job("tool", commit=commit, arch=V3))
            world.build_next()

            assert world.view("tool").state is JobState.LANDED, world.log()
            assert world.pkginfo()["arch"] == V3
            assert [file.name for file in world.manifest().files] == [f"tool-1-1-{V3}.pkg.tar.zst"]
            assert "for x86_64" in world.log()
            flags = next(line for line in world.log().splitlines() if "|-j3|" in line)
        cflags, cxxflags, rustflags, goamd64, _, url = flags.split("|")
        assert cflags.endswith(" -O3 -march=x86-64-v3")
        assert cxxflags.endswith(" -O3 -march=x86-64-v3")
        assert rustflags.strip().endswith("-C target-cpu=x86-64-v3")
        assert (goamd64, url) == ("v3; exit 1", "https://x/x86_64")

    def test_what_is_for_any_architecture_stays_so(self, site: BuildSite) -> None:
        with site.world() as world:
            built(world, pkgbuild("tool", build='echo "flags $CFLAGS"'), V3)

            assert world.pkginfo()["arch"] == "any"
            assert "-march=x86-64-v3" in world.log()

    def test_another_architecture_is_built_as_such(self, site: BuildSite) -> None:
        """As where there is an emulator: nothing is compiled here."""
        text = pkgbuild("tool", head="source_aarch64=(arm)\nsha256sums_aarch64=(SKIP)")
        with site.world(architectures=("aarch64",)) as world:
            commit = world.add(
                {"tool": text.replace("arch=(any)", "arch=(aarch64)")}, tool={"arm": ""}
            )
            world.submit(job("tool", commit=commit, arch="aarch64"))
            world.build_next()

            assert world.view("tool").state is JobState.LANDED, world.log()
            assert world.pkginfo()["arch"] == "aarch64"
            assert "emulated: this machine is" in world.log()


def test_what_is_for_several_is_there_when_all_of_them_have_it(
    site: BuildSite, shared: Path
) -> None:
    server = f"{(shared / 'repos').as_uri()}/$repo/$arch"
    own = ExtraRepository(name="repo", servers=(server,))
    target = TargetRepository(name="repo", extra_repos=(own,))
    with site.world(target=target) as world:
        commit = world.add({"tool": pkgbuild("tool")})

        def state() -> tuple[JobState, Outcome | None]:
            world.submit(job("tool", commit=commit, shared_with=(V3,)))
            world.build_next()
            view = world.view("tool")
            if view.state is JobState.LANDED:
                world.queue.cancel([view.job_id])
            return view.state, view.outcome

        assert state() == (JobState.LANDED, None)
        publish(shared / "repos", "x86_64")
        assert state() == (JobState.LANDED, None)
        publish(shared / "repos", V3)
        assert state() == (JobState.DONE, Outcome.ALREADY_BUILT)


def publish(repositories: Path, arch: str) -> None:
    folder = repositories / "repo" / arch
    folder.mkdir(parents=True)
    package = make_package(folder, "tool")
    run(["repo-add", "--quiet", folder / "repo.db.tar.zst", package])


@pytest.fixture
def cpuinfo(tmp_path: Path) -> Path:
    path = tmp_path / "cpuinfo"
    path.write_text(f"processor : 0\nflags\t\t: {THIRD}\nbugs\t: \n")
    return path


def settings(tmp_path: Path, **values: Any) -> WorkerSettings:  # noqa: ANN401 - any setting
    environ = {
        "PACKAGE_REPOS": '{"source": {"url": "https://x"}}',
        "LANDING_ZONE_PATH": "/x",
        **values,
    }
    return WorkerSettings.from_environment(environ, state_dir=tmp_path)


@pytest.mark.skipif(machine_architecture() != "x86_64", reason="about the levels of x86-64")
class TestBuildable:
    def test_by_default_what_the_processor_can_do(self, tmp_path: Path, cpuinfo: Path) -> None:
        mine = settings(
            tmp_path,
            BUILDER_FLAVOURS='{"x86_64_zen": {"cflags": "-O3"}, "aarch64_v9": {}}',
        )
        levels = ("x86_64", "x86_64_v2", V3)

        assert buildable(mine, cpuinfo=cpuinfo) == (*levels, "x86_64_zen")
        cpuinfo.write_text(f"flags : {SECOND}\n")
        assert buildable(settings(tmp_path), cpuinfo=cpuinfo) == levels[:2]
        cpuinfo.write_text("flags : fpu\n")
        assert buildable(settings(tmp_path), cpuinfo=cpuinfo) == levels[:1]

    def test_what_is_set_counts(self, tmp_path: Path) -> None:
        mine = settings(tmp_path, BUILDER_ARCHITECTURES="x86_64_v4, x86_64")
        assert buildable(mine) == ("x86_64_v4", "x86_64")

    def test_a_flavour_nobody_has_described(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="x86_64_zen") as raised:
            buildable(settings(tmp_path, BUILDER_ARCHITECTURES="x86_64_zen"))
        assert "[flavours.x86_64_zen]" in raised.value.hint

    def test_another_machine_needs_containers_an_emulator_and_an_image(
        self, tmp_path: Path
    ) -> None:
        def refusal(**values: str) -> str:
            mine = settings(tmp_path, BUILDER_ARCHITECTURES="aarch64", **values)
            with pytest.raises(ConfigError) as raised:
                buildable(mine, emulators=tmp_path)
            return raised.value.message

        assert "on the machine itself" in refusal(BUILDER_EXECUTOR="host")
        assert "no emulator of aarch64" in refusal()
        handler = tmp_path / "qemu-aarch64"
        handler.write_text("enabled\ninterpreter /usr/bin/qemu-aarch64\nflags: OC\n")
        assert "no emulator of aarch64" in refusal()
        handler.write_text("enabled\ninterpreter /usr/bin/qemu-aarch64\nflags: OCF\n")
        assert "no image of aarch64" in refusal()
        mine = settings(
            tmp_path,
            BUILDER_ARCHITECTURES="aarch64",
            BUILDER_FLAVOURS='{"aarch64": {"image": "example.org/arm:1"}}',
        )
        assert buildable(mine, emulators=tmp_path) == ("aarch64",)
        assert image_of("aarch64_v9", mine) == "example.org/arm:1"
        assert image_of("x86_64", mine) == ""

    @pytest.mark.parametrize(
        ("variable", "value", "words"),
        [
            ("BUILDER_ARCHITECTURES", "X86", "architectures such as"),
            ("BUILDER_FLAVOURS", '{"a b": {}}', "does not match"),
            ("BUILDER_FLAVOURS", '{"x86_64_v3": {"cflgs": ""}}', "cflgs"),
            ("BUILDER_FLAVOURS", '{"x86_64_v3": {"environment": {"A=B": ""}}}', "environment"),
            ("BUILDER_FLAVOURS", '{"x86_64_v3": {"cflags": "a\\nb"}}', "control character"),
        ],
    )
    def test_settings_that_make_no_sense(
        self, tmp_path: Path, variable: str, value: str, words: str
    ) -> None:
        with pytest.raises(ConfigError, match=words):
            settings(tmp_path, **{variable: value})
