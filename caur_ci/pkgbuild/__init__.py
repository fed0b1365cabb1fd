"""Reads PKGBUILDs without running them."""

from __future__ import annotations

from caur_ci.pkgbuild.evaluate import Evaluation, evaluate
from caur_ci.pkgbuild.srcinfo import Doubt, doubts, render_srcinfo
from caur_ci.pkgbuild.syntax import SyntaxTree, UnparsableError, parse

__all__ = [
    "Doubt",
    "Evaluation",
    "SyntaxTree",
    "UnparsableError",
    "doubts",
    "evaluate",
    "parse",
    "render_srcinfo",
]
