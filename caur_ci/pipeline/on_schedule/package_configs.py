"""The `.CI/config` files of many packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.config import PackageConfig, load_package_config
from caur_ci.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping


class PackageConfigs:
    """The configurations of packages, each different one parsed once."""

    def __init__(self, files: Mapping[str, bytes | None]) -> None:
        self.loaded: dict[str, PackageConfig] = {}
        self.broken: dict[str, str] = {}
        self.warnings: list[str] = []
        plain: dict[bytes, PackageConfig] = {b"": PackageConfig()}
        for name, content in files.items():
            data = content or b""
            if data not in plain:
                self._load(name, data, plain)
            else:
                self.loaded[name] = plain[data]

    def _load(self, name: str, data: bytes, plain: dict[bytes, PackageConfig]) -> None:
        try:
            found = load_package_config(data, origin=f"{name}/{PackageConfig.FILE}")
        except ConfigError as error:
            self.broken[name] = error.message
            return
        self.loaded[name] = found.config
        self.warnings += found.warnings
        if not found.warnings:
            plain[data] = found.config
