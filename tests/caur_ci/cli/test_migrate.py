"""`caur-ci migrate`: repositories of the bash template, of lilac and of nobody are taken over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.config import load_package_config, load_repository_config
from caur_ci.errors import ExitCode
from caur_ci.git import GitRepository
from caur_ci.pipeline.on_commit.journey import OnCommitOptions, on_commit
from caur_ci.pipeline.shared.memory.branch import Memory
from tests.caur_ci.pipeline.on_schedule.world import ScheduleWorld, actions
from tests.support.git import Checkout, git, srcinfo
from tests.support.upstream import upstream

if TYPE_CHECKING:
    from pathlib import Path

Captured = pytest.CaptureFixture[str]

PACKAGES = {
    f"{name}/{file}": text
    for name in ("a", "b-git")
    for file, text in (("PKGBUILD", f"pkgname={name}\n"), (".SRCINFO", srcinfo(name)))
}
TEMPLATE = {
    ".ci/config": 'BUILD_REPO="src"\nREPO_NAME="repo"\nTEMPLATE_ENABLE_UPDATES=true\n',
    ".ci/aur-state": "1700000000\n",
    ".ci/aur-maintainers": "# nobody\n",
    ".ci/on-commit.sh": "#!/bin/bash\n",
    ".ci/on-schedule.sh": "#!/bin/bash\n",
    ".ci/util.shlib": "\n",
    ".ci/awk/get-deps.awk": "\n",
    ".gitlab-ci.yml": "stages: [x]\non-commit:\n  script: .ci/on-commit.sh\nlint:\n  script: x\n",
    ".gitignore": "/.ci/schedule-params.txt\n",
    "a/.CI/config": "CI_PKGBUILD_SOURCE=aur\n",
    **PACKAGES,
}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """An empty repository."""
    monkeypatch.setenv("COLUMNS", "200")
    made = Checkout.create(tmp_path / "world")
    monkeypatch.chdir(made.folder)
    return made


def migrate(*options: str) -> int:
    return run(["migrate", *options], Session())


def files(world: Checkout) -> set[str]:
    return set(git(world.remote, "ls-tree", "-r", "--name-only", "main").splitlines())


def content(world: Checkout, path: str) -> str:
    return git(world.remote, "show", f"main:{path}")


def requests(world: Checkout) -> int:
    remote = GitRepository.open(world.remote)
    return len(Memory.read(remote, remote.resolve("refs/heads/caur")).outbox.requests)


class TestTemplate:
    """The bash template of infra 4.0."""

    @pytest.fixture(autouse=True)
    def here(self, world: Checkout) -> None:
        world.commit("feat: packages", dict(TEMPLATE))
        world.schedule_here()
        git(world.folder, "push", "--quiet", "origin", "HEAD:refs/heads/state")

    def test_it_is_shown_first(self, world: Checkout, capsys: Captured) -> None:
        before = git(world.remote, "for-each-ref")

        assert migrate() == ExitCode.OK

        assert git(world.remote, "for-each-ref") == before
        said = capsys.readouterr()
        assert "removed  .ci/on-commit.sh" in said.out
        assert "written  .gitlab-ci.yml" in said.out
        assert ".gitlab-ci.yml has more than the template: lint" in said.err

    def test_one_commit_takes_it_over(self, world: Checkout) -> None:
        state = git(world.remote, "rev-parse", "state")

        assert migrate("--yes") == ExitCode.OK

        assert files(world) == {
            *PACKAGES,
            "a/.CI/config",
            ".ci/config",
            ".ci/aur-state",
            ".ci/aur-maintainers",
            ".gitlab-ci.yml",
            ".gitignore",
        }
        assert "caur-ci on-schedule" in content(world, ".gitlab-ci.yml")
        assert content(world, ".ci/config") == TEMPLATE[".ci/config"].strip()
        assert git(world.remote, "rev-parse", "scheduled") == git(world.remote, "rev-parse", "main")
        assert git(world.remote, "rev-parse", "state") == state
        assert requests(world) == 0
        assert on_commit(OnCommitOptions(repo=world.folder)).plan.decisions == ()

    def test_a_second_time_there_is_nothing_to_do(self, world: Checkout, capsys: Captured) -> None:
        migrate("--yes")
        tip = git(world.remote, "rev-parse", "main")

        assert migrate("--yes", "--kind", "template") == ExitCode.OK

        assert git(world.remote, "rev-parse", "main") == tip
        assert "there is nothing to change" in capsys.readouterr().err

    def test_reverting_it_is_the_way_back(self, world: Checkout) -> None:
        tree = git(world.remote, "rev-parse", "main^{tree}")
        migrate("--yes")

        git(world.folder, "revert", "--no-edit", "HEAD")
        world.push()

        assert git(world.remote, "rev-parse", "main^{tree}") == tree
        assert on_commit(OnCommitOptions(repo=world.folder)).plan.decisions == ()

    def test_what_was_not_scheduled_yet_is(self, world: Checkout) -> None:
        world.commit("fix: a", {"a/PKGBUILD": "pkgname=a\n# fixed\n"})
        world.push()

        migrate("--yes")

        assert requests(world) == 1


LILAC = {
    "a/lilac.yaml": "maintainers:\n  - github: x\npre_build: aur_pre_build\n"
    "post_build: aur_post_build\nupdate_on:\n  - source: aur\n    aur: null\n",
    "b-git/lilac.yaml": "pre_build: vcs_update\nupdate_on:\n  - source: vcs\n    vcs: ''\n"
    "time_limit_hours: 2.5\n",
    "c/PKGBUILD": "pkgname=c\n",
    "c/lilac.yaml": 'build_prefix: multilib\nupdate_on:\n  - source: github\n    github: o/"c\n'
    "    use_max_tag: true\n  - alias: python\nrepo_depends: [a]\n",
    "c/lilac.py": "from lilaclib import *\n"
    "def pre_build():\n  update_pkgver_and_pkgrel(_G.newver)\n"
    "def post_build():\n  run_cmd(['sh'])\n  for x in y: print(x)\n",
    "d/PKGBUILD": "pkgname=d\n",
    "d/lilac.yaml": "- [unclosed\n",
    **PACKAGES,
}


class TestLilac:
    """Packages that lilac keeps."""

    @pytest.fixture(autouse=True)
    def here(self, world: Checkout) -> None:
        world.commit("feat: packages", dict(LILAC))
        world.push()

    def test_what_is_declared_is_carried_over(self, world: Checkout, capsys: Captured) -> None:
        assert migrate("--yes", "--target-repo=r", "--source-repo=s", "--forge=github") == 0

        def config(name: str) -> dict[str, object]:
            loaded = load_package_config(content(world, f"{name}/.CI/config").encode(), origin=name)
            assert not list(loaded.warnings)
            source = loaded.config.source
            assert source is not None
            return {"source": source.kind, "nvchecker": loaded.config.nvchecker}

        assert config("a") == {"source": "aur", "nvchecker": False}
        assert config("b-git") == {"source": "custom", "nvchecker": False}
        assert config("c") == {"source": "custom", "nvchecker": True}
        assert content(world, "b-git/.CI/config").splitlines()[-1] == "BUILDER_EXTRA_TIMEOUT=3"
        assert content(world, "c/nvchecker.toml").splitlines() == [
            '["c"]',
            'source = "github"',
            'github = "o/\\"c"',
            "use_max_tag = true",
        ]
        said = capsys.readouterr().err
        assert "c: not carried over: build_prefix, " in said
        assert "python of update_on" in said
        assert "post_build() of lilac.py" in said
        assert "d is left as it is: d/lilac.yaml cannot be read" in said
        assert "d/.CI/config" not in files(world)

    def test_nothing_is_built_and_the_next_push_is(self, world: Checkout) -> None:
        migrate("--yes", "--target-repo=r", "--source-repo=s")

        assert requests(world) == 0
        assert git(world.remote, "rev-parse", "scheduled") == git(world.remote, "rev-parse", "main")
        world.commit("fix", {"a/PKGBUILD": "pkgname=a\n# fixed\n"})
        world.push()
        plan = on_commit(OnCommitOptions(repo=world.folder)).plan
        assert [it.package for it in plan.decisions] == ["a"]

    def test_the_names_have_to_be_said(self, capsys: Captured) -> None:
        assert migrate("--yes") == ExitCode.FAILED
        assert "--target-repo NAME" in capsys.readouterr().err


def test_folders_that_nobody_keeps(world: Checkout, capsys: Captured) -> None:
    world.commit("feat: packages", {"x/PKGBUILD": "pkgname=x\n", **PACKAGES})
    world.push()

    names = ("--target-repo=r", "--source-repo=s")
    assert migrate("--yes", "--json", "--forge=gitlab", *names) == ExitCode.OK

    told = json.loads(capsys.readouterr().out)
    assert set(told["files"]) == {".ci/config", ".gitignore", ".gitlab-ci.yml"}
    assert told["commit"] == git(world.remote, "rev-parse", "main")
    config = load_repository_config(content(world, ".ci/config").encode()).config
    assert (config.target_repo, config.source_repo, config.generate_srcinfo) == ("r", "s", True)


def test_no_packages_at_all(world: Checkout, capsys: Captured) -> None:
    world.commit("chore: begin", {"README": "x"})
    world.push()

    assert migrate("--target-repo=r", "--source-repo=s") == ExitCode.FAILED
    assert "caur-ci init" in capsys.readouterr().err


def test_runs_go_on_where_the_template_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with upstream(tmp_path / "upstream") as outside:
        world = ScheduleWorld(Checkout.create(tmp_path / "world"), outside)
        scripts = {path.replace("/", "__"): "x\n" for path in TEMPLATE if path.endswith(".sh")}
        world.begin({"a": "1-1"}, **scripts)
        world.run()
        monkeypatch.chdir(world.checkout.folder)

        assert migrate("--yes") == ExitCode.OK

        assert actions(world.run()) == {}
        outside.push({"a": "2-1"})
        assert set(actions(world.run())) == {"a"}
        git(world.checkout.folder, "revert", "--no-edit", "HEAD~1")
        world.checkout.push()
        assert on_commit(OnCommitOptions(repo=world.checkout.folder)).plan.decisions == ()
        assert world.file(".ci/on-commit.sh") == "x"
        assert "pkgver=2" in world.file("a/PKGBUILD")
