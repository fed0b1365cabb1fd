"""`caur-ci deptree`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli import completion
from caur_ci.cli.architectures import architectures_of
from caur_ci.cli.options import OneArch, Repo, named_as_completed
from caur_ci.cli.session import Session, session_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from caur_ci.deptree import BuildOrder, DependencyTree
    from caur_ci.package_folders import PackageFolders


# Of problems of one kind, before they are told in one sentence.
_TOLD_ALONE = 20


class Format(StrEnum):
    """How the tree is written."""

    TREE = "tree"
    WIRE = "wire"
    JSON = "json"
    DOT = "dot"
    MERMAID = "mermaid"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """What part of the tree is wanted, and how."""

    packages: tuple[str, ...]
    reverse: bool
    depth: int | None
    order: bool
    format: Format


Packages = Annotated[
    list[str] | None,
    typer.Argument(
        parser=named_as_completed,
        metavar="PACKAGE",
        help="Package folders, or packages that they produce. Default: the whole repository.",
        autocompletion=completion.packages,
        show_default=False,
    ),
]
Reverse = Annotated[
    bool, typer.Option("--reverse", "-r", help="Show what needs the packages instead.")
]
Depth = Annotated[
    int | None,
    typer.Option(
        "--depth",
        "-d",
        metavar="N",
        min=0,
        help="Go at most N steps away from the named packages.",
        show_default=False,
    ),
]
Order = Annotated[
    bool, typer.Option("--order", help="Show in which layers the packages can be built instead.")
]
InFormat = Annotated[
    Format,
    typer.Option(
        "--format",
        "-f",
        help="`wire` is the one-line form of .ci/deptree.txt, `dot` is for graphviz, `mermaid` "
        "for Markdown on GitLab and GitHub.",
    ),
]
Commit = Annotated[
    str | None,
    typer.Option(
        "--commit",
        metavar="REV",
        help="Read this commit. Default: the files as they are on disk; HEAD in a bare repository.",
        show_default=False,
    ),
]


def deptree(
    context: typer.Context,
    packages: Packages = None,
    *,
    reverse: Reverse = False,
    depth: Depth = None,
    order: Order = False,
    form: InFormat = Format.TREE,
    repo: Repo = Path(),
    commit: Commit = None,
    arch: OneArch = None,
) -> None:
    """Show which packages of the repository need which other ones.

    Reads the `.SRCINFO` files: `depends`, `makedepends` and `checkdepends` of all packages in a
    folder, and what other folders produce or provide. A folder whose `.SRCINFO` is missing or
    broken is told as a warning; it stays in the tree, without dependencies, and the exit code
    stays 0.
    """
    if depth is not None and not packages:
        raise typer.BadParameter("--depth counts from named packages: name at least one")
    if order and form not in {Format.TREE, Format.JSON}:
        raise typer.BadParameter("--order can be shown as `tree` or as `json`")
    from caur_ci.cli.working_tree import folders_of  # noqa: PLC0415 - keeps `--help` fast
    from caur_ci.deptree import DependencyTree  # noqa: PLC0415

    session = session_of(context)
    folders = folders_of(repo, commit)
    chosen = architectures_of(arch, repo)[0]
    tree = DependencyTree.read_each(folders.srcinfos(), arch=chosen)
    options = _Options(
        packages=tuple(dict.fromkeys(tree.resolve(name) for name in packages or ())),
        reverse=reverse,
        depth=depth,
        order=order,
        format=form,
    )
    _warn(session, folders, tree, options.packages)
    if options.packages:
        tree = tree.subset(options.packages, reverse=reverse, depth=depth)
    _show(session, tree, options)


def _warn(
    session: Session, folders: PackageFolders, tree: DependencyTree, named: Collection[str]
) -> None:
    for name in folders.unusable:
        session.warn(f"{name!r} cannot be the name of a package; the folder is left out")
    from caur_ci.deptree import problem_sentences  # noqa: PLC0415 - keeps `--help` fast

    for sentence in problem_sentences(tree.problems, foremost=named, alone=_TOLD_ALONE):
        session.warn(sentence)


def _show(session: Session, tree: DependencyTree, options: _Options) -> None:
    from caur_ci import deptree  # noqa: PLC0415 - keeps `--help` fast

    if options.order:
        order = deptree.build_order(tree)
        if options.format is Format.JSON:
            session.print_plain(deptree.order_to_json(order))
        else:
            _show_order(session, order)
    elif options.format is Format.TREE:
        from caur_ci.cli.deptree_view import show_tree  # noqa: PLC0415

        show_tree(session.out, tree, options.packages, reverse=options.reverse, depth=options.depth)
    elif options.format is Format.WIRE:
        session.print_plain(deptree.write_wire(deptree.entries_of(tree)))
    elif options.format is Format.JSON:
        session.print_plain(deptree.to_json(tree, deptree.find_cycles(tree)))
    elif options.format is Format.DOT:
        session.print_plain(deptree.to_dot(tree))
    else:
        session.print_plain(deptree.to_mermaid(tree))


def _show_order(session: Session, order: BuildOrder) -> None:
    for number, layer in enumerate(order.layers, start=1):
        session.out.print(f"layer {number}: ", style="bold", end="")
        session.out.print(" ".join(layer), markup=False)
    for members in order.cycles:
        session.out.print("cycle: ", style="red", end="")
        session.out.print(" ".join(members), markup=False)
    for edge in order.set_aside:
        session.out.print(
            f"  {edge.package} goes before {edge.needs}, which it needs", style="dim", markup=False
        )
