"""A pacman with a root of its own: the demo's, which tests of the published repository use as well.

The only place where tests outside the demo's own know the demo.
"""

from __future__ import annotations

from caur_ci.demo.client import PacmanClient, repository_section

__all__ = ["PacmanClient", "repository_section"]
