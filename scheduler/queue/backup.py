"""Checks the documents of a backup, which may come from anywhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from caur_ci.errors import InputError
from scheduler.queue.codec import decode_job, decode_removal, encode_job, encode_removal
from scheduler.schemas import problem_of

if TYPE_CHECKING:
    from collections.abc import Mapping


def decode_document(document: Mapping[str, Any]) -> tuple[str, str]:
    """Return a document of a backup in two parts: what is to be built or removed, by itself.

    Raises InputError for what is no such document.
    """
    data = dict(document)
    if problem := problem_of("backup", data):
        raise InputError(f"this is no part of a backup: {problem}")
    try:
        if data["kind"] == "job":
            content = encode_job(decode_job(json.dumps(data.pop("spec"))))
        elif data["kind"] == "removal":
            content = encode_removal(decode_removal(json.dumps(data.pop("removal"))))
        else:
            content = ""
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(f"this is no part of a backup: {error}") from error
    return json.dumps(data), content
