"""What depends on what in a repository of PKGBUILD folders.

from pathlib import Path
from caur_ci.deptree import DependencyTree, build_order

files = {path.parent.name: path.read_bytes() for path in Path().glob("*/.SRCINFO")}
tree = DependencyTree.read(files)
for package, causes in tree.dependencies("nomacs").items():
    print(package, "because of", ", ".join(cause.relation for cause in causes))
for number, layer in enumerate(build_order(tree.subset(["nomacs"])).layers, start=1):
    print(number, *layer)
"""

from __future__ import annotations

from caur_ci.deptree.formats import order_to_json, to_dot, to_json, to_mermaid
from caur_ci.deptree.graph import Cause, DependencyTree, Need, Problem, ProblemKind
from caur_ci.deptree.order import BuildOrder, SetAside, build_order, find_cycles
from caur_ci.deptree.problems import problem_sentences
from caur_ci.deptree.wire import WireEntry, entries_of, read_wire, write_wire

__all__ = [
    "BuildOrder",
    "Cause",
    "DependencyTree",
    "Need",
    "Problem",
    "ProblemKind",
    "SetAside",
    "WireEntry",
    "build_order",
    "entries_of",
    "find_cycles",
    "order_to_json",
    "problem_sentences",
    "read_wire",
    "to_dot",
    "to_json",
    "to_mermaid",
    "write_wire",
]
