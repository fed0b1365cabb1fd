"""The tree for other programs."""

from __future__ import annotations

import json
import re

from caur_ci.deptree import (
    DependencyTree,
    Problem,
    ProblemKind,
    build_order,
    find_cycles,
    order_to_json,
    to_dot,
    to_json,
    to_mermaid,
)
from tests.support.trees import tree_of_words

ODD = {"gtk+2.0": "make:lib@x", "lib@x": "check:end", "end": "", "3d_ok": "gtk+2.0"}


def test_json_has_every_package_with_its_needs_and_why() -> None:
    files: dict[str, bytes | None] = {
        "app": b"pkgbase=app\nepoch=1\npkgver=2\npkgrel=3\ndepends=lib>=1\nmakedepends=lib\n"
        b"pkgname=app\nprovides=prog=2\n",
        "lib": b"pkgbase=lib\npkgver=1\npkgrel=1\ndepends=app\npkgname=lib\n",
        "none": None,
    }
    tree = DependencyTree.read(files)
    document = json.loads(to_json(tree, find_cycles(tree)))
    assert document["packages"]["app"] == {
        "version": "1:2-3",
        "pkgnames": ["app"],
        "provides": ["prog"],
        "dependencies": {
            "lib": [
                {"field": "depends", "as": "lib>=1"},
                {"field": "makedepends", "as": "lib"},
            ]
        },
    }
    assert document["packages"]["none"]["version"] is None
    assert document["cycles"] == [["app", "lib"]]
    assert [problem["package"] for problem in document["problems"]] == ["none"]
    assert json.loads(to_json(DependencyTree.read({})))["packages"] == {}


def test_a_build_order_as_json() -> None:
    order = build_order(tree_of_words({"a": "b", "b": "make:a", "c": ""}))
    assert json.loads(order_to_json(order)) == {
        "layers": [["a", "c"], ["b"]],
        "cycles": [["a", "b"]],
        "set_aside": [{"package": "a", "needs": "b"}],
    }


def test_dot_quotes_every_name() -> None:
    tree = tree_of_words(ODD)
    text = to_dot(
        DependencyTree.build(
            {**tree.fields, "none": Problem("none", "no file", ProblemKind.MISSING)}
        )
    )
    assert '"gtk+2.0" -> "lib@x" [style=dashed];' in text
    assert '"lib@x" -> "end" [style=dotted];' in text
    assert '"3d_ok" -> "gtk+2.0" [style=solid];' in text
    assert '"none" [color=red];' in text


def test_mermaid_has_names_in_labels_only() -> None:
    lines = to_mermaid(tree_of_words(ODD)).splitlines()
    assert lines[0] == "flowchart LR"
    nodes = dict(re.findall(r'(p\d+)\["(.+)"\]', "\n".join(lines)))
    assert sorted(nodes.values()) == ["3d#95;ok", "end", "gtk#43;2.0", "lib#64;x"]
    arrows = {
        (nodes[start], arrow, nodes[end])
        for start, arrow, end in (line.split() for line in lines if "->" in line)
    }
    assert arrows == {
        ("3d#95;ok", "-->", "gtk#43;2.0"),
        ("gtk#43;2.0", "-.->", "lib#64;x"),
        ("lib#64;x", "-.->", "end"),
    }
