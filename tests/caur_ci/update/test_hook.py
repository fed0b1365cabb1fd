"""The package's own hook: real bash, with bubblewrap and without."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from caur_ci.environment import Secrets
from caur_ci.git import GitRepository, TreeEntry
from caur_ci.git.repository import TREE_MODE
from caur_ci.git.trees import LINK_MODE
from caur_ci.update import sandbox
from caur_ci.update.hook import MAX_OUTPUT, HookResult, run_hook
from tests.support.git import Checkout, git, srcinfo
from tests.support.tools import as_ordinary_user, need_tools

ROOT = Path(__file__).parents[3]
# What hooks, git and this test need; bubblewrap is not among it.
TOOLS = (
    "bash",
    "cat",
    "chmod",
    "env",
    "git",
    "head",
    "ln",
    "mkdir",
    "mkfifo",
    "rm",
    "sed",
    "setsid",
)
PLENTY = 60.0


@dataclass
class World:
    """A checkout with one package, and a way to run different hooks of it."""

    checkout: Checkout
    files: dict[str, str]

    @property
    def git(self) -> GitRepository:
        return GitRepository.open(self.checkout.folder)

    def tree(self, hook: str) -> str:
        files = {f"pkg/{name}": content for name, content in self.files.items()}
        self.checkout.commit("change", {**files, "pkg/.CI/update.sh": hook})
        return git(self.checkout.folder, "rev-parse", "HEAD:pkg")

    def run(
        self, hook: str, *, timeout: float = PLENTY, secrets: Secrets | None = None
    ) -> HookResult:
        tree = self.tree(hook)
        return self.run_tree(tree, timeout=timeout, secrets=secrets)

    def run_tree(
        self, tree: str, *, timeout: float = PLENTY, secrets: Secrets | None = None
    ) -> HookResult:
        return run_hook(
            self.git,
            package="pkg",
            tree=tree,
            timeout=timeout,
            secrets=secrets,
            without_sandbox=True,
        )

    def refused(self, hook: str) -> str:
        """Run a hook whose result is not taken over; return why."""
        tree = self.tree(hook)
        result = self.run_tree(tree)
        assert result.tree == tree
        return result.problem

    def paths(self, tree: str) -> list[str]:
        return git(self.checkout.folder, "ls-tree", "-r", "--name-only", tree).splitlines()

    def read(self, tree: str, path: str) -> str:
        return git(self.checkout.folder, "show", f"{tree}:{path}")


@pytest.fixture(params=["bubblewrap", "plain"])
def mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    if request.param == "bubblewrap":
        need_tools("bwrap")
        if not sandbox.bubblewrap():
            pytest.skip("bubblewrap does not work on this machine")
    else:
        without_bubblewrap(tmp_path, monkeypatch)
    return str(request.param)


def without_bubblewrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in (*TOOLS, "sleep", "unshare"):
        (tools / name).symlink_to(shutil.which(name) or pytest.fail(f"{name} is missing"))
    monkeypatch.setenv("PATH", str(tools))
    assert not sandbox.bubblewrap()


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = Checkout.create(tmp_path / "world")
    files = {"PKGBUILD": "pkgver=1\n", ".SRCINFO": srcinfo("pkg"), "old.patch": "x"}
    return World(made, files)


def is_running(mark: str) -> bool:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if mark.encode() in words:
                return True
    return False


def ends(mark: str) -> bool:
    """Tell whether the process with this word among its arguments goes away soon."""
    deadline = time.monotonic() + 60
    while is_running(mark):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_what_the_hook_does_to_its_folder_becomes_a_tree(world: World, mode: str) -> None:
    result = world.run(
        """\
        sed -i s/pkgver=1/pkgver=2/ PKGBUILD
        rm old.patch
        mkdir -p keys/pgp .CI/more empty
        echo key >keys/pgp/A.asc
        echo CI_ON_TRIGGER=daily >.CI/config
        echo '#!/bin/sh' >run.sh
        chmod 755 run.sh
        ln -s run.sh link
        echo "for $PACKAGE in ${PWD##*/}"
        """
    )

    assert (result.problem, result.output) == ("", "for pkg in pkg\n")
    assert world.paths(result.tree) == [
        ".CI/config",
        ".CI/update.sh",
        ".SRCINFO",
        "PKGBUILD",
        "keys/pgp/A.asc",
        "link",
        "run.sh",
    ]
    assert world.read(result.tree, "PKGBUILD") == "pkgver=2"
    listing = git(world.checkout.folder, "ls-tree", result.tree).splitlines()
    assert {line.split()[3]: line.split()[0] for line in listing}["run.sh"] == "100755"
    assert {line.split()[3]: line.split()[0] for line in listing}["link"] == "120000"


def test_a_hook_that_changes_nothing_leaves_the_very_tree(world: World, mode: str) -> None:
    tree = world.tree("true\n")
    assert world.run_tree(tree) == HookResult(tree=tree)


def test_a_failing_hook_leaves_the_package_as_it_was(world: World, mode: str) -> None:
    tree = world.tree("echo 2 >PKGBUILD; echo one; echo two; echo three >&2; echo four; exit 3\n")

    result = world.run_tree(tree)

    assert result.tree == tree
    assert result.problem == ".CI/update.sh ended with exit code 3; two; three; four"
    assert result.output == "one\ntwo\nthree\nfour\n"


def test_a_hook_that_takes_too_long_is_ended_with_all_it_started(world: World, mode: str) -> None:
    mark = f"9000.{os.getpid()}1"
    hook = f"echo begun; echo 2 >PKGBUILD; (trap '' TERM; sleep {mark}) & sleep {mark}\n"
    tree = world.tree(hook)

    result = world.run_tree(tree, timeout=0.5)

    assert result.tree == tree
    assert result.problem == ".CI/update.sh took longer than 0.5 s and was ended; begun"
    assert ends(mark)


def test_children_that_hold_the_output_keep_nobody_waiting(world: World, mode: str) -> None:
    mark = f"9000.{os.getpid()}2"

    result = world.run(f"sleep {mark} & echo 2 >PKGBUILD\n")

    assert result.problem == ""
    assert world.read(result.tree, "PKGBUILD") == "2"
    assert ends(mark)


def test_a_hook_without_output_may_go_on(world: World, mode: str) -> None:
    result = world.run("exec >&- 2>&-; sleep 0.3; echo 2 >PKGBUILD\n")

    assert result.problem == ""
    assert world.read(result.tree, "PKGBUILD") == "2"


def test_what_a_hook_prints_has_an_end(world: World, mode: str) -> None:
    result = world.run(f"head -c {3 * MAX_OUTPUT} /dev/zero; echo last\n")

    first, last = result.output[:40], result.output[-6:]
    assert first.startswith(f"… {2 * MAX_OUTPUT + 5} bytes are left out\n")
    assert last == "\0last\n"
    assert len(result.output) < MAX_OUTPUT + 100


def test_secrets_are_in_neither_environment_nor_output(
    world: World, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ACCESS_TOKEN", "MY_API_KEY", "cloud_password", "SSH_AUTH_SOCK", "BASH_ENV"):
        monkeypatch.setenv(name, "/value-of-" + name)
    monkeypatch.setenv("HARMLESS", "seen")

    result = world.run('env; echo "I know hunter22"\n', secrets=Secrets({"X": "hunter22"}))

    assert "HARMLESS=seen\n" in result.output
    assert "value-of" not in result.output
    assert f"HOME={os.environ['HOME']}\n" not in result.output
    assert "I know ***\n" in result.output


def test_nobody_looks_into_this_process(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the same user and without bubblewrap, which would show no other process at all."""
    ordinary = as_ordinary_user()
    without_bubblewrap(tmp_path, monkeypatch)
    program = """\
import sys
from pathlib import Path
from caur_ci.environment import take_secrets
from caur_ci.git import GitRepository
from caur_ci.update.hook import run_hook
take_secrets()
git = GitRepository(Path(sys.argv[1]), bare=False)
print(
    run_hook(git, package="pkg", tree=sys.argv[2], timeout=60, without_sandbox=True).output
)
"""
    tree = world.tree('echo "parent $PPID"; cat /proc/$PPID/environ /proc/$PPID/mem; true\n')
    done = subprocess.run(
        [*ordinary, sys.executable, "-c", program, world.checkout.folder, tree],
        env={**os.environ, "ACCESS_TOKEN": "hunter22", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
        text=True,
    )

    assert "parent " in done.stdout
    assert done.stdout.count("Permission denied") == 2
    assert "hunter22" not in done.stdout


@pytest.mark.parametrize("program", ["missing", "failing"])
def test_without_a_sandbox_it_is_not_run(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    without_bubblewrap(tmp_path, monkeypatch)
    if program == "failing":
        bwrap = tmp_path / "tools" / "bwrap"
        bwrap.write_text("#!/bin/sh\nexit 1\n")
        bwrap.chmod(0o755)
    ran = tmp_path / "ran"
    tree = world.tree(f"echo >{ran}\n")

    result = run_hook(world.git, package="pkg", tree=tree, timeout=PLENTY)

    assert (result.tree, result.output) == (tree, "")
    assert "bubblewrap is missing or does not work here" in result.problem
    assert "CI_HOOK_WITHOUT_SANDBOX=true" in result.problem
    assert not ran.exists()


class TestSandbox:
    """With bubblewrap."""

    @pytest.fixture(autouse=True)
    def bubblewrap(self) -> None:
        need_tools("bwrap")
        if not sandbox.bubblewrap():
            pytest.skip("bubblewrap does not work on this machine")

    def test_there_are_no_other_processes(self, world: World) -> None:
        result = world.run("cat /proc/[0-9]*/comm\n")

        assert "bash" in result.output
        assert "python" not in result.output
        assert "pytest" not in result.output

    def test_a_daemon_ends_with_the_hook(self, world: World) -> None:
        mark = f"9000.{os.getpid()}3"

        result = world.run(f"setsid sleep {mark} >/dev/null 2>&1 </dev/null &\n")

        assert result.problem == ""
        assert ends(mark)

    def test_neither_checkout_nor_home_are_there(self, world: World) -> None:
        home = Path(os.environ["HOME"])
        (home / "key").write_text("hunter22")
        config = world.checkout.folder / ".git" / "config"

        result = world.run(f"cat {config} {home}/key; ls {world.checkout.folder} {home}; true\n")

        assert result.output.count("No such file or directory") == 2
        assert "hunter22" not in result.output

    def test_nothing_else_can_be_written(self, world: World) -> None:
        target = ROOT / "written-by-a-hook"

        result = world.run(f"echo x >{target}; echo x >/etc/written-by-a-hook; true\n")

        assert result.output.count("Read-only file system") + result.output.count("No such") == 2
        assert not target.exists()


@pytest.mark.parametrize(
    ("hook", "reason"),
    [
        ("ln -s /etc/passwd evil", "'evil' is a link"),
        ("ln -s ../../x keys", "outside of the package's folder"),
        ("mkfifo pipe", "'pipe' is no ordinary file"),
        ("head -c 17000000 /dev/zero >big", "'big' has more than 16777216 bytes"),
        ("for n in 1 2 3 4 5; do head -c 16000000 /dev/zero >$n; done", "more than 67108864 bytes"),
        ("for n in {1..2001}; do : >$n; done", "2005 files; 2000 are allowed"),
        ("echo >$'a\\nb'", "is not a name that a package should have"),
        ("echo >$'\\xff'", "is not a name that a package should have"),
        ("mkdir .CI/-x; echo >.CI/-x/y", "is not a name that a package should have"),
        ("git init -q below", "is no path inside the folder"),
        ("mkdir -p .GIT; echo >.GIT/config", "is no path inside the folder"),
        ("rm PKGBUILD .SRCINFO", "there is no PKGBUILD and no .SRCINFO in it any more"),
        ("rm -rf ../pkg", "No such file or directory"),
        ("cd ..; rm -rf pkg; ln -s /etc pkg", "there is no PKGBUILD"),
    ],
)
def test_what_is_unsafe_is_not_taken_over(world: World, hook: str, reason: str) -> None:
    problem = world.refused(f"{hook}\n")

    assert problem.startswith("what .CI/update.sh left is not taken over: ")
    assert reason in problem


def test_a_git_folder_of_the_hook_is_left_out(world: World) -> None:
    result = world.run("git init -q .; echo 2 >PKGBUILD; git add PKGBUILD\n")

    assert result.problem == ""
    assert world.paths(result.tree) == [".CI/update.sh", ".SRCINFO", "PKGBUILD", "old.patch"]


def test_ignored_files_are_left_out_unless_they_belong_to_the_package(world: World) -> None:
    world.files |= {"kept.tar": "1", ".gitignore": "*.tar\nsrc/\n"}
    git(world.checkout.folder, "config", "core.excludesFile", "/dev/null")
    (world.checkout.folder / ".git" / "info" / "exclude").unlink(missing_ok=True)
    (world.checkout.folder / "pkg").mkdir()
    (world.checkout.folder / "pkg" / "kept.tar").write_text("1")
    git(world.checkout.folder, "add", "pkg/kept.tar")
    tree = world.tree("echo 2 | tee kept.tar new.tar new.zip >new; mkdir src; mkfifo src/pipe\n")

    result = run_hook(
        world.git,
        package="pkg",
        tree=tree,
        timeout=PLENTY,
        ignored=b"/pkg/*.zip\n/new\n",
        without_sandbox=True,
    )

    assert result.problem == ""
    found = set(world.paths(result.tree)) - set(world.paths(tree))
    assert found == {"new"}
    assert world.read(result.tree, "kept.tar") == "2"


def test_files_are_stored_byte_for_byte(world: World) -> None:
    result = world.run("echo '* text=auto' >.gitattributes; echo -e 'a\\r' >crlf\n")

    (content,) = world.git.read_blobs([f"{result.tree}:crlf"])
    assert content == b"a\r\n"


def test_a_folder_that_cannot_be_written_to_disk_is_left_alone(world: World) -> None:
    link = TreeEntry(LINK_MODE, world.git.write_blob(b"/etc/passwd"), "evil")
    hook = TreeEntry("100644", world.git.write_blob(b"echo ran"), "update.sh")
    folder = TreeEntry(TREE_MODE, world.git.write_tree([hook]), ".CI")
    tree = world.git.write_tree([folder, link])

    result = world.run_tree(tree)

    assert (result.tree, result.output) == (tree, "")
    assert result.problem.startswith(".CI/update.sh cannot be run: 'evil' is a link")


def test_a_package_without_a_hook_is_told(world: World) -> None:
    world.checkout.commit("no hook", {"pkg/PKGBUILD": "1"})
    tree = git(world.checkout.folder, "rev-parse", "HEAD:pkg")

    result = world.run_tree(tree)

    assert "No such file" in result.problem
