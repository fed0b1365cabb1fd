"""The dependency tree for other programs: JSON, and two languages that draw graphs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from caur_ci.deptree.graph import Need

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caur_ci.deptree.graph import Cause, DependencyTree
    from caur_ci.deptree.order import BuildOrder

# One encoder for all: json.dumps makes a new one for each call with options.
_json = json.JSONEncoder(ensure_ascii=False).encode
_DOT_STYLES = {Need.DEPENDS: "solid", Need.MAKEDEPENDS: "dashed", Need.CHECKDEPENDS: "dotted"}
_MERMAID_ARROWS = {Need.DEPENDS: "-->", Need.MAKEDEPENDS: "-.->", Need.CHECKDEPENDS: "-.->"}


def to_json(tree: DependencyTree, cycles: Iterable[Iterable[str]] = ()) -> str:
    """Return the tree as a JSON document, one line per package."""
    lines = ",\n".join(
        f"    {_json(package)}: {_json(_json_package(tree, package))}" for package in tree
    )
    packages = f"{{\n{lines}\n  }}" if lines else "{}"
    rest = _json([list(members) for members in cycles])
    problems = _json([{"package": p.package, "message": p.message} for p in tree.problems])
    return f'{{\n  "packages": {packages},\n  "cycles": {rest},\n  "problems": {problems}\n}}\n'


def _json_package(tree: DependencyTree, package: str) -> dict[str, Any]:
    fields = tree.fields.get(package)
    return {
        "version": fields.version if fields else None,
        "pkgnames": tree.pkgnames(package),
        "provides": tree.provides(package),
        "dependencies": {
            needed: [{"field": cause.need, "as": cause.relation} for cause in causes]
            for needed, causes in tree.dependencies(package).items()
        },
    }


def order_to_json(order: BuildOrder) -> str:
    """Return a build order as a JSON document, one line per layer."""
    layers = ",\n".join(f"    {_json(layer)}" for layer in order.layers)
    set_aside = [{"package": edge.package, "needs": edge.needs} for edge in order.set_aside]
    return (
        f'{{\n  "layers": [\n{layers}\n  ],\n  "cycles": {_json(order.cycles)},\n'
        f'  "set_aside": {_json(set_aside)}\n}}\n'
    )


def to_dot(tree: DependencyTree) -> str:
    """Return the tree in the language of graphviz: arrows go from a package to what it needs.

    Solid lines are `depends`, dashed ones `makedepends`, dotted ones `checkdepends`.
    """
    lines = ["digraph deptree {", "  rankdir=LR;", "  node [shape=box];"]
    broken = {problem.package for problem in tree.problems}
    for package in tree:
        lines.append(f"  {_quoted(package)}{' [color=red]' if package in broken else ''};")
        lines += [
            f"  {_quoted(package)} -> {_quoted(needed)} [style={_DOT_STYLES[_strongest(why)]}];"
            for needed, why in tree.dependencies(package).items()
        ]
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def to_mermaid(tree: DependencyTree) -> str:
    """Return the tree as a Mermaid flowchart, as GitLab and GitHub show it in Markdown.

    Names stand in labels only: as identifiers, `end`, `.`, `+` and `@` would mean something else.
    """
    identifiers = {package: f"p{number}" for number, package in enumerate(tree)}
    lines = ["flowchart LR"]
    lines += [f'  {identifiers[package]}["{_mermaid_label(package)}"]' for package in tree]
    for package in tree:
        lines += [
            f"  {identifiers[package]} {_MERMAID_ARROWS[_strongest(why)]} {identifiers[needed]}"
            for needed, why in tree.dependencies(package).items()
        ]
    return "\n".join([*lines, ""])


def _mermaid_label(text: str) -> str:
    """Write what Mermaid could take for markup as character codes."""
    return "".join(char if char.isalnum() or char in ".-" else f"#{ord(char)};" for char in text)


def _strongest(causes: Iterable[Cause]) -> Need:
    """Return the first of depends, makedepends, checkdepends that is among the causes."""
    needs = {cause.need for cause in causes}
    return next(need for need in Need if need in needs)
