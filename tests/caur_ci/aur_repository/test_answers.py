"""What the AUR, ssh and git say when they turn us down, and what that means."""

from __future__ import annotations

import pytest

from caur_ci.aur_repository.answers import (
    AurAccountError,
    AurRefusedError,
    AurWaitingError,
    OvertakenError,
    translated,
)

# As the programs say it.
PUBLICKEY = "aur@aur.archlinux.org: Permission denied (publickey)."
NO_ACCESS = "git-receive-pack: permission denied: somebody"
HOOK = """\
remote: error: The following error occurred when parsing commit
remote: error: 0123456789012345678901234567890123456789:
remote: error: {}
To ssh://aur.archlinux.org/a.git
 ! [remote rejected] 0123 -> master (hook declined)
error: failed to push some refs to 'ssh://aur.archlinux.org/a.git'
"""


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (PUBLICKEY, AurAccountError),
        ("Host key verification failed.\nfatal: Could not read", AurAccountError),
        ("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @", AurAccountError),
        ("Your account email is not verified. Verify it from your profile", AurAccountError),
        (NO_ACCESS, AurRefusedError),
        ("git-receive-pack: a is orphaned. Run `ssh x adopt a` to request", AurRefusedError),
        ("git-upload-pack: invalid repository name: A", AurRefusedError),
        (HOOK.format("pkgdesc field too long: closed for maintenance"), AurRefusedError),
        (HOOK.format("missing source file: a.patch"), AurRefusedError),
        ("remote: error: package already provided by [extra]: a", AurRefusedError),
        ("remote: error: the hook has something new to say", AurRefusedError),
        ("The AUR is down due to maintenance. We will be back soon.", AurWaitingError),
        ("The SSH interface is disabled for your IP address.", AurWaitingError),
        ("remote: error: The AUR is read-only", AurWaitingError),
        ("ssh: Could not resolve hostname aur.archlinux.org: Name", AurWaitingError),
        ("kex_exchange_identification: Connection closed by remote host", AurWaitingError),
        ("git push took longer than 300 s and was ended", AurWaitingError),
        ("remote: denying non-fast-forward (you should pull first)", OvertakenError),
        (" ! [rejected] 0123 -> master (fetch first)", OvertakenError),
        (" ! [remote rejected] master (failed to update ref)", OvertakenError),
    ],
)
def test_each_answer_has_its_meaning(said: str, kind: type[Exception]) -> None:
    error = translated(said)
    assert type(error) is kind


def test_what_was_said_is_told_on_one_line_without_what_git_always_says() -> None:
    error = translated(HOOK.format("missing PKGBUILD\x1b[31m"))

    assert error.message == (
        "the AUR says: error: The following error occurred when parsing commit; "
        "error: 0123456789012345678901234567890123456789:; error: missing PKGBUILD; "
        "! [remote rejected] 0123 -> master (hook declined)"
    )
