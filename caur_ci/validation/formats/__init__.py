"""Reports in the forms of other programs."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from caur_ci.validation.model import Report


class Format(StrEnum):
    """How a report is written."""

    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"
    CODE_QUALITY = "code-quality"


def render(report: Report, form: Format) -> str:
    """Return the text of a report, with a line end."""
    if form is Format.JUNIT:
        from caur_ci.validation.formats.junit import as_junit  # noqa: PLC0415 - seldom needed

        return as_junit(report)
    if form is Format.SARIF:
        from caur_ci.validation.formats.sarif import as_sarif  # noqa: PLC0415 - seldom needed

        return _json(as_sarif(report))
    if form is Format.CODE_QUALITY:
        from caur_ci.validation.formats.code_quality import (  # noqa: PLC0415 - seldom needed
            as_code_quality,
        )

        return _json(as_code_quality(report))
    from caur_ci.validation.formats.plain_json import as_data  # noqa: PLC0415 - seldom needed

    return _json(as_data(report))


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
