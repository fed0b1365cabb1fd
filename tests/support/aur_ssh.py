"""The AUR's git repositories behind a real sshd on loopback, with the manners of the real ones."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.git import git, make_repository
from tests.support.sshd import SshServer, ssh_server

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "tester"
# What stands between sshd and git there. Flags are files that tests make.
_SERVE = """\
#!/bin/sh
cd {folder} || exit 1
say() {{ echo "$1" >&2; exit 1; }}
echo "${{SSH_ORIGINAL_COMMAND:-welcome}}" >> calls
[ -e flags/maintenance ] && say "The AUR is down due to maintenance. We will be back soon."
[ -e flags/banned ] && say "The SSH interface is disabled for your IP address."
[ -n "$SSH_ORIGINAL_COMMAND" ] || say "Welcome to AUR, {account}! Interactive shell is disabled."
action=${{SSH_ORIGINAL_COMMAND%% *}}
name=${{SSH_ORIGINAL_COMMAND#* }}
name=${{name#\\'/}}
name=${{name%\\'}}
name=${{name%.git}}
case $name in
    [a-z0-9]*) ;;
    *) say "$action: invalid repository name: $name" ;;
esac
case $name in
    *[!a-z0-9.+_-]*) say "$action: invalid repository name: $name" ;;
esac
if [ "$action" = git-receive-pack ]; then
    [ -e flags/unverified ] && say "Your account email is not verified. Verify it."
    [ -e flags/closed ] && say "$action: pushes are temporarily suspended"
    [ -e "flags/orphaned-$name" ] && say "$action: $name is orphaned. Run \\`adopt $name\\`."
    [ -e "flags/denied-$name" ] && say "$action: permission denied: {account}"
    if [ -e "flags/die-$name" ]; then rm "flags/die-$name"; kill -9 "$PPID"; fi
fi
[ -d "repos/$name.git" ] || cp -r template "repos/$name.git"
export AUR_PKGBASE="$name" AUR_FLAGS="$PWD/flags"
exec "$action" "repos/$name.git"
"""

# Every test has many connections: no key exchange for a time with other computers, and no start-up
# files of a shell.
_QUICK = "KexAlgorithms curve25519-sha256\nSetEnv SHLVL=2\n"


@dataclass
class AurSsh:
    """The AUR. Its owner of all packages is the one with `ssh.key`."""

    folder: Path
    ssh: SshServer

    @property
    def url(self) -> str:
        return f"ssh://{self.ssh.user}@127.0.0.1:{self.ssh.port}"

    @property
    def host_key(self) -> str:
        """The server's public key, as CI_AUR_HOST_KEYS takes it."""
        return " ".join((self.ssh.folder / "host_key.pub").read_text().split()[:2])

    @property
    def key(self) -> str:
        """The private key of the account."""
        return self.ssh.key.read_text()

    @property
    def config(self) -> str:
        """The lines of `.ci/config` with which packages are pushed here."""
        return f"CI_MANAGE_AUR=true\nCI_AUR_SSH={self.url}\nCI_AUR_HOST_KEYS={self.host_key}\n"

    def reset(self) -> None:
        """Forget all packages and flags."""
        for kind in ("repos", "flags"):
            (self.folder / kind).rename(self._attic / f"{kind}-{len([*self._attic.iterdir()])}")
            (self.folder / kind).mkdir()
        (self.folder / "calls").write_text("")

    @property
    def _attic(self) -> Path:
        attic = self.folder / "attic"
        attic.mkdir(exist_ok=True)
        return attic

    def flag(self, name: str, *, up: bool = True) -> None:
        """Let the AUR behave in a certain way from now on."""
        path = self.folder / "flags" / name
        path.touch() if up else path.unlink()

    def repository(self, package: str) -> Path:
        return self.folder / "repos" / f"{package}.git"

    def tip(self, package: str) -> str:
        """Return the newest commit of a package, empty where there is none."""
        repository = self.repository(package)
        if not repository.exists():
            return ""
        return git(repository, "for-each-ref", "--format=%(objectname)", "refs/heads/master")

    def files(self, package: str) -> dict[str, str]:
        """Return the newest files of a package."""
        repository = self.repository(package)
        names = git(repository, "ls-tree", "-r", "--name-only", "master").splitlines()
        return {name: git(repository, "cat-file", "blob", f"master:{name}") for name in names}

    def message(self, package: str) -> str:
        return git(self.repository(package), "log", "-1", "--format=%B", "master")

    def count(self, package: str) -> int:
        """Return how many commits a package has."""
        return int(git(self.repository(package), "rev-list", "--count", "master"))

    def commit(self, package: str, files: dict[str, str], message: str = "by somebody") -> str:
        """Let somebody else put a commit with these files on top."""
        repository = self.repository(package)
        if not repository.exists():
            make_repository(repository, bare=True)
        entries = []
        for path, content in files.items():
            blob = git(repository, "hash-object", "-w", "--stdin", stdin=content.encode())
            entries.append(f"100644 blob {blob}\t{path}")
        tree = git(repository, "mktree", stdin="".join(f"{it}\n" for it in entries).encode())
        parents = ["-p", tip] if (tip := self.tip(package)) else []
        new = git(repository, "commit-tree", tree, *parents, stdin=message.encode())
        git(repository, "update-ref", "refs/heads/master", new)
        return new

    def calls(self, kind: str = "") -> list[str]:
        """Return what was asked for by ssh, in its order."""
        lines = (self.folder / "calls").read_text().splitlines()
        return [line for line in lines if line.startswith(kind)]


@contextmanager
def aur_ssh(folder: Path) -> Iterator[AurSsh]:
    """Run an AUR below `folder`."""
    folder.mkdir()
    for name in ("repos", "flags"):
        (folder / name).mkdir()
    (folder / "calls").touch()
    template = folder / "template"
    make_repository(template, bare=True)
    hook = template / "hooks/update"
    program = Path(__file__).with_name("aur_hook.py")
    # Without the program's folder among those of modules: it has a `queue` and a `git`.
    hook.write_text(f'#!/bin/sh\nexec {sys.executable} -P {program} "$@"\n')
    serve = folder / "serve"
    serve.write_text(_SERVE.format(folder=folder, account=ACCOUNT))
    for script in (hook, serve):
        script.chmod(0o755)
    with ssh_server(folder / "ssh", _QUICK) as server:
        public = (server.folder / "user_key.pub").read_text()
        (server.folder / "authorized_keys").write_text(f'command="{serve}",restrict {public}')
        yield AurSsh(folder, server)
