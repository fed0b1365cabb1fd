"""The AUR's RPC interface, version 5.

Two programs answer to it, aurweb and goaurrpc. Both take a form that is posted to `/rpc`, with
every name at most once; they differ in nearly everything else.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from caur_ci.aur.errors import AurError
from caur_ci.aur.package import AurPackage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caur_ci.web import Web

# More than 5,000 results are refused.
NAMES_PER_REQUEST = 4000


def fetch_info(web: Web, url: str, names: Iterable[str]) -> list[AurPackage]:
    """Return what the AUR at `url` has of the packages `names`; those it does not have are missing.

    Names are those of packages, not of pkgbases. Raises AurError, and WebError when there is no
    answer or the limit of 4,000 requests a day is reached.
    """
    # Names have no capitals there, and one that is given twice counts twice.
    wanted = sorted({name.lower() for name in names})
    found: list[AurPackage] = []
    for start in range(0, len(wanted), NAMES_PER_REQUEST):
        part = wanted[start : start + NAMES_PER_REQUEST]
        fields = [("v", "5"), ("type", "info"), *(("arg[]", name) for name in part)]
        found += _packages(web.post_form(f"{url}/rpc", fields).content)
    return found


def _packages(content: bytes) -> list[AurPackage]:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise AurError(f"the AUR's RPC did not answer in JSON: {error}") from error
    # Errors come with status 200.
    if isinstance(answer, dict) and answer.get("type") == "error":
        raise AurError(f"the AUR's RPC refused: {str(answer.get('error', ''))[:200]}")
    if not isinstance(answer, dict) or not isinstance(answer.get("results"), list):
        raise AurError("the AUR's RPC answered something without results")
    try:
        return [AurPackage.from_record(it, knows_everybody=True) for it in answer["results"]]
    except ValueError as error:
        raise AurError(f"the AUR's RPC answered a package that makes no sense: {error}") from error
