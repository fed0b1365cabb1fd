"""`caur-ci init`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from caur_ci.cli.options import AsJson
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import CaurError, ExitCode

if TYPE_CHECKING:
    from caur_ci.setup.new_repository import NewRepository

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="The folder to begin in; it is made if need be.")
]
ForgeOption = Annotated[
    Literal["gitlab", "github", "forgejo", "none"] | None,
    typer.Option("--forge", help="Where its pipelines run.", show_default=False),
]
Serverless = Annotated[
    bool,
    typer.Option(
        "--serverless",
        help="The pipeline builds, signs and publishes as well, with `caur-ci run`; there is no "
        "queue elsewhere.",
    ),
]
TargetRepo = Annotated[
    str | None,
    typer.Option(
        "--target-repo",
        metavar="NAME",
        help="The pacman repository to publish in. Default: the folder's name.",
        show_default=False,
    ),
]
SourceRepo = Annotated[
    str | None,
    typer.Option(
        "--source-repo",
        metavar="NAME",
        help="The name by which the build side knows this repository. Default: the same.",
        show_default=False,
    ),
]
Review = Annotated[
    bool | None,
    typer.Option(
        "--review/--no-review",
        help="Whether people look at changes of more than the version.",
        show_default=False,
    ),
]
Example = Annotated[
    bool | None,
    typer.Option("--example/--no-example", help="An example package.", show_default=False),
]


def init(
    context: typer.Context,
    *,
    folder: Folder = Path(),
    forge: ForgeOption = None,
    serverless: Serverless = False,
    target_repo: TargetRepo = None,
    source_repo: SourceRepo = None,
    review: Review = None,
    example: Example = None,
    as_json: AsJson = False,
) -> int:
    """Begin a repository of PKGBUILD folders that works from the first push on.

    Writes .ci/config, the pipeline of the forge, .gitignore and an example package, makes it a Git
    repository where it is none, and tells what is left to do: which secrets to set, and where.
    Files that are there already are an error, and then nothing is written. On a terminal it asks
    what no option says; elsewhere defaults do.
    """
    from caur_ci.setup.new_repository import NewRepository  # noqa: PLC0415 - slow to import
    from caur_ci.setup.pipelines import Forge  # noqa: PLC0415

    session = session_of(context)
    ask = _Asking(wanted=not as_json and sys.stdin.isatty() and sys.stdout.isatty())
    suggested = _name_of(folder)
    target = target_repo or ask.text("Name of the pacman repository", suggested)
    repository = NewRepository(
        target_repo=target,
        source_repo=source_repo or ask.text("Name of this repository on the build side", target),
        forge=Forge(forge or ask.one_of("Forge", [it.value for it in Forge], _forge_of(folder))),
        serverless=serverless,
        review=ask.yes("Should people look at larger changes of packages", review, default=True),
        example=ask.yes("An example package", example, default=True),
    )
    written = _written(folder, repository)
    if as_json:
        _print_json(session, repository, written)
    else:
        _show(session, folder, repository, written)
    return ExitCode.OK


class _Asking:
    """Asks people, or takes defaults where there are none."""

    def __init__(self, *, wanted: bool) -> None:
        self._wanted = wanted

    def text(self, question: str, default: str) -> str:
        return str(typer.prompt(question, default=default)) if self._wanted else default

    def one_of(self, question: str, choices: list[str], default: str) -> str:
        answer = default
        while self._wanted:
            answer = str(typer.prompt(f"{question} ({', '.join(choices)})", default=default))
            if answer in choices:
                break
        return answer

    def yes(self, question: str, answer: bool | None, *, default: bool) -> bool:
        if answer is not None:
            return answer
        return typer.confirm(f"{question}?", default=default) if self._wanted else default


def _name_of(folder: Path) -> str:
    from caur_ci.errors import InputError  # noqa: PLC0415
    from caur_ci.names import check_repository_name  # noqa: PLC0415

    try:
        return check_repository_name(folder.resolve().name)
    except InputError:
        return "packages"


def _forge_of(folder: Path) -> str:
    """Return the forge that the remote `origin` of a folder is at, as far as its name tells."""
    from caur_ci.git import GitRepository  # noqa: PLC0415 - slow to import

    try:
        git = GitRepository.open(folder)
        url = git.git("config", "--get", "remote.origin.url", allowed=(0, 1)).decode(
            errors="replace"
        )
    except (CaurError, OSError):
        return "none"
    host = url.partition("://")[2].partition("/")[0] or url.partition(":")[0]
    if "forgejo" in host or host == "codeberg.org":
        return "forgejo"
    return next((forge for forge in ("gitlab", "github") if forge in host), "none")


def _written(folder: Path, repository: NewRepository) -> list[str]:
    """Write the files, and make a Git repository of the folder. Raises CaurError."""
    from caur_ci.process import run  # noqa: PLC0415 - slow to import

    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = repository.write(folder)
    except OSError as error:
        raise CaurError(f"{folder} cannot be written: {error.strerror}") from error
    if not (folder / ".git").exists():
        run(["git", "init", "--quiet", "--initial-branch=main", str(folder.resolve())])
    return written


def _print_json(session: Session, repository: NewRepository, written: list[str]) -> None:
    from caur_ci.cli.data import to_json  # noqa: PLC0415
    from caur_ci.setup.next_steps import next_steps, secrets_of  # noqa: PLC0415

    session.print_plain(
        to_json(
            {
                "written": written,
                "secrets": list(secrets_of(repository)),
                "next": next_steps(repository),
            }
        )
    )


def _show(session: Session, folder: Path, repository: NewRepository, written: list[str]) -> None:
    from caur_ci.cli.tables import table  # noqa: PLC0415 - slow to import
    from caur_ci.setup.next_steps import next_steps, secrets_of  # noqa: PLC0415

    for path in written:
        session.out.print(f"wrote {folder / path}", markup=False)
    if secrets := secrets_of(repository):
        session.out.print()
        rows = table("Secrets of the pipelines", len(secrets), "name", "needed", "what for")
        for secret in secrets:
            rows.add(secret.name, "yes" if secret.needed else "-", secret.purpose)
        session.out.print(rows)
    session.out.print("\nWhat is left to do:", markup=False)
    for number, step in enumerate(next_steps(repository), start=1):
        session.out.print(f" {number}. {step}", markup=False)
