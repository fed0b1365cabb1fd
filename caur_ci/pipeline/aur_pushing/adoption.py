"""Whose the packages are at the AUR, and what to do where we may not push."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from caur_ci.aur import Aur
from caur_ci.aur_repository.access import aur_access
from caur_ci.aur_repository.account import account_of
from caur_ci.errors import CaurError, InputError
from caur_ci.pipeline.aur_pushing.journey import KEY
from caur_ci.pipeline.aur_pushing.round import RoundState, check_managed
from caur_ci.srcinfo import parse_fields
from caur_ci.web import Web

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caur_ci.aur import AurPackage
    from caur_ci.config import RepositoryConfig
    from caur_ci.pipeline.aur_pushing.managed import ManagedPackage
    from caur_ci.pipeline.shared.context import RunContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """Who maintains a package at the AUR.

    `may_push` is None where nobody can tell, because our account is not known. `remedy` is empty
    where nothing has to be done.
    """

    package: str
    exists: bool
    maintainer: str = ""
    comaintainers: tuple[str, ...] = ()
    may_push: bool | None = None
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptionCheck:
    """The packages, and our account at the AUR; `trouble` is why that is not known."""

    account: str
    trouble: str
    packages: tuple[Ownership, ...]


def check_adoption(context: RunContext, names: Sequence[str]) -> AdoptionCheck:
    """Ask the AUR about the packages `names`, by default all that are pushed there.

    What it answers is up to six minutes old. Raises as `push_to_aur` does, and AurError and
    WebError where the AUR gives no answer.
    """
    state = RoundState.read(context)
    check_managed(context, names, state)
    chosen = [it for it in state.packages if not names or it.name in names]
    config = state.config
    account, trouble = _account(context, config)
    aur = Aur(Web(proxy=config.aur_proxy), config.aur_url)
    known = aur.look_up({package.name: _pkgname(package) for package in chosen})
    ssh = _command(config.aur_ssh)
    return AdoptionCheck(
        account=account,
        trouble=trouble,
        packages=tuple(_ownership(it.name, known.get(it.name), account, ssh) for it in chosen),
    )


def _account(context: RunContext, config: RepositoryConfig) -> tuple[str, str]:
    key = context.secrets.get(KEY, "")
    if not key:
        return "", f"{KEY} is not set"
    try:
        with aur_access(config.aur_ssh, key=key, host_keys=config.aur_host_keys) as access:
            return account_of(access), ""
    except CaurError as error:
        return "", error.message


def _pkgname(package: ManagedPackage) -> str:
    """Return a package of the pkgbase: the AUR is asked for these."""
    try:
        return parse_fields(package.srcinfo or b"").pkgnames[0]
    except InputError:
        return package.name


def _ownership(name: str, found: AurPackage | None, account: str, ssh: str) -> Ownership:
    if found is None:
        return Ownership(package=name, exists=False, may_push=True)
    comaintainers = found.comaintainers or ()
    may_push: bool | None = None
    remedy = ""
    if not found.maintainer:
        may_push = False
        remedy = (
            f"`{ssh} adopt {name}` asks for it; somebody of the AUR has to grant it before it can "
            "be pushed"
        )
    elif account:
        may_push = account.lower() in map(str.lower, (found.maintainer, *comaintainers))
        if not may_push:
            remedy = (
                f"ask {found.maintainer} to make {account} a co-maintainer: `{ssh} "
                f"set-comaintainers {' '.join((name, *comaintainers, account))}`"
            )
    return Ownership(
        package=name,
        exists=True,
        maintainer=found.maintainer,
        comaintainers=comaintainers,
        may_push=may_push,
        remedy=remedy,
    )


def _command(url: str) -> str:
    where = urlsplit(url)
    port = f"-p {where.port} " if where.port else ""
    return f"ssh {port}{where.username}@{where.hostname}"
