"""`caur-ci policy`: what a repository's trust policy says, and whether it can be used."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli import completion, options
from caur_ci.cli.data import to_json
from caur_ci.cli.help import Application
from caur_ci.cli.session import Session, session_of
from caur_ci.cli.working_tree import as_folders, folders_of, working_root
from caur_ci.errors import CaurError, ExitCode, InputError
from caur_ci.judge.package import files_in_folder
from caur_ci.names import suggestion
from caur_ci.policy.indicators import indicator_findings
from caur_ci.policy.reading import policy_on_disk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.judge.model import Finding
    from caur_ci.policy import Policy

app = Application(name="policy", no_args_is_help=True)


@app.command()
def check(
    context: typer.Context, *, repo: options.Repo = Path(), as_json: options.AsJson = False
) -> int:
    """Read `.ci/policy.toml` and its lists as they are on disk, and look for what the lists name.

    All package folders are looked through for the hosts, accounts and hashes of the lists, also
    those that changed long ago. Ends with 1 if something of them is found, or the policy names
    packages that do not exist, and with 1 and all mistakes if it cannot be used.
    """
    session = session_of(context)
    root = _root(repo)
    policy = policy_on_disk(root)
    packages = folders_of(repo, None).packages
    unknown = {
        name: suggestion(name, packages) for name in sorted(policy.packages.keys() - {*packages})
    }
    found = dict(_found(session, policy, root, packages))
    if as_json:
        data = {
            "unknown_packages": [*unknown],
            "found": {name: [str(it) for it in some] for name, some in found.items()},
        }
        session.print_plain(to_json(data))
    for name, meant in unknown.items():
        session.fail(f"the policy names {name}, which is no package folder", meant)
    for name, findings in found.items():
        for it in findings:
            session.fail(f"{name}: {it}")
    if unknown or found:
        return ExitCode.FAILED
    lists = policy.indicators
    looked = f", {len(packages):,} package folders have nothing of the lists" if lists else ""
    session.note(f"the policy can be used{looked}")
    return ExitCode.OK


def _root(repo: Path) -> Path:
    root = working_root(repo)
    if root is None:
        raise InputError(
            f"{repo.absolute()} is in no working tree",
            hint="Run it in a clone of the repository of PKGBUILDs, or name one with --repo.",
        )
    return root


def _found(
    session: Session, policy: Policy, root: Path, packages: tuple[str, ...]
) -> Iterator[tuple[str, list[Finding]]]:
    for name in packages if policy.indicators else ():
        try:
            files = files_in_folder(root / name)
        except InputError as error:
            session.warn(f"{name} was not looked through: {error.message}")
            continue
        if findings := list(indicator_findings(policy.indicators, files)):
            yield name, findings


@app.command()
def explain(
    context: typer.Context,
    *,
    package: Annotated[
        str,
        typer.Argument(
            parser=options.named_as_completed,
            metavar="PACKAGE",
            help="A package folder; the pkgbase or a package's name does as well.",
            autocompletion=completion.packages,
            show_default=False,
        ),
    ],
    repo: options.Repo = Path(),
    remote: options.Remote = None,
    as_json: options.AsJson = False,
) -> int:
    """Tell what the policy on disk means for a package: whom it trusts, and what leads to what.

    What is known of its maintainers is taken from branch `caur`.
    """
    from caur_ci.cli.holds import memory_at  # noqa: PLC0415 - slow to import
    from caur_ci.cli.reasons import Reason, outline  # noqa: PLC0415
    from caur_ci.config import load_repository_config  # noqa: PLC0415
    from caur_ci.pipeline.explaining import standing_of  # noqa: PLC0415
    from caur_ci.pipeline.shared.memory.branch import Memory  # noqa: PLC0415

    session = session_of(context)
    root = _root(repo)
    policy = policy_on_disk(root)
    (name,) = as_folders([package], repo)
    packages = folders_of(repo, None).packages
    if name not in packages:
        raise InputError(f"there is no package {name}", hint=suggestion(name, packages))
    config_file = root / ".ci" / "config"
    config = load_repository_config(config_file.read_bytes() if config_file.is_file() else b"")
    try:
        memory = memory_at(session, repo, remote) or Memory()
    except CaurError as error:
        session.warn(f"branch caur cannot be read: {error.message}")
        memory = Memory()
    standing = standing_of(
        policy, name, memory, wants_reviews=config.config.human_review, now=time.time()
    )
    if as_json:
        session.print_plain(to_json(standing))
    else:
        reasons = (Reason(source="policy", text=text) for text in standing.sentences())
        session.out.print(outline(name, reasons))
    return ExitCode.OK
