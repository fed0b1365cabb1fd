"""The landing zone: where workers put what they built and the database runner finds it.

A delivery is a folder with the package files, `manifest.json` and the worker's signature of that.
It is written under another name and then renamed, so it is complete or not there.
"""

from __future__ import annotations

from scheduler.landing.manifest import (
    MANIFEST,
    SIGNATURE,
    DeliveredFile,
    DeliveryAwaitedError,
    DeliveryError,
    DeliveryStoppedError,
    ElfFile,
    Manifest,
    SignedManifest,
    delivery_name,
    describe_file,
)
from scheduler.landing.protocol import Landing, landing_at
from scheduler.landing.zone import LandingZone

__all__ = [
    "MANIFEST",
    "SIGNATURE",
    "DeliveredFile",
    "DeliveryAwaitedError",
    "DeliveryError",
    "DeliveryStoppedError",
    "ElfFile",
    "Landing",
    "LandingZone",
    "Manifest",
    "SignedManifest",
    "delivery_name",
    "describe_file",
    "landing_at",
]
