"""scripts/bootstrap on machines that lack this and that, all of them made of stubs."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
# What every Linux has, and bootstrap or a stub uses.
BASICS = shlex.split(
    "bash cat chmod cut dirname env flock grep head ln mkdir readlink rm sha256sum sort touch"
)
TOOLS = shlex.split(
    "makepkg repo-add vercmp bsdtar gpg fakeroot zstd strip redis-server ssh bwrap patch curl file "
    "podman runc mmdebstrap sshd openssl rsync shfmt g++ chromium kubectl "
    "systemd-analyze groff node npm xz bzip2 lz4"
)

LOG = 'printf "%s %s\\n" "${0##*/}" "$*" >> "$STUBS/../calls"\n'
# Installs the tools that it is asked for, under the names of the packages that bring them.
MANAGER = (
    LOG
    + """
for word in "$@"; do
  case $word in
  makepkg | fakeroot | zstd | patch | podman | runc | mmdebstrap | curl | rsync) names=$word ;;
  bzip2 | chromium | file | groff | kubectl | npm | shfmt) names=$word ;;
  nodejs) names=node ;;
  xz-utils) names=xz ;;
  lz4) names=lz4 ;;
  kubernetes-client) names=kubectl ;;
  systemd) names=systemd-analyze ;;
  bubblewrap) names=bwrap ;;
  pacman-package-manager) names='pacman repo-add vercmp' ;;
  pacman) names='makepkg repo-add vercmp' ;;
  libarchive*) names=bsdtar ;;
  gnupg) names=gpg ;;
  binutils) names=strip ;;
  redis-tools) names=redis-check-rdb ;;
  valkey) names=valkey-server ;;
  openssl) names=openssl ;;
  g++ | gcc) names=g++ ;;
  openssh-client | openssh) names=ssh ;;
  openssh-server) [[ ! -e $BOOTSTRAP_SYSTEM_ROOT/etc/ssh/sshd_not_to_be_run ]] || names=sshd ;;
  python*-venv) touch "$STUBS/../has-venv"; names='' ;;
  *) names='' ;;
  esac
  for name in $names; do
    printf '#!/bin/bash\\necho libalpm\\n' > "$STUBS/$name"
    chmod +x "$STUBS/$name"
  done
done
"""
)
PYTHON = (
    LOG
    + """
case "$*" in
*'import ensurepip'*) [[ -e $STUBS/../has-venv ]] ;;
*print*) echo 3.12 ;;
*sys.exit*) [[ ${0##*/} != python3 ]] ;;
'-m venv'*) mkdir -p .venv/bin && ln -sfn "$STUBS/python3.12" .venv/bin/python ;;
'-m pip install --help') echo '--group' ;;
esac
"""
)


class Machine:
    """A checkout, and a PATH with nothing but what was put there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stubs = folder / "stubs"
        self.checkout = folder / "checkout"
        self.system = folder / "system"
        self.path = str(self.stubs)
        self.stubs.mkdir()
        self.checkout.mkdir()
        (self.system / "etc").mkdir(parents=True)
        shutil.copytree(CHECKOUT / "scripts", self.checkout / "scripts")
        (self.checkout / "pyproject.toml").write_text("[project]\n")
        (folder / "has-venv").touch()
        for name in BASICS:
            found = shutil.which(name)
            assert found is not None, name
            (self.stubs / name).symlink_to(found)
        self.put("python3.12", PYTHON)
        self.user(0)

    def put(self, name: str, script: str = "") -> None:
        path = self.stubs / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/bash\n{script}")
        path.chmod(0o755)

    def put_tools(self) -> None:
        for name in TOOLS:
            self.put(name)
        self.put("pacman", "echo libalpm\n")

    def user(self, uid: int) -> None:
        self.put("id", f"echo {uid}\n")

    def bootstrap(self, what: str, **variables: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "calls").write_text("")
        return subprocess.run(
            [self.stubs / "bash", self.checkout / "scripts" / "bootstrap", what],
            env={
                "PATH": self.path,
                "STUBS": str(self.stubs),
                "BOOTSTRAP_SYSTEM_ROOT": str(self.system),
                **variables,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()

    def calls_of(self, name: str) -> list[str]:
        return [call for call in self.calls if call.startswith(f"{name} ")]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_what_is_there_is_left_alone_and_a_second_run_does_nothing(machine: Machine) -> None:
    machine.put_tools()

    first = machine.bootstrap("demo")
    assert first.returncode == 0, first.stderr
    assert machine.calls_of("python") == ["python -m pip install --quiet --editable ."]

    second = machine.bootstrap("demo")
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert machine.calls == []


def test_other_requirements_of_the_project_are_installed_again(machine: Machine) -> None:
    machine.put_tools()
    machine.bootstrap("demo")
    (machine.checkout / "pyproject.toml").write_text("[project]\nname = 'x'\n")

    assert machine.bootstrap("demo").returncode == 0
    assert machine.calls_of("python")[-1] == "python -m pip install --quiet --editable ."


def test_the_tests_need_the_development_tools_and_the_demo_does_not(machine: Machine) -> None:
    machine.put_tools()
    machine.bootstrap("demo")
    machine.bootstrap("test")
    assert machine.calls_of("python")[-1].endswith("--editable . --group dev")

    machine.bootstrap("demo")
    assert machine.calls == []


def test_the_tests_need_more_than_the_demo(machine: Machine) -> None:
    machine.put_tools()
    (machine.stubs / "openssl").unlink()
    machine.put("apt-get", MANAGER)

    assert machine.bootstrap("demo").returncode == 0
    assert machine.calls_of("apt-get") == []
    assert machine.bootstrap("test").returncode == 0
    assert machine.calls_of("apt-get")[-1].endswith(" openssl")


def test_containers_are_for_the_tests_and_for_a_demo_in_containers(machine: Machine) -> None:
    machine.put_tools()
    for name in ("podman", "runc", "mmdebstrap", "sshd", "rsync", "shfmt"):
        (machine.stubs / name).unlink()
    machine.put("apt-get", MANAGER)

    assert machine.bootstrap("demo").returncode == 0
    assert machine.calls_of("apt-get") == []
    done = machine.bootstrap("container")
    assert done.returncode == 0, done.stderr
    assert machine.calls_of("apt-get")[-1].endswith(" mmdebstrap podman runc")
    assert machine.bootstrap("test").returncode == 0
    assert machine.calls_of("apt-get")[-1].endswith(" openssh-server rsync shfmt")


def test_arch_needs_no_mmdebstrap_to_make_an_image(machine: Machine) -> None:
    machine.put_tools()
    (machine.stubs / "mmdebstrap").unlink()
    (machine.system / "etc" / "os-release").write_text("ID=arch\n")

    done = machine.bootstrap("container")
    assert done.returncode == 0, done.stderr
    assert "missing" not in done.stderr


def test_an_sshd_that_the_tests_need_does_not_become_a_service(machine: Machine) -> None:
    machine.put_tools()
    (machine.stubs / "sshd").unlink()
    machine.put("apt-get", MANAGER)

    done = machine.bootstrap("test")

    assert done.returncode == 0, done.stderr
    assert machine.calls_of("apt-get")[-1].endswith(" openssh-server")
    assert "keeps it from running as a service" in done.stderr


def test_an_sshd_where_ordinary_users_do_not_look_is_found(machine: Machine) -> None:
    machine.put_tools()
    folder = machine.system / "usr" / "sbin"
    folder.mkdir(parents=True)
    (machine.stubs / "sshd").rename(folder / "sshd")
    machine.put("apt-get", MANAGER)

    assert machine.bootstrap("test").returncode == 0
    assert machine.calls_of("apt-get") == []


def test_lint_needs_no_system_tools(machine: Machine) -> None:
    done = machine.bootstrap("lint")

    assert done.returncode == 0, done.stderr


def test_without_a_package_manager_it_names_what_is_missing(machine: Machine) -> None:
    machine.put_tools()
    for name in ("fakeroot", "redis-server"):
        (machine.stubs / name).unlink()

    done = machine.bootstrap("demo")

    assert done.returncode == 1
    assert "missing: fakeroot redis" in done.stderr
    assert "install them by hand" in done.stderr
    assert not (machine.checkout / ".venv").exists()


def test_root_on_debian_gets_the_packages_and_no_redis_service(machine: Machine) -> None:
    machine.put("apt-get", MANAGER)

    done = machine.bootstrap("demo")

    assert done.returncode == 0, done.stderr
    update, install = machine.calls_of("apt-get")
    assert update.endswith(" update")
    assert install.split("--no-install-recommends ")[1].split() == [
        "binutils",
        "bubblewrap",
        "curl",
        "fakeroot",
        "file",
        "gnupg",
        "libarchive-tools",
        "makepkg",
        "openssh-client",
        "pacman-package-manager",
        "patch",
        "redis-tools",
        "zstd",
    ]
    assert "apt-get install binutils" in done.stderr
    server = machine.checkout / ".venv" / "system" / "redis-server"
    assert server.readlink() == machine.stubs / "redis-check-rdb"


def test_a_redis_in_the_virtual_environment_does_not_replace_that_of_the_system(
    machine: Machine,
) -> None:
    machine.put_tools()
    (machine.stubs / "redis-server").unlink()
    machine.put("true")
    inside = machine.checkout / ".venv" / "bin" / "redis-server"
    inside.parent.mkdir(parents=True)
    inside.symlink_to(machine.stubs / "true")
    machine.path += f":{machine.checkout}/.venv/system:{machine.checkout}/.venv/bin"
    machine.put("apt-get", MANAGER)

    assert machine.bootstrap("demo").returncode == 0
    assert machine.calls_of("apt-get")[-1].endswith(" redis-tools")


def test_only_what_is_missing_is_installed(machine: Machine) -> None:
    machine.put_tools()
    (machine.stubs / "zstd").unlink()
    machine.put("apt-get", MANAGER)

    assert machine.bootstrap("demo").returncode == 0
    assert machine.calls_of("apt-get")[-1].endswith("--no-install-recommends zstd")


def test_a_user_without_sudo_is_told_the_command_and_nothing_is_run(machine: Machine) -> None:
    machine.put("apt-get", MANAGER)
    machine.user(1000)

    done = machine.bootstrap("demo")

    assert done.returncode == 1
    assert "    sudo apt-get update\n" in done.stderr
    assert "    sudo apt-get install --no-install-recommends binutils " in done.stderr
    assert machine.calls == []


def test_a_sudo_that_wants_a_password_is_not_used(machine: Machine) -> None:
    machine.put("apt-get", MANAGER)
    machine.put("sudo", "exit 1\n")
    machine.user(1000)

    assert machine.bootstrap("demo").returncode == 1
    assert machine.calls == []


def test_a_sudo_that_wants_no_password_is_used(machine: Machine) -> None:
    machine.put("apt-get", MANAGER)
    machine.put("sudo", f'{LOG}shift\n"$@"\n')
    machine.user(1000)

    done = machine.bootstrap("demo")

    assert done.returncode == 0, done.stderr
    assert all("apt-get" in call or call.endswith(" true") for call in machine.calls_of("sudo"))
    assert len(machine.calls_of("apt-get")) == 2


def test_arch_uses_its_pacman_even_where_there_is_an_apt_get(machine: Machine) -> None:
    machine.put("pacman", f"if [[ $1 == --version ]]; then echo libalpm; exit; fi\n{MANAGER}")
    machine.put("apt-get", LOG)
    (machine.system / "etc" / "os-release").write_text("ID=arch\n")

    done = machine.bootstrap("demo")

    assert done.returncode == 0, done.stderr
    (install,) = machine.calls_of("pacman")
    assert install.split("--noconfirm ")[1].split() == [
        "binutils",
        "bubblewrap",
        "curl",
        "fakeroot",
        "file",
        "gnupg",
        "libarchive",
        "openssh",
        "pacman",
        "patch",
        "valkey",
        "zstd",
    ]
    assert machine.calls_of("apt-get") == []


def test_debians_game_of_the_name_pacman_is_not_taken_for_the_package_manager(
    machine: Machine,
) -> None:
    machine.put_tools()
    machine.put("pacman", "echo waka waka\n")
    machine.put("apt-get", MANAGER)

    assert machine.bootstrap("demo").returncode == 0
    assert machine.calls_of("apt-get")[-1].endswith(" pacman-package-manager")


def test_an_installation_that_fails_shows_why(machine: Machine) -> None:
    machine.put("apt-get", "echo 'E: no space left' >&2\nexit 100\n")

    done = machine.bootstrap("demo")

    assert done.returncode == 1
    assert "E: no space left" in done.stderr
    assert "could not install binutils bubblewrap" in done.stderr


def test_python_without_venv_gets_it_from_apt(machine: Machine) -> None:
    machine.put_tools()
    machine.put("apt-get", MANAGER)
    (machine.folder / "has-venv").unlink()

    done = machine.bootstrap("demo")

    assert done.returncode == 0, done.stderr
    assert machine.calls_of("apt-get")[-1].endswith(" python3.12-venv")


def test_python_without_venv_elsewhere_is_explained(machine: Machine) -> None:
    machine.put_tools()
    (machine.folder / "has-venv").unlink()

    done = machine.bootstrap("demo")

    assert done.returncode == 1
    assert "cannot make virtual environments" in done.stderr


def test_an_old_python_is_not_enough(machine: Machine) -> None:
    machine.put_tools()
    (machine.stubs / "python3.12").unlink()
    machine.put("python3", PYTHON.replace("*print*)", "--version) echo Python 3.9.2 ;;\n*print*)"))

    done = machine.bootstrap("demo")

    assert done.returncode == 1
    assert "Python 3.11 or newer is needed, found: Python 3.9.2" in done.stderr


def test_an_active_virtual_environment_is_not_made_from_itself(machine: Machine) -> None:
    machine.put_tools()
    assert machine.bootstrap("demo").returncode == 0
    inside = machine.checkout / ".venv" / "bin"
    (inside / "python3.12").symlink_to("python")
    # Half of it got lost, so that it is made anew.
    (inside / "python").unlink()
    (inside / "python").symlink_to(machine.stubs / "false")
    machine.put("false", "exit 1\n")
    machine.path = f"{inside}:{machine.path}"

    done = machine.bootstrap("demo")

    assert done.returncode == 0, done.stderr
    assert f"with {machine.stubs}/python3.12" in done.stderr


def test_a_python_that_is_named_is_used(machine: Machine) -> None:
    machine.put_tools()
    machine.put("mine", PYTHON)

    done = machine.bootstrap("demo", PYTHON=str(machine.stubs / "mine"))

    assert done.returncode == 0, done.stderr
    assert f"with {machine.stubs}/mine" in done.stderr


def test_a_pip_that_fails_leaves_the_next_run_to_try_again(machine: Machine) -> None:
    machine.put_tools()
    machine.put("python3.12", f"{PYTHON}[[ $* != *'--editable'* ]]\n")

    done = machine.bootstrap("demo")
    assert done.returncode == 1
    assert "pip could not install" in done.stderr

    machine.put("python3.12", PYTHON)
    assert machine.bootstrap("demo").returncode == 0


def test_the_tests_run_as_they_do_in_ci_fail_where_a_tool_is_missing() -> None:
    text = (CHECKOUT / ".ci" / "run").read_text()

    assert os.access(CHECKOUT / ".ci" / "run", os.X_OK)
    assert "export CAUR_TEST_REQUIRE=1" in text
