"""The `.SRCINFO` of folders that commit none, told from their PKGBUILDs without running them."""

from __future__ import annotations

from caur_ci.generated_srcinfo.generator import (
    PkgbuildFolder,
    Srcinfo,
    SrcinfoGenerator,
    UnsureSrcinfoError,
)

__all__ = ["PkgbuildFolder", "Srcinfo", "SrcinfoGenerator", "UnsureSrcinfoError"]
