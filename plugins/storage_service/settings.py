"""What a deployer says of the storage service."""

from __future__ import annotations

from pydantic import Field

from fyr.core import PluginSettings
from fyr.plugins.storage_service.kinds import SIGNATURES


class StorageServiceSettings(PluginSettings):
    """``[plugin.storage_service]``: what is taken, and how pictures are handled."""

    max_bytes: int = Field(
        104_857_600,
        ge=1024,
        description="Largest content; more is 413, as is more than `blobs.max_bytes`.",
    )
    content_types: list[str] = Field(
        sorted(SIGNATURES),
        description="Content types that are taken; others are 415.",
    )
    picture_bytes: int = Field(
        33_554_432, ge=1024, description="Largest picture; it is read in memory."
    )
    picture_pixels: int = Field(
        40_000_000, ge=1, description="Most pixels of a picture; more is 422."
    )
    thumbnail_pixels: int = Field(
        320,
        ge=0,
        le=2048,
        description="Longest side of thumbnails; 0: none are made.",
    )
